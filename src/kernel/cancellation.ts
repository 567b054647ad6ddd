/** The way in which one attempt can be called off; made when somebody wants to hear of it. */
export class Cancellation {
  #aborted: { readonly reason: unknown } | undefined;
  #controller: AbortController | undefined;
  #listeners: Set<(reason: unknown) => void> | undefined;

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
    const listeners = this.#listeners;
    this.#listeners = undefined;
    // The signal first: a generator that is told to return reads it in its `finally`.
    this.#controller?.abort(reason);
    for (const listener of listeners ?? []) listener(reason);
  }

  /** @returns how to stop listening. */
  onAbort(callback: (reason: unknown) => void): () => void {
    if (this.#aborted !== undefined) {
      callback(this.#aborted.reason);
      return () => {};
    }
    this.#listeners ??= new Set();
    this.#listeners.add(callback);
    return () => this.#listeners?.delete(callback);
  }
}
