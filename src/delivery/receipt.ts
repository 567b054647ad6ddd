import { Deferred } from '../kernel/deferred.ts';
import type { Envelope } from '../message/envelope.ts';
import type { DeadLetter } from './dead-letters.ts';
import type { Delivery } from './delivery.ts';
import type { DispatchList } from './dispatch-list.ts';
import type { Outcome } from './ledger.ts';

/** Who waits for the answer of a request; told once, and again in vain. */
export interface Asker {
  delivery: Delivery | undefined;
  answer(value: unknown): boolean;
  fail(error: unknown): void;
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
  /** Who gets a copy, one entry a delivery; empty until a delayed message is due. */
  readonly recipients: readonly string[];
  /** Those of them whose mailbox was full: their copy is a dead letter already. */
  readonly overflowed: readonly string[];
  /** True when `dedupeKey` was known: this is the receipt of the first message. */
  readonly duplicate: boolean;
  /** Resolves when every copy has a place; rejects when a waiting one is withdrawn. */
  readonly accepted: Promise<void>;
  /** Resolves when every copy has its outcome. Never rejects. */
  readonly settled: Promise<Settled>;
  /** Takes back a delayed message that is not due yet; false when it is too late. */
  cancel(): boolean;
}

/** One admitted message and the tally of its copies. */
export class Admission implements Receipt {
  readonly message: Envelope;
  /** Who gets it. @internal */
  readonly list: DispatchList;
  /** Who waits for the answer, when it is a request. @internal */
  readonly asker: Asker | undefined;
  /** Whose letter this is a new try of. @internal */
  redriveOf: DeadLetter | undefined = undefined;
  /** Copies without an outcome. @internal */
  left: number;
  /** Copies that wait for a place. @internal */
  waiting = 0;
  /** Called when no copy waits any more. @internal */
  onPlaced: (() => void) | undefined = undefined;
  #tally: Tally | undefined = undefined;
  #settled: Deferred<Settled> | undefined = undefined;
  #accepted: Deferred<void> | undefined = undefined;

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
    return this.#tally?.overflowed ?? [];
  }

  get duplicate(): boolean {
    return false;
  }

  get settled(): Promise<Settled> {
    this.#settled ??= this.#resolveWhen(new Deferred<Settled>());
    return this.#settled.promise;
  }

  get accepted(): Promise<void> {
    if (this.#accepted === undefined) {
      this.#accepted = new Deferred<void>();
      this.#tellAccepted();
    }
    return this.#accepted.promise;
  }

  cancel(): boolean {
    return false;
  }

  /** One copy was handled: the hot path's whole bookkeeping. @internal */
  handledOne(): void {
    if (--this.left === 0 && this.#settled !== undefined) this.#settled.resolve(this.#result());
  }

  /** One copy ended in another way. @internal */
  endedOne(outcome: Exclude<Outcome, 'handled'>, letterId?: string): void {
    const tally = this.#tallied();
    if (outcome === 'deadLettered') tally.letters.push(letterId ?? '');
    else tally[outcome]++;
    this.handledOne();
  }

  /** @internal */
  overflowedAt(name: string): void {
    this.#tallied().overflowed.push(name);
  }

  /** A waiting copy got its place, or never will. @internal */
  placed(reason?: unknown): void {
    this.waiting--;
    if (this.waiting === 0) this.onPlaced?.();
    if (reason !== undefined) {
      const tally = this.#tallied();
      tally.withdrawn ??= { reason };
    }
    this.#tellAccepted();
  }

  #tellAccepted(): void {
    const withdrawn = this.#tally?.withdrawn;
    if (this.#accepted === undefined) return;
    if (withdrawn !== undefined) this.#accepted.reject(withdrawn.reason);
    else if (this.waiting === 0) this.#accepted.resolve();
  }

  #resolveWhen(deferred: Deferred<Settled>): Deferred<Settled> {
    if (this.left === 0) deferred.resolve(this.#result());
    return deferred;
  }

  #tallied(): Tally {
    this.#tally ??= { letters: [], expired: 0, cancelled: 0, overflowed: [], withdrawn: undefined };
    return this.#tally;
  }

  #result(): Settled {
    const tally = this.#tally;
    const copies = this.list.subscriptions.length;
    if (tally === undefined) return { handled: copies, deadLettered: [], expired: 0, cancelled: 0 };
    const { letters, expired, cancelled } = tally;
    const handled = copies - letters.length - expired - cancelled;
    return { handled, deadLettered: letters, expired, cancelled };
  }
}

interface Tally {
  readonly letters: string[];
  readonly overflowed: string[];
  expired: number;
  cancelled: number;
  withdrawn: { readonly reason: unknown } | undefined;
}
