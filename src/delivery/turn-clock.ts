import type { Env } from '../kernel/env.ts';

/**
 * The time of this turn. Reading the clock costs more than handing over a message, so while
 * messages are handed over in one go it is read once, and again every few steps.
 */
export class TurnClock {
  readonly #env: Env;
  #at = 0;
  #held = false;

  constructor(env: Env) {
    this.#env = env;
  }

  now(): number {
    return this.#held ? this.#at : this.#env.now();
  }

  /** From now on `now` says this instant, until `release`. */
  hold(): void {
    this.#at = this.#env.now();
    this.#held = true;
  }

  release(): void {
    this.#held = false;
  }
}
