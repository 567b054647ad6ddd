import type { Choices } from './choices.ts';

/** Runs some choices; true when they fail as those that are shrunk. */
export type Fails = (choices: Choices) => Promise<boolean>;

type Entry = readonly [step: number, choice: number];

/** Steps that making a failure smaller may take in all. */
const MAX_STEPS = 200_000;

/** Of very long runs fewer are made than allowed, so that a failure is told of in seconds. */
export function mostRuns(allowed: number, steps: number): number {
  return Math.min(allowed, Math.ceil(MAX_STEPS / Math.max(1, steps)));
}

/**
 * The fewest choices that still fail in the same way: whole parts are dropped first, as in delta
 * debugging (Zeller and Hildebrandt, 2002), then one after the other, then each is made lower. It
 * runs at most `maxRuns` schedules.
 */
export async function shrink(failed: Choices, fails: Fails, maxRuns: number): Promise<Choices> {
  const search = new Search(fails, maxRuns);
  let entries: readonly Entry[] = [...failed].toSorted(([one], [other]) => one - other);
  // What was lowered or has moved may make others superfluous, several at once.
  for (let before = ''; before !== String(entries); ) {
    before = String(entries);
    entries = await search.cutEnd(entries);
    entries = await search.drop(entries);
    entries = await search.lower(entries);
  }
  return new Map(entries);
}

/** What is dropped may have been a step of its own, or have saved one: then the others come sooner or later. */
function shifted(front: readonly Entry[], back: readonly Entry[]): (readonly Entry[])[] {
  const shifts = back.length === 0 ? [0] : [0, -1, 1];
  return shifts.map((shift) => [
    ...front,
    ...back.map(([step, choice]): Entry => [step + shift, choice]),
  ]);
}

class Search {
  readonly #fails: Fails;
  #runsLeft: number;

  constructor(fails: Fails, maxRuns: number) {
    this.#fails = fails;
    this.#runsLeft = maxRuns;
  }

  /** What is chosen after the bug has done its work decides nothing. */
  async cutEnd(entries: readonly Entry[]): Promise<readonly Entry[]> {
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (await this.#still(entries.slice(0, middle))) high = middle;
      else low = middle + 1;
    }
    return entries.slice(0, high);
  }

  async drop(given: readonly Entry[]): Promise<readonly Entry[]> {
    let entries = given;
    for (let size = Math.max(1, entries.length >> 1); size >= 1; size >>= 1) {
      for (let end = entries.length; end > 0; end -= size) {
        const front = entries.slice(0, Math.max(0, end - size));
        entries = await this.#firstOf(shifted(front, entries.slice(end)), entries);
      }
    }
    return entries;
  }

  async #firstOf(
    candidates: readonly (readonly Entry[])[],
    otherwise: readonly Entry[],
  ): Promise<readonly Entry[]> {
    for (const candidate of candidates) if (await this.#still(candidate)) return candidate;
    return otherwise;
  }

  async lower(given: readonly Entry[]): Promise<readonly Entry[]> {
    const entries = [...given];
    for (const [index, [step, choice]] of entries.entries()) {
      for (let lower = 1; lower < choice; lower += 1) {
        const before = entries[index] as Entry;
        entries[index] = [step, lower];
        if (await this.#still(entries)) break;
        entries[index] = before;
      }
    }
    return entries;
  }

  async #still(entries: readonly Entry[]): Promise<boolean> {
    if (this.#runsLeft <= 0) return false;
    this.#runsLeft -= 1;
    return this.#fails(new Map(entries));
  }
}
