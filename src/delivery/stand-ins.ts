import { FallbackError } from '../resilience/errors.ts';

/** Who is asked instead, one after the other, and why those failed who were asked before. */
export class StandIns {
  readonly #others: string[];
  readonly #causes: unknown[] = [];

  constructor(others: readonly string[]) {
    this.#others = [...others];
  }

  /** The one who is asked next, since this has failed; `undefined` when nobody is left. */
  next(error: unknown): string | undefined {
    const other = this.#others.shift();
    if (other !== undefined) this.#causes.push(error);
    return other;
  }

  /** What the caller hears when this was the last failure: all of them, if there were others. */
  sum(error: unknown): unknown {
    return this.#causes.length === 0 ? error : new FallbackError([...this.#causes, error]);
  }
}
