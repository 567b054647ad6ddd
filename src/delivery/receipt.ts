import { Deferred } from '../kernel/deferred.ts';
import { printAsJson } from '../kernel/inspection.ts';
import type { Envelope } from '../message/envelope.ts';
import type { BudgetExhaustedError } from './bound-errors.ts';
import type { DeadLetter } from './dead-letters.ts';
import type { Delivery } from './delivery.ts';
import type { DispatchList } from './dispatch-list.ts';
import type { Outcome } from './ledger.ts';

/** Where the chunks of an answer go, from one producer at a time. */
export interface ChunkSink {
  /** Whether it takes one more chunk now. */
  readonly writable: boolean;
  /** Chunks that have come and were not read. */
  readonly unread: number;
  /** Gives it a chunk; dropped when nobody waits for it any more. */
  push(chunk: unknown): void;
  /** Calls back once, as soon as it is writable again; instead of whoever waited before. */
  whenWritable(callback: () => void): void;
}

/** Who waits for the answer of a request; told once, and again in vain. */
export interface Asker {
  delivery: Delivery | undefined;
  /** It still wants its answer, and ends the request by itself when its time is over. */
  readonly waits: boolean;
  /** It has its answer, or an error instead, or called the request off. */
  readonly gone: boolean;
  /** Where chunks go; undefined when the answer alone is wanted. */
  readonly chunks: ChunkSink | undefined;
  /** Hears that the responder is alive. */
  touch(): void;
  answer(value: unknown): boolean;
  fail(error: unknown): void;
  /** Its time was over before anybody began; the clock has not told it yet. */
  expired(): void;
  /** The responder says how far it is. */
  progress(update: unknown): void;
  /** What it is failed with if its time ends before the responder has wrapped up. */
  expectFailure?(error: BudgetExhaustedError): void;
}

/** What became of all deliveries of one message. */
export interface Settled {
  readonly handled: number;
  /** Ids of the letters, in the order in which the deliveries failed. */
  readonly deadLettered: readonly string[];
  readonly expired: number;
  readonly cancelled: number;
}

/**
 * What `publish` and `send` return at once: the message is admitted, its recipients are fixed.
 * A receipt is not thenable, so `await bus.publish(…)` waits for nothing by mistake.
 */
export interface Receipt {
  readonly id: string;
  /** Who gets a copy, one entry a delivery; empty until a delayed or held message leaves. */
  readonly recipients: readonly string[];
  /** Those of them whose mailbox was full: their copy is a dead letter already. */
  readonly overflowed: readonly string[];
  /** True when `dedupeKey` was known: this is the receipt of the first message. */
  readonly duplicate: boolean;
  /** Resolves when every copy has a place; rejects when a waiting one is withdrawn. */
  readonly accepted: Promise<void>;
  /** Resolves when every copy has its outcome. Never rejects. */
  readonly settled: Promise<Settled>;
  /** Takes back a delayed or held message that has not left; false when it is too late. */
  cancel(): boolean;
}

/** One admitted message and the tally of its copies. */
export class Admission implements Receipt {
  readonly message: Envelope;
  /** Who gets it. */
  readonly list: DispatchList;
  /** Who waits for the answer, when it is a request. */
  readonly asker: Asker | undefined;
  /** Copies without an outcome. */
  left: number;
  // Most messages are handled and nobody asks what became of them: the rest is made when needed.
  #more: Aftermath | undefined = undefined;

  constructor(message: Envelope, list: DispatchList, asker?: Asker) {
    this.message = message;
    this.list = list;
    this.left = list.subscriptions.length;
    this.asker = asker;
  }

  get id(): string {
    return this.message.id;
  }

  get recipients(): readonly string[] {
    return this.list.names;
  }

  get overflowed(): readonly string[] {
    return Object.freeze([...(this.#more?.overflowed ?? [])]);
  }

  get duplicate(): boolean {
    return false;
  }

  get settled(): Promise<Settled> {
    const more = this.#aftermath();
    if (more.settled === undefined) {
      more.settled = new Deferred<Settled>();
      if (this.left === 0) more.settled.resolve(this.#result());
    }
    return more.settled.promise;
  }

  get accepted(): Promise<void> {
    const more = this.#aftermath();
    if (more.accepted === undefined) {
      more.accepted = new Deferred<void>();
      this.#tellAccepted(more);
    }
    return more.accepted.promise;
  }

  cancel(): boolean {
    return false;
  }

  toJSON(): Record<string, unknown> {
    const { id, recipients, overflowed, duplicate } = this;
    return { id, recipients, overflowed, duplicate };
  }

  /** Copies that wait for a place. */
  get waiting(): number {
    return this.#more?.waiting ?? 0;
  }

  /** Whose letter this is a new try of. */
  get redriveOf(): DeadLetter | undefined {
    return this.#more?.redriveOf;
  }

  set redriveOf(letter: DeadLetter) {
    this.#aftermath().redriveOf = letter;
  }

  /** Called when no copy waits any more. */
  set onPlaced(callback: () => void) {
    this.#aftermath().onPlaced = callback;
  }

  handledOne(): void {
    this.handledMany(1);
  }

  handledMany(copies: number): void {
    this.left -= copies;
    if (this.#more !== undefined && this.left === 0) this.#more.settled?.resolve(this.#result());
  }

  /** One copy ended in another way. */
  endedOne(outcome: Exclude<Outcome, 'handled'>, letterId?: string): void {
    const more = this.#aftermath();
    if (outcome === 'deadLettered') more.letters.push(letterId ?? '');
    else more[outcome]++;
    this.handledOne();
  }

  overflowedAt(name: string): void {
    this.#aftermath().overflowed.push(name);
  }

  /** One copy waits for a place. */
  waitsOne(): void {
    this.#aftermath().waiting++;
  }

  /** A waiting copy got its place, or never will. */
  placed(reason?: unknown): void {
    const more = this.#aftermath();
    more.waiting--;
    if (more.waiting === 0) more.onPlaced?.();
    if (reason !== undefined) more.withdrawn ??= { reason };
    this.#tellAccepted(more);
  }

  #tellAccepted({ accepted, withdrawn, waiting }: Aftermath): void {
    if (withdrawn !== undefined) accepted?.reject(withdrawn.reason);
    else if (waiting === 0) accepted?.resolve();
  }

  #aftermath(): Aftermath {
    this.#more ??= {
      letters: [],
      expired: 0,
      cancelled: 0,
      overflowed: [],
      waiting: 0,
      withdrawn: undefined,
      settled: undefined,
      accepted: undefined,
      onPlaced: undefined,
      redriveOf: undefined,
    };
    return this.#more;
  }

  #result(): Settled {
    const { letters, expired, cancelled } = this.#aftermath();
    const handled = this.list.subscriptions.length - letters.length - expired - cancelled;
    return { handled, deadLettered: Object.freeze([...letters]), expired, cancelled };
  }
}
printAsJson(Admission.prototype);

interface Aftermath {
  readonly letters: string[];
  readonly overflowed: string[];
  expired: number;
  cancelled: number;
  waiting: number;
  withdrawn: { readonly reason: unknown } | undefined;
  settled: Deferred<Settled> | undefined;
  accepted: Deferred<void> | undefined;
  onPlaced: (() => void) | undefined;
  redriveOf: DeadLetter | undefined;
}
