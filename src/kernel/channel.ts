import { Deferred } from './deferred.ts';

/** Options of {@link Channel}. */
export interface ChannelOptions {
  /** How many unread values it holds: 1 or more. */
  readonly capacity: number;
  /** Called after each value that the reader took: there is room for one more. */
  readonly onTake?: () => void;
  /** Called once when the reader leaves before it has read the end: stop producing. */
  readonly onClose?: () => void;
}

type ChannelState =
  | { readonly status: 'open' }
  /** The producer has ended; what is buffered is still to be read, and then the failure. */
  | { readonly status: 'ended'; readonly failure: readonly [] | readonly [error: unknown] }
  /** The end was read, or the reader left. */
  | { readonly status: 'closed' };

/**
 * A bounded queue between a producer that pushes and one reader that iterates. `break` closes it
 * and stops the producer.
 */
export class Channel<T> implements AsyncIterableIterator<T, undefined> {
  readonly #capacity: number;
  readonly #onTake: (() => void) | undefined;
  readonly #onClose: (() => void) | undefined;
  /** Read from `#head` on: shift() would move the whole array. */
  #values: (T | undefined)[] = [];
  #head = 0;
  /** Calls of `next` that wait for a value. There are none while values are buffered. */
  #readers: Deferred<IteratorResult<T, undefined>>[] = [];
  #state: ChannelState = { status: 'open' };

  constructor(options: ChannelOptions) {
    this.#capacity = options.capacity;
    this.#onTake = options.onTake;
    this.#onClose = options.onClose;
  }

  /** How many values are unread. */
  get size(): number {
    return this.#values.length - this.#head;
  }

  /** Whether `push` would take a value. */
  get writable(): boolean {
    return this.#state.status === 'open' && this.size < this.#capacity;
  }

  /** Adds a value. False, and nothing is added, when the channel is full, ended or closed. */
  push(value: T): boolean {
    if (!this.writable) return false;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#values.push(value);
    else this.#hand(reader, value);
    return true;
  }

  /** Ends it: the reader gets what is buffered, then `error` when one is given, then the end. */
  end(...failure: [] | [error: unknown]): void {
    if (this.#state.status !== 'open') return;
    this.#state = { status: 'ended', failure };
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) reader.resolve(this.next());
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.size > 0) return Promise.resolve(this.#take());
    if (this.#state.status === 'open') return this.#wait();
    const failure = this.#state.status === 'ended' ? this.#state.failure : [];
    this.#state = { status: 'closed' };
    if (failure.length > 0) return Promise.reject(failure[0]);
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Leaves: what is unread is dropped and the producer is told to stop. */
  async return(): Promise<IteratorResult<T, undefined>> {
    this.#close();
    return { done: true, value: undefined };
  }

  /** Leaves, and rejects with `error`. */
  async throw(error: unknown): Promise<IteratorResult<T, undefined>> {
    this.#close();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  #hand(reader: Deferred<IteratorResult<T, undefined>>, value: T): void {
    reader.resolve({ done: false, value });
    this.#onTake?.();
  }

  #take(): IteratorResult<T, undefined> {
    const value = this.#values[this.#head] as T;
    this.#values[this.#head] = undefined;
    this.#head += 1;
    // Moved once per half of the array, so a value is moved once on average.
    if (this.#head * 2 >= this.#values.length) {
      this.#values = this.#values.slice(this.#head);
      this.#head = 0;
    }
    this.#onTake?.();
    return { done: false, value };
  }

  #wait(): Promise<IteratorResult<T, undefined>> {
    const reader = new Deferred<IteratorResult<T, undefined>>();
    this.#readers.push(reader);
    return reader.promise;
  }

  #close(): void {
    if (this.#state.status === 'closed') return;
    this.#state = { status: 'closed' };
    this.#values = [];
    this.#head = 0;
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) reader.resolve({ done: true, value: undefined });
    this.#onClose?.();
  }
}
