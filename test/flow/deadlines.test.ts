import { describe, expect, it } from 'vitest';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, hang, outcomeOf } from './books.ts';

// F:C2 F:C3 R:C4
describe('the time of a request', () => {
  it('rejects exactly when it is over, and 30 seconds are the default', async () => {
    const t = createTestBus();
    t.bus.register('a').serve('q', hang);

    const short = outcomeOf(t.bus.request('q', 1, { timeoutMs: 100 }));
    const long = outcomeOf(t.bus.request('q', 1));
    await t.clock.advance(99);
    expect(short.now()).toBe('pending');
    await t.clock.advance(1);
    expect(short.now()).toMatchObject({ error: { code: 'TELLASK_TIMEOUT', timeoutMs: 100 } });
    await t.clock.advance(29_899);
    expect(long.now()).toBe('pending');
    await t.clock.advance(1);

    expect(long.now()).toMatchObject({ error: { code: 'TELLASK_TIMEOUT' } });
    expect(t.bus.inspect().pendingRequests).toBe(0);
  });

  it('is inherited: a nested request never outlives its parent', async () => {
    const t = createTestBus();
    const seen: number[] = [];
    t.bus.register('b').serve('inner', (_m, { remainingMs }) => void seen.push(remainingMs));
    const inner: unknown[] = [];
    t.bus.register('c').serve('slow', hang);
    t.bus.register('a').serve('outer', async (_m, context) => {
      await context.request('inner', 1, { timeoutMs: 60_000 });
      await context.request('slow', 1, { timeoutMs: 60_000 }).catch((error) => {
        inner.push(error.code, t.clock.nowMs);
        throw error;
      });
    });

    const asked = outcomeOf(t.bus.request('outer', 1, { timeoutMs: 1_000 }));
    await t.clock.advance(1_000);

    expect(seen).toEqual([1_000]);
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_TIMEOUT' } });
    // The time of the handler and of what it asks is over at one instant.
    expect(inner).toEqual([expect.stringMatching(/^TELLASK_(HANDLER_)?TIMEOUT$/), 1_000]);
  });

  it('takes a request back that no handler has begun with', async () => {
    const t = createTestBus();
    let calls = 0;
    const agent = t.bus.register('a');
    agent.serve('q', () => ++calls);
    agent.pause();

    void t.bus.request('q', 1, { timeoutMs: 100 }).catch(() => {});
    await t.clock.advance(100);
    agent.resume();
    await t.run();

    expect(calls).toBe(0);
    expect(t.bus.inspect()).toMatchObject({ expired: 1, queued: 0 });
    expect(t.bus.deadLetters.list()).toMatchObject([{ reason: 'expired', refused: false }]);
  });

  it('says where the request was when it was over', async () => {
    const t = createTestBus();
    const where = async (prepare: (name: string) => void, name: string): Promise<string> => {
      prepare(name);
      const asked = outcomeOf(t.bus.request(`${name}.q`, 1, { timeoutMs: 12_300, to: name }));
      await t.clock.advance(12_300);
      return (asked.now() as { error: { message: string } }).error.message;
    };
    const serving = (name: string) => {
      const agent = t.bus.register(name, { capacity: 1, overflow: 'wait' });
      agent.serve(`${name}.q`, hang);
      agent.subscribe('block', hang);
      return agent;
    };

    const running = await where(serving, 'running');
    const paused = await where((name) => serving(name).pause(), 'paused');
    const behind = await where((name) => {
      serving(name);
      t.bus.send(name, 'block', 1);
    }, 'behind');
    const waiting = await where((name) => {
      serving(name).pause();
      t.bus.send(name, 'block', 1);
    }, 'waiting');

    expect(running).toBe(
      'running did not answer running.q within 12300 ms: running for 12.3 s in hang',
    );
    expect(paused).toMatch(/: next in line \(paused is paused\)$/);
    expect(behind).toMatch(/: next in line; behind has been running hang \(block\) for 12.3 s$/);
    expect(waiting).toMatch(
      /: waiting for a place in the full mailbox of waiting \(waiting is paused\)$/,
    );
  });

  it('dead-letters a handler that fails after the time-out of its asker', async () => {
    const t = createTestBus();
    t.bus.register('a').serve('q', (_m, { signal }) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('stopped')));
      });
    });

    void t.bus.request('q', 1, { timeoutMs: 100 }).catch(() => {});
    await t.run();

    expect(t.bus.deadLetters.list()).toMatchObject([{ reason: 'handler-timeout' }]);
    expect(t.bus.inspect()).toMatchObject({ abandoned: 0, deadLettered: 1 });
  });
});

describe.each(['real', 'simulated'] as const)(
  'a request that is found too late, on the %s Env',
  (env) => {
    // R:C4 R:G2
    it.each([
      [
        'its time-out',
        { timeoutMs: 0 },
        { code: 'TELLASK_TIMEOUT', where: 'expired in the queue of a' },
      ],
      ['its budget', { budget: { ms: 0 } }, { code: 'TELLASK_BUDGET', resource: 'ms', limit: 0 }],
    ])('rejects as %s does, before the clock has told it', async (_what, options, error) => {
      const { bus, settle } = makeBus(env);
      bus.register('a').serve('q', () => 'too late');

      const asked = outcomeOf(bus.request('q', 1, options));
      await settle();

      expect(asked.now()).toMatchObject({ error });
      expect(bus.inspect()).toMatchObject({ expired: 1, handled: 0, pendingRequests: 0 });
      expectBalanced(bus);
    });
  },
);
