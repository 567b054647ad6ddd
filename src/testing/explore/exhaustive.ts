import { NondeterminismError } from './errors.ts';
import type { Run } from './schedule.ts';
import type { Picker } from './strategy.ts';

/**
 * Every schedule, depth first: each run repeats the one before as far as its last choice that has
 * an alternative, takes that, and goes on in production order.
 */
export class Frontier {
  /** Of the run to come: what to choose, and from how many where that is known. */
  #picks: number[] = [];
  #counts: number[] = [];
  finished = false;

  readonly pick: Picker = (lanes, step) => {
    const expected = this.#counts[step - 1];
    if (expected !== undefined && expected !== lanes.length) {
      const difference = `${expected} lanes were ready in one and ${lanes.length} in the other`;
      throw new NondeterminismError(step, difference);
    }
    return this.#picks[step - 1] ?? 0;
  };

  /** Moves on to the next schedule. */
  next({ course }: Run): void {
    let last = course.picks.length - 1;
    while (last >= 0 && (course.picks[last] as number) + 1 >= (course.counts[last] as number)) {
      last -= 1;
    }
    this.finished = last < 0;
    this.#picks = course.picks.slice(0, last + 1);
    this.#counts = course.counts.slice(0, last + 1);
    if (!this.finished) (this.#picks[last] as number)++;
  }
}
