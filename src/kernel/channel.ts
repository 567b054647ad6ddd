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

/** How it ends: with a last value, or with an error. */
type Ending<R> =
  | { readonly failed: false; readonly value: R }
  | { readonly failed: true; readonly value: unknown };

type ChannelState<R> =
  | { readonly status: 'open' }
  /** The producer has ended; what is buffered is still to be read, and then the end. */
  | { readonly status: 'ended'; readonly ending: Ending<R> }
  /** The end was read, or the reader left. */
  | { readonly status: 'closed' };

/**
 * A bounded queue between a producer that pushes and one reader that iterates. `break` closes it
 * and stops the producer. It ends with a value of type `R`, as a generator does.
 */
export class Channel<T, R = undefined> implements AsyncIterableIterator<T, R> {
  readonly #capacity: number;
  readonly #onTake: (() => void) | undefined;
  readonly #onClose: (() => void) | undefined;
  /** Read from `#head` on: shift() would move the whole array. */
  #values: (T | undefined)[] = [];
  #head = 0;
  /** Calls of `next` that wait for a value. There are none while values are buffered. */
  #readers: Deferred<IteratorResult<T, R>>[] = [];
  #state: ChannelState<R> = OPEN;

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
    if (failure.length > 0) this.#end({ failed: true, value: failure[0] });
    else this.#end({ failed: false, value: undefined as R });
  }

  /** Ends it: the reader gets what is buffered, then the end with its value. */
  finish(value: R): void {
    this.#end({ failed: false, value });
  }

  /** Ends it: what is unread is dropped, and the reader gets `error`. */
  abort(error: unknown): void {
    if (this.#state.status !== 'open') return;
    this.#drop();
    this.#end({ failed: true, value: error });
  }

  next(): Promise<IteratorResult<T, R>> {
    if (this.size > 0) return Promise.resolve(this.#take());
    if (this.#state.status === 'open') return this.#wait();
    if (this.#state.status === 'closed') return Promise.resolve(over(undefined as R));
    const { failed, value } = this.#state.ending;
    this.#state = CLOSED;
    return failed ? Promise.reject(value) : Promise.resolve(over(value as R));
  }

  /** Leaves: what is unread is dropped and the producer is told to stop. */
  async return(value?: R | PromiseLike<R>): Promise<IteratorResult<T, R>> {
    this.#close();
    return over((await value) as R);
  }

  /** Leaves, and rejects with `error`. */
  async throw(error: unknown): Promise<IteratorResult<T, R>> {
    this.#close();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  #end(ending: Ending<R>): void {
    if (this.#state.status !== 'open') return;
    this.#state = { status: 'ended', ending };
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) reader.resolve(this.next());
  }

  #hand(reader: Deferred<IteratorResult<T, R>>, value: T): void {
    reader.resolve({ done: false, value });
    this.#onTake?.();
  }

  #take(): IteratorResult<T, R> {
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

  #wait(): Promise<IteratorResult<T, R>> {
    const reader = new Deferred<IteratorResult<T, R>>();
    this.#readers.push(reader);
    return reader.promise;
  }

  #close(): void {
    if (this.#state.status === 'closed') return;
    this.#state = CLOSED;
    this.#drop();
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) reader.resolve(over(undefined as R));
    this.#onClose?.();
  }

  #drop(): void {
    this.#values = [];
    this.#head = 0;
  }
}

const OPEN = { status: 'open' } as const;
const CLOSED = { status: 'closed' } as const;

function over<R>(value: R): IteratorReturnResult<R> {
  return { done: true, value };
}
