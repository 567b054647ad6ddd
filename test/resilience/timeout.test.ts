import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import {
  compose,
  PolicyTimeoutError,
  retry,
  type TimeoutMode,
  type TimeoutOptions,
  timeout,
} from '../../src/index.ts';
import { Call } from '../../src/resilience/call.ts';
import type { Execution, OwnPolicy, Work } from '../../src/resilience/policy.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { hang, outcomeOf } from '../flow/books.ts';
import { thenable } from './thenable.ts';

const MODES: readonly TimeoutMode[] = ['aggressive', 'cooperative'];

/** A time-out of 100 ms. */
function make(options: Partial<TimeoutOptions> = {}) {
  // Also when the suite is shuffled: of one instant the timer that was set first is due first.
  const env = new SimEnv({ choose: () => 0 });
  const wait = (ms: number) => new Promise<void>((resolve) => void env.setTimer(ms, resolve));
  return { env, wait, policy: timeout({ timeoutMs: 100, env, ...options }) };
}

/** Heeds its signal, at once or after a while. */
function heeding(env: SimEnv, afterMs = 0): Work<never> {
  return ({ signal }) =>
    new Promise((_, reject) => {
      const stop = (): void => void env.setTimer(afterMs, () => reject(signal.reason));
      signal.addEventListener('abort', stop);
    });
}

const late = expect.objectContaining({ code: 'TELLASK_POLICY_TIMEOUT', timeoutMs: 100 });

