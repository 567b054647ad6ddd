import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { MessageBus } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, hang } from './books.ts';

describe('bounds', () => {
  // R:D1
  it('leaves the tables as they were after 100 000 requests of every ending', async () => {
    // Not a test bus, which remembers what has happened.
    const env = new SimEnv();
    const bus = new MessageBus({ env, deadLetters: { maxLetters: 10 } });
    const agent = bus.register('a', { concurrency: Infinity, capacity: Infinity });
    agent.serve('answers', () => 1);
    agent.serve('fails', () => {
      throw new Error('no');
    });
    agent.serve('stops', (_m, { signal }) => {
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(0)));
    });
    const forever = new AbortController();
    let ended = 0;
    const end = (): void => void ended++;

    for (let round = 0; round < 25; round++) {
      const controller = new AbortController();
      for (let n = 0; n < 1_000; n++) {
        bus.request('answers', n, { signal: forever.signal }).then(end, end);
        bus.request('fails', n, { signal: forever.signal }).then(end, end);
        bus.request('stops', n, { signal: controller.signal }).then(end, end);
        bus.request('stops', n, { signal: forever.signal, timeoutMs: 10 }).then(end, end);
      }
      expect(getEventListeners(forever.signal, 'abort').length).toBeLessThanOrEqual(1);
      await env.settle();
      controller.abort();
      await env.advance(20);
    }

    expect(ended).toBe(100_000);
    expect(getEventListeners(forever.signal, 'abort')).toHaveLength(0);
    expect(bus.inspect()).toMatchObject({
      pendingRequests: 0,
      queued: 0,
      inFlight: 0,
      letters: 10,
    });
    expectBalanced(bus);
  });

  // R:D5 R:D6
  it('keeps a bounded number of topics of 200 000 that are said once', async () => {
    const { bus, settle } = makeBus('real', { maxCachedTopics: 1_000, maxMetricLabels: 100 });
    let heard = 0;
    bus.subscribe('once.*', () => void heard++);

    for (let n = 0; n < 200_000; n++) {
      bus.publish(`once.${n}`, n);
      if (n % 5_000 === 0) await settle();
    }
    await settle();

    expect(heard).toBe(200_000);
    expect(bus.inspect().cachedTopics).toBeLessThanOrEqual(1_000);
    expect(bus.metrics().families.length).toBeLessThanOrEqual(101);
  });

  // R:D5
  it('stays flat while agents come and go under one name', async () => {
    const { bus, settle } = makeBus('real');
    const before = bus.inspect();

    for (let n = 0; n < 1_000; n++) {
      const agent = bus.register('guest');
      agent.subscribe(`room.${n}.*`, () => {}, { group: n % 2 === 0 ? 'g' : 'h' });
      agent.subscribe('hall', () => {}, { lane: 'own' });
      agent.serve(`q.${n}`, () => 1);
      bus.publish('hall', n);
      await agent.leave();
    }
    await settle();

    const { agents, subscriptions, queued, inFlight } = bus.inspect();
    expect({ agents, subscriptions, queued, inFlight }).toEqual({
      agents: before.agents,
      subscriptions: before.subscriptions,
      queued: 0,
      inFlight: 0,
    });
    expectBalanced(bus);
  });

  // R:B1
  it.each(['real', 'simulated'] as const)(
    'publishes 10 000 deep from handlers without growing the stack, in order (%s)',
    async (env) => {
      const { bus, settle } = makeBus(env, { guard: { maxHops: Infinity, maxRepeats: Infinity } });
      const log: number[] = [];
      let other = 0;
      let othersBefore = -1;
      const agent = bus.register('a');
      agent.subscribe(
        'x',
        ({ payload }, context) => {
          const n = payload as number;
          log.push(n);
          if (n === 5_000) othersBefore = other;
          if (n < 10_000) context.publish('x', n + 1);
          context.publish('other', n);
        },
        { echo: true },
      );
      bus.subscribe('other', () => void other++);

      bus.publish('x', 1);
      await settle();
      await bus.drain();

      expect(log).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1));
      expect(other).toBe(10_000);
      expect(othersBefore).toBeGreaterThan(4_000);
      expectBalanced(bus);
    },
  );

  // R:D1
  it('listens once to the signal of a conversation, however many wait on it', async () => {
    const bus = new MessageBus();
    const { signal } = new AbortController();
    bus.register('a', { concurrency: 10 }).serve('q', hang);
    const agent = bus.register('b');

    for (let n = 0; n < 10; n++) void bus.request('q', n, { signal }).catch(() => {});
    for (let n = 0; n < 10; n++) void agent.receive({ signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await bus.close({ mode: 'abort', timeoutMs: 0 });

    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});
