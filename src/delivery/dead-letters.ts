import type { ErrorRecord } from '../kernel/error-record.ts';
import { toErrorRecord } from '../kernel/error-record.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Message } from '../message/message.ts';
import { compilePattern, type Pattern } from '../message/pattern.ts';
import { createRedactor } from '../observe/redaction.ts';
import type { Delivery } from './delivery.ts';
import { LetterBox, type LetterLimits } from './letter-box.ts';
import type { Subscription } from './subscription.ts';

/** Why a message became a dead letter. */
export type DeadLetterReason =
  | 'handler-error'
  | 'handler-timeout'
  | 'max-attempts'
  | 'rejected'
  | 'unhandled'
  | 'overflow'
  | 'recipient-stopped'
  | 'unknown-recipient'
  | 'validation'
  | 'denied'
  | 'loop'
  | 'budget'
  | 'expired'
  | 'closed'
  | 'late-reply';

/** One earlier death of the same message. */
export interface DeathRecord {
  readonly letterId: string;
  readonly reason: DeadLetterReason;
  readonly attempts: number;
  readonly error: ErrorRecord | undefined;
  /** Epoch milliseconds. */
  readonly diedAt: number;
}

/** A delivery that could not be handled, or a refused call. */
export interface DeadLetter {
  readonly id: string;
  /** Id of the message that was said first; its own message's id unless it was redriven. */
  readonly originalId: string;
  /** The envelope as it was sent. A refused call has one too, though it was never admitted. */
  readonly message: Message;
  /** Who should have handled it. */
  readonly recipient: string | undefined;
  /** The pattern of the subscription that failed. */
  readonly subscriber: string | undefined;
  readonly reason: DeadLetterReason;
  /** True for a refused call: nothing was delivered, and it stands outside the equation. */
  readonly refused: boolean;
  /** Calls of the handler that were really made. */
  readonly attempts: number;
  readonly error: ErrorRecord | undefined;
  /** Epoch milliseconds. */
  readonly firstFailedAt: number;
  /** Epoch milliseconds: retention counts from here. */
  readonly lastFailedAt: number;
  readonly redriveCount: number;
  /** Earlier deaths, oldest first. */
  readonly history: readonly DeathRecord[];
}

/** Which letters: every field narrows. */
export interface LetterFilter {
  readonly id?: string | readonly string[];
  readonly reason?: DeadLetterReason | readonly DeadLetterReason[];
  /** A pattern over the message's topic. */
  readonly topic?: string;
  readonly recipient?: string;
  readonly refused?: boolean;
}

/** What is needed to send a letter again, which nobody is to see in a print-out. */
interface Resending {
  /** The subscription that failed; undefined for a refused call. */
  readonly subscription: Subscription | undefined;
  /** What kind of call it was. */
  readonly action: 'publish' | 'send' | 'request';
}

/** A letter with what is needed to send it again. */
export class KeptLetter implements DeadLetter {
  readonly id: string;
  readonly originalId: string;
  readonly message: Envelope;
  readonly recipient: string | undefined;
  readonly subscriber: string | undefined;
  readonly reason: DeadLetterReason;
  readonly refused: boolean;
  readonly attempts: number;
  readonly error: ErrorRecord | undefined;
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
  readonly redriveCount: number;
  readonly history: readonly DeathRecord[];
  readonly #resending: Resending;

  constructor(letter: DeadLetter & { readonly message: Envelope }, resending: Resending) {
    this.id = letter.id;
    this.originalId = letter.originalId;
    this.message = letter.message;
    this.recipient = letter.recipient;
    this.subscriber = letter.subscriber;
    this.reason = letter.reason;
    this.refused = letter.refused;
    this.attempts = letter.attempts;
    this.error = letter.error;
    this.firstFailedAt = letter.firstFailedAt;
    this.lastFailedAt = letter.lastFailedAt;
    this.redriveCount = letter.redriveCount;
    this.history = letter.history;
    this.#resending = resending;
    Object.freeze(this);
  }

  get subscription(): Subscription | undefined {
    return this.#resending.subscription;
  }

  get action(): Resending['action'] {
    return this.#resending.action;
  }

  /** The whole time to live, frozen at death. */
  get ttlMs(): number {
    return this.message.expires - this.message.at;
  }

  /** For print-outs and files: secrets in the payload and the headers are replaced. */
  toJSON(): unknown {
    return { ...this, message: redact(this.message.toJSON()) };
  }
}

const redact = createRedactor();

/** What the letters need of their bus. */
export interface LetterParts {
  wall(): number;
  now(): number;
  nextLetterId(): string;
}

const HISTORY = 10;

/** Makes letters and keeps them within bounds. */
export class DeadLetters {
  readonly #parts: LetterParts;
  readonly #box: LetterBox<KeptLetter>;
  /** The letter of the refused call that is made again just now. */
  #retried: KeptLetter | undefined;

