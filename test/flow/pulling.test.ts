import { describe, expect, it } from 'vitest';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, outcomeOf } from './books.ts';

describe.each(['real', 'simulated'] as const)('pulling, on the %s Env', (env) => {
  // F:B14 R:A1
  it('receives one message after the other, by priority, and each is handled', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    bus.send('a', 'x', 'normal');
    bus.send('a', 'x', 'high', { priority: 'high' });

    const both = [agent.receive(), agent.receive()];
    await settle();

    const payloads = (await Promise.all(both)).map((message) => message?.payload);
    expect(payloads).toEqual(['high', 'normal']);
    expect(bus.inspect()).toMatchObject({ handled: 2, queued: 0 });
  });

  // R:C2
  it('rejects with the reason of the signal, and loses no message by it', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    const controller = new AbortController();

    const waiting = outcomeOf(agent.receive({ signal: controller.signal }));
    controller.abort('enough');
    const late = outcomeOf(agent.receive({ signal: controller.signal }));
    bus.send('a', 'x', 1);
    await settle();

    expect([waiting.now(), late.now()]).toEqual([{ error: 'enough' }, { error: 'enough' }]);
    expect(bus.inspect().queued).toBe(1);
  });

  // F:B15 R:A1 R:D4
  it('iterates over what was said since messages() was called, and stops on break', async () => {
    const { bus, settle } = makeBus(env);
    const messages = bus.register('a').messages('x.*');
    for (const n of [1, 2, 3]) bus.publish(`x.${n}`, n);
    const seen: unknown[] = [];

    const reading = (async () => {
      for await (const { payload } of messages) {
        seen.push(payload);
        if (payload === 2) break;
      }
    })();
    await settle();
    await reading;

    expect(seen).toEqual([1, 2]);
    expect(bus.inspect()).toMatchObject({ handled: 2, cancelled: 1, subscriptions: 0 });
    expect(bus.publish('x.4', 4).recipients).toEqual([]);
    expect(await messages.next()).toEqual({ done: true, value: undefined });
  });

  it('reads what no handler takes when it is given no pattern', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    const messages = agent.messages();
    bus.send('a', 'x', 1);

    const first = outcomeOf(messages.next());
    await settle();
    expect(first.now()).toMatchObject({ value: { done: false, value: { topic: 'x' } } });
    expect(bus.inspect().inFlight).toBe(1);
    const second = outcomeOf(messages.next());
    await settle();
    expect(bus.inspect()).toMatchObject({ inFlight: 0, handled: 1 });
    await messages.return?.();
    await settle();

    expect(second.now()).toEqual({ value: { done: true, value: undefined } });
    bus.send('a', 'x', 2);
    await settle();
    expect(bus.inspect()).toMatchObject({ queued: 1, inFlight: 0 });
  });

  // R:D4
  it('has next calls that overlap wait for each other, and loses no message by them', async () => {
    const { bus, settle } = makeBus(env);
    const messages = bus.messages('x');
    const both = [messages.next(), messages.next()];

    bus.publish('x', 1);
    bus.publish('x', 2);
    await settle();
    await messages.return?.();

    const results = await Promise.all(both);
    expect(results.map(({ value }) => value.payload)).toEqual([1, 2]);
    expect(bus.inspect()).toMatchObject({ handled: 2, inFlight: 0 });
  });

  it('closes when it is thrown into', async () => {
    const { bus, settle } = makeBus(env);
    const messages = bus.messages('x');

    const thrown = outcomeOf(messages.throw?.(new Error('stop')) as Promise<unknown>);
    await settle();

    expect(thrown.now()).toMatchObject({ error: { message: 'stop' } });
    expect(bus.inspect().subscriptions).toBe(0);
    expect(messages[Symbol.asyncIterator]()).toBe(messages);
  });

  // R:D4
  it('is bounded like every mailbox', async () => {
    const { bus } = makeBus(env, { mailbox: { capacity: 2 } });
    bus.messages('x');

    for (const n of [1, 2, 3]) bus.publish('x', n);

    expect(bus.inspect()).toMatchObject({ queued: 2, deadLettered: 1 });
  });

  // R:A3
  it('ends with its agent: who waits is told, what was pulled has its outcome', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    const inbox = agent.messages();
    const topics = agent.messages('x');
    bus.send('a', 'y', 1);
    const held = inbox.next();
    await settle();
    await held;
    const waiting = outcomeOf(topics.next());
    const receiving = outcomeOf(agent.receive());

    await agent.leave();
    await settle();

    expect(waiting.now()).toEqual({ value: { done: true, value: undefined } });
    expect(receiving.now()).toEqual({ value: undefined });
    expect(bus.inspect()).toMatchObject({ inFlight: 0, deadLettered: 1 });
    expect(bus.deadLetters.list()).toMatchObject([{ reason: 'recipient-stopped' }]);
    expectBalanced(bus);
  });

  // R:A6 DESIGN "finality"
  it('ends with the bus: what was pulled and not done with is abandoned', async () => {
    const { bus, settle } = makeBus(env);
    const messages = bus.messages('x');
    const next = messages.next();
    bus.publish('x', 1);
    await settle();
    await next;

    const closed = await bus.close({ mode: 'abort' });

    expect(closed.abandoned).toMatchObject([{ topic: 'x', agent: '$host' }]);
    expect(bus.inspect()).toMatchObject({ inFlight: 0, cancelled: 1 });
    expect(await messages.next()).toEqual({ done: true, value: undefined });
    expectBalanced(bus);
  });

  it('gives one message to once, and listens no longer', async () => {
    const { bus, settle } = makeBus(env);
    const one = outcomeOf(bus.once('x'));

    bus.publish('x', 1);
    bus.publish('x', 2);
    await settle();

    expect(one.now()).toMatchObject({ value: { payload: 1 } });
    expect(bus.inspect()).toMatchObject({ subscriptions: 0 });
  });

  it('ends once by its signal, and when the bus closes', async () => {
    const { bus, settle } = makeBus(env);
    const aborted = outcomeOf(bus.once('x', { signal: AbortSignal.abort('no') }));
    const waiting = outcomeOf(bus.once('x'));

    await bus.close();
    const late = outcomeOf(bus.once('x'));
    await settle();

    expect(aborted.now()).toEqual({ error: 'no' });
    expect(waiting.now()).toMatchObject({ error: { code: 'TELLASK_CLOSED' } });
    expect(late.now()).toMatchObject({ error: { code: 'TELLASK_CLOSED' } });
    expect(() => bus.messages('x')).toThrow(/closed/);
  });
});

describe('pulling against the clock', () => {
  it('gives undefined when the time is over, and skips what has expired', async () => {
    const t = createTestBus();
    const agent = t.bus.register('a');
    t.bus.send('a', 'x', 1, { ttlMs: 50 });
    await t.clock.advance(60);

    const received = outcomeOf(agent.receive({ timeoutMs: 100 }));
    await t.clock.advance(99);
    expect(received.now()).toBe('pending');
    await t.clock.advance(1);

    expect(received.now()).toEqual({ value: undefined });
    expect(t.bus.inspect()).toMatchObject({ expired: 1, queued: 0 });
  });

  it('ends once with a time-out that names the pattern', async () => {
    const t = createTestBus();
    const one = outcomeOf(t.bus.once('x.*', { timeoutMs: 100 }));

    await t.clock.advance(100);

    expect(one.now()).toMatchObject({
      error: { code: 'TELLASK_TIMEOUT', message: 'No message on x.* came within 100 ms' },
    });
    expect(t.bus.inspect().subscriptions).toBe(0);
  });
});
