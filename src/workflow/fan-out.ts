import PQueue from 'p-queue';

/** Runs what it is given in the order given, at most so many at a time. */
export class FanOut {
  // With `concurrency` and `add` alone it decides nothing by a clock.
  readonly #queue: PQueue;

  /** A whole number from 1, or `Infinity`. */
  constructor(concurrency: number) {
    this.#queue = new PQueue({ concurrency });
  }

  /** The job begins at once when there is a place for it. It never rejects. */
  add(job: () => Promise<void>): void {
    void this.#queue.add(job);
  }
}
