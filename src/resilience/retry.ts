import { Deferred } from '../kernel/deferred.ts';
import type { Env, Timer } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { longerWait } from '../kernel/longer-wait.ts';
import { isThenable, promiseOf } from '../kernel/thenable.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { RETRY_OPTIONS, type RetryOptions, type RetryPolicy, toRetryPolicy } from './backoff.ts';
import { Call } from './call.ts';
import { decideRetry, type FailedCall, type RetryDecision } from './decide-retry.ts';
import { OwnPolicy, type PolicyOptions, type Work } from './policy.ts';

/** A call that failed and is made again. */
export interface RetryNotice {
  /** Which call failed, from 1. */
  readonly attempt: number;
  /** Milliseconds until the next. */
  readonly delayMs: number;
  readonly error: unknown;
}

/** Options of `retry`. */
export interface RetryCallOptions extends RetryOptions, PolicyOptions {
  /** Hears of every retry before its delay. What it throws changes nothing. */
  readonly onRetry?: (notice: RetryNotice) => void;
}

/**
 * Makes a call that failed again, after a delay that grows and is spread by chance. When it is not
 * made again the last error is thrown itself, with the number of calls as `attempts` on it.
 *
 * Aborts, open circuits, validation errors and errors that say `retryable: false` are final. A
 * number `retryAfterMs` on the error is the least delay. A delay that would reach the deadline of
 * the call is never begun: the error is thrown at once. An abort ends the delay with its reason,
 * and the work is not called again; a result that is there already stays.
 *
 * What fails is called again as it is: give a side effect an idempotency key.
 *
 * @throws TypeError, RangeError for options that do not fit.
 *
 * @example
 * ```ts
 * import { retry } from 'tellask';
 * const thrice = retry({ maxAttempts: 3, baseMs: 1 });
 * const answer = await thrice.execute(({ attempt }) => {
 *   if (attempt < 3) throw new Error('not yet');
 *   return `at attempt ${attempt}`;
 * });
 * answer; // => 'at attempt 3'
 * ```
 */
export function retry(options: RetryCallOptions = {}): OwnPolicy {
  if (typeof options !== 'object' || options === null) {
    throw misuse('The options of retry', 'an object', options);
  }
  refuseUnknown(options, OPTIONS, 'retry');
  const { onRetry, env } = options;
  if (onRetry !== undefined && typeof onRetry !== 'function') {
    throw misuse('retry.onRetry', 'a function', onRetry);
  }
  return new Retry(toRetryPolicy(options), onRetry, env);
}

const OPTIONS: ReadonlySet<string> = new Set(['env', 'onRetry', ...RETRY_OPTIONS]);
const FIRST = { attempt: 1, abortable: false } as const;
const SLEEP = { keepAlive: true, label: 'retry' } as const;

class Retry extends OwnPolicy {
  readonly policy: RetryPolicy;
  readonly onRetry: RetryCallOptions['onRetry'];

  constructor(policy: RetryPolicy, onRetry: RetryCallOptions['onRetry'], env: Env | undefined) {
    super(env);
    this.policy = policy;
    this.onRetry = onRetry;
    if (env !== undefined) policy.budget?.bind(env);
  }

  override bind(env: Env): void {
    super.bind(env);
    this.policy.budget?.bind(this.env);
  }

  run<T>(fn: Work<T>, call: Call): Promise<T> {
    if (call.aborted) return Promise.reject(call.reason);
    this.policy.budget?.deposit();
    // Attempts of a retry around this one are not its own.
    const first = call.attempt === 1 ? call : new Call(this.env, call, FIRST);
    try {
      const result = fn(first);
      if (!isThenable(result)) return Promise.resolve(result);
      return (promiseOf(result) as Promise<T>).then(undefined, (error: unknown) =>
        new Retrying(this, fn, call).after(error),
      );
    } catch (error) {
      return new Retrying(this, fn, call).after(error);
    }
  }
}

/** One call that has failed once, and what follows from it. */
class Retrying<T> {
  readonly #retry: Retry;
  readonly #fn: Work<T>;
  readonly #call: Call;
  readonly #ended = new Deferred<T>();
  #attempt = 1;
  #delayMs: number | undefined;

  constructor(policy: Retry, fn: Work<T>, call: Call) {
    this.#retry = policy;
    this.#fn = fn;
    this.#call = call;
  }

  after(error: unknown): Promise<T> {
    this.#failed(error);
    return this.#ended.promise;
  }

  #failed(error: unknown): void {
    const { aborted, reason, remainingMs, retries } = this.#call;
    if (aborted) {
      this.#ended.reject(reason);
      return;
    }
    const decision = this.#decide({
      error,
      attempt: this.#attempt,
      previousDelayMs: this.#delayMs,
      remainingMs,
      tokens: retries,
    });
    if (decision.action !== 'retry') this.#giveUp(error);
    else {
      const { env } = this.#retry;
      this.#sleep(longerWait(env, 'policy', decision.delayMs, remainingMs), error);
    }
  }

  #decide(failed: FailedCall): RetryDecision {
    const { env, policy } = this.#retry;
    return decideRetry(policy, failed, () => env.random());
  }

  #giveUp(error: unknown): void {
    countAttempts(error, this.#attempt);
    this.#ended.reject(error);
  }

  #sleep(delayMs: number, error: unknown): void {
    this.#delayMs = delayMs;
    this.#tell({ attempt: this.#attempt, delayMs, error });
    let timer: Timer | undefined;
    const unlisten = this.#call.onAbort((reason) => {
      timer?.cancel();
      this.#ended.reject(reason);
    });
    if (this.#ended.settled) return;
    const wake = (): void => {
      unlisten();
      this.#again();
    };
    timer = this.#retry.env.setTimer(delayMs, wake, SLEEP);
  }

  #tell(notice: RetryNotice): void {
    try {
      const told: unknown = this.#retry.onRetry?.(notice);
      if (isThenable(told)) promiseOf(told).catch(() => {});
    } catch {
      // Who only watches changes nothing.
    }
  }

  #again(): void {
    this.#attempt++;
    const change = { attempt: this.#attempt, abortable: false };
    try {
      const result = this.#fn(new Call(this.#retry.env, this.#call, change));
      if (!isThenable(result)) {
        this.#ended.resolve(result);
        return;
      }
      promiseOf(result).then(
        (value) => this.#ended.resolve(value as T),
        (error: unknown) => this.#failed(error),
      );
    } catch (error) {
      this.#failed(error);
    }
  }
}

/** The errors that carry a number of ours, which a later call may overwrite. */
const counted = new WeakSet<object>();

/** Writes on the error how often the work was called, unless it says so of itself. */
function countAttempts(error: unknown, attempts: number): void {
  if (typeof error !== 'object' || error === null) return;
  try {
    if (Object.hasOwn(error, 'attempts') && !counted.has(error)) return;
    // Not enumerable, so that it does not show in print-outs.
    Object.defineProperty(error, 'attempts', { value: attempts, configurable: true });
    counted.add(error);
  } catch {
    // Frozen, or a proxy that does not want it.
  }
}
