import { isThenable, promiseOf } from '../kernel/thenable.ts';

/** What is mapped: a list, or whatever can be iterated, also asynchronously. */
export type Items<I> = Iterable<I> | AsyncIterable<I>;

/** Some items, and which part of all they are. */
interface Chunk<I> {
  readonly index: number;
  readonly items: readonly I[];
}

/** Reads items in chunks, none before it is asked for. */
export class Chunks<I> {
  /** How many there are in all, if that is known before. */
  readonly total: number | undefined;
  readonly #items: Items<I>;
  readonly #size: number;
  #iterator: Iterator<I> | AsyncIterator<I> | undefined;
  #taken = 0;
  /** Read, and not taken. */
  #next: I[] = [];
  #done = false;

  constructor(items: Items<I>, size: number) {
    this.#items = items;
    this.#size = size;
    if (Array.isArray(items)) this.total = Math.ceil(items.length / size);
  }

  /** Reads the next chunk; false when there is none. Rejects with what the source throws. */
  async fill(): Promise<boolean> {
    this.#iterator ??= iteratorOf(this.#items);
    while (!this.#done && this.#next.length < this.#size) {
      const step = this.#iterator.next();
      const { done, value } = isThenable(step) ? await step : step;
      if (done === true) this.#done = true;
      else this.#next.push(value);
    }
    return this.#next.length > 0;
  }

  take(): Chunk<I> {
    const chunk = { index: this.#taken, items: this.#next };
    this.#taken += 1;
    this.#next = [];
    return chunk;
  }

  /** What was not taken, as far as it is known. */
  *rest(): Iterable<readonly [index: number, { readonly items: readonly I[] }]> {
    const [items, size] = [this.#items, this.#size];
    if (!Array.isArray(items)) {
      if (this.#next.length > 0) yield [this.#taken, { items: this.#next }];
      return;
    }
    for (let index = this.#taken; index * size < items.length; index++) {
      yield [index, { items: items.slice(index * size, (index + 1) * size) }];
    }
  }

  /** Tells the source that no more is read, and does not wait for what it says to that. */
  close(): void {
    if (this.#done) return;
    this.#done = true;
    try {
      const closed: unknown = this.#iterator?.return?.();
      if (isThenable(closed)) promiseOf(closed).catch(() => {});
    } catch {
      // It is not needed any more, so how it ends changes nothing.
    }
  }
}

function iteratorOf<I>(items: Items<I>): Iterator<I> | AsyncIterator<I> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
}
