import type { Answer, AnswerSink } from './requests.ts';
import type { StreamAttempt } from './resilient-terms.ts';
import type { ReplyStream } from './stream.ts';

/**
 * Where the chunks of one attempt at a stream go. A stream that has yielded is never begun again:
 * the first chunk settles which attempt it is, and everything after it goes to the reader.
 */
export class FirstChunk implements AnswerSink {
  readonly #stream: ReplyStream;
  readonly #attempt: StreamAttempt;
  #state: 'waiting' | 'committed' | 'over' = 'waiting';

  constructor(stream: ReplyStream, attempt: StreamAttempt) {
    this.#stream = stream;
    this.#attempt = attempt;
  }

  get writable(): boolean {
    return this.#state === 'over' || this.#stream.writable;
  }

  get unread(): number {
    return this.#stream.unread;
  }

  opened(): void {}

  push(chunk: unknown): void {
    if (this.#state === 'over') return;
    if (this.#state === 'waiting') {
      this.#state = 'committed';
      this.#attempt.committed();
    }
    this.#stream.push(chunk);
  }

  whenWritable(callback: () => void): void {
    this.#stream.whenWritable(callback);
  }

  end(answer: Answer, drops: boolean): void {
    const committed = this.#state === 'committed';
    this.#state = 'over';
    if (committed) this.#stream.end(answer, drops);
    else this.#attempt.settled(answer);
  }
}
