import type { Env, Timer } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Call } from './call.ts';
import { RateLimitedError } from './errors.ts';
import { onlyCall } from './only-call.ts';
import { OwnPolicy, type PolicyOptions, type Work } from './policy.ts';
import { rejection } from './rejection.ts';
import { checkRate, type RateLimit, TokenBucket } from './token-bucket.ts';
import { WaitingCalls } from './waiting-calls.ts';

/** Options of {@link rateLimit}. */
export interface RateLimitOptions extends RateLimit, PolicyOptions {
  /**
   * Milliseconds that a call may wait for its turn: from 0; `Infinity` as long as it has time.
   * @default 0
   */
  readonly maxWaitMs?: number;
}

const OPTIONS: ReadonlySet<string> = new Set(['limit', 'perMs', 'maxWaitMs', 'env']);
const TIMER = { keepAlive: true, label: 'rate limit' } as const;
/** The longest delay of a timer. */
const LONGEST_MS = Number.MAX_SAFE_INTEGER;

/**
 * Lets `limit` calls start in `perMs` milliseconds: `limit` at once after a rest, then one each
 * `perMs / limit` (a token bucket). Who would have to wait longer than `maxWaitMs`, or than he has
 * time, is rejected at once with `RateLimitedError` (`TELLASK_RATE_LIMITED`), whose `retryAfterMs`
 * says when to come again: `retry` heeds it. Who waits is served in order, and leaves when aborted.
 *
 * @throws RangeError or TypeError for an option that does not fit.
 *
 * @example
 * ```ts
 * import { rateLimit, type RateLimitedError } from 'tellask';
 * const twice = rateLimit({ limit: 2, perMs: 60_000 });
 * await twice.execute(() => 'first'); // => 'first'
 * await twice.execute(() => 'second'); // => 'second'
 * const error: unknown = await twice.execute(() => 'third').catch((reason: unknown) => reason);
 * (error as RateLimitedError).retryAfterMs > 29_000; // => true
 * ```
 */
export function rateLimit(options: RateLimitOptions): RateLimiter {
  if (typeof options !== 'object' || options === null) {
    throw misuse('rateLimit', 'an object of options', options);
  }
  refuseUnknown(options, OPTIONS, 'rateLimit');
  checkRate(options, 'rateLimit');
  const { limit, perMs, maxWaitMs = 0, env } = options;
  if (typeof maxWaitMs !== 'number') throw misuse('rateLimit.maxWaitMs', 'a number', maxWaitMs);
  if (!(maxWaitMs >= 0)) {
    throw new RangeError(misuse('rateLimit.maxWaitMs', 'a number from 0', maxWaitMs).message);
  }
  return new RateLimiter({ limit, perMs }, maxWaitMs, env);
}

/** Made by {@link rateLimit}. */
export class RateLimiter extends OwnPolicy {
  readonly #bucket: TokenBucket;
  readonly #maxWaitMs: number;
  readonly #waiting = new WaitingCalls(() => this.#disarm());
  #timer: Timer | undefined;

  /** @internal */
  constructor(rate: RateLimit, maxWaitMs: number, env: Env | undefined) {
    super(env);
    this.#bucket = new TokenBucket(rate);
    this.#maxWaitMs = maxWaitMs;
  }

  /** How many wait for their turn. */
  inspect(): { readonly queued: number } {
    return { queued: this.#waiting.size };
  }

  /** @internal */
  run<T>(fn: Work<T>, call: Call): Promise<T> {
    if (call.aborted) return Promise.reject(call.reason);
    const now = this.env.now();
    const { size } = this.#waiting;
    if (size === 0 && call.remainingMs > 0 && this.#bucket.take(now)) return onlyCall(fn, call);
    this.#bucket.refill(now);
    const waitMs = this.#bucket.waitMs(size);
    // Work that would start when its time is over is not worth a token.
    if (waitMs > this.#maxWaitMs || waitMs >= call.remainingMs) return refuse(waitMs);
    const promise = this.#waiting.wait(fn, call);
    this.#arm();
    return promise;
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#waiting.size === 0) return;
    const delayMs = Math.min(LONGEST_MS, Math.max(1, this.#bucket.waitMs()));
    this.#timer = this.env.setTimer(delayMs, () => this.#open(), TIMER);
  }

  /** No timer is left behind when nobody waits. */
  #disarm(): void {
    if (this.#waiting.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #open(): void {
    this.#timer = undefined;
    const now = this.env.now();
    while (this.#waiting.size > 0 && this.#bucket.take(now)) this.#startNext();
    this.#arm();
  }

  /** Timers may be late, and then the time of a call is over: the next has the token. */
  #startNext(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const late = next.call.remainingMs === 0;
      next.settle(late ? refuse(0) : onlyCall(next.fn, next.call));
      if (!late) return;
    }
  }
}

function refuse(waitMs: number): Promise<never> {
  return rejection(new RateLimitedError(undefined, undefined, waitMs));
}
