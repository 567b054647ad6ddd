import type { GuardedEvents } from '../kernel/events.ts';
import { Envelope, type Origin } from '../message/envelope.ts';
import type { BusEvents } from './bus-events.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Ledger } from './ledger.ts';
import type { PayloadKeeper } from './payload-keeper.ts';

/** What late replies need of their bus. */
export interface LateReplyParts {
  readonly ledger: Ledger;
  readonly letters: DeadLetters;
  readonly events: GuardedEvents<BusEvents>;
  readonly keeper: PayloadKeeper;
  readonly origin: Origin;
  nextSeq(): number;
  now(): number;
}

/** Answers that nobody waits for any more: each is counted, and leaves a letter. */
export class LateReplies {
  readonly #parts: LateReplyParts;

  constructor(parts: LateReplyParts) {
    this.#parts = parts;
  }

  readonly take = (message: Envelope, value: unknown): void => {
    const { ledger, letters, events } = this.#parts;
    ledger.lateReplies++;
    const reply = this.#replyTo(message, value);
    letters.refuse(reply, 'send', 'late-reply', undefined);
    if (events.has('late-reply')) events.emit('late-reply', reply, message.from);
  };

  #replyTo(message: Envelope, value: unknown): Envelope {
    const { origin, keeper, nextSeq, now } = this.#parts;
    return new Envelope(
      origin,
      nextSeq(),
      'reply',
      message.topic,
      message.view,
      message.to ?? '$host',
      message.from,
      keeper.keepAnything(value),
      message.priority,
      undefined,
      {
        correlationId: message.correlationId,
        causationId: message.id,
        deadline: Infinity,
        depth: 0,
        hops: 0,
        budget: undefined,
        retries: 0,
      },
      { at: now() },
      undefined,
    );
  }
}
