import type { Message } from '../message/message.ts';
import type { Attempt } from './attempt.ts';
import type { Invoke } from './subscription.ts';

/** How long a responder remembers its answers. */
export interface IdempotencyOptions {
  /** Milliseconds from the first answer. */
  readonly windowMs: number;
  /** @default 10_000 */
  readonly maxKeys?: number;
}

/** The header in which `idempotencyKey` travels. */
export const IDEMPOTENCY_HEADER = 'idempotency-key';

interface Remembered {
  readonly answer: unknown;
  readonly context: Attempt;
  at: number;
}

/**
 * Answers a repeated `idempotencyKey` of the same asker with the first answer. A repetition that
 * comes while the first still runs shares its promise; a failure is forgotten, so it can be tried
 * again.
 */
export class Idempotency {
  readonly #windowMs: number;
  readonly #maxKeys: number;
  readonly #now: () => number;
  readonly #answers = new Map<string, Remembered>();

  constructor({ windowMs, maxKeys = 10_000 }: IdempotencyOptions, now: () => number) {
    this.#windowMs = windowMs;
    this.#maxKeys = maxKeys;
    this.#now = now;
  }

  get size(): number {
    return this.#answers.size;
  }

  around(handler: Invoke): Invoke {
    return (message, context) => {
      const key = message.headers[IDEMPOTENCY_HEADER];
      if (key === undefined) return handler(message, context);
      return this.#answer(`${message.from}\0${message.topic}\0${key}`, handler, message, context);
    };
  }

  #answer(id: string, handler: Invoke, message: Message, context: Attempt): unknown {
    this.#forgetOld();
    const known = this.#answers.get(id);
    if (known !== undefined && mayAnswer(known)) {
      return this.#repeated(id, known, handler, message, context);
    }
    const answer = handler(message, context);
    const remembered = { answer, context, at: this.#now() };
    // At its end: they are forgotten in the order of their age.
    this.#answers.delete(id);
    this.#answers.set(id, remembered);
    if (this.#answers.size > this.#maxKeys) this.#forgetOldest();
    if (answer instanceof Promise) answer.catch(() => this.#forgetFailed(id, remembered));
    return answer;
  }

  /** The answer of the first call; when that has put it off, the repetition waits for the same. */
  #repeated(
    id: string,
    { answer, context: first }: Remembered,
    handler: Invoke,
    message: Message,
    context: Attempt,
  ): unknown {
    if (first.early !== undefined) return first.early.value;
    const shared = (value: unknown): unknown => {
      if (first.early !== undefined) return first.early.value;
      return first.deferral === undefined ? value : first.deferral.share(context);
    };
    if (!(answer instanceof Promise)) return shared(answer);
    return answer.then(shared, (error: unknown) => {
      if (first.early !== undefined) return first.early.value;
      // That nobody waited for the first any more is no failure for who waits still.
      if (first.abortReason === undefined || context.abortReason !== undefined) throw error;
      return this.#answer(id, handler, message, context);
    });
  }

  /** By then a fenced call may have a successor, which is not its to forget. */
  #forgetFailed(id: string, remembered: Remembered): void {
    // What was answered stays answered.
    if (remembered.context.early !== undefined) return;
    if (this.#answers.get(id) === remembered) this.#answers.delete(id);
  }

  #forgetOld(): void {
    for (const [id, { at }] of this.#answers) {
      if (this.#now() - at < this.#windowMs) return;
      this.#answers.delete(id);
    }
  }

  #forgetOldest(): void {
    for (const [id] of this.#answers) {
      this.#answers.delete(id);
      return;
    }
  }
}

/** A first call that was fenced will never answer: then the repetition is a new first call. */
function mayAnswer({ context }: Remembered): boolean {
  if (context.early !== undefined) return true;
  return !context.fenced && context.deferral?.failed !== true;
}
