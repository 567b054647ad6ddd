import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { compose, retry, retryBudget, TellaskError, timeout } from '../../src/index.ts';
import { Call } from '../../src/resilience/call.ts';
import type { OwnPolicy, Work } from '../../src/resilience/policy.ts';
import type { RetryCallOptions, RetryNotice } from '../../src/resilience/retry.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { outcomeOf } from '../flow/books.ts';
import { thenable } from './thenable.ts';

function make(options: RetryCallOptions = {}) {
  // Also when the suite is shuffled: of one instant the timer that was set first is due first.
  const env = new SimEnv({ choose: () => 0 });
  return { env, policy: retry({ jitter: 'none', env, ...options }) };
}

/** Work that fails so often before it succeeds, and the instants at which it was called. */
function failing(env: SimEnv, times: number, error: unknown = new Error('no')) {
  const calls: number[] = [];
  const work: Work<string> = async ({ attempt }) => {
    calls.push(env.now());
    if (calls.length <= times) throw error;
    return `done at ${attempt}`;
  };
  return { work, calls };
}

const wait = (env: SimEnv, ms: number): Promise<void> =>
  new Promise((resolve) => void env.setTimer(ms, resolve));

describe('retry', () => {
  // R:H2
  it('calls again after 100 and 200 ms until it succeeds', async () => {
    const { env, policy } = make();
    const { work, calls } = failing(env, 2);

    const done = policy.execute(work);
    await env.run();

    await expect(done).resolves.toBe('done at 3');
    expect(calls).toEqual([0, 100, 300]);
  });

  it.each([
    ['a value', () => 7],
    ['a promise', async () => 7],
    ['a thenable of another make', () => thenable((use) => use(7 as never))],
  ])('takes %s for a result', async (_, work) => {
    const { policy, env } = make();

    await expect(policy.execute(work as Work<number>)).resolves.toBe(7);
    expect(env.pendingTimers()).toEqual([]);
  });

  // R:H2
  it.each([
    ['thrown at once', () => expect.fail('no')],
    ['a rejection', () => Promise.reject(new Error('no'))],
    ['a thenable that fails', () => thenable((_, no) => no('no' as never))],
    ['a thenable that throws', () => thenable(() => expect.fail('no'))],
  ])('takes %s for a failure, at every attempt', async (_, work) => {
    const { policy, env } = make();
    const fn = vi.fn(work);
    const outcome = outcomeOf(policy.execute(fn as Work<unknown>));

    await env.run();

    expect(fn).toHaveBeenCalledTimes(3);
    expect(outcome.now()).toHaveProperty('error');
  });

  // R:H2
  it('draws its delays from the Env: full jitter by default', async () => {
    const env = new SimEnv({ seed: 7 });
    const twin = new SimEnv({ seed: 7 });
    const { work, calls } = failing(env, 2);

    const done = retry({ env }).execute(work);
    await env.run();
    await done;

    const [first, second] = [twin.random() * 100, twin.random() * 200];
    expect(calls).toEqual([0, first, first + second]);
  });

  // R:H2
  it('remembers its last delay, which decorrelated jitter goes out from', async () => {
    const options = { seed: 7 };
    const [env, twin] = [new SimEnv(options), new SimEnv(options)];
    const { work, calls } = failing(env, 2);

    const done = retry({ env, jitter: 'decorrelated' }).execute(work);
    await env.run();
    await done;

    const first = 100 + twin.random() * 200;
    const second = 100 + twin.random() * (3 * first - 100);
    expect(calls).toEqual([0, first, first + second]);
  });

  // R:H2
  it('waits at least as long as the error asks for', async () => {
    const { env, policy } = make();
    const { work, calls } = failing(
      env,
      2,
      Object.assign(new Error('busy'), { retryAfterMs: 150 }),
    );

    const done = policy.execute(work);
    await env.run();
    await done;

    expect(calls).toEqual([0, 150, 350]);
  });

  it('sleeps for twice as long as the longest native timer, when it is told to', async () => {
    const month = 2 ** 32;
    const { env, policy } = make();
    const { work, calls } = failing(env, 1, { retryAfterMs: month });

    const done = policy.execute(work);
    await env.run();
    await done;

    expect(calls).toEqual([0, month]);
  });

  // R:H2
  it.each([
    ['an abort', new DOMException('stop', 'AbortError')],
    ['an open circuit', Object.assign(new Error('open'), { code: 'TELLASK_CIRCUIT_OPEN' })],
    ['an open circuit of opossum', Object.assign(new Error('open'), { code: 'EOPENBREAKER' })],
    ['a validation error', new TellaskError('TELLASK_VALIDATION', 'bad')],
    ['a permanent error', Object.assign(new Error('never'), { retryable: false })],
  ])('throws %s at once', async (_, error) => {
    const { env, policy } = make();
    const { work, calls } = failing(env, 9, error);

    await expect(policy.execute(work)).rejects.toBe(error);

    expect(calls).toEqual([0]);
    expect((error as { attempts?: number }).attempts).toBe(1);
  });

  it('asks retryIf about every error, at once: a promise says nothing', async () => {
    const asked: unknown[] = [];
    const answers: unknown[] = [true, true, false];
    const { env, policy } = make({
      maxAttempts: 9,
      retryIf: (error) => {
        asked.push(error);
        return answers.shift() as boolean;
      },
    });
    const late = make({ retryIf: (async () => Promise.reject(new Error('late'))) as never });
    const { work, calls } = failing(env, 9, 'no');
    const [outcome, other] = [outcomeOf(policy.execute(work)), failing(late.env, 9)];

    await env.run();
    await expect(late.policy.execute(other.work)).rejects.toThrow('no');

    expect(outcome.now()).toEqual({ error: 'no' });
    expect(asked).toEqual(['no', 'no', 'no']);
    expect([calls.length, other.calls.length]).toEqual([3, 1]);
  });

  // R:H2
  it('never sleeps into a deadline, not even exactly: the real error comes at once', async () => {
    const ended: unknown[] = [];
    for (const timeoutMs of [300, 301]) {
      const { env, policy } = make();
      const { work, calls } = failing(env, 9);
      const limited = compose(timeout({ timeoutMs, env }), policy);

      const outcome = limited
        .execute(work)
        .catch((error: Error) => `${error.message} at ${env.now()}`);
      await env.run();

      ended.push([await outcome, calls]);
    }

    expect(ended).toEqual([
      ['no at 100', [0, 100]],
      ['no at 300', [0, 100, 300]],
    ]);
  });

  // R:H2
  it('counts its attempts anew inside of another retry', async () => {
    const env = new SimEnv();
    const seen: number[] = [];
    const both = compose(
      retry({ env, maxAttempts: 2, baseMs: 0 }),
      retry({ env, maxAttempts: 3, baseMs: 0 }),
    );
    const outcome = outcomeOf(
      both.execute(({ attempt }) => {
        seen.push(attempt);
        throw new Error('no');
      }),
    );

    await env.run();

    expect(seen).toEqual([1, 2, 3, 1, 2, 3]);
    expect(outcome.now()).toMatchObject({ error: { attempts: 2 } });
  });

  // R:H2
  it('holds no state of a call: 1 000 calls of one policy do not know of each other', async () => {
    const { env, policy } = make({ jitter: 'full', maxAttempts: 5 });
    const called = new Array<number>(1_000).fill(0);
    const outcomes = called.map((_, i) =>
      outcomeOf(
        policy.execute(async ({ attempt }) => {
          called[i] = (called[i] as number) + 1;
          if (attempt !== called[i]) throw new RangeError('of somebody else');
          if (attempt <= i % 7) throw new Error(`no ${i}`);
          return i;
        }),
      ),
    );

    await env.run();

    outcomes.forEach((outcome, i) => {
      const failures = i % 7;
      expect(called[i]).toBe(Math.min(5, failures + 1));
      const error = { message: `no ${i}`, attempts: 5 };
      expect(outcome.now()).toMatchObject(failures < 5 ? { value: i } : { error });
    });
    expect(env.pendingTimers()).toEqual([]);
  });

  // R:H2
  it('makes as many calls as attempts, failures and deadline allow, at the right instants', async () => {
    const arbitrary = fc.record({
      maxAttempts: fc.integer({ min: 1, max: 8 }),
      failures: fc.integer({ min: 0, max: 10 }),
      baseMs: fc.integer({ min: 0, max: 50 }),
      factor: fc.constantFrom(1, 1.5, 2, 3),
      deadline: fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 500 })),
    });
    const property = fc.asyncProperty(arbitrary, async (options) => {
      const { maxAttempts, failures, baseMs, factor, deadline } = options;
      const { env, policy } = make({ maxAttempts, baseMs, factor, maxMs: 1e9 });
      const { work, calls } = failing(env, failures);
      const outcome = outcomeOf(
        (policy as OwnPolicy).run(work, new Call(env, undefined, { deadline })),
      );

      await env.run();

      const expected = [0];
      for (let at = 0, wait = baseMs; expected.length <= failures; wait *= factor) {
        if (expected.length === maxAttempts || at + wait >= deadline) break;
        at += wait;
        expected.push(at);
      }
      expect(calls).toEqual(expected);
      expect(Object.keys(outcome.now() as object)).toEqual([
        expected.length > failures ? 'value' : 'error',
      ]);
    });

    await fc.assert(property, { seed: 4, numRuns: 150 });
  });

  // R:H2
  it('goes on to attempt 10 000 with a delay that is a number', async () => {
    const delays: number[] = [];
    const { env, policy } = make({
      maxAttempts: Infinity,
      maxMs: 200,
      jitter: 'decorrelated',
      onRetry: ({ delayMs }) => delays.push(delayMs),
    });
    const done = policy.execute(({ attempt }) => attempt === 10_000 || expect.fail('no'));

    await env.run();

    await expect(done).resolves.toBe(true);
    expect(delays).toHaveLength(9_999);
    expect(delays.every((delayMs) => delayMs >= 100 && delayMs <= 200)).toBe(true);
  });
});

