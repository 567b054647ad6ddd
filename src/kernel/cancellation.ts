/** The way in which one attempt can be called off; made when somebody wants to hear of it. */
export class Cancellation {
  #aborted: { readonly reason: unknown } | undefined;
  #controller: AbortController | undefined;
  /** Most have one listener at most, and a set costs more than all the rest. */
  #first: ((reason: unknown) => void) | undefined;
  #others: Set<(reason: unknown) => void> | undefined;

  get aborted(): boolean {
    return this.#aborted !== undefined;
  }

  get reason(): unknown {
    return this.#aborted?.reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  /** The first reason stays. */
  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    const [first, others] = [this.#first, this.#others];
    this.#first = undefined;
    this.#others = undefined;
    // The signal first: a generator that is told to return reads it in its `finally`.
    this.#controller?.abort(reason);
    first?.(reason);
    for (const listener of others ?? []) listener(reason);
  }

  /** @returns how to stop listening. */
  onAbort(callback: (reason: unknown) => void): () => void {
    if (this.#aborted !== undefined) {
      callback(this.#aborted.reason);
      return () => {};
    }
    if (this.#first === undefined && this.#others === undefined) {
      this.#first = callback;
      return () => {
        if (this.#first === callback) this.#first = undefined;
      };
    }
    this.#others ??= new Set();
    this.#others.add(callback);
    return () => this.#others?.delete(callback);
  }
}
