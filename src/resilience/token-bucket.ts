import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';

/** At most `limit` starts in any stretch of `perMs` milliseconds, on average. */
export interface RateLimit {
  /** Starts, at least 1. */
  readonly limit: number;
  /** Milliseconds, more than 0. */
  readonly perMs: number;
}

/** Checks a rate, which stands under `name`. */
export function checkRate({ limit, perMs }: RateLimit, name: string): void {
  readCount(`${name}.limit`, limit, 1);
  if (typeof perMs !== 'number') throw misuse(`${name}.perMs`, 'a number', perMs);
  if (!(perMs > 0)) throw new RangeError(`${name}.perMs must be more than 0, but it is ${perMs}`);
}

/**
 * A bucket that is full of `limit` tokens at first and gets as many back in `perMs`.
 *
 * Source: "New directions in communications (or which way to the information age?)",
 * J. Turner, IEEE Communications Magazine, 1986.
 */
export class TokenBucket {
  readonly #rate: RateLimit;
  #tokens: number;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(rate: RateLimit) {
    this.#rate = rate;
    this.#tokens = rate.limit;
  }

  /** Monotonic instant; `-Infinity` when it never was. */
  get lookedAt(): number {
    return this.#lookedAt;
  }

  /** Takes a token, if there is one. */
  take(now: number): boolean {
    this.refill(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Puts back what time has brought since the last look. */
  refill(now: number): void {
    const { limit, perMs } = this.#rate;
    const elapsedMs = now - this.#lookedAt;
    this.#lookedAt = now;
    // A limit of Infinity times no time is no number, nor is the time since ever by a perMs of Infinity.
    if (elapsedMs <= 0 || elapsedMs === Infinity) return;
    this.#tokens = Math.min(limit, this.#tokens + (elapsedMs * limit) / perMs);
  }

  /**
   * Milliseconds from the last look until there is a token for who lets `ahead` others take one
   * first: a whole number, so that rounding never wakes anybody a hair too early.
   */
  waitMs(ahead = 0): number {
    const { limit, perMs } = this.#rate;
    const missing = ahead + 1 - this.#tokens;
    return missing > 0 ? Math.ceil((missing * perMs) / limit) : 0;
  }
}
