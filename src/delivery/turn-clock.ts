import type { Env } from '../kernel/env.ts';

/** A moment that many messages share: one object, where a number in each would be boxed in each. */
export interface Instant {
  /** Monotonic milliseconds. */
  readonly at: number;
}

/**
 * The time of this turn. Reading the clock costs more than handing over a message, so while
 * messages are handed over in one go it is read once, and again every few steps.
 */
export class TurnClock {
  readonly #env: Env;
  #held: Instant | undefined;

  constructor(env: Env) {
    this.#env = env;
  }

  now(): number {
    return this.instant().at;
  }

  instant(): Instant {
    return this.#held ?? { at: this.#env.now() };
  }

  /** From now on it is this instant, until `release`. */
  hold(): Instant {
    this.#held = { at: this.#env.now() };
    return this.#held;
  }

  /** The same with an instant that was read just now. */
  holdAt(instant: Instant): void {
    this.#held = instant;
  }

  release(): void {
    this.#held = undefined;
  }
}
