import { DeniedError } from '../access/errors.ts';
import type { GuardedEvents } from '../kernel/events.ts';
import type { Envelope } from '../message/envelope.ts';
import { ValidationError } from '../message/parse.ts';
import { RateLimitedError } from '../resilience/errors.ts';
import { BudgetExhaustedError, LoopError } from './bound-errors.ts';
import type { BusEvents } from './bus-events.ts';
import { actionOf, type DeadLetterReason, type DeadLetters } from './dead-letters.ts';
import { BusyError, MailboxFullError, UnknownRecipientError } from './errors.ts';
import type { Ledger } from './ledger.ts';
import { lineageOf } from './said.ts';
import type { Scribe } from './scribe.ts';
import type { Words } from './words.ts';

/** What refusing needs of its bus. */
export interface RefusalParts {
  readonly ledger: Ledger;
  readonly events: GuardedEvents<BusEvents>;
  readonly letters: DeadLetters;
  readonly scribe: Scribe;
}

/** Counts refused calls and keeps letters of those that could be made again. */
export class Refusals {
  readonly #parts: RefusalParts;

  constructor(parts: RefusalParts) {
    this.#parts = parts;
  }

  /** Counts a call that is refused before anything is known of it; tells who audits. */
  count<E>(error: E): E {
    const { ledger, events } = this.#parts;
    ledger.refused++;
    if (error instanceof DeniedError) {
      ledger.denied++;
      if (events.has('denied')) events.emit('denied', error);
    }
    return error;
  }

  /** Refuses what has no envelope yet; hands the error back to be thrown. */
  refuse(words: Words, error: unknown): unknown {
    const { letters, scribe } = this.#parts;
    const reason = letterReason(error);
    if (reason !== undefined) {
      const lineage = lineageOf(words.speaker.cause, words.said.correlationId);
      letters.refuse(scribe.refusedEnvelope(words, lineage), words.action, reason, error);
    }
    return this.#tell(words.topic, words.speaker.name, error);
  }

  /** Refuses what has its envelope already; hands the error back to be thrown. */
  refuseMessage(message: Envelope, error: Error, action: Words['action'] = 'send'): Error {
    const reason = letterReason(error);
    if (reason !== undefined) this.#parts.letters.refuse(message, action, reason, error);
    return this.#tell(message.topic, message.from, error);
  }

  /** Keeps what is refused only when it leaves: nobody is left to throw the refusal at. */
  bury(message: Envelope, error: unknown): void {
    const reason =
      error instanceof MailboxFullError
        ? 'overflow'
        : error instanceof BusyError
          ? 'rejected'
          : undefined;
    if (reason !== undefined) this.#parts.letters.refuse(message, actionOf(message), reason, error);
  }

  #tell<E>(topic: string, from: string, error: E): E {
    const { events } = this.#parts;
    if (events.has('refused')) events.emit('refused', topic, from, error);
    return this.count(error);
  }
}

/** Only some refusals leave a letter: those of what could be sent again once the cause is gone. */
function letterReason(error: unknown): DeadLetterReason | undefined {
  if (error instanceof ValidationError) return 'validation';
  if (error instanceof UnknownRecipientError) return 'unknown-recipient';
  if (error instanceof LoopError || error instanceof RateLimitedError) return 'loop';
  if (error instanceof BudgetExhaustedError) return 'budget';
  return error instanceof DeniedError ? 'denied' : undefined;
}
