import { describe, expect, it } from 'vitest';
import { RejectedError } from '../../src/delivery/errors.ts';
import { type Failure, settle } from '../../src/delivery/settle.ts';
import { toRetryPolicy } from '../../src/resilience/backoff.ts';

const error = new Error('no');
const failed: Failure = { error };
const rejected: Failure = { error: new RejectedError('never') };
const timedOut: Failure = { error, stopped: 'timed-out' };
const withdrawn: Failure = { error, stopped: 'withdrawn' };
const final: Failure = { error: Object.assign(new Error('no'), { retryable: false }) };
const one = toRetryPolicy({ maxAttempts: 1 });
const three = toRetryPolicy({ maxAttempts: 3, baseMs: 100, factor: 2, jitter: 'none' });

const dead = (reason: string): object => ({ action: 'dead-letter', reason });
const retry = (delayMs: number): object => ({ action: 'retry', delayMs });

// R:J1
describe('settle', () => {
  it.each([
    ['nothing failed', undefined, 1, three, { action: 'handled' }],
    ['nobody waits any more', withdrawn, 1, three, { action: 'cancel' }],
    ['no retry', failed, 1, undefined, dead('handler-error')],
    ['no retry, timed out', timedOut, 1, undefined, dead('handler-timeout')],
    ['no retry, rejected', rejected, 1, undefined, dead('rejected')],
    ['one attempt allowed', failed, 1, one, dead('handler-error')],
    ['first of three', failed, 1, three, retry(100)],
    ['second of three', failed, 2, three, retry(200)],
    ['third of three', failed, 3, three, dead('max-attempts')],
    ['a time-out is retried', timedOut, 1, three, retry(100)],
    ['a time-out, third of three', timedOut, 3, three, dead('max-attempts')],
    ['rejected is final', rejected, 1, three, dead('rejected')],
    ['not retryable is final', final, 1, three, dead('handler-error')],
  ] as const)('decides: %s', (_case, failure, attempt, policy, settlement) => {
    expect(settle(failure, attempt, policy, () => 0.5)).toEqual(settlement);
  });

  it('never waits into the end of the message, not even exactly', () => {
    const left = (remainingMs: number): object =>
      settle(failed, 1, three, () => 0.5, { remainingMs });

    expect(left(101)).toEqual(retry(100));
    expect(left(100)).toEqual(dead('handler-error'));
  });
});
