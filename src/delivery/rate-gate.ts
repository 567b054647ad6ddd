import type { Env, Timer } from '../kernel/env.ts';
import { Lanes, type Queued } from '../mailbox/lanes.ts';

/** At most `limit` starts in any stretch of `perMs` milliseconds, on average. */
export interface RateLimit {
  /** Starts, at least 1. */
  readonly limit: number;
  /** Milliseconds, more than 0. */
  readonly perMs: number;
}

/**
 * A token bucket (Turner 1986) before a handler. Who finds no token waits here by priority, and
 * the mailbox's other subscriptions go on; one timer runs while somebody waits.
 */
export class RateGate<T extends Queued = Queued> {
  readonly #env: Env;
  readonly #limit: RateLimit;
  readonly #parked = new Lanes<T>({ ageingLimit: 16 });
  readonly #release: (item: T) => void;
  #tokens: number;
  #filledAt: number;
  #timer: Timer | undefined;

  constructor(env: Env, limit: RateLimit, release: (item: T) => void) {
    this.#env = env;
    this.#limit = limit;
    this.#release = release;
    this.#tokens = limit.limit;
    this.#filledAt = env.now();
  }

  /** True when the item may start now; false when it is parked until a token is there. */
  pass(item: T): boolean {
    this.#refill();
    if (this.#parked.size === 0 && this.#tokens >= 1) {
      this.#tokens -= 1;
      return true;
    }
    this.#parked.push(item);
    this.#arm();
    return false;
  }

  removeWhere(matches: (item: T) => boolean): T[] {
    const taken = this.#parked.removeWhere(matches);
    if (this.#parked.size === 0) this.close();
    return taken;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #refill(): void {
    const now = this.#env.now();
    const { limit, perMs } = this.#limit;
    const elapsedMs = now - this.#filledAt;
    this.#filledAt = now;
    // Nothing for no time: a limit of Infinity times 0 is no number. A clock set back takes nothing.
    if (elapsedMs <= 0) return;
    this.#tokens = Math.min(limit, this.#tokens + (elapsedMs * limit) / perMs);
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#parked.size === 0) return;
    const { limit, perMs } = this.#limit;
    // One more than the exact wait, so that rounding never wakes it a hair too early.
    const waitMs = Math.ceil(((1 - this.#tokens) * perMs) / limit);
    this.#timer = this.#env.setTimer(Math.max(1, waitMs), () => this.#open(), {
      keepAlive: true,
      label: 'rate limit',
    });
  }

  #open(): void {
    this.#timer = undefined;
    this.#refill();
    while (this.#tokens >= 1 && this.#parked.size > 0) {
      this.#tokens -= 1;
      this.#release(this.#parked.take() as T);
    }
    this.#arm();
  }
}
