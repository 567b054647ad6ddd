import { describe, expect, it } from 'vitest';
import { retry } from '../../src/index.ts';
import type { Work } from '../../src/resilience/policy.ts';
import type { RetryCallOptions } from '../../src/resilience/retry.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

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

function make(options: RetryCallOptions = {}) {
  const env = new SimEnv();
  return { env, policy: retry({ jitter: 'none', env, ...options }) };
}

/** What a promise has come to. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}

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

  // R:H2
  it('throws the last error itself, with the number of calls on it', async () => {
    const { env, policy } = make({ maxAttempts: 4 });
    const errors: Error[] = [];
    const ended = outcome(
      policy.execute(() => {
        errors.push(new Error(`no ${errors.length}`));
        throw errors.at(-1);
      }),
    );
    await env.run();

    const { error } = (await ended) as { error: Error & { attempts: number } };

    expect(error).toBe(errors[3]);
    expect(error.attempts).toBe(4);
    expect(Object.keys(error)).toEqual([]);
    expect(errors.slice(0, 3).every((earlier) => !('attempts' in earlier))).toBe(true);
  });
});