describe('the error that retry throws', () => {
  // R:H2
  it('is the last one itself, with the number of calls on it, out of sight', async () => {
    const { env, policy } = make({ maxAttempts: 4 });
    const errors: Error[] = [];
    const outcome = outcomeOf(
      policy.execute(() => {
        errors.push(new Error(`no ${errors.length}`));
        throw errors.at(-1);
      }),
    );

    await env.run();

    const { error } = outcome.now() as { error: Error & { attempts: number } };
    expect(error).toBe(errors[3]);
    expect(error.attempts).toBe(4);
    expect(Object.keys(error)).toEqual([]);
    expect(errors.slice(0, 3).some((earlier) => 'attempts' in earlier)).toBe(false);
  });

  it.each([
    ['text', 'no', undefined],
    ['null', null, undefined],
    ['frozen', Object.freeze(new Error('no')), undefined],
    ['one that counts itself', Object.assign(new Error('no'), { attempts: 'many' }), 'many'],
    [
      'one that refuses',
      new Proxy(new Error('no'), { defineProperty: () => expect.fail('mine') }),
      undefined,
    ],
  ])('stays as it is when it is %s', async (_, error, attempts) => {
    const { env, policy } = make();
    const { work, calls } = failing(env, 9, error);
    const outcome = outcomeOf(policy.execute(work));

    await env.run();

    expect(outcome.now()).toEqual({ error });
    expect((error as { attempts?: unknown } | null)?.attempts).toBe(attempts);
    expect(calls).toHaveLength(3);
  });

  it('says of each call how often it was made, though it is one error for all', async () => {
    const error = new Error('always the same') as Error & { attempts?: number };
    const counts: unknown[] = [];
    for (const maxAttempts of [3, 2]) {
      const { env, policy } = make({ maxAttempts });
      const outcome = outcomeOf(policy.execute(failing(env, 9, error).work));
      await env.run();
      outcome.now();
      counts.push(error.attempts);
    }

    expect(counts).toEqual([3, 2]);
  });
});

