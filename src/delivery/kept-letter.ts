import type { ErrorRecord } from '../kernel/error-record.ts';
import type { Envelope } from '../message/envelope.ts';
import { createRedactor } from '../observe/redaction.ts';
import type { DeadLetter, DeadLetterReason, DeathRecord } from './dead-letters.ts';
import type { Subscription } from './subscription.ts';

/** What is needed to send a letter again, which nobody is to see in a print-out. */
export interface Resending {
  /** The subscription that failed; undefined for a refused call. */
  readonly subscription: Subscription | LostSubscription | undefined;
  /** What kind of call it was. */
  readonly action: 'publish' | 'send' | 'request';
  /** Secrets are missing in it: it was read from a store that was not to have them. */
  readonly redacted?: boolean;
}

/** What is known of a subscription of another process: enough to find its successor. */
export interface LostSubscription {
  readonly active: false;
  readonly owner: string;
  readonly kind: string;
  readonly pattern: { readonly source: string };
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
  readonly quarantined: boolean;
  readonly history: readonly DeathRecord[];
  readonly #resending: Resending;
  #saved = false;

  constructor(
    letter: Omit<DeadLetter, 'saved'> & { readonly message: Envelope },
    resending: Resending,
  ) {
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
    this.quarantined = letter.quarantined;
    this.history = letter.history;
    this.#resending = resending;
    Object.freeze(this);
  }

  get saved(): boolean {
    return this.#saved;
  }

  markSaved(saved: boolean): void {
    this.#saved = saved;
  }

  get redacted(): boolean {
    return this.#resending.redacted === true;
  }

  get subscription(): Resending['subscription'] {
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
