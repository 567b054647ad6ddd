import { describe, expect, it } from 'vitest';
import { MessageBus } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, gate, hang, outcomeOf } from './books.ts';

describe.each(['real', 'simulated'] as const)('draining and closing, on the %s Env', (env) => {
  // R:B7 F:B19 F:B20
  it('drains what is admitted and what its handlers say, refuses the rest, and opens again', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const going = gate();
    const agent = bus.register('a');
    agent.subscribe('x', async (_message, context) => {
      await going.opened;
      context.publish('y', 1);
      log.push(String(await context.request('q', 1)));
    });
    bus.subscribe('y', () => void log.push('y'));
    bus.register('b').serve('q', () => 'answer');
    bus.publish('x', 1);
    bus.publish('y', 1, { delayMs: 60_000 });

    const drained = outcomeOf(bus.drain());
    await settle();
    expect(bus.inspect().status).toBe('draining');
    expect(codeOf(() => bus.publish('x', 1))).toBe('TELLASK_CLOSED');
    expect(codeOf(() => agent.send('a', 'x', 1))).toBe('TELLASK_CLOSED');
    expect(codeOf(() => bus.register('late'))).toBe('TELLASK_CLOSED');
    const asked = outcomeOf(bus.request('q', 1));
    await settle();
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_CLOSED' } });
    going.open();
    await settle();

    expect(drained.now()).toEqual({ value: true });
    expect(log.sort()).toEqual(['answer', 'y']);
    expect(bus.inspect()).toMatchObject({ status: 'open', scheduled: 1 });
    await bus.close();
  });

  it('drains at once when nothing is admitted', async () => {
    const { bus } = makeBus(env);
    expect(await bus.drain()).toBe(true);
  });

  // DESIGN "finality" R:A3
  it('cancels what has not begun when it closes by abort, and keeps a letter of each', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a', { capacity: 2, overflow: 'wait' });
    agent.subscribe('x', () => {}, { key: () => 'k' });
    agent.serve('q', () => 1);
    agent.pause();
    const receipts = [1, 2, 3].map((n) => bus.publish('x', n));
    const delayed = bus.publish('x', 4, { delayMs: 60_000 });
    const asked = outcomeOf(bus.request('q', 1));

    const closed = await bus.close({ mode: 'abort' });
    await settle();

    expect(closed).toEqual({
      drained: false,
      cancelled: 4,
      unsent: 1,
      abandoned: [],
      unsavedLetters: 0,
    });
    for (const receipt of receipts) expect(await receipt.settled).toMatchObject({ cancelled: 1 });
    expect(await delayed.settled).toMatchObject({ cancelled: 0 });
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_CLOSED' } });
    const reasons = bus.deadLetters.list().map(({ reason, refused }) => `${reason} ${refused}`);
    expect(reasons.sort()).toEqual([...Array(4).fill('closed false'), 'closed true']);
    expect(bus.inspect()).toMatchObject({ queued: 0, waiting: 0, scheduled: 0, status: 'closed' });
    expectBalanced(bus);
  });

  it('lets what is admitted be handled when it closes by draining', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    bus.subscribe('x', ({ payload }) => void log.push(payload));
    for (const n of [1, 2, 3]) bus.publish('x', n);

    const closed = outcomeOf(bus.close());
    await settle();

    expect(closed.now()).toEqual({
      value: { drained: true, cancelled: 0, unsent: 0, abandoned: [], unsavedLetters: 0 },
    });
    expect(log).toEqual([1, 2, 3]);
  });

  it('may be closed again, and is a resource', async () => {
    const { bus } = makeBus(env);
    let closed = 0;
    bus.events.on('closed', () => closed++);

    const first = bus.close();
    expect(bus.close()).toBe(first);
    await first;
    await bus[Symbol.asyncDispose]();

    expect(closed).toBe(1);
    expect(codeOf(() => bus.publish('x', 1))).toBe('TELLASK_CLOSED');
    expect(codeOf(() => bus.subscribe('x', () => {}))).toBe('TELLASK_CLOSED');
  });

  // R:B7
  it('does not wait for the handler that closes it', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.subscribe('stop', async (_message, context) => {
      await context.close();
      log.push('closed');
    });
    const receipt = bus.publish('stop', 1);

    await settle();

    expect(log).toEqual(['closed']);
    expect(await receipt.settled).toMatchObject({ handled: 1 });
    expect(bus.inspect().status).toBe('closed');
    expectBalanced(bus);
  });

  it('lets an agent leave from its own handler without waiting for itself', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.register('a').subscribe('stop', async (_message, context) => {
      await context.close();
      log.push('left');
    });
    const receipts = [bus.publish('stop', 1), bus.publish('stop', 2)];

    await settle();

    expect(log).toEqual(['left']);
    expect(bus.agents()).toEqual([]);
    expect(await receipts[0]?.settled).toMatchObject({ handled: 1 });
    expect(await receipts[1]?.settled).toMatchObject({ deadLettered: [expect.any(String)] });
    expectBalanced(bus);
  });
});

