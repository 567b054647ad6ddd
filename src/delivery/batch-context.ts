import { Cancellation } from '../kernel/cancellation.ts';
import { misuse } from '../kernel/errors.ts';
import { printAsJson } from '../kernel/inspection.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import type { Message } from '../message/message.ts';
import type { Logger } from '../observe/logger.ts';
import type { Attempt } from './attempt.ts';
import type { Context } from './context.ts';

/**
 * What is happening to a batch now. Its messages may belong to different conversations, so there is
 * no speaking for the batch: `context.for(message)` speaks inside the conversation of that message.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * const bus = new MessageBus();
 * bus.register('scribe').subscribeBatch('note.*', (notes, context) => {
 *   for (const note of notes) context.for(note).publish('noted', note.payload);
 * });
 * bus.publish('note.tea', 'Tea', { correlationId: 'kitchen' });
 * const noted = bus.once('noted');
 * await bus.drain();
 * (await noted).correlationId; // => 'kitchen'
 * ```
 */
export interface BatchContext<C extends ContractShape = AnyContract> {
  /** The agent that handles it; `$host` for a subscription of the bus. */
  readonly agent: string;
  /** Messages in this batch. */
  readonly size: number;
  /** Aborts when the handler's time is over or nobody waits for any message of the batch. */
  readonly signal: AbortSignal;
  /** Milliseconds until the last message of the batch has run out of time. */
  readonly remainingMs: number;
  /** The bus's logger, with the agent in its fields. */
  readonly log: Logger;
  /**
   * The context of one message: its conversation, its deadline, and its own signal, which aborts
   * when the asker of that message has gone.
   *
   * @throws TypeError for a message that is not of this batch
   */
  for(message: Message): Context<C>;
}

/** The context of a batch. `BatchContext` has its public type. */
export class RunningBatch {
  readonly agent: string;
  readonly size: number;
  readonly log: Logger;
  readonly #attempts: readonly Attempt[];
  #byId: Map<string, Attempt> | undefined = undefined;
  /** Whose asker still waits. */
  readonly #wanted: Set<Attempt>;
  #cancel: Cancellation | undefined = undefined;

  constructor(agent: string, log: Logger, attempts: readonly Attempt[]) {
    this.agent = agent;
    this.log = log;
    this.size = attempts.length;
    this.#attempts = attempts;
    this.#wanted = new Set(attempts);
  }

  /** Made when first read, as the signal of a single message is. */
  get signal(): AbortSignal {
    if (this.#cancel === undefined) {
      this.#cancel = new Cancellation();
      for (const attempt of this.#attempts) {
        attempt.onAbort((reason) => this.#unwanted(attempt, reason));
      }
    }
    return this.#cancel.signal;
  }

  get remainingMs(): number {
    return Math.max(...this.#attempts.map(({ remainingMs }) => remainingMs));
  }

  for(message: Message): Attempt {
    this.#byId ??= new Map(this.#attempts.map((one) => [one.message.id, one]));
    const attempt = this.#byId.get(message?.id);
    if (attempt === undefined)
      throw misuse('The argument of for', 'a message of this batch', message);
    return attempt;
  }

  /** The message has ended by itself: it needs no abort, and the others may still be wanted. */
  forget(attempt: Attempt): void {
    this.#wanted.delete(attempt);
  }

  toJSON(): Record<string, unknown> {
    const { agent, size, remainingMs } = this;
    return { agent, size, remainingMs };
  }

  #unwanted(attempt: Attempt, reason: unknown): void {
    this.#wanted.delete(attempt);
    if (this.#wanted.size === 0) this.#cancel?.abort(reason);
  }
}
printAsJson(RunningBatch.prototype);
