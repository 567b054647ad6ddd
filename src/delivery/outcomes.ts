import { isTellaskError } from '../kernel/errors.ts';
import type { GuardedEvents } from '../kernel/events.ts';
import { isA } from '../kernel/is-a.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Logger } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { BusEvents, CancelReason, DeliveryEvent } from './bus-events.ts';
import type { DeadLetter, DeadLetterReason, DeadLetters } from './dead-letters.ts';
import type { Delivery } from './delivery.ts';
import { givePlace, letIn } from './entry.ts';
import {
  CancelledError,
  ClosedError,
  DeadLetteredError,
  HandlerError,
  MailboxFullError,
  ResponderLeftError,
} from './errors.ts';
import type { Ledger, OpenState, Outcome } from './ledger.ts';
import type { Admission } from './receipt.ts';
import { RestartError, RestartedError } from './restart-errors.ts';
import type { Subscription } from './subscription.ts';

/**
 * The one place where a delivery gets its outcome: books, receipt, letter, asker, event, and the
 * place and the key that it gives back.
 */
export class Outcomes {
  readonly #ledger: Ledger;
  readonly #letters: DeadLetters;
  readonly #events: GuardedEvents<BusEvents>;
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #onFault: (error: unknown, where: string) => void;

  constructor(parts: {
    readonly ledger: Ledger;
    readonly letters: DeadLetters;
    readonly events: GuardedEvents<BusEvents>;
    readonly metrics: Metrics;
    readonly logger: Logger;
    readonly now: () => number;
    /** Hears of failures on the library's own topics, which leave no letter. */
    readonly onFault: (error: unknown, where: string) => void;
  }) {
    this.#ledger = parts.ledger;
    this.#letters = parts.letters;
    this.#events = parts.events;
    this.#metrics = parts.metrics;
    this.#logger = parts.logger;
    this.#now = parts.now;
    this.#onFault = parts.onFault;
  }

  /** Nobody watches single deliveries. */
  get quiet(): boolean {
    return !this.#events.has('handled') && !this.#events.has('started');
  }

