/** Counts what was handled, and tells when all of a batch were. */
export class Counter {
  handled = 0;
  #sum = 0;
  #target = 0;
  #reached: () => void = () => {};

  /** The small real work of every handler. */
  add(value: number): void {
    this.#sum += value;
    this.handled += 1;
    if (this.handled === this.#target) this.#reached();
  }

  /**
   * Resolves when `count` more are handled; called before they are published. The target counts
   * what was published and not what was handled, so that a message handled twice shows.
   */
  expect(count: number): Promise<void> {
    this.#target += count;
    return new Promise((resolve) => {
      this.#reached = resolve;
    });
  }

  /** Fails the sample when too many were handled or a handler read the wrong payload. */
  async verify(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.handled !== this.#target || this.#sum !== this.handled) {
      throw new Error(`expected ${this.#target} handled, got ${this.handled}, sum ${this.#sum}`);
    }
  }
}
