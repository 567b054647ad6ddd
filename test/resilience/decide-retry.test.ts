import { describe, expect, it } from 'vitest';
import { toRetryPolicy } from '../../src/resilience/backoff.ts';
import { decideRetry, type FailedCall } from '../../src/resilience/decide-retry.ts';
import { RetryBudget } from '../../src/resilience/retry-budget.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const error = new Error('no');
const final = Object.assign(new Error('never'), { retryable: false });
const budgetOf = (tokens: number): RetryBudget =>
  new RetryBudget({ ratio: 0, minPerSecond: tokens / 10, env: new SimEnv() });

const again = (delayMs: number): object => ({ action: 'retry', delayMs });
const stop = (why: string): object => ({ action: 'stop', why });
const [granting, refusing] = [true, false].map((answer) => ({ withdraw: () => answer }));

// R:H2
describe('decideRetry', () => {
  it.each([
    ['the first of three', { attempt: 1 }, 1, again(100), 0],
    ['the second of three', { attempt: 2 }, 1, again(200), 0],
    ['the third of three', { attempt: 3 }, 1, stop('attempts'), 1],
    ['a final error', { attempt: 1, error: final }, 1, stop('final'), 1],
    ['a final error, the third of three', { attempt: 3, error: final }, 1, stop('final'), 1],
    ['time for the delay', { attempt: 1, remainingMs: 101 }, 1, again(100), 0],
    ['just no time for the delay', { attempt: 1, remainingMs: 100 }, 1, stop('deadline'), 1],
    ['no token', { attempt: 1 }, 0, stop('budget'), 0],
    ['no token and no time', { attempt: 1, remainingMs: 0 }, 0, stop('deadline'), 0],
    ['no token above', { attempt: 1, tokens: refusing }, 1, stop('budget'), 1],
    ['a token above', { attempt: 1, tokens: granting }, 1, again(100), 0],
  ] as const)('decides: %s', (_case, failed, tokens, decision, left) => {
    const budget = budgetOf(tokens);
    const policy = toRetryPolicy({ jitter: 'none', budget });

    expect(decideRetry(policy, { error, ...failed } as FailedCall, () => 0.5)).toEqual(decision);
    expect(budget.available).toBe(left);
  });

  it('asks only above where the policy has no budget', () => {
    const policy = toRetryPolicy({ jitter: 'none' });
    const decide = (tokens: FailedCall['tokens']) =>
      decideRetry(policy, { error, attempt: 1, tokens }, () => 0.5);

    expect([decide(granting), decide(refusing)]).toEqual([again(100), stop('budget')]);
  });
});
