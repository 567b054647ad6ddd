import { describe, expect, it } from 'vitest';
import type { Context } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { expectBalanced, gate, hang } from './books.ts';

// R:B4 DESIGN "Hanging handlers"
describe('a handler that outlives its time-out', () => {
  it('has its signal aborted at the time-out and is given up after the grace', async () => {
    const t = createTestBus();
    const log: string[] = [];
    const agent = t.bus.register('a');
    agent.subscribe(
      'x',
      ({ payload }, { signal }) => {
        log.push(`begins ${payload}`);
        signal.addEventListener('abort', () => log.push(`aborted at ${t.clock.nowMs}`));
        return payload === 1 ? hang() : undefined;
      },
      { timeoutMs: 5_000 },
    );
    t.bus.publish('x', 1);
    t.bus.publish('x', 2);

    await t.clock.advance(5_999);
    expect(log).toEqual(['begins 1', 'aborted at 5000']);
    expect(t.bus.inspect()).toMatchObject({ inFlight: 1, queued: 1 });
    await t.clock.advance(1);

    expect(log).toEqual(['begins 1', 'aborted at 5000', 'begins 2']);
    expect(t.bus.inspect()).toMatchObject({ abandoned: 1, deadLettered: 1, handled: 1 });
    expect(t.bus.deadLetters.list()).toMatchObject([
      { reason: 'handler-timeout', attempts: 1, error: { code: 'TELLASK_HANDLER_TIMEOUT' } },
    ]);
    expectBalanced(t.bus);
  });

  it('is handled when it returns within the grace', async () => {
    const t = createTestBus();
    const heeds = (_: unknown, { signal }: Context): Promise<void> =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    t.bus.subscribe('x', heeds, { timeoutMs: 100 });

    t.bus.publish('x', 1);
    await t.run();

    expect(t.bus.inspect()).toMatchObject({ handled: 1, abandoned: 0 });
  });

  it('fails by its time-out when it throws within the grace', async () => {
    const t = createTestBus();
    const heeds = (_: unknown, { signal }: Context): Promise<void> =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      );
    t.bus.subscribe('x', heeds, { timeoutMs: 100 });

    t.bus.publish('x', 1);
    await t.run();

    expect(t.bus.deadLetters.list()).toMatchObject([{ reason: 'handler-timeout' }]);
  });

  it('is fenced: what it says afterwards is an error to it and changes nothing', async () => {
    const t = createTestBus();
    const woken = gate();
    const errors: unknown[] = [];
    let context: Context | undefined;
    const asked = { answers: 0 };
    const b = t.bus.register('b');
    b.subscribe('y', () => {});
    b.serve('q', () => asked.answers++);
    t.bus.register('a').serve(
      'slow',
      async (_request, given) => {
        context = given;
        await woken.opened;
        for (const say of [
          () => given.publish('y', 1),
          () => given.send('b', 'y', 1),
          () => given.reply(1),
        ]) {
          try {
            say();
          } catch (error) {
            errors.push((error as { code: string }).code);
          }
        }
        await given.request('q', 1).catch((error) => errors.push(error.code));
        return 'too late';
      },
      { timeoutMs: 100 },
    );
    const answer = t.bus.request('slow', 1).catch((error) => error.code);
    await t.clock.advance(1_100);
    const before = t.bus.inspect();

    woken.open();
    await t.settle();

    expect(await answer).toBe('TELLASK_HANDLER_TIMEOUT');
    expect(errors).toEqual(Array(4).fill('TELLASK_FENCED'));
    expect(t.bus.inspect()).toEqual(before);
    expect(asked.answers).toBe(0);
    expect(context?.remainingMs).toBe(0);
  });

  it('keeps its slot until it really ends: onHang hold', async () => {
    const t = createTestBus();
    const ends = gate();
    const log: unknown[] = [];
    const agent = t.bus.register('a', { onHang: 'hold' });
    agent.subscribe('x', ({ payload }) => (payload === 1 ? ends.opened : void log.push(payload)), {
      timeoutMs: 100,
    });
    t.bus.publish('x', 1);
    t.bus.publish('x', 2);

    await t.clock.advance(10_000);
    expect(agent.inspect()).toMatchObject({ running: 1, queued: 1 });
    expect(t.bus.inspect()).toMatchObject({ deadLettered: 1, abandoned: 1 });
    ends.open();
    await t.settle();

    expect(log).toEqual([2]);
    expect(agent.inspect().running).toBe(0);
    expectBalanced(t.bus);
  });

  it.each(['agent', 'own'] as const)('ends its agent: onHang stop, lane %s', async (lane) => {
    const t = createTestBus();
    const left: string[] = [];
    t.bus.events.on('left', (name) => left.push(name));
    const agent = t.bus.register('a', lane === 'agent' ? { onHang: 'stop' } : {});
    const options = { timeoutMs: 100 };
    if (lane === 'agent') agent.subscribe('x', hang, options);
    else agent.subscribe('x', hang, { ...options, lane: 'own', onHang: 'stop' });
    const receipts = [t.bus.publish('x', 1), t.bus.publish('x', 2)];

    await t.clock.advance(2_000);

    expect(left).toEqual(['a']);
    expect(t.bus.agents()).toEqual([]);
    for (const receipt of receipts) await receipt.settled;
    const reasons = t.bus.deadLetters.list().map(({ reason }) => reason);
    expect(reasons).toEqual(['handler-timeout', 'recipient-stopped']);
    expectBalanced(t.bus);
  });

  it('ends the subscription of the host alone: onHang stop', async () => {
    const t = createTestBus();
    const subscription = t.bus.subscribe('x', hang, { timeoutMs: 100, onHang: 'stop' });
    t.bus.publish('x', 1);

    await t.clock.advance(2_000);

    expect(subscription.active).toBe(false);
    expect(t.bus.inspect().status).toBe('open');
  });

  it('is tried again when it may be', async () => {
    const t = createTestBus();
    let calls = 0;
    const retry = { maxAttempts: 2, baseMs: 10, jitter: 'none' } as const;
    t.bus.subscribe('x', () => (++calls === 1 ? hang() : undefined), { timeoutMs: 100, retry });

    t.bus.publish('x', 1);
    await t.run();

    expect(calls).toBe(2);
    expect(t.bus.inspect()).toMatchObject({ handled: 1, abandoned: 1 });
    expectBalanced(t.bus);
  });

  it('is abandoned once, when its agent leaves before its time-out', async () => {
    const t = createTestBus();
    const agent = t.bus.register('a');
    agent.subscribe('x', hang, { timeoutMs: 5_000 });
    t.bus.publish('x', 1);
    await t.settle();

    void agent.leave();
    await t.clock.advance(60_000);

    expect(t.bus.inspect()).toMatchObject({ abandoned: 1, deadLettered: 1, inFlight: 0 });
    expectBalanced(t.bus);
  });

  it('tells a handler how long it still has', async () => {
    const t = createTestBus();
    const seen: number[] = [];
    t.bus.subscribe('x', (_m, { remainingMs }) => void seen.push(remainingMs), { timeoutMs: 700 });
    t.bus.register('a').serve('q', (_m, { remainingMs }) => void seen.push(remainingMs));

    t.bus.publish('x', 1);
    await t.settle();
    void t.bus.request('q', 1, { timeoutMs: 300 });
    await t.settle();

    expect(seen).toEqual([700, 300]);
  });
});
