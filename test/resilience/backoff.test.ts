import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TellaskError } from '../../src/kernel/errors.ts';
import {
  delayMs,
  isRetryable,
  type Jitter,
  NO_RETRY,
  type RetryOptions,
  toRetryPolicy,
} from '../../src/resilience/backoff.ts';

const JITTERS: Jitter[] = ['none', 'full', 'equal', 'decorrelated', 'proportional'];
const half = () => 0.5;

describe('toRetryPolicy', () => {
  // R:H2
  it('fills in what is left out', () => {
    expect(toRetryPolicy({})).toEqual({
      maxAttempts: 3,
      baseMs: 100,
      maxMs: 10_000,
      factor: 2,
      jitter: 'full',
      retryIf: undefined,
    });
  });

  it('takes false and nothing for one attempt', () => {
    expect([toRetryPolicy(false), toRetryPolicy(undefined)]).toEqual([NO_RETRY, NO_RETRY]);
    expect(NO_RETRY.maxAttempts).toBe(1);
  });

  it.each([
    [{ maxAttempts: 0 }, RangeError, 'retry.maxAttempts'],
    [{ maxAttempts: 1.5 }, RangeError, 'retry.maxAttempts'],
    [{ baseMs: -1 }, RangeError, 'retry.baseMs'],
    [{ maxMs: Number.NaN }, RangeError, 'retry.maxMs'],
    [{ factor: 0.5 }, RangeError, 'retry.factor'],
    [{ baseMs: '100' }, TypeError, 'retry.baseMs'],
    [{ jitter: 'some' }, TypeError, 'retry.jitter'],
    [{ jitter: '__proto__' }, TypeError, 'retry.jitter'],
    [{ retryIf: true }, TypeError, 'retry.retryIf'],
    [true, TypeError, 'retry'],
    [null, TypeError, 'retry'],
  ])('refuses %o', (options, kind, name) => {
    expect(() => toRetryPolicy(options as RetryOptions)).toThrow(kind);
    expect(() => toRetryPolicy(options as RetryOptions)).toThrow(name);
  });
});

describe('delayMs', () => {
  // R:H2
  it('doubles from 100 ms to 10 s', () => {
    const policy = toRetryPolicy({ jitter: 'none' });

    const delays = [1, 2, 3, 7, 8, 10_000].map((attempt) => delayMs(policy, attempt, half));

    expect(delays).toEqual([100, 200, 400, 6_400, 10_000, 10_000]);
  });

  it.each([
    ['none', 400, 400],
    ['full', 0, 400],
    ['equal', 200, 400],
    ['proportional', 300, 500],
    ['decorrelated', 100, 900],
  ] as const)('spreads with jitter %s from %i to %i', (jitter, low, high) => {
    const policy = toRetryPolicy({ jitter });

    expect(delayMs(policy, 3, () => 0, 300)).toBe(low);
    expect(delayMs(policy, 3, () => 1, 300)).toBe(high);
  });

  it('begins decorrelated jitter at the base', () => {
    expect(delayMs(toRetryPolicy({ jitter: 'decorrelated' }), 1, () => 1)).toBe(300);
  });

  // R:H2
  it('waits at least as long as the error asks for', () => {
    const policy = toRetryPolicy({ jitter: 'none', maxMs: 1_000 });
    const waitAfter = (retryAfterMs: unknown) => delayMs(policy, 1, half, 100, { retryAfterMs });

    expect([waitAfter(50), waitAfter(700), waitAfter(60_000)]).toEqual([100, 700, 60_000]);
    expect([waitAfter(Number.NaN), waitAfter(-1), waitAfter('9999')]).toEqual([100, 100, 100]);
    expect(waitAfter(Number.POSITIVE_INFINITY)).toBe(Number.MAX_SAFE_INTEGER);
  });

  // R:H2
  it('is between 0 and maxMs whatever the options and the attempt are', () => {
    const ms = fc.oneof(
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.constantFrom(0, 1e300, Number.POSITIVE_INFINITY),
    );
    const factor = fc.oneof(
      fc.double({ min: 1, max: 10, noNaN: true }),
      fc.constant(Number.POSITIVE_INFINITY),
    );
    const attempt = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(1e4, 1e9));
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(
        fc
          .record({ baseMs: ms, maxMs: ms, factor, jitter: fc.constantFrom(...JITTERS) })
          .filter(({ baseMs, maxMs }) => maxMs >= baseMs),
        attempt,
        chance,
        ms,
        (options, count, random, previous) => {
          const delay = delayMs(toRetryPolicy(options), count, () => random, previous);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(Math.min(options.maxMs, Number.MAX_SAFE_INTEGER));
        },
      ),
      { seed: 3, numRuns: 3_000 },
    );
  });
});

describe('isRetryable', () => {
  const policy = toRetryPolicy({});

  // R:H2
  it.each([
    ['an abort', new DOMException('stop', 'AbortError')],
    ['an abort of Node', Object.assign(new Error('stop'), { code: 'ABORT_ERR' })],
    ['a validation error', new TellaskError('TELLASK_VALIDATION', 'bad')],
    ['a permanent error', Object.assign(new Error('no'), { retryable: false })],
    ['an open circuit', Object.assign(new Error('open'), { code: 'TELLASK_CIRCUIT_OPEN' })],
    [
      'an open circuit of cockatiel',
      Object.assign(new Error('open'), { isBrokenCircuitError: true }),
    ],
  ])('does not retry %s, whatever retryIf says', (_name, error) => {
    expect(isRetryable(error, policy)).toBe(false);
    expect(isRetryable(error, toRetryPolicy({ retryIf: () => true }))).toBe(false);
  });

  it.each([
    new Error('unknown'),
    new TellaskError('TELLASK_MAILBOX_FULL', 'full'),
    'text',
    undefined,
    null,
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('trap');
        },
      },
    ),
  ])('retries the unknown, %#', (error) => {
    expect(isRetryable(error, policy)).toBe(true);
  });

  it('asks retryIf, and takes one that throws for a no', () => {
    const retryIf = (error: unknown) => {
      if (error === 'broken') throw new Error('oops');
      return error === 'again';
    };
    const asking = toRetryPolicy({ retryIf });

    expect(['again', 'final', 'broken'].map((error) => isRetryable(error, asking))).toEqual([
      true,
      false,
      false,
    ]);
  });
});