describe('whoever watches a retry', () => {
  const hears = (): { heard: RetryNotice[]; onRetry: (notice: RetryNotice) => void } => {
    const heard: RetryNotice[] = [];
    return { heard, onRetry: (notice) => void heard.push(notice) };
  };

  it('hears of each before its delay, and of no last failure', async () => {
    const { heard, onRetry } = hears();
    const { env, policy } = make({ onRetry });
    const outcome = outcomeOf(policy.execute(failing(env, 9, 'no').work));

    await env.settle();
    const soon = [...heard];
    await env.run();

    expect(soon).toEqual([{ attempt: 1, delayMs: 100, error: 'no' }]);
    expect(heard).toEqual([...soon, { attempt: 2, delayMs: 200, error: 'no' }]);
    expect(outcome.now()).toEqual({ error: 'no' });
  });

  // R:H6
  it.each([
    ['throws', () => expect.fail('hook')],
    ['rejects', () => Promise.reject(new Error('hook'))],
    ['gives a thenable that throws', () => thenable(() => expect.fail('hook'))],
  ])('changes nothing when it %s', async (_, hook) => {
    const { env, policy } = make({ onRetry: hook as () => void });
    const done = policy.execute(failing(env, 2).work);

    await env.run();

    await expect(done).resolves.toBe('done at 3');
  });

  it('may abort the call it hears of', async () => {
    const controller = new AbortController();
    const { env, policy } = make({ onRetry: () => controller.abort('enough') });
    const { work, calls } = failing(env, 9);

    await expect(policy.execute(work, controller.signal)).rejects.toBe('enough');

    expect(calls).toEqual([0]);
    expect(env.pendingTimers()).toEqual([]);
  });
});

