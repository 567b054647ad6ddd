import type { ErrorRecord } from '../kernel/error-record.ts';
import { toErrorRecord } from '../kernel/error-record.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Message } from '../message/message.ts';
import type { Delivery } from './delivery.ts';
import { KeptLetter, type Resending } from './kept-letter.ts';
import { LetterBox, type LetterLimits } from './letter-box.ts';
import { matcher } from './letter-filter.ts';
import type { StoreClaim, StoredLetters } from './stored-letters.ts';

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
  /** It died so often that only who asks for quarantined letters redrives it. */
  readonly quarantined: boolean;
  /** It is safe in the store of the bus; always false without one. */
  readonly saved: boolean;
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
  readonly quarantined?: boolean;
}

/** What the letters need of their bus. */
export interface LetterParts {
  wall(): number;
  now(): number;
  nextLetterId(): string;
  /** Hears of each letter that is quarantined from its death on. */
  quarantined(letter: DeadLetter): void;
  readonly stored: StoredLetters | undefined;
}

/** A pass over letters that goes on for a while. */
export interface OngoingPass {
  stop(reason: unknown): void;
}

const HISTORY = 10;

/** What is known of a death before it is a letter. */
type Facts = Omit<
  DeadLetter,
  'id' | 'originalId' | 'redriveCount' | 'quarantined' | 'saved' | 'history' | 'message'
>;

/** Makes letters and keeps them within bounds. */
export class DeadLetters {
  readonly #parts: LetterParts;
  readonly #box: LetterBox<KeptLetter>;
  readonly #stored: StoredLetters | undefined;
  /** Redriven more often, a letter that dies again is quarantined. */
  readonly #maxRedrives: number;
  /** Ids of letters that somebody is about to send again. */
  readonly #claimed = new Set<string>();
  readonly #passes = new Set<OngoingPass>();
  /** The letter of the refused call that is made again just now. */
  #retried: KeptLetter | undefined;

