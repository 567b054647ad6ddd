import type { Env, Lane } from '../kernel/env.ts';
import { isThenable } from '../kernel/thenable.ts';
import type { Attempt } from './attempt.ts';
import type { Asker, ChunkSink } from './receipt.ts';
import { failureOf } from './settle.ts';

/** After so many chunks others have their turn, however fast they come and are read. */
const CHUNKS_PER_STEP = 32;

/** What yields the chunks of an answer, as a generator or any other iterator does. */
export interface Producer {
  next(): unknown;
  return?(value?: unknown): unknown;
}

/** What driving needs of its bus. */
export interface DriveParts {
  readonly env: Env;
  /** Checks a chunk and takes it in. */
  take(chunk: unknown): unknown;
}

/**
 * The producer in what a handler returned: of a generator, an iterator, or anything that can be
 * iterated asynchronously. Arrays, strings, Maps and Sets are plain answers.
 */
export function producerOf(value: unknown): Producer | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  // A live object may throw when it is looked at; then it is an answer like any other.
  try {
    const async = (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator];
    if (typeof async === 'function') return async.call(value);
    const sync = (value as Partial<Iterable<unknown>>)[Symbol.iterator];
    if (typeof sync !== 'function' || typeof (value as Producer).next !== 'function') {
      return undefined;
    }
    return value as Producer;
  } catch {
    return undefined;
  }
}

/**
 * Runs a producer to its end and gives its chunks to whoever asked; resolves with what it returned.
 * When the attempt is aborted it is told to return, and the promise rejects as soon as it has.
 */
export function drive(producer: Producer, attempt: Attempt, parts: DriveParts): Promise<unknown> {
  return new Drive(producer, attempt, parts).toEnd();
}

class Drive implements Lane {
  readonly kind = 'stream' as const;
  posted = false;
  readonly #producer: Producer;
  readonly #attempt: Attempt;
  readonly #parts: DriveParts;
  readonly #asker: Asker | undefined;
  readonly #sink: ChunkSink | undefined;
  #stopped = false;
  /** The producer has refused to return, for it was running. */
  #refused = false;
  #returning: Promise<unknown> | undefined;
  /** Goes on with what waits for room, or for its turn. */
  #goOn: (() => void) | undefined;

  constructor(producer: Producer, attempt: Attempt, parts: DriveParts) {
    this.#producer = producer;
    this.#attempt = attempt;
    this.#parts = parts;
    this.#asker = attempt.delivery.admission.asker;
    this.#sink = this.#asker?.chunks;
  }

  get label(): string {
    return `stream of ${this.#attempt.agent}`;
  }

  get order(): number {
    return this.#attempt.message.seq;
  }

  /** Its turn has come again. */
  run(): void {
    this.#wake();
  }

  async toEnd(): Promise<unknown> {
    const forget = this.#attempt.onAbort(() => this.#stop());
    try {
      return await this.#pump();
    } catch (error) {
      await this.#returning;
      throw error;
    } finally {
      forget();
    }
  }

  async #pump(): Promise<unknown> {
    for (let chunks = 1; ; chunks++) {
      if (this.#sink?.writable === false) await this.#room(this.#sink);
      this.#throwIfStopped();
      const given = this.#producer.next();
      const step = (isThenable(given) ? await given : given) as IteratorResult<unknown>;
      this.#throwIfStopped();
      if (step.done === true) return step.value;
      // Only a synchronous generator can yield a promise.
      this.#give(isThenable(step.value) ? await this.#kept(step.value) : step.value);
      if (chunks % CHUNKS_PER_STEP === 0) await this.#turn();
    }
  }

  /** A generator does not hear of it when a promise that it yielded fails, so it is told to end. */
  async #kept(promised: PromiseLike<unknown>): Promise<unknown> {
    try {
      return await promised;
    } catch (error) {
      if (!this.#stopped) this.#return();
      throw error;
    }
  }

  #give(value: unknown): void {
    this.#throwIfStopped();
    if (this.#sink === undefined) {
      this.#asker?.touch();
      return;
    }
    const chunk = this.#taken(value);
    const { delivery } = this.#attempt;
    if (!delivery.flags.streamed) delivery.flags = { ...delivery.flags, streamed: true };
    this.#sink.push(chunk);
  }

  #taken(value: unknown): unknown {
    try {
      return this.#parts.take(value);
    } catch (error) {
      this.#attempt.watch?.hurry?.({ error });
      this.#return();
      throw error;
    }
  }

  #room(sink: ChunkSink): Promise<void> {
    return new Promise((resolve) => {
      this.#goOn = resolve;
      sink.whenWritable(() => this.#wake());
    });
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#goOn = resolve;
      this.#parts.env.post(this);
    });
  }

  #wake(): void {
    const goOn = this.#goOn;
    this.#goOn = undefined;
    goOn?.();
  }

  /** Nobody waits any more. */
  #stop(): void {
    this.#stopped = true;
    const reason = this.#attempt.abortReason;
    this.#attempt.watch?.hurry?.(failureOf(reason, reason));
    this.#return();
    this.#wake();
  }

  #throwIfStopped(): void {
    // A middleware may have answered in its place: then nobody hears it any more.
    if (!this.#stopped && !this.#attempt.running) {
      this.#stopped = true;
      this.#return();
    }
    if (!this.#stopped) return;
    if (this.#refused) this.#return();
    throw this.#attempt.abortReason;
  }

  /** What its `finally` throws is no news: it was told to end, and why is known. */
  #return(): void {
    this.#refused = false;
    try {
      const returned = this.#producer.return?.();
      if (isThenable(returned)) this.#returning = Promise.resolve(returned).catch(() => {});
    } catch {
      this.#refused = true;
    }
  }
}
