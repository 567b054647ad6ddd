import { describe, expect, it } from 'vitest';
import type { Overflow } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, hang, outcomeOf } from './books.ts';

/** A paused agent that hears `x`, so that all that is said stays in line. */
function jammed(env: 'real' | 'simulated', overflow: Overflow, capacity: number) {
  const { bus, settle } = makeBus(env);
  const handled: unknown[] = [];
  const agent = bus.register('a', { capacity, overflow });
  agent.subscribe('x', ({ payload }) => void handled.push(payload));
  agent.pause();
  return { bus, settle, agent, handled };
}

// R:A7 F:B7 F:B8
describe.each(['real', 'simulated'] as const)('a full mailbox, on the %s Env', (env) => {
  it.each([
    ['reject', 0, []],
    ['reject', 1, [1]],
    ['reject', 2, [1, 2]],
    ['reject', 3, [1, 2, 3]],
    ['drop-newest', 0, []],
    ['drop-newest', 1, [1]],
    ['drop-newest', 2, [1, 2]],
    ['drop-newest', 3, [1, 2, 3]],
    ['drop-oldest', 0, []],
    ['drop-oldest', 1, [5]],
    ['drop-oldest', 2, [4, 5]],
    ['drop-oldest', 3, [3, 4, 5]],
    ['wait', 0, []],
    ['wait', 1, [1, 2]],
    ['wait', 2, [1, 2, 3, 4]],
    ['wait', 3, [1, 2, 3, 4, 5]],
  ] as const)('%s with %i places handles %j of five', async (overflow, capacity, kept) => {
    const { bus, settle, agent, handled } = jammed(env, overflow, capacity);

    const receipts = [1, 2, 3, 4, 5].map((n) => bus.publish('x', n));
    expect(agent.inspect().queued).toBeLessThanOrEqual(capacity);
    agent.resume();
    await settle();

    expect(handled).toEqual(kept);
    expect(bus.deadLetters.list({ reason: 'overflow' })).toHaveLength(5 - kept.length);
    for (const receipt of receipts) await receipt.settled;
    expectBalanced(bus);
  });

  it('names whose copy overflowed on the receipt, and the others get theirs', async () => {
    const { bus, settle } = jammed(env, 'reject', 0);
    let heard = 0;
    bus.register('b').subscribe('x', () => void heard++);

    const receipt = bus.publish('x', 1);
    await settle();

    expect(receipt.recipients).toEqual(['a', 'b']);
    expect(receipt.overflowed).toEqual(['a']);
    expect(await receipt.settled).toMatchObject({ handled: 1, deadLettered: [expect.any(String)] });
    expect(heard).toBe(1);
  });

  it('refuses a directed message with an error that says how full it is', () => {
    const { bus } = jammed(env, 'reject', 1);
    bus.send('a', 'x', 1);

    expect(() => bus.send('a', 'x', 2)).toThrow('The mailbox of a is full (capacity 1)');

    expect(codeOf(() => bus.send('a', 'x', 2))).toBe('TELLASK_MAILBOX_FULL');
    expect(bus.inspect()).toMatchObject({ admitted: 1, refused: 2, deadLettered: 0 });
  });

  it('rejects a request whose responder has no place', async () => {
    const { bus, settle, agent } = jammed(env, 'reject', 0);
    agent.serve('q', () => 1);

    const asked = outcomeOf(bus.request('q', 1));
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_MAILBOX_FULL' } });
    expect(bus.inspect().pendingRequests).toBe(0);
  });

  it('drops the oldest of the lowest priority, which may be the newcomer', async () => {
    const { bus, settle, agent, handled } = jammed(env, 'drop-oldest', 2);

    bus.publish('x', 'high 1', { priority: 8 });
    bus.publish('x', 'low', { priority: 2 });
    bus.publish('x', 'high 2', { priority: 8 });
    bus.publish('x', 'lowest', { priority: 1 });
    agent.resume();
    await settle();

    expect(handled).toEqual(['high 1', 'high 2']);
    const dropped = bus.deadLetters.list({ reason: 'overflow' });
    expect(dropped.map(({ message }) => message.payload)).toEqual(['low', 'lowest']);
  });

  // F:B9
  it('keeps the place of a waiting copy before later ones of its sender', async () => {
    const { bus, settle, agent, handled } = jammed(env, 'wait', 2);

    const receipts = [1, 2, 3, 4].map((n) => bus.send('a', 'x', n));
    const third = outcomeOf(receipts[2]?.accepted as Promise<void>);
    await receipts[0]?.accepted;
    await settle();
    expect(third.now()).toBe('pending');
    expect(bus.inspect()).toMatchObject({ queued: 2, waiting: 2 });
    expect(codeOf(() => bus.send('a', 'x', 5))).toBe('TELLASK_MAILBOX_FULL');
    agent.resume();
    await settle();

    expect(third.now()).toEqual({ value: undefined });
    expect(handled).toEqual([1, 2, 3, 4]);
    expectBalanced(bus);
  });

  it('withdraws a waiting copy when its signal aborts', async () => {
    const { bus, settle, agent, handled } = jammed(env, 'wait', 1);
    const controller = new AbortController();
    bus.publish('x', 1);

    const receipt = bus.publish('x', 2, { signal: controller.signal });
    const accepted = outcomeOf(receipt.accepted);
    controller.abort('enough');
    agent.resume();
    await settle();

    expect(accepted.now()).toEqual({ error: 'enough' });
    expect(await receipt.settled).toMatchObject({ cancelled: 1 });
    expect(handled).toEqual([1]);
    expectBalanced(bus);
  });

  it('withdraws a waiting copy at once when its signal has aborted before', async () => {
    const { bus } = jammed(env, 'wait', 1);
    bus.publish('x', 1);

    const receipt = bus.publish('x', 2, { signal: AbortSignal.abort('before'), timeoutMs: 1_000 });

    await expect(receipt.accepted).rejects.toBe('before');
    expect(bus.inspect()).toMatchObject({ waiting: 0, cancelled: 1 });
  });

  it('tells who waits when the subscription ends or the agent leaves', async () => {
    for (const end of ['unsubscribe', 'leave', 'close'] as const) {
      const { bus, settle } = makeBus(env);
      const agent = bus.register('a', { capacity: 1, overflow: 'wait' });
      const subscription = agent.subscribe('x', () => {});
      agent.pause();
      bus.publish('x', 1);
      const receipt = bus.publish('x', 2);
      const accepted = outcomeOf(receipt.accepted);

      if (end === 'unsubscribe') subscription.unsubscribe();
      else if (end === 'leave') void agent.leave();
      else void bus.close({ mode: 'abort' });
      await settle();

      expect(accepted.now()).toMatchObject({ error: { code: expect.stringContaining('TELLASK') } });
      await receipt.settled;
      expect(bus.inspect().waiting).toBe(0);
    }
  });
});