  constructor(parts: LetterParts, limits: LetterLimits) {
    this.#parts = parts;
    this.#box = new LetterBox(limits);
  }

  /** Keeps a letter of a delivery; none for the library's own `$` topics. */
  bury(delivery: Delivery, reason: DeadLetterReason, error: unknown): KeptLetter | undefined {
    const { message, admission, subscription } = delivery;
    if (message.topic.startsWith('$')) return undefined;
    const now = this.#parts.wall();
    const since = delivery.flags.firstFailedAt;
    const facts = {
      recipient: subscription.owner,
      subscriber: subscription.pattern.source,
      reason,
      refused: false,
      attempts: delivery.attempts,
      error: error === undefined ? undefined : toErrorRecord(error),
      firstFailedAt: since === undefined ? now : Math.round(now - (this.#parts.now() - since)),
      lastFailedAt: now,
    };
    const action = actionOf(message);
    return this.#keep(admission.redriveOf, facts, message, { subscription, action });
  }

  /** Keeps a letter of a call that was refused, of a reply that came late. */
  refuse(
    message: Envelope,
    action: KeptLetter['action'],
    reason: DeadLetterReason,
    error: unknown,
  ): KeptLetter | undefined {
    if (message.topic.startsWith('$')) return undefined;
    const now = this.#parts.wall();
    const earlier = this.#retried;
    this.#retried = undefined;
    const facts = {
      recipient: message.to,
      subscriber: undefined,
      reason,
      refused: true,
      attempts: 0,
      error: error === undefined ? undefined : toErrorRecord(error),
      firstFailedAt: now,
      lastFailedAt: now,
    };
    return this.#keep(earlier, facts, message, { subscription: undefined, action });
  }

  get size(): number {
    return this.#box.size;
  }

  /** Letters that had to make room for newer ones. */
  get evicted(): number {
    return this.#box.evicted;
  }

  get bytes(): number {
    return this.#box.bytes;
  }

  /** The letters that fit, oldest first. */
  list(filter: LetterFilter = {}): KeptLetter[] {
    return this.#box.list(matcher(filter));
  }

  /** Takes a letter out: of all who ask, one gets it. */
  claim(letter: KeptLetter): boolean {
    return this.#box.remove(letter);
  }

  /**
   * Makes a refused call again. If it is refused again, that is one more death of the same letter;
   * if it fails without leaving a letter, the claimed one is put back.
   */
  retrying<T>(letter: KeptLetter, call: () => T): T {
    this.#retried = letter;
    try {
      return call();
    } catch (error) {
      if (this.#retried !== undefined) this.#box.add(letter);
      throw error;
    } finally {
      this.#retried = undefined;
    }
  }

  /** Puts a letter back that was claimed in vain. */
  putBack(letter: KeptLetter): void {
    this.#box.add(letter);
  }

  /** Throws away the letters that fit; returns how many. */
  purge(filter: LetterFilter = {}): number {
    const letters = this.list(filter);
    for (const letter of letters) this.#box.remove(letter);
    return letters.length;
  }

  #keep(
    earlier: DeadLetter | undefined,
    facts: Omit<DeadLetter, 'id' | 'originalId' | 'redriveCount' | 'history' | 'message'>,
    message: Envelope,
    resending: Resending,
  ): KeptLetter {
    const letter = {
      ...facts,
      message,
      id: this.#parts.nextLetterId(),
      originalId: earlier?.originalId ?? message.id,
      redriveCount: earlier === undefined ? 0 : earlier.redriveCount + 1,
      history: Object.freeze(
        earlier === undefined ? [] : [...earlier.history, deathOf(earlier)].slice(-HISTORY),
      ),
    };
    const kept = new KeptLetter(letter, resending);
    this.#box.add(kept);
    return kept;
  }
}

function actionOf(message: Envelope): KeptLetter['action'] {
  if (message.type === 'request') return 'request';
  return message.to === undefined ? 'publish' : 'send';
}

function deathOf({ id, reason, attempts, error, lastFailedAt }: DeadLetter): DeathRecord {
  return { letterId: id, reason, attempts, error, diedAt: lastFailedAt };
}

function matcher(filter: LetterFilter): (letter: DeadLetter) => boolean {
  const pattern: Pattern | undefined =
    filter.topic === undefined ? undefined : compilePattern(filter.topic);
  return (letter) =>
    isOneOf(filter.id, letter.id) &&
    isOneOf(filter.reason, letter.reason) &&
    (pattern === undefined || pattern.matches(letter.message.topic)) &&
    (filter.recipient === undefined || filter.recipient === letter.recipient) &&
    (filter.refused === undefined || filter.refused === letter.refused);
}

function isOneOf(wanted: string | readonly string[] | undefined, value: string): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === 'string' ? wanted === value : wanted.includes(value);
}
