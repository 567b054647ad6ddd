import { misuse } from '../kernel/errors.ts';
import { isThenable, promiseOf } from '../kernel/thenable.ts';
import { RetryBudget } from './retry-budget.ts';

/** How chance spreads the delays of many callers that failed together. */
export type Jitter = 'none' | 'full' | 'equal' | 'decorrelated' | 'proportional';

/** When, and how often, a failed call is made again. */
export interface RetryOptions {
  /** Calls in all, the first one included: an integer from 1. @default 3 */
  readonly maxAttempts?: number;
  /** The delay after the first failure, in milliseconds. @default 100 */
  readonly baseMs?: number;
  /** The longest delay, in milliseconds; not below `baseMs`. @default 10_000, or `baseMs` if that is more */
  readonly maxMs?: number;
  /** What each delay is multiplied by to give the next: from 1. @default 2 */
  readonly factor?: number;
  /**
   * `full` 0 to d, `equal` d/2 to d, `proportional` d less or more a quarter, `decorrelated`
   * `baseMs` to three times the previous delay, `none` d itself. @default 'full'
   */
  readonly jitter?: Jitter;
  /** Asked at once about every error that could be retried; false makes it final. */
  readonly retryIf?: (error: unknown) => boolean;
  /** What all who call the same thing may retry together; see `retryBudget`. @default no bound */
  readonly budget?: RetryBudget;
}

/** The names of {@link RetryOptions}. */
export const RETRY_OPTIONS: readonly (keyof RetryOptions)[] = [
  'maxAttempts',
  'baseMs',
  'maxMs',
  'factor',
  'jitter',
  'retryIf',
  'budget',
];

/** Checked {@link RetryOptions}. Holds no state of a call. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
  readonly factor: number;
  readonly jitter: Jitter;
  readonly retryIf: ((error: unknown) => boolean) | undefined;
  readonly budget: RetryBudget | undefined;
}

/** One attempt and no second. */
export const NO_RETRY: RetryPolicy = {
  maxAttempts: 1,
  baseMs: 0,
  maxMs: 0,
  factor: 1,
  jitter: 'none',
  retryIf: undefined,
  budget: undefined,
};

const LONGEST_MS = Number.MAX_SAFE_INTEGER;
const JITTERS: readonly unknown[] = ['none', 'full', 'equal', 'decorrelated', 'proportional'];

/**
 * Checks retry options and fills in what they leave out; `false` and `undefined` mean no retry.
 *
 * @throws RangeError for a number out of range, TypeError for anything else that does not fit.
 */
export function toRetryPolicy(options: RetryOptions | false | undefined): RetryPolicy {
  if (options === undefined || options === false) return NO_RETRY;
  if (typeof options !== 'object' || options === null) {
    throw misuse('retry', 'an object of options or false', options);
  }
  const { maxAttempts = 3, baseMs = 100, maxMs = Math.max(10_000, baseMs) } = options;
  const { factor = 2, jitter = 'full', retryIf, budget } = options;
  checkAttempts(maxAttempts);
  checkFrom('retry.baseMs', baseMs, 0);
  checkFrom('retry.maxMs', maxMs, baseMs);
  checkFrom('retry.factor', factor, 1);
  if (!JITTERS.includes(jitter))
    throw misuse('retry.jitter', `one of ${JITTERS.join(', ')}`, jitter);
  if (retryIf !== undefined && typeof retryIf !== 'function') {
    throw misuse('retry.retryIf', 'a function', retryIf);
  }
  if (budget !== undefined && !(budget instanceof RetryBudget)) {
    throw misuse('retry.budget', 'what retryBudget returned', budget);
  }
  // Infinity becomes the longest delay that a timer takes, so that no product below is NaN.
  const [base, max] = [Math.min(baseMs, LONGEST_MS), Math.min(maxMs, LONGEST_MS)];
  return { maxAttempts, baseMs: base, maxMs: max, factor, jitter, retryIf, budget };
}

/**
 * How long to wait after `attempt` calls (from 1) have failed, in milliseconds: 0 to `maxMs`, or
 * longer when the error asks for it with `retryAfterMs`, which is a lower bound.
 *
 * Source: "Exponential Backoff And Jitter", Marc Brooker, AWS Architecture Blog, 2015.
 */
export function delayMs(
  policy: RetryPolicy,
  attempt: number,
  random: () => number,
  previousDelayMs: number = policy.baseMs,
  error?: unknown,
): number {
  return Math.max(jittered(policy, attempt, random, previousDelayMs), retryAfterMs(error));
}

/**
 * Tells whether an error is worth another attempt: aborts, validation, open circuits and errors
 * that say `retryable: false` never are; `retryIf` decides about the others, which else all are.
 */
export function isRetryable(error: unknown, policy: RetryPolicy): boolean {
  if (field(error, 'retryable') === false || field(error, 'name') === 'AbortError') return false;
  if (field(error, 'isBrokenCircuitError') === true) return false; // cockatiel's mark
  if (FINAL_CODES.has(field(error, 'code'))) return false;
  return policy.retryIf === undefined || allows(policy.retryIf, error);
}

/** A `retryIf` that throws allows nothing, nor does a promise: what it would say is not known. */
function allows(retryIf: (error: unknown) => unknown, error: unknown): boolean {
  try {
    const answer = retryIf(error);
    if (!isThenable(answer)) return Boolean(answer);
    promiseOf(answer).catch(() => {});
    return false;
  } catch {
    return false;
  }
}

const FINAL_CODES = new Set<unknown>([
  'ABORT_ERR',
  'TELLASK_VALIDATION',
  'TELLASK_CIRCUIT_OPEN',
  'EOPENBREAKER', // opossum's
]);

function jittered(
  policy: RetryPolicy,
  attempt: number,
  random: () => number,
  previous: number,
): number {
  const { baseMs, maxMs, jitter } = policy;
  // 2 ** 10_000 is Infinity, which maxMs takes care of; 0 * Infinity would be NaN.
  const delay = baseMs === 0 ? 0 : Math.min(maxMs, baseMs * policy.factor ** (attempt - 1));
  if (jitter === 'full') return random() * delay;
  if (jitter === 'equal') return delay / 2 + (random() * delay) / 2;
  if (jitter === 'proportional') return Math.min(maxMs, delay * (0.75 + random() / 2));
  if (jitter === 'none') return delay;
  return Math.min(maxMs, baseMs + random() * Math.max(0, Math.min(previous, maxMs) * 3 - baseMs));
}

function retryAfterMs(error: unknown): number {
  const after = field(error, 'retryAfterMs');
  return typeof after === 'number' && after > 0 ? Math.min(after, LONGEST_MS) : 0;
}

/** Reads what a foreign error says about itself; one that throws when read says nothing. */
function field(error: unknown, key: string): unknown {
  if (typeof error !== 'object' || error === null) return undefined;
  try {
    return (error as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function checkAttempts(value: number): void {
  checkFrom('retry.maxAttempts', value, 1);
  if (!Number.isInteger(value) && value !== Number.POSITIVE_INFINITY) {
    throw new RangeError(misuse('retry.maxAttempts', 'an integer or Infinity', value).message);
  }
}

function checkFrom(option: string, value: number, least: number): void {
  if (typeof value !== 'number') throw misuse(option, 'a number', value);
  if (!(value >= least))
    throw new RangeError(misuse(option, `a number from ${least}`, value).message);
}