describe('waiting for a place, on simulated time', () => {
  it('withdraws a waiting copy when its time is over', async () => {
    const t = createTestBus();
    const agent = t.bus.register('a', { capacity: 1, overflow: 'wait' });
    agent.subscribe('x', hang);
    t.bus.publish('x', 0);
    await t.settle();
    t.bus.publish('x', 1);

    const receipt = t.bus.publish('x', 2, { timeoutMs: 500 });
    const accepted = outcomeOf(receipt.accepted);
    await t.clock.advance(499);
    expect(accepted.now()).toBe('pending');
    await t.clock.advance(1);

    expect(accepted.now()).toMatchObject({ error: { code: 'TELLASK_MAILBOX_FULL' } });
    expect(await receipt.settled).toMatchObject({ cancelled: 1 });
  });

  // R:A4
  it('lets a waiting retry keep its place, so that its return cannot overflow', async () => {
    for (const overflow of ['reject', 'drop-oldest', 'drop-newest'] as const) {
      const t = createTestBus();
      const log: unknown[] = [];
      let failures = 1;
      const agent = t.bus.register('a', { capacity: 1, overflow });
      agent.subscribe(
        'x',
        ({ payload }) => {
          log.push(payload);
          if (failures-- > 0) throw new Error('once');
        },
        { retry: { maxAttempts: 2, baseMs: 100, jitter: 'none' } },
      );
      t.bus.publish('x', 'retried');
      await t.settle();

      const receipt = t.bus.publish('x', 'no room');
      expect(receipt.overflowed).toEqual(['a']);
      await t.clock.advance(100);

      expect(log).toEqual(['retried', 'retried']);
      expectBalanced(t.bus);
    }
  });

  it('lets in a message for a handler when a pulled one leaves the same mailbox', async () => {
    const t = createTestBus();
    const log: string[] = [];
    const agent = t.bus.register('a', { capacity: 1, overflow: 'wait' });
    agent.subscribe('handled', ({ topic }) => void log.push(topic));
    const early = agent.receive({ timeoutMs: 0 });
    await t.clock.advance(0);
    expect(await early).toBeUndefined();
    t.bus.send('a', 'pulled', 1);
    t.bus.send('a', 'handled', 1);

    const pulled = agent.receive();
    await t.settle();

    expect((await pulled)?.topic).toBe('pulled');
    expect(log).toEqual(['handled']);
  });
});
