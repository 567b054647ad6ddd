import { Channel } from '../kernel/channel.ts';
import { Deferred } from '../kernel/deferred.ts';
import type { Env, Lane } from '../kernel/env.ts';
import { printAsJson } from '../kernel/inspection.ts';
import type { Answer, AnswerSink, StreamSource } from './requests.ts';

/**
 * The chunks of an answer as they come, in order and without a gap, and then the answer: the value
 * with which the iteration is done, so `return yield* context.stream(…)` passes both on. Leaving
 * the loop cancels the responder.
 *
 * A stream that is cut short is an error to its reader and never a clean end: what was buffered
 * comes first, then the error.
 */
export interface MessageStream<Chunk = unknown, Output = unknown>
  extends AsyncIterableIterator<Chunk, Output, undefined>,
    AsyncDisposable {
  /**
   * What the responder returned, or why there is none. Never an unhandled rejection. Nobody reads
   * the chunks by waiting for it: to have the answer alone, use `request`.
   */
  readonly result: Promise<Output>;
  /** Chunks that have come and were not read: never more than `highWaterMark`. */
  readonly unread: number;
  /** Ends it, as leaving the loop does: the responder is told in the same step. */
  cancel(reason?: unknown): void;
}

/**
 * What the asker of a stream holds, and where the chunks go. On a simulated Env it is the lane on
 * which chunks, one a step, and after them the end reach the reader.
 */
export class ReplyStream implements MessageStream, AnswerSink, Lane {
  readonly kind = 'stream' as const;
  posted = false;
  readonly #highWaterMark: number;
  /** Steps are posted to it; undefined when what comes reaches the reader directly. */
  readonly #env: Env | undefined;
  readonly #channel: Channel<unknown, unknown>;
  /** Chunks on their way. */
  readonly #coming: unknown[] = [];
  #source: StreamSource | undefined;
  /** How it ended, which may still be on its way. */
  #end: (Answer & { readonly drops: boolean }) | undefined;
  /** The end has reached the reader. */
  #arrived = false;
  #result: Deferred<unknown> | undefined;
  #onRoom: (() => void) | undefined;

  constructor(env: Env | undefined, highWaterMark: number) {
    this.#env = env?.direct === true ? undefined : env;
    this.#highWaterMark = highWaterMark;
    this.#channel = new Channel({
      capacity: Infinity,
      onTake: () => this.#taken(),
      onClose: () => this.cancel(),
    });
  }

  get label(): string {
    return `stream to ${this.#source?.message.from}`;
  }

  get order(): number {
    return this.#source?.message.seq ?? 0;
  }

  // ---- for the reader

  get result(): Promise<unknown> {
    if (this.#result === undefined) {
      this.#result = new Deferred();
      this.#result.promise.catch(() => {});
      if (this.#end !== undefined && this.#arrived) this.#tell(this.#end);
    }
    return this.#result.promise;
  }

  get unread(): number {
    return this.#channel.size + this.#coming.length;
  }

  cancel(reason?: unknown): void {
    this.#source?.withdraw(reason);
  }

  next(): Promise<IteratorResult<unknown, unknown>> {
    return this.#channel.next();
  }

  return(value?: unknown): Promise<IteratorResult<unknown, unknown>> {
    return this.#channel.return(value);
  }

  throw(error: unknown): Promise<IteratorResult<unknown, unknown>> {
    return this.#channel.throw(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#channel[Symbol.asyncDispose]();
  }

  toJSON(): Record<string, unknown> {
    return { topic: this.#source?.message.topic, unread: this.unread };
  }

  // ---- for the producer

  /** Nobody need wait for a reader that is no longer there. */
  get writable(): boolean {
    return this.#end !== undefined || this.unread < this.#highWaterMark;
  }

  push(chunk: unknown): void {
    if (this.#end !== undefined) return;
    this.#source?.touch();
    if (this.#env === undefined) this.#channel.push(chunk);
    else {
      this.#coming.push(chunk);
      this.#env.post(this);
    }
  }

  whenWritable(callback: () => void): void {
    this.#onRoom = callback;
  }

  // ---- for the request that it belongs to

  opened(source: StreamSource): void {
    this.#source = source;
  }

  /** It has ended; the reader gets what is buffered first, unless nobody wants it. */
  end(answer: Answer, drops: boolean): void {
    this.#end = { ...answer, drops };
    if (drops) this.#coming.length = 0;
    if (this.#env === undefined) this.#arrive(this.#end);
    else this.#env.post(this);
    // What is yielded from here on is dropped, and so must not wait for room.
    this.#makeRoom();
  }

  /** One chunk, or the end, reaches the reader. */
  run(): void {
    if (this.#coming.length > 0) this.#channel.push(this.#coming.shift());
    else if (this.#end !== undefined) {
      this.#arrive(this.#end);
      return;
    }
    if (this.#coming.length > 0 || this.#end !== undefined) this.#env?.post(this);
  }

  #arrive(end: Answer & { readonly drops: boolean }): void {
    if (!end.failed) this.#channel.finish(end.value);
    else if (end.drops) this.#channel.abort(end.value);
    else this.#channel.end(end.value);
    this.#arrived = true;
    this.#tell(end);
  }

  #tell({ failed, value }: Answer): void {
    if (failed) this.#result?.reject(value);
    else this.#result?.resolve(value);
  }

  #taken(): void {
    if (this.unread + 1 < this.#highWaterMark || this.#end !== undefined) return;
    // From now on it is the producer again who is waited for.
    this.#source?.touch();
    this.#makeRoom();
  }

  #makeRoom(): void {
    const callback = this.#onRoom;
    this.#onRoom = undefined;
    callback?.();
  }
}
printAsJson(ReplyStream.prototype);

/** The stream of a call that was refused: its first `next` and its `result` say why. */
export function failedStream(error: unknown): ReplyStream {
  const stream = new ReplyStream(undefined, 1);
  stream.end({ value: error, failed: true }, false);
  return stream;
}
