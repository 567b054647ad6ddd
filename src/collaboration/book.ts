import { toErrorRecord } from '../kernel/error-record.ts';
import type { Position } from './resolution.ts';
import type { CollaborationProgress, Contribution, FailedTurn, ToldFailure } from './result.ts';

/** What was said, the latest of it, and what each said last. */
export class Book {
  readonly #keep: number;
  #contributions: readonly Contribution[] = [];
  #failed: readonly FailedTurn[] = [];
  /** By participant, in the order of the participants. */
  readonly #positions: Map<string, Position | undefined>;
  #said = 0;

  /** `names`: whose word is a position. */
  constructor(keep: number, names: readonly string[]) {
    this.#keep = keep;
    this.#positions = new Map(names.map((name) => [name, undefined]));
  }

  enter(contribution: Contribution): void {
    const { by, value } = contribution;
    this.#said += 1;
    this.#contributions = latest(this.#keep, this.#contributions, contribution);
    if (this.#positions.has(by)) this.#positions.set(by, { by, value });
  }

  enterFailed(turn: FailedTurn): void {
    this.#failed = latest(this.#keep, this.#failed, turn);
  }

  get contributions(): readonly Contribution[] {
    return this.#contributions;
  }

  get failed(): readonly FailedTurn[] {
    return this.#failed;
  }

  get said(): number {
    return this.#said;
  }

  get dropped(): number {
    return this.#said - this.#contributions.length;
  }

  get positions(): readonly Position[] {
    return [...this.#positions.values()].filter((position) => position !== undefined);
  }

  progress(round: number): CollaborationProgress {
    return { round, contributions: this.#contributions, positions: this.positions };
  }

  /** The failures as data: errors themselves stay with whoever began it. */
  toldFailures(): readonly ToldFailure[] {
    return this.#failed.map(({ by, round, error }) => {
      const { name, message, code } = toErrorRecord(error);
      return { by, round, error: { name, message, ...(code !== undefined && { code }) } };
    });
  }
}

/** A new list each time: those who were given one before keep it as it was. */
function latest<T>(keep: number, list: readonly T[], one: T): readonly T[] {
  const kept = list.length < keep ? list : list.slice(list.length - keep + 1);
  return [...kept, one];
}