  /** One more copy was handed over and handled: what differs from copy to copy. */
  handedOver(message: Envelope, subscription: Subscription, latency: number, bucket: number): void {
    const pair = subscription.heardFrom(message.from, this.#metrics);
    this.#ledger.gone++;
    pair.handled++;
    pair.latency.recordIn(bucket, latency);
  }

  /** What is common to all copies of a message that were handed over and handled. */
  enterHandedOver(admission: Admission, latency: number, bucket: number): void {
    const { message, list } = admission;
    const gone = this.#ledger.enterGone();
    if (gone === 0) return;
    const family = list.series ?? this.#metrics.family(message.family);
    family.handled += gone;
    family.latency.recordIn(bucket, latency, gone);
    admission.handledMany(gone);
  }

  handled(delivery: Delivery, value: unknown): void {
    const { admission } = delivery;
    this.#close(delivery, 'handled');
    admission.handledOne();
    if (!delivery.replied) admission.asker?.answer(value);
    if (this.#events.has('handled')) {
      const durationMs = this.#now() - (delivery.current?.startedAt ?? this.#now());
      this.#events.emit('handled', { ...told(delivery), durationMs });
    }
  }

  /** No outcome yet: it leaves the mailbox and its key, for the answer comes later. */
  deferred(delivery: Delivery): void {
    this.#ledger.move('inFlight', 'deferred');
    delivery.state = 'deferred';
    this.#giveBack(delivery);
    delivery.key = undefined;
    if (this.#events.has('deferred')) this.#events.emit('deferred', told(delivery));
  }

  deadLettered(delivery: Delivery, reason: DeadLetterReason, error: unknown): void {
    const { admission } = delivery;
    this.#close(delivery, 'deadLettered');
    const letter = this.#letters.bury(delivery, reason, error);
    admission.endedOne('deadLettered', letter?.id);
    admission.asker?.fail(rejectionFor(delivery, reason, error));
    if (letter === undefined) {
      const { topic } = admission.message;
      this.#onFault(error ?? new DeadLetteredError(topic, reason), `delivery of ${topic}`);
      return;
    }
    this.#logDeath(letter, error);
    this.#events.emit('dead-lettered', letter);
  }

  /** Nobody reads letters while he writes his first handler: the log says what went wrong, and where. */
  #logDeath(letter: DeadLetter, error: unknown): void {
    const { id, message, recipient, reason, attempts, error: failed } = letter;
    const what = { id, topic: message.topic, recipient, reason, attempts };
    this.#logger.error('dead letter', { ...what, error: failed?.message, at: placeOf(error) });
  }

  expired(delivery: Delivery): void {
    const { admission } = delivery;
    this.#close(delivery, 'expired');
    this.#letters.bury(delivery, 'expired', undefined);
    admission.endedOne('expired');
    admission.asker?.expired();
    if (this.#events.has('expired')) this.#events.emit('expired', told(delivery));
  }

  /** `because`: what its handler was told when it had to stop. */
  cancelled(delivery: Delivery, reason: CancelReason, because?: unknown): void {
    const { admission } = delivery;
    this.#close(delivery, 'cancelled');
    if (reason === 'closed') this.#letters.bury(delivery, 'closed', undefined);
    admission.endedOne('cancelled');
    // Of what is lost on its way nobody is told: who asked waits for his time to be over.
    if (reason !== 'dropped') admission.asker?.fail(cancellationFor(delivery, reason, because));
    if (this.#events.has('cancelled'))
      this.#events.emit('cancelled', { ...told(delivery), reason });
  }

  #close(delivery: Delivery, outcome: Outcome): void {
    const from = delivery.state as OpenState;
    delivery.state = outcome;
    if (delivery.flags.exempt) this.#ledger.exempt--;
    this.#ledger.end(from, outcome);
    this.#count(delivery, outcome);
    this.#giveBack(delivery);
  }

  #giveBack(delivery: Delivery): void {
    releaseKey(delivery);
    if (givePlace(delivery)) letIn(delivery.home, this.#ledger);
  }

  #count({ admission, subscription }: Delivery, outcome: Outcome): void {
    const { message, list } = admission;
    const family = list.series ?? this.#metrics.family(message.family);
    const pair = subscription.heardFrom(message.from, this.#metrics);
    const latency = this.#now() - message.at;
    family[outcome]++;
    family.latency.record(latency);
    pair[outcome]++;
    pair.latency.record(latency);
  }
}

/** The line on which an error was made, of errors that can be looked at. */
function placeOf(error: unknown): string | undefined {
  try {
    const { stack } = error as Error;
    return stack
      ?.split('\n')
      .find((line) => line.trimStart().startsWith('at '))
      ?.trim();
  } catch {
    return undefined;
  }
}

/** What listeners are told of a delivery. */
export function told(delivery: Delivery): DeliveryEvent {
  const recipient = delivery.subscription.owner;
  return { message: delivery.message, recipient, attempt: delivery.attempts };
}

/** The next message of the key, or the next batch, may enter the lanes now. */
function releaseKey(delivery: Delivery): void {
  // Who never got in holds no key: it was turned away, or waited outside.
  if (delivery.ticket === 0) return;
  const { keyed, batcher } = delivery.subscription;
  batcher?.leave(delivery);
  const next = keyed?.leave(delivery);
  if (next === undefined) return;
  const { home } = next;
  home.mailbox.held--;
  home.mailbox.lanes.restore(next);
  home.wake();
}

function rejectionFor(delivery: Delivery, reason: DeadLetterReason, error: unknown): unknown {
  const { topic } = delivery.message;
  const { owner, home } = delivery.subscription;
  if (reason === 'overflow') return new MailboxFullError(owner, home.mailbox.options.capacity);
  if (reason === 'recipient-stopped') return new ResponderLeftError(owner, topic);
  // Who asked has no life to begin anew because of it.
  if (isA(error, RestartError)) return new RestartedError(owner, error);
  if (isA(error, Error)) return error;
  if (error === undefined && delivery.attempts === 0) return new DeadLetteredError(topic, reason);
  return new HandlerError(error);
}

function cancellationFor(delivery: Delivery, reason: CancelReason, because: unknown): Error {
  const { topic } = delivery.message;
  if (reason === 'closed' || isTellaskError(because, 'TELLASK_CLOSED'))
    return new ClosedError(`the answer to ${topic}`);
  if (reason === 'unsubscribed' || reason === 'left') {
    return new ResponderLeftError(delivery.subscription.owner, topic);
  }
  return new CancelledError(topic, reason);
}