  constructor(parts: LetterParts, limits: LetterLimits, maxRedrives: number) {
    this.#parts = parts;
    this.#maxRedrives = maxRedrives;
    this.#stored = parts.stored;
    this.#box = new LetterBox(limits, (letter) => {
      // Who has claimed it has it out of the store as well, or is about to.
      if (!this.#claimed.delete(letter.id)) this.#stored?.drop(letter);
    });
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
    this.#forget();
    return this.#box.size - this.#claimed.size;
  }

  /** Letters that had to make room for newer ones, or were too old. */
  get evicted(): number {
    this.#forget();
    return this.#box.evicted;
  }

  get bytes(): number {
    this.#forget();
    return this.#box.bytes;
  }

  /** Letters in quarantine. */
  get quarantined(): number {
    this.#forget();
    return this.#box.quarantined;
  }

  /** The letters that fit, oldest first. */
  list(filter?: LetterFilter): KeptLetter[] {
    const matches = matcher(filter);
    this.#forget();
    return this.#box.list((letter) => !this.#claimed.has(letter.id) && matches(letter));
  }

  /** Nobody else sees the letter any more, until it is taken or put back: of all who ask, one gets it. */
  claim({ id }: KeptLetter): boolean {
    if (this.#claimed.has(id) || !this.#box.has({ id })) return false;
    this.#claimed.add(id);
    return true;
  }

  /** What was claimed has been sent. */
  take(letter: KeptLetter): void {
    this.#claimed.delete(letter.id);
    this.#box.remove(letter);
    this.#stored?.taken(letter);
  }

  /** Claims in the store what was claimed here; undefined without a store. */
  secure(letter: KeptLetter): Promise<StoreClaim> | undefined {
    return this.#stored?.claim(letter);
  }

  /** What was claimed could not be sent: it is in its old place. */
  putBack(letter: KeptLetter): void {
    this.#claimed.delete(letter.id);
    if (this.#box.has(letter)) this.#stored?.putBack(letter);
    else {
      // It had to make room meanwhile.
      this.#stored?.taken(letter);
      this.#stored?.drop(letter);
    }
  }

  /**
   * Makes a refused call again. If it is refused again, that is one more death of the same letter:
   * a new one takes its place. False when that happened without an error.
   */
  retrying(letter: KeptLetter, call: () => void): boolean {
    this.#retried = letter;
    try {
      call();
      return this.#retried !== undefined;
    } finally {
      if (this.#retried === undefined) this.take(letter);
      this.#retried = undefined;
    }
  }

  /** Throws away the letters that fit; returns how many. */
  purge(filter?: LetterFilter): number {
    const letters = this.list(filter);
    for (const letter of letters) {
      this.#box.remove(letter);
      this.#stored?.drop(letter);
    }
    return letters.length;
  }

  /** Letters that are in memory alone, though there is a store. */
  get unsaved(): number {
    if (this.#stored === undefined) return 0;
    return this.#box.size - this.#stored.saved;
  }

  /** Takes in what is in the store, as far as there is room; how many letters that were. */
  async load(): Promise<number> {
    const stored = this.#stored;
    if (stored === undefined) throw new TypeError('load needs the option deadLetters.store');
    let loaded = 0;
    try {
      for await (const letter of stored.load((id) => this.#box.has({ id }))) {
        if (this.#box.adopt(letter)) loaded++;
      }
    } finally {
      this.#box.sort();
      this.#forget();
    }
    return loaded;
  }

  /** True when the store has everything that it can have; false when it was tried in vain. */
  flushed(): Promise<boolean> {
    return this.#stored?.flushed() ?? Promise.resolve(true);
  }

  /** Waits so long until all is safe in the store. */
  async close(timeoutMs: number): Promise<void> {
    await this.#stored?.close(timeoutMs);
  }

  /** A pass that goes on for a while; what it gets back says that it has ended. */
  begin(pass: OngoingPass): () => void {
    this.#passes.add(pass);
    return () => this.#passes.delete(pass);
  }

  /** Ends all passes: what they have not sent stays. */
  stopPasses(makeReason: () => unknown): void {
    if (this.#passes.size === 0) return;
    const reason = makeReason();
    for (const pass of this.#passes) pass.stop(reason);
  }

  /** No timer: what is too old is noticed when somebody looks, and when a letter is added. */
  #forget(): void {
    this.#box.forget(this.#parts.wall());
  }

  /** What was loaded may have the id that would be next. */
  #nextId(): string {
    for (;;) {
      const id = this.#parts.nextLetterId();
      if (!this.#box.has({ id })) return id;
    }
  }

  #keep(
    earlier: DeadLetter | undefined,
    facts: Facts,
    message: Envelope,
    resending: Resending,
  ): KeptLetter {
    const redriveCount = earlier === undefined ? 0 : earlier.redriveCount + 1;
    const letter = {
      ...facts,
      message,
      id: this.#nextId(),
      originalId: earlier?.originalId ?? message.id,
      redriveCount,
      // A late reply is redriven by nobody: there is nothing to try too often.
      quarantined: redriveCount >= this.#maxRedrives && facts.reason !== 'late-reply',
      history: Object.freeze(
        earlier === undefined ? [] : [...earlier.history, deathOf(earlier)].slice(-HISTORY),
      ),
    };
    const kept = new KeptLetter(letter, resending);
    this.#forget();
    this.#stored?.keep(kept);
    this.#box.add(kept);
    if (kept.quarantined) this.#parts.quarantined(kept);
    return kept;
  }
}

/** How a message was said, as far as it shows. */
export function actionOf(message: Envelope): KeptLetter['action'] {
  if (message.type === 'request') return 'request';
  return message.to === undefined ? 'publish' : 'send';
}

function deathOf({ id, reason, attempts, error, lastFailedAt }: DeadLetter): DeathRecord {
  return { letterId: id, reason, attempts, error, diedAt: lastFailedAt };
}
