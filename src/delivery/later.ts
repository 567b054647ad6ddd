import { printAsJson } from '../kernel/inspection.ts';
import type { Deferral } from './deferral.ts';

/** Options of `context.defer`. */
export interface DeferOptions {
  /** Milliseconds from now, if that is sooner than the asker's deadline. @default the deadline */
  readonly timeoutMs?: number;
}

/** Answers a deferred request, once the handler has returned and its agent goes on. */
export type AnswerLater = (later: Later) => unknown;

/**
 * The answer to one request that is still owed. It belongs to the registration of the agent that
 * was asked: when that leaves, when the asker gives up or the bus closes, it changes nothing more.
 *
 * @example
 * ```ts
 * import { type Later, MessageBus } from 'tellask';
 * const bus = new MessageBus();
 * const desk: Later[] = [];
 * bus.register('clerk').serve('approve', (_request, context) => {
 *   const later = context.defer();
 *   desk.push(later);
 *   return later;
 * });
 * const asked = bus.request('approve', { euros: 40 });
 * await new Promise((resolve) => bus.events.once('deferred', resolve));
 * desk[0]?.answer('approved'); // => true
 * desk[0]?.answer('refused'); // => false
 * await asked; // => 'approved'
 * ```
 */
export interface Later {
  /** The id of the request: what `bus.pending()` lists. */
  readonly id: string;
  /** Aborts when the answer is not wanted any more. */
  readonly signal: AbortSignal;
  /** Epoch milliseconds after which it is not wanted; `undefined` when nobody counts. */
  readonly deadlineAt: number | undefined;
  /**
   * Answers; false when that changed nothing. What the contract does not allow throws
   * ValidationError `TELLASK_VALIDATION`, and the request stays open.
   */
  answer(value: unknown): boolean;
  /** Rejects the asker with the error, for good; false when that changed nothing. */
  fail(error: unknown): boolean;
  /** Tells the asker how far it is. */
  progress(update?: unknown): void;
}

/** What a responder gives back: its answer, or what `defer` gave it, perhaps by a promise. */
export type Answering<Output> = Output | Later | PromiseLike<Output | Later>;

/** What a handler is given: it can end the deferral and nothing else. */
export class LaterHandle implements Later {
  readonly #deferral: Deferral;

  constructor(deferral: Deferral) {
    this.#deferral = deferral;
  }

  get id(): string {
    return this.#deferral.attempt.message.id;
  }

  get signal(): AbortSignal {
    return this.#deferral.attempt.signal;
  }

  get deadlineAt(): number | undefined {
    return this.#deferral.deadlineAt;
  }

  answer(value: unknown): boolean {
    return this.#deferral.answer(value);
  }

  fail(error: unknown): boolean {
    return this.#deferral.fail(error);
  }

  progress(update?: unknown): void {
    this.#deferral.progress(update);
  }

  toJSON(): Record<string, unknown> {
    const { id, deadlineAt } = this;
    return { id, deadlineAt };
  }
}
printAsJson(LaterHandle.prototype);