describe.each(MODES)('a time-out (%s)', (mode) => {
  it.each([
    ['a value', () => 7],
    ['a promise', async () => 7],
    ['a thenable of another make', () => thenable((use) => use(7 as never))],
  ])('lets %s pass, and its timer is gone', async (_, work) => {
    const { env, policy } = make({ mode });

    await expect(policy.execute(work as Work<number>)).resolves.toBe(7);

    expect(env.pendingTimers()).toEqual([]);
  });

  it.each([
    ['thrown at once', () => expect.fail('no')],
    ['rejected', () => Promise.reject(new Error('no'))],
  ])('lets an error that is %s pass, and its timer is gone', async (_, work) => {
    const { env, policy } = make({ mode });

    await expect(policy.execute(work)).rejects.toThrow('no');

    expect(env.pendingTimers()).toEqual([]);
  });

  // R:H3
  it('ends work that takes too long, with an error that is the reason of its signal', async () => {
    const { env, policy } = make({ mode });
    let signal: AbortSignal | undefined;
    const work: Work<never> = (execution) => {
      signal = execution.signal;
      return heeding(env)(execution) as Promise<never>;
    };
    const outcome = outcomeOf(policy.execute(work));

    await env.advance(99);
    const before = outcome.now();
    await env.advance(1);

    const { error } = outcome.now() as { error: unknown };
    expect(before).toBe('pending');
    expect(error).toBeInstanceOf(PolicyTimeoutError);
    expect(error).toEqual(late);
    expect(signal?.reason).toBe(error);
    expect(env.pendingTimers()).toEqual([]);
  });

  it('is retryable, and is made without a stack', () => {
    const error = new PolicyTimeoutError(100);

    expect(error.retryable).toBe(true);
    expect(error.stack).not.toContain('\n');
    expect(error.message).toBe('The call took longer than 100 ms');
  });

  // R:H3
  it('aborts one call, and none beside it', async () => {
    const { env, wait, policy } = make({ mode });
    const calls: Execution[] = [];
    const work = (ms: number) => async (execution: Execution) => {
      calls.push(execution);
      void execution.signal;
      await wait(ms);
      return ms;
    };
    const outcomes = [policy.execute(work(150)), policy.execute(work(60))].map(outcomeOf);
    await env.advance(90);
    const third = outcomeOf(policy.execute(work(95)));

    await env.run();

    expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, false, false]);
    expect([outcomes[1]?.now(), third.now()]).toEqual([{ value: 60 }, { value: 95 }]);
  });

  // R:H3
  it('tells the work how much time it has: the least of all limits around it', async () => {
    const { env, policy } = make({ mode });
    const seen: number[] = [];
    const look = ({ remainingMs }: Execution) => void seen.push(remainingMs);
    const outer = timeout({ timeoutMs: 40, env });

    await policy.execute(look);
    await compose(outer, policy).execute(look);
    await compose(policy, outer).execute(look);
    await policy.execute(async (execution) => {
      await env.advance(30);
      look(execution);
    });
    await timeout({ timeoutMs: Infinity, env }).execute(look);

    expect(seen).toEqual([100, 40, 40, 70, Infinity]);
  });

  // R:H3
  it.each([
    [50, 'before', 'stop'],
    [100, 'before', 'stop'],
    [100, 'after', late],
    [150, 'before', late],
  ] as const)(
    'and an abort of the caller at %i ms, %s the limit: the first of both it was',
    async (at, place, reason) => {
      const { env, policy } = make({ mode });
      const controller = new AbortController();
      const abort = (): void => controller.abort('stop');
      if (place === 'before') env.setTimer(at, abort);
      else env.setTimer(at - 1, () => void env.setTimer(1, abort));
      const reasons: unknown[] = [];
      const work: Work<never> = (execution) => {
        execution.signal.addEventListener('abort', () => reasons.push(execution.signal.reason));
        return heeding(env, 100)(execution) as Promise<never>;
      };
      const outcome = outcomeOf(policy.execute(work, controller.signal));

      await env.run();

      expect(outcome.now()).toEqual({ error: reason });
      expect(reasons).toEqual([reason]);
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
      expect(env.pendingTimers()).toEqual([]);
    },
  );

  it('gives the reason of the caller when work fails at once, having been called off', async () => {
    const { env, policy } = make({ mode });
    const controller = new AbortController();
    const suicidal = (): never => {
      controller.abort('stop');
      throw new Error('no');
    };

    await expect(policy.execute(suicidal, controller.signal)).rejects.toBe('stop');

    expect(env.pendingTimers()).toEqual([]);
  });

  it('does not begin what was called off above', async () => {
    const { env, policy } = make({ mode });
    const fn = vi.fn();
    const call = new Call(env);
    call.abort('stop');

    await expect((policy as OwnPolicy).run(fn, call)).rejects.toBe('stop');

    expect(fn).not.toHaveBeenCalled();
  });

  // R:H3
  it('counts from the call, also the time before the work gives back its promise', async () => {
    let busyMs = 0;
    class BusyEnv extends SimEnv {
      override now(): number {
        return super.now() + busyMs;
      }
    }
    const env = new BusyEnv();
    const busy = (): Promise<never> => {
      busyMs = 60;
      return hang();
    };
    outcomeOf(timeout({ timeoutMs: 100, mode, env }).execute(busy));

    expect(env.pendingTimers()).toEqual([{ label: 'time-out', at: 40 }]);
  });

  it('that is unlimited sets no timer and still knows the patience of the caller', async () => {
    const { env, policy } = make({ mode, timeoutMs: Infinity });
    const controller = new AbortController();
    const outcome = outcomeOf(policy.execute(heeding(env), controller.signal));
    const timers = env.pendingTimers();

    controller.abort('stop');
    await env.run();

    expect(timers).toEqual([]);
    expect(outcome.now()).toEqual({ error: 'stop' });
  });

  it('of 0 leaves no time: only what is there at once is taken', async () => {
    const { env, policy } = make({ mode, timeoutMs: 0 });
    const [now, then] = [policy.execute(() => 1), policy.execute(heeding(env))].map(outcomeOf);

    await env.settle();

    expect(now?.now()).toEqual({ value: 1 });
    expect(then?.now()).toEqual({ error: expect.any(PolicyTimeoutError) });
  });

  it('leaves nothing on a signal that outlives 1 000 calls', async () => {
    const { env, wait, policy } = make({ mode });
    const { signal } = new AbortController();
    const during = new Set<number>();
    for (let i = 0; i < 1_000; i++) {
      const work = (execution: Execution): unknown => {
        if (i % 2 === 0) void execution.signal;
        if (i % 5 === 0) throw new Error('no');
        return i % 5 === 1 ? i : wait(i % 200);
      };
      outcomeOf(policy.execute(work, signal));
      during.add(getEventListeners(signal, 'abort').length);
    }

    await env.run();

    expect(Math.max(...during)).toBe(1);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(env.pendingTimers()).toEqual([]);
  });

  // R:H3
  it('makes no AbortController unless somebody reads the signal', async () => {
    const { env, wait, policy } = make({ mode });
    const { signal } = new AbortController();
    vi.stubGlobal('AbortController', () => expect.fail('made'));
    const outcomes = [50, 150].map((ms) => outcomeOf(policy.execute(() => wait(ms), signal)));

    await env.run();

    vi.unstubAllGlobals();
    const second = mode === 'aggressive' ? { error: late } : { value: undefined };
    expect(outcomes.map((outcome) => outcome.now())).toEqual([{ value: undefined }, second]);
  });
});

