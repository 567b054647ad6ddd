import type { Env, Lane } from '../kernel/env.ts';
import { Ring } from '../mailbox/ring.ts';
import { Delivery } from './delivery.ts';
import type { DispatchList } from './dispatch-list.ts';
import { enter } from './entry.ts';
import type { Ledger } from './ledger.ts';
import type { Outcomes } from './outcomes.ts';
import type { Admission } from './receipt.ts';
import type { Subscription } from './subscription.ts';
import type { TurnClock } from './turn-clock.ts';
import type { Worker } from './worker.ts';

/** So many messages are handed over between two looks at the clock. */
const STEPS_PER_LOOK = 32;

/** What the dispatcher needs of its bus. */
export interface DispatcherParts {
  readonly env: Env;
  readonly ledger: Ledger;
  readonly outcomes: Outcomes;
  readonly clock: TurnClock;
  /** Hears what a user's `key` function threw. */
  onFault(error: unknown, where: string): void;
}

/**
 * Brings copies to mailboxes. In production a message for idle mailboxes takes a shortcut: it
 * stays in one ring and is handed over from there, which looks the same and costs half.
 *
 * The ring holds one priority at a time, and only messages whose mailboxes were empty when they
 * were said. Whoever touches a mailbox in another way spills the ring into the mailboxes first, so
 * that nobody can tell the difference.
 */
export class Dispatcher implements Lane {
  readonly kind = 'dispatch' as const;
  readonly label = 'ring';
  posted = false;
  readonly #parts: DispatcherParts;
  readonly #env: Env;
  readonly #ledger: Ledger;
  readonly #ring = new Ring<Admission>();
  #priority = 0;
  /** The message that is being handed over, and how many of its copies have gone. */
  #current: Admission | undefined;
  #gone = 0;
  #steps = 0;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#env = parts.env;
    this.#ledger = parts.ledger;
  }

  get order(): number {
    return this.#ring.peek()?.message.seq ?? Infinity;
  }

  /** Admits a message for all of its list. */
  dispatch(admission: Admission): void {
    const { list } = admission;
    this.#ledger.admit(list.subscriptions.length);
    if (this.#env.direct && this.#mayRing(admission.message.priority, list)) {
      this.#toRing(admission);
      return;
    }
    this.spill();
    for (const subscription of list.subscriptions) this.offer(admission, subscription);
  }

  /** Puts one copy into its mailbox, or does what a full mailbox does. */
  offer(admission: Admission, subscription: Subscription): Delivery {
    const { home } = subscription;
    const delivery = new Delivery(admission, subscription, home);
    this.#readKey(delivery);
    const verdict = home.mailbox.judge(delivery);
    if (verdict.action === 'wait') {
      this.#letWait(delivery);
      return delivery;
    }
    if (verdict.action === 'turn-away' || verdict.action === 'drop-newcomer') {
      admission.overflowedAt(subscription.owner);
      this.#overflow(delivery);
      return delivery;
    }
    if (verdict.action === 'replace') this.#overflow(verdict.victim);
    enter(delivery);
    home.wake();
    return delivery;
  }

  /** Whether a directed message finds no place, and its sender should be told so at once. */
  refuses({ home }: Subscription): boolean {
    const { mailbox } = home;
    if (this.#ring.size > 0) this.spill();
    if (mailbox.hasRoom) return false;
    const { overflow, capacity } = mailbox.options;
    return overflow === 'reject' || (overflow === 'wait' && mailbox.waiting >= capacity);
  }

  /** Admits one copy that nobody can handle: it is a dead letter at once. */
  bury(admission: Admission, subscription: Subscription, reason: 'unhandled'): void {
    this.#ledger.admit(1);
    const delivery = new Delivery(admission, subscription, subscription.home);
    this.#parts.outcomes.deadLettered(delivery, reason, undefined);
  }

  /** Takes back the copies of one message that still wait for a place. */
  withdrawWaiting(admission: Admission, reason: unknown): void {
    for (const { home } of admission.list.subscriptions) {
      const matches = (delivery: Delivery): boolean => delivery.admission === admission;
      for (const delivery of home.mailbox.withdrawWhere(matches)) {
        this.#parts.outcomes.cancelled(delivery, 'withdrawn');
        admission.placed(reason);
      }
    }
  }

  /** Hands over one message of the ring. */
  run(): void {
    const { clock } = this.#parts;
    if (++this.#steps % STEPS_PER_LOOK === 0) clock.hold();
    this.#handOverNext();
    if (this.#ring.size > 0) this.#env.post(this);
    else clock.release();
  }

  #handOverNext(): void {
    const admission = this.#ring.shift();
    if (admission === undefined) return;
    const { subscriptions } = admission.list;
    this.#current = admission;
    this.#gone = 0;
    while (this.#current === admission && this.#gone < subscriptions.length) {
      this.#handOver(admission, subscriptions[this.#gone++] as Subscription);
    }
    // A handler may have spilled the ring: then what was left is in the mailboxes.
    if (this.#current === admission) this.#current = undefined;
  }

  /** Moves all copies of the ring into their mailboxes, where they can be found. */
  spill(): void {
    const current = this.#current;
    this.#current = undefined;
    if (current !== undefined) this.#spillRest(current, this.#gone);
    while (this.#ring.size > 0) this.#spillRest(this.#ring.shift() as Admission, 0);
  }

  #mayRing(priority: number, list: DispatchList): boolean {
    if (!list.plain || this.#ring.size >= list.room) return false;
    if (this.#ring.size > 0 && priority !== this.#priority) return false;
    for (const { home } of list.subscriptions) if (!(home as Worker).clear) return false;
    return true;
  }

  #toRing(admission: Admission): void {
    this.#priority = admission.message.priority;
    this.#ring.push(admission);
    if (this.posted) return;
    // Whatever is said until the ring is drained is said in this turn.
    this.#parts.clock.hold();
    this.#env.post(this);
  }

  #handOver(admission: Admission, subscription: Subscription): void {
    const worker = subscription.home as Worker;
    if (worker.idle && admission.message.expires > this.#parts.clock.now()) {
      worker.serve(admission, subscription);
    } else {
      enter(new Delivery(admission, subscription, worker));
      worker.wake();
    }
  }

  #spillRest(admission: Admission, from: number): void {
    const { subscriptions } = admission.list;
    for (let i = from; i < subscriptions.length; i++) {
      const subscription = subscriptions[i] as Subscription;
      enter(new Delivery(admission, subscription, subscription.home));
      subscription.home.wake();
    }
  }

  #letWait(delivery: Delivery): void {
    this.#ledger.move('queued', 'waiting');
    delivery.state = 'waiting';
    delivery.admission.waiting++;
    delivery.home.mailbox.wait(delivery);
  }

  #overflow(delivery: Delivery): void {
    this.#parts.outcomes.deadLettered(delivery, 'overflow', undefined);
  }

  #readKey(delivery: Delivery): void {
    const { keyOf, owner } = delivery.subscription;
    if (keyOf === undefined) return;
    try {
      delivery.key = keyOf(delivery.message);
    } catch (error) {
      this.#parts.onFault(error, `key of ${owner}`);
    }
  }
}
