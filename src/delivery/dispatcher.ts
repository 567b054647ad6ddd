import type { Env, Lane } from '../kernel/env.ts';
import type { FaultPlan } from '../kernel/fault-plan.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { Ring } from '../mailbox/ring.ts';
import type { Envelope } from '../message/envelope.ts';
import { bucketOf } from '../observe/histogram.ts';
import type { Authority } from './authority.ts';
import { BusyDoor } from './busy-door.ts';
import type { BusyKeys } from './busy-keys.ts';
import { Delivery } from './delivery.ts';
import { DispatchList } from './dispatch-list.ts';
import { enter } from './entry.ts';
import { type BusyError, MailboxFullError } from './errors.ts';
import { LateLine } from './late-line.ts';
import type { Ledger } from './ledger.ts';
import type { Outcomes } from './outcomes.ts';
import { Admission } from './receipt.ts';
import { targetOf } from './struck.ts';
import type { Subscription } from './subscription.ts';
import type { Instant, TurnClock } from './turn-clock.ts';
import { Worker } from './worker.ts';

/** So many steps are done between two looks at the clock. */
const STEPS_PER_LOOK = 8;
/** A step hands over so many messages: posting a lane costs as much as one of them. */
const MESSAGES_PER_STEP = 4;
/** The ring of a busy bus breathes; below this it is not worth shrinking. */
const SMALLEST_RING = 1_024;

