import type { Env, Timer } from '../kernel/env.ts';
import { Lanes, type Queued } from '../mailbox/lanes.ts';
import { type RateLimit, TokenBucket } from '../resilience/token-bucket.ts';

/**
 * A token bucket before a handler. Who finds no token waits here by priority, and
 * the mailbox's other subscriptions go on; one timer runs while somebody waits.
 */
export class RateGate<T extends Queued = Queued> {
  readonly #env: Env;
  readonly #bucket: TokenBucket;
  readonly #parked = new Lanes<T>({ ageingLimit: 16 });
  readonly #release: (item: T) => void;
  #timer: Timer | undefined;

  constructor(env: Env, limit: RateLimit, release: (item: T) => void) {
    this.#env = env;
    this.#bucket = new TokenBucket(limit);
    this.#release = release;
  }

  /** True when the item may start now; false when it is parked until a token is there. */
  pass(item: T): boolean {
    if (this.#parked.size === 0 && this.#bucket.take(this.#env.now())) return true;
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

  #arm(): void {
    if (this.#timer !== undefined || this.#parked.size === 0) return;
    this.#bucket.refill(this.#env.now());
    this.#timer = this.#env.setTimer(Math.max(1, this.#bucket.waitMs()), () => this.#open(), {
      keepAlive: true,
      label: 'rate limit',
    });
  }

  #open(): void {
    this.#timer = undefined;
    const now = this.#env.now();
    while (this.#parked.size > 0 && this.#bucket.take(now)) {
      this.#release(this.#parked.take() as T);
    }
    this.#arm();
  }
}