describe('closing against the clock', () => {
  it('aborts what hangs, gives it the grace, and returns whom it had to abandon', async () => {
    const t = createTestBus();
    const log: string[] = [];
    t.bus.register('a').subscribe('x', (_message, { signal }) => {
      signal.addEventListener('abort', () => log.push(`${signal.reason.code} ${t.clock.nowMs}`));
      return hang();
    });
    t.bus.register('b').serve('q', hang);
    const receipt = t.bus.publish('x', 1);
    const asked = outcomeOf(t.bus.request('q', 1, { timeoutMs: Infinity }));
    await t.settle();

    const closed = outcomeOf(t.bus.close({ timeoutMs: 500 }));
    await t.clock.advance(1_499);
    expect(closed.now()).toBe('pending');
    await t.clock.advance(1);

    expect(log).toEqual(['TELLASK_CLOSED 500']);
    expect(closed.now()).toMatchObject({
      value: {
        drained: false,
        abandoned: expect.toSatisfy((left: { topic: string; agent: string }[]) => {
          const places = left.map(({ topic, agent }) => `${topic} ${agent}`);
          return places.toSorted().join() === 'q b,x a';
        }),
      },
    });
    expect(await receipt.settled).toMatchObject({ cancelled: 1 });
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_CLOSED' } });
    expectBalanced(t.bus);
  });

  it('says when draining took too long, and opens again', async () => {
    const t = createTestBus();
    t.bus.subscribe('x', hang);
    t.bus.publish('x', 1);

    const drained = outcomeOf(t.bus.drain({ timeoutMs: 100 }));
    await t.clock.advance(100);

    expect(drained.now()).toEqual({ value: false });
    expect(t.bus.inspect().status).toBe('open');
  });

  it('stays closed to the outside until the last of those who drain it has ended', async () => {
    const t = createTestBus();
    const ends = gate();
    t.bus.subscribe('x', () => ends.opened);
    t.bus.publish('x', 1);
    const long = outcomeOf(t.bus.drain({ timeoutMs: 1_000 }));
    const short = outcomeOf(t.bus.drain({ timeoutMs: 10 }));

    await t.clock.advance(10);
    expect([short.now(), long.now()]).toEqual([{ value: false }, 'pending']);
    expect(t.bus.inspect().status).toBe('draining');
    ends.open();
    await t.settle();

    expect(long.now()).toEqual({ value: true });
    expect(t.bus.inspect().status).toBe('open');
  });

  // R:A4 DESIGN "finality"
  it('ends what waits for a retry, and leaves no timer', async () => {
    const env = new SimEnv();
    const bus = new MessageBus({ env });
    const fail = (): never => {
      throw new Error('no');
    };
    const retry = { maxAttempts: 5, baseMs: 60_000 };
    bus.subscribe('x', fail, { retry });
    bus.subscribe('x', fail, { retry: { ...retry, order: 'in-place' } });
    bus.subscribe('x', hang);
    bus.subscribe('limited', () => {}, { rateLimit: { limit: 1, perMs: 60_000 } });
    void bus.register('a').receive({ timeoutMs: 60_000 });
    void bus.once('y', { timeoutMs: 60_000 }).catch(() => {});
    const receipt = bus.publish('x', 1);
    for (const n of [1, 2]) bus.publish('limited', n);
    bus.publish('x', 2, { delayMs: 60_000 });
    await env.settle();

    const closed = outcomeOf(bus.close({ mode: 'abort' }));
    await env.advance(1_000);

    expect(closed.now()).not.toBe('pending');
    expect(await receipt.settled).toMatchObject({ cancelled: 3 });
    expect(env.pendingTimers()).toEqual([]);
    expect(env.readyLanes()).toEqual([]);
    expectBalanced(bus);
  });

  // R:D2
  it('holds no timer while it is idle', async () => {
    const env = new SimEnv();
    const bus = new MessageBus({ env });
    const agent = bus.register('a');
    agent.subscribe('x', async () => {}, { rateLimit: { limit: 5, perMs: 1_000 } });
    agent.serve('q', async () => 1);

    bus.publish('x', 1, { dedupeKey: 'k', retain: true });
    void bus.request('q', 1);
    await env.settle();

    expect(env.pendingTimers()).toEqual([]);
  });
});