describe('an abort of a retried call', () => {
  /** Every call takes 10 ms; the first fails, then there are 100 ms to wait. */
  function begin(second: 'succeeds' | 'fails', abortAt: number, place: 'before' | 'after') {
    const { env, policy } = make({ maxAttempts: 2 });
    const controller = new AbortController();
    const log: string[] = [];
    const abort = (): void => controller.abort('stop');
    const say = (what: string) => log.push(`${what} at ${env.now()}`);
    // Of one instant the timer that was set first is due first.
    if (place === 'before') env.setTimer(abortAt, abort);
    else env.setTimer(abortAt - 1, () => void env.setTimer(1, abort));
    const work: Work<string> = async ({ attempt }) => {
      say('call');
      await wait(env, 10);
      if (attempt === 1 || second === 'fails') throw 'no';
      return 'done';
    };
    void policy.execute(work, controller.signal).then(say, say);
    return { env, log, signal: controller.signal };
  }

  // R:H2
  it.each([
    [5, 'before', ['call at 0', 'stop at 10'], ['call at 0', 'stop at 10']],
    [10, 'before', ['call at 0', 'stop at 10'], ['call at 0', 'stop at 10']],
    [10, 'after', ['call at 0', 'stop at 10'], ['call at 0', 'stop at 10']],
    [50, 'before', ['call at 0', 'stop at 50'], ['call at 0', 'stop at 50']],
    [110, 'before', ['call at 0', 'stop at 110'], ['call at 0', 'stop at 110']],
    [110, 'after', ['done at 120'], ['stop at 120']],
    [115, 'before', ['done at 120'], ['stop at 120']],
    [120, 'before', ['done at 120'], ['stop at 120']],
    [120, 'after', ['done at 120'], ['stop at 120']],
    [125, 'before', ['done at 120'], ['no at 120']],
  ] as const)(
    'at %i ms, %s what else is due then, wakes the delay at once and spares a result',
    async (at, place, good, bad) => {
      const twoCalls = ['call at 0', 'call at 110'];
      for (const [second, last] of [
        ['succeeds', good],
        ['fails', bad],
      ] as const) {
        const { env, log, signal } = begin(second, at, place);

        await env.run();

        expect(log).toEqual(last.length === 1 ? [...twoCalls, ...last] : last);
        expect(getEventListeners(signal, 'abort')).toEqual([]);
        expect(env.pendingTimers()).toEqual([]);
      }
    },
  );

  it('that came before, from above, lets nothing begin, and nothing is paid for it', async () => {
    const env = new SimEnv();
    const budget = retryBudget({ env });
    const fn = vi.fn();
    const call = new Call(env);
    call.abort('stop');

    await expect((retry({ env, budget }) as OwnPolicy).run(fn, call)).rejects.toBe('stop');

    expect(fn).not.toHaveBeenCalled();
    expect(budget.snapshot().deposits).toBe(0);
  });

  it('reaches the work through its signal, which is that of the caller', async () => {
    const { env, policy } = make();
    const { signal } = new AbortController();
    const seen: AbortSignal[] = [];
    const done = policy.execute((execution) => {
      seen.push(execution.signal);
      if (execution.attempt < 3) throw new Error('no');
      return 'done';
    }, signal);

    await env.run();

    await expect(done).resolves.toBe('done');
    expect(new Set(seen)).toEqual(new Set([signal]));
  });

  it('leaves nothing on a signal that outlives 1 000 calls', async () => {
    const { env, policy } = make();
    const { signal } = new AbortController();
    const during = new Set<number>();
    for (let i = 0; i < 1_000; i++) {
      outcomeOf(policy.execute(failing(env, i % 4).work, signal));
    }
    await env.settle();
    during.add(getEventListeners(signal, 'abort').length);

    await env.run();

    expect([...during]).toEqual([1]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('a retry with a budget', () => {
  // R:H2
  it('throws the error itself, at once, when the budget is used up', async () => {
    const env = new SimEnv();
    const budget = retryBudget({ ratio: 0, minPerSecond: 0.1, env });
    const again = () => retry({ jitter: 'none', env, budget });
    const [first, second] = [failing(env, 9, 'first'), failing(env, 9, 'second')];
    const outcomes = [again().execute(first.work), again().execute(second.work)].map(outcomeOf);

    await env.settle();
    const early = outcomes[1]?.now();
    await env.run();

    expect(early).toEqual({ error: 'second' });
    expect([first.calls, second.calls]).toEqual([[0, 100], [0]]);
    expect(budget.snapshot()).toEqual({ available: 0, deposits: 2, granted: 1, refused: 2 });
  });

  // R:H2
  it('bounds a storm: what all who share it call is little more than what was asked of them', async () => {
    const env = new SimEnv();
    const budget = retryBudget({ ratio: 0.1, minPerSecond: 0, env });
    const policies = [1, 2, 3].map(() => retry({ baseMs: 1, maxAttempts: 10, env, budget }));
    let calls = 0;
    const down = (): never => {
      calls++;
      throw new Error('down');
    };
    for (let i = 0; i < 3_000; i++) outcomeOf((policies[i % 3] as OwnPolicy).execute(down));

    await env.run();

    expect(calls).toBe(3_300);
  });

  // R:H2
  it.each([
    [5, 5, { calls: 6, own: 0, shared: 0 }],
    [1, 5, { calls: 2, own: 0, shared: 4 }],
    [5, 1, { calls: 2, own: 4, shared: 0 }],
    [0, 5, { calls: 1, own: 0, shared: 5 }],
    [5, 0, { calls: 1, own: 5, shared: 0 }],
  ])(
    'with %i tokens and %i of the call takes one of both or of neither',
    async (own, tokens, end) => {
      const env = new SimEnv();
      const budget = retryBudget({ ratio: 0, minPerSecond: own / 10, env });
      const policy = retry({ env, budget, maxAttempts: 9, baseMs: 0 }) as OwnPolicy;
      let shared = tokens;
      const retries = { withdraw: () => shared > 0 && shared-- > 0 };
      const { work, calls } = failing(env, 9);
      outcomeOf(policy.run(work, new Call(env, new Call(env, undefined, { retries }))));

      await env.run();

      expect({ calls: calls.length, own: budget.available, shared }).toEqual(end);
    },
  );

  it('passes the Env on to its budget', async () => {
    const env = new SimEnv();
    const [given, bound] = [retryBudget({ minPerSecond: 0 }), retryBudget({ minPerSecond: 0 })];
    const policy = retry({ budget: bound });
    retry({ budget: given, env });
    policy.bind?.(env);
    for (const budget of [given, bound]) for (let i = 0; i < 10; i++) budget.deposit();
    const before = [given.available, bound.available];

    await env.advance(11_000);

    expect(before).toEqual([1, 1]);
    expect([given.available, bound.available]).toEqual([0, 0]);
  });
});

describe('the options of retry', () => {
  it.each([
    [null, TypeError, 'The options of retry'],
    [3, TypeError, 'The options of retry'],
    [{ attempts: 3 }, TypeError, 'retry has no option attempts'],
    [{ order: 'in-place' }, TypeError, 'retry has no option order'],
    [{ maxAttempts: 0 }, RangeError, 'retry.maxAttempts'],
    [{ onRetry: true }, TypeError, 'retry.onRetry'],
    [{ budget: { withdraw: () => true } }, TypeError, 'retry.budget'],
  ])('%o are refused at once', (options, kind, text) => {
    expect(() => retry(options as RetryCallOptions)).toThrow(kind);
    expect(() => retry(options as RetryCallOptions)).toThrow(text);
  });
});