/** What the dispatcher needs of its bus. */
export interface DispatcherParts {
  readonly env: Env;
  readonly ledger: Ledger;
  readonly outcomes: Outcomes;
  readonly clock: TurnClock;
  readonly authority: Authority | undefined;
  /** Hears what a user's `key` function threw. */
  onFault(error: unknown, where: string): void;
  /** Delivers the same message once more, as a fault: `again` says to whom. */
  repeat(again: Admission, afterMs: number): void;
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
  readonly #authority: Authority | undefined;
  readonly #ring = new Ring<Admission>(SMALLEST_RING);
  #priority = 0;
  /** The message that is being handed over, and how many of its copies have gone. */
  #current: Admission | undefined;
  #gone = 0;
  #steps = 0;
  readonly #door: BusyDoor;
  /** What was said once more by a plan of faults, which says nothing a third time. */
  readonly #repeats = new WeakSet<Admission>();

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    const { outcomes, clock } = parts;
    const place = (delivery: Delivery): boolean => this.#place(delivery);
    this.#door = new BusyDoor({ outcomes, place, now: () => clock.now() });
    this.#env = parts.env;
    this.#ledger = parts.ledger;
    this.#authority = parts.authority;
  }

  get order(): number {
    return this.#ring.peek()?.message.seq ?? Infinity;
  }

  /** Admits a message for all of its list. */
  dispatch(admission: Admission): void {
    const { list } = admission;
    this.#ledger.admit(list.subscriptions.length);
    const { message } = admission;
    if (this.#env.direct && !this.#isStale(message) && this.#mayRing(message.priority, list)) {
      this.#toRing(admission);
      return;
    }
    this.spill();
    for (const subscription of list.subscriptions) this.offer(admission, subscription);
  }

  /** Puts one copy into its mailbox, or does what a full mailbox does. */
  offer(admission: Admission, subscription: Subscription): Delivery {
    const delivery = new Delivery(admission, subscription, subscription.home);
    if (subscription.keyOf !== undefined) delivery.key = this.#readKey(delivery);
    if (!subscription.active) {
      this.#endedMeanwhile(delivery);
      return delivery;
    }
    const { faults } = this.#env;
    if (faults === undefined) this.#receive(delivery);
    else this.#receiveFaulty(faults, delivery);
    return delivery;
  }

  #receive(delivery: Delivery): void {
    const { busy } = delivery.subscription;
    if (busy === undefined || delivery.key === undefined) this.#place(delivery);
    else this.#door.receive(delivery, busy);
  }

  /** A plan of faults may lose the copy, or bring it twice; the mailbox may let it wait. */
  #receiveFaulty(faults: FaultPlan, delivery: Delivery): void {
    const { admission, subscription, home } = delivery;
    const copy = targetOf(delivery);
    if (faults.drops(copy)) {
      this.#parts.outcomes.cancelled(delivery, 'dropped');
      return;
    }
    home.mailbox.delay ??= new LateLine(this.#env, faults);
    this.#receive(delivery);
    if (this.#repeats.has(admission)) return;
    const afterMs = faults.duplicates(copy);
    if (afterMs === undefined) return;
    const again = new Admission(delivery.message, DispatchList.of(subscription));
    this.#repeats.add(again);
    this.#parts.repeat(again, afterMs);
  }

  /** False when the mailbox was full and the newcomer has its outcome already. */
  #place(delivery: Delivery): boolean {
    const { home, admission, subscription } = delivery;
    const verdict = home.mailbox.judge(delivery, this.#squeezes(delivery));
    if (verdict.action === 'wait') {
      this.#letWait(delivery);
      return true;
    }
    if (verdict.action === 'turn-away' || verdict.action === 'drop-newcomer') {
      admission.overflowedAt(subscription.owner);
      this.#overflow(delivery);
      return false;
    }
    enter(delivery);
    // Who hears of the victim may say something at once: the place is taken by then.
    if (verdict.action === 'replace') this.#overflow(verdict.victim);
    home.wake();
    return true;
  }

  /** Why a directed message is not taken, when its sender should be told so at once. */
  refusal(message: Envelope, list: DispatchList): MailboxFullError | BusyError | undefined {
    if (this.#env.direct && this.#mayRing(message.priority, list)) return undefined;
    const subscription = list.subscriptions[0] as Subscription;
    const { home, owner, busy } = subscription;
    this.spill();
    if (busy !== undefined) {
      const key = this.#keyOf(message, subscription);
      busy.read = { message, key };
      const seen =
        key === undefined ? undefined : this.#door.preview(message, subscription, busy, key);
      if (seen === 'has a place') return undefined;
      if (seen !== undefined) return seen;
    }
    const { mailbox } = home;
    const { overflow, capacity } = mailbox.options;
    if (mailbox.hasRoom) {
      const squeezed = overflow === 'reject' && this.#isFullEarly(mailbox, message, owner);
      return squeezed ? new MailboxFullError(owner, capacity) : undefined;
    }
    const full = overflow === 'reject' || (overflow === 'wait' && mailbox.waiting >= capacity);
    return full ? new MailboxFullError(owner, capacity) : undefined;
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

  /** Hands over the next messages of the ring. */
  run(): void {
    const { clock } = this.#parts;
    const now = ++this.#steps % STEPS_PER_LOOK === 0 ? clock.hold() : clock.instant();
    for (let i = 0; i < MESSAGES_PER_STEP; i++) {
      const admission = this.#ring.shift();
      if (admission === undefined) break;
      this.#handOver(admission, now);
    }
    if (this.#ring.size > 0) this.#env.post(this);
    else clock.release();
  }

  #handOver(admission: Admission, now: Instant): void {
    const { message, list } = admission;
    const { outcomes } = this.#parts;
    const latency = Math.max(0, now.at - message.at);
    const bucket = bucketOf(latency);
    const expired = message.expires <= now.at;
    const watched = !outcomes.quiet;
    this.#current = admission;
    this.#gone = 0;
    // A handler may spill the ring: then what is left of the message is in the mailboxes.
    while (this.#current === admission && this.#gone < list.subscriptions.length) {
      const subscription = list.subscriptions[this.#gone++] as Subscription;
      const worker = subscription.home as Worker;
      if (expired || !worker.idle) this.#put(admission, subscription);
      else if (watched) worker.serve(admission, subscription);
      else this.#hand(worker, admission, subscription, now, latency, bucket);
    }
    this.#current = undefined;
    outcomes.enterHandedOver(admission, latency, bucket);
  }

  #hand(
    worker: Worker,
    admission: Admission,
    subscription: Subscription,
    now: Instant,
    latency: number,
    bucket: number,
  ): void {
    const ledger = this.#ledger;
    ledger.handing = 1;
    const done = worker.hand(admission, subscription, now);
    ledger.handing = 0;
    if (done) this.#parts.outcomes.handedOver(admission.message, subscription, latency, bucket);
  }

  /** Moves all copies of the ring into their mailboxes, where they can be found. */
  spill(): void {
    const current = this.#current;
    this.#current = undefined;
    if (current !== undefined) this.#spillRest(current, this.#gone);
    while (this.#ring.size > 0) this.#spillRest(this.#ring.shift() as Admission, 0);
  }

  /** Who listens to what is admitted has changed the rules: the mailboxes look who may get it. */
  #isStale({ seq }: Envelope): boolean {
    return this.#authority !== undefined && seq <= this.#authority.changedAt;
  }

  #mayRing(priority: number, list: DispatchList): boolean {
    if (!list.plain || this.#ring.size >= list.room) return false;
    if (this.#ring.size > 0 && priority !== this.#priority) return false;
    return list.clearAt === this.#ledger.touches || this.#isClear(list);
  }

  /** Looks at every mailbox, and remembers that nothing has touched any since. */
  #isClear(list: DispatchList): boolean {
    for (const { home, active } of list.subscriptions) {
      if (!active || !(home as Worker).clear) return false;
    }
    list.clearAt = this.#ledger.touches;
    return true;
  }

  #toRing(admission: Admission): void {
    this.#priority = admission.message.priority;
    this.#ring.push(admission);
    if (this.posted) return;
    // Whatever is said until the ring is drained is said in this turn.
    this.#parts.clock.holdAt(admission.message.turn);
    this.#env.post(this);
  }

  #put(admission: Admission, subscription: Subscription): void {
    enter(new Delivery(admission, subscription, subscription.home));
    subscription.home.wake();
  }

  #spillRest(admission: Admission, from: number): void {
    const { subscriptions } = admission.list;
    for (let i = from; i < subscriptions.length; i++) {
      this.#put(admission, subscriptions[i] as Subscription);
    }
  }

  /** What is directed and to be refused was refused before it came here, or not. */
  #squeezes({ home, message, subscription }: Delivery): boolean {
    if (this.#env.faults === undefined) return false;
    const { mailbox } = home;
    const { overflow } = mailbox.options;
    // Nobody waits outside while there is a place.
    if (overflow === 'wait' || (message.to !== undefined && overflow === 'reject')) return false;
    return mailbox.hasRoom && this.#isFullEarly(mailbox, message, subscription.owner);
  }

  /** An empty mailbox is never full. */
  #isFullEarly({ size }: Mailbox<Delivery>, { id, topic, from }: Envelope, agent: string): boolean {
    const { faults } = this.#env;
    return (
      faults !== undefined && size > 0 && faults.at('overflow', { id, topic, from, agent }) > 0
    );
  }

  #letWait(delivery: Delivery): void {
    this.#ledger.move('queued', 'waiting');
    delivery.state = 'waiting';
    delivery.admission.waitsOne();
    delivery.home.mailbox.wait(delivery);
  }

  /** A listener, or a `key`, has ended the subscription since the list was made. */
  #endedMeanwhile(delivery: Delivery): void {
    const { home } = delivery;
    const { outcomes } = this.#parts;
    if (home instanceof Worker && home.status === 'stopped') {
      outcomes.deadLettered(delivery, 'recipient-stopped', undefined);
    } else outcomes.cancelled(delivery, 'unsubscribed');
  }

  #overflow(delivery: Delivery): void {
    this.#parts.outcomes.deadLettered(delivery, 'overflow', undefined);
  }

  #readKey({ message, subscription }: Delivery): unknown {
    const known = subscription.busy?.read;
    if (known === undefined || known.message !== message) return this.#keyOf(message, subscription);
    (subscription.busy as BusyKeys).read = undefined;
    return known.key;
  }

  #keyOf(message: Envelope, { keyOf, owner }: Subscription): unknown {
    try {
      const key = keyOf?.(message);
      if (key instanceof Promise) refusePromise(key);
      return key;
    } catch (error) {
      this.#parts.onFault(error, `key of ${owner}`);
      return undefined;
    }
  }
}

/** The place in line is decided when the message is admitted: nobody can wait for a key. */
function refusePromise(key: Promise<unknown>): never {
  key.catch(() => {});
  throw new TypeError('key must be synchronous, but it returned a promise');
}