describe('what becomes of work after an aggressive time-out', () => {
  // R:H3
  it.each([
    ['hangs', () => hang()],
    ['is of another make and hangs', () => thenable(() => {})],
    ['succeeds', (after: Promise<void>) => after.then(() => 7)],
    ['fails', (after: Promise<void>) => after.then(() => expect.fail('late'))],
  ])('changes nothing when it %s', async (_, work) => {
    const { env, wait, policy } = make();
    const outcome = outcomeOf(policy.execute(() => work(wait(150)) as Promise<number>));

    await env.advance(100);
    const first = outcome.now();
    await env.run();

    expect(first).toEqual({ error: late });
    expect(outcome.now()).toEqual(first);
  });

  it.each([
    ['the limit', 150],
    ['an abort of the caller', 50],
  ])('is known to who holds a place for it, until it has really ended: %s', async (_, abortAt) => {
    const { env, wait, policy } = make();
    const controller = new AbortController();
    env.setTimer(abortAt, () => controller.abort('stop'));
    const call = new Call(env, controller.signal, { abortable: false });
    const log: string[] = [];
    const say = (what: string) => (): void => void log.push(`${what} at ${env.now()}`);
    const given = (policy as OwnPolicy).run(() => wait(500), call);
    void given.catch(say('given up')).then(() => call.whenQuiet(say('quiet')));

    await env.run();

    expect(log).toEqual([`given up at ${Math.min(100, abortAt)}`, 'quiet at 500']);
  });

  it('needs no timer any more', async () => {
    const { env, policy } = make();
    const controller = new AbortController();
    const outcome = outcomeOf(policy.execute(() => hang(), controller.signal));
    const before = env.pendingTimers().length;

    controller.abort('stop');
    const after = env.pendingTimers().length;
    await env.settle();

    expect([before, after]).toEqual([1, 0]);
    expect(outcome.now()).toEqual({ error: 'stop' });
  });

  it('does not hinder that it is called again', async () => {
    const { env, wait, policy } = make();
    const both = compose(retry({ env, jitter: 'none' }), policy);
    const done = both.execute(async ({ attempt }) => {
      await wait(attempt === 1 ? 1_000 : 10);
      return attempt;
    });

    await env.advance(210);

    await expect(done).resolves.toBe(2);
    await env.run();
  });
});

describe('what becomes of work after a cooperative time-out', () => {
  // R:H3
  it.each([
    ['its result is taken, late as it is', () => 7, { value: 7 }],
    ['its failure is the time-out', () => expect.fail('stopped'), { error: late }],
  ])('is waited for: %s', async (_, end, outcome) => {
    const { env, wait, policy } = make({ mode: 'cooperative' });
    const ended = outcomeOf(policy.execute(() => wait(150).then(end)));

    await env.advance(149);
    const before = ended.now();
    await env.advance(1);

    expect(before).toBe('pending');
    expect(ended.now()).toEqual(outcome);
  });

  it('is the failure of the caller when he aborted first', async () => {
    const { env, wait, policy } = make({ mode: 'cooperative' });
    const controller = new AbortController();
    env.setTimer(50, () => controller.abort('stop'));
    const work = () => wait(150).then(() => expect.fail('stopped'));
    const outcome = outcomeOf(policy.execute(work, controller.signal));

    await env.run();

    expect(outcome.now()).toEqual({ error: 'stop' });
  });
});

describe('the options of timeout', () => {
  it.each([
    [undefined, TypeError, 'The options of timeout'],
    [5_000, TypeError, 'The options of timeout'],
    [{}, TypeError, 'timeout.timeoutMs'],
    [{ timeoutMs: '1' }, TypeError, 'timeout.timeoutMs'],
    [{ timeoutMs: -1 }, RangeError, 'timeout.timeoutMs'],
    [{ timeoutMs: Number.NaN }, RangeError, 'timeout.timeoutMs'],
    [{ timeoutMs: 1, mode: 'hard' }, TypeError, 'timeout.mode'],
    [{ timeoutMs: 1, strategy: 'x' }, TypeError, 'timeout has no option strategy'],
  ])('%o are refused at once', (options, kind, text) => {
    expect(() => timeout(options as TimeoutOptions)).toThrow(kind);
    expect(() => timeout(options as TimeoutOptions)).toThrow(text);
  });
});
