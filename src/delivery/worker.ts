import type { Env, Lane } from '../kernel/env.ts';
import type { GuardedEvents } from '../kernel/events.ts';
import { isThenable, promiseOf } from '../kernel/thenable.ts';
import type { Lanes } from '../mailbox/lanes.ts';
import { Mailbox, type MailboxOptions } from '../mailbox/mailbox.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Message } from '../message/message.ts';
import { Attempt, type House } from './attempt.ts';
import type { Authority } from './authority.ts';
import { isBarred, refuse } from './barred.ts';
import { BatchRun } from './batch-run.ts';
import type { Batcher } from './batcher.ts';
import type { BusEvents } from './bus-events.ts';
import { Delivery, type Recipient } from './delivery.ts';
import { givePlace, keepPlace, letIn } from './entry.ts';
import type { Group } from './group.ts';
import { HandlerWatch } from './handler-watch.ts';
import type { Inbox } from './inbox.ts';
import type { Ledger } from './ledger.ts';
import { SKIPPED } from './middleware.ts';
import { type Outcomes, told } from './outcomes.ts';
import type { Admission } from './receipt.ts';
import { RetryQueue } from './retry-queue.ts';
import type { Running } from './running.ts';
import { type Failure, failureOf } from './settle.ts';
import { comeBack, conclude } from './settling.ts';
import { readSteered } from './steered.ts';
import { callStruck } from './struck.ts';
import type { Subscription } from './subscription.ts';
import type { Instant } from './turn-clock.ts';

/** So many messages that cannot run, having expired or found no token, are passed by in a step. */
export const LOOKS_PER_STEP = 100;

/** What `#call` says of a handler that threw. */
const FAILED: unique symbol = Symbol('failed');

/** What happens to the slot of a handler that outlives its time-out. */
export type OnHang = 'release' | 'hold' | 'stop' | 'restart';

/** Whether a worker takes messages. */
export type WorkerStatus = 'open' | 'paused' | 'stopped';

/** What every worker of a bus shares. */
export interface Workshop {
  readonly env: Env;
  readonly ledger: Ledger;
  readonly events: GuardedEvents<BusEvents>;
  readonly outcomes: Outcomes;
  readonly house: House;
  readonly running: Running;
  /** Who may hear and answer what; undefined on a bus without permissions. */
  readonly authority: Authority | undefined;
  /** How long a handler may go on after its time-out, in milliseconds. */
  readonly graceMs: number;
  /** The monotonic instant of this turn. */
  now(): number;
  instant(): Instant;
  /** Moves what the ring holds into the mailboxes. */
  spill(): void;
  /** The message as one who pulls gets to see it. */
  handOut(message: Envelope): Message;
  /** A value of a user in the library's own. */
  takeIn(value: unknown): unknown;
  /** Hears what user code threw where nobody waits for it. */
  onFault(error: unknown, where: string): void;
}

/** How a worker works. Many share one. */
export interface WorkerOptions extends MailboxOptions {
  readonly concurrency: number;
  readonly onHang: OnHang;
}

/** What a hung handler ends when `onHang` is `stop`, and who hears that handlers fail. */
export interface Stoppable {
  unsubscribe(): void;
  /** `hung`: it runs on, and `onHang` is `restart`. */
  failed?(failure: Failure, attempt: Attempt, hung: boolean): void;
}

const NO_GROUPS: readonly Group[] = [];
const NO_ASKERS: Set<Attempt> = new Set();

/**
 * Takes from one mailbox and runs handlers, at most `concurrency` at a time. A step takes one
 * delivery; returning is ack and throwing is failure.
 */
export class Worker implements Lane, Recipient {
  readonly kind = 'mailbox' as const;
  readonly options: WorkerOptions;
  readonly mailbox: Mailbox<Delivery>;
  groups: readonly Group[] = NO_GROUPS;
  /** What ends with it when a handler hangs: its agent, or its one subscription. */
  ends: Stoppable | undefined;
  /** The pulling side of the same mailbox, when it belongs to an agent. */
  inbox: Inbox | undefined;
  posted = false;
  /** Slots in use: running handlers, and retries that hold their agent. */
  running = 0;
  /** Handlers that were given up while they still ran. */
  abandoned = 0;
  /** Its running handlers that have asked somebody something. */
  askers: Set<Attempt> = NO_ASKERS;
  #status: WorkerStatus = 'open';
  /** Handlers that may run at a time now: none while it is paused. */
  #limit: number;
  readonly #shop: Workshop;
  readonly #lanes: Lanes<Delivery>;
  readonly #owner: string;
  readonly #pattern: string | undefined;
  #retries: RetryQueue | undefined;

  /** `pattern`: of the one subscription that it serves; none when it serves an agent. */
  constructor(shop: Workshop, options: WorkerOptions, owner: string, pattern?: string) {
    this.#shop = shop;
    this.#owner = owner;
    this.#pattern = pattern;
    this.options = options;
    this.#limit = options.concurrency;
    this.mailbox = new Mailbox<Delivery>(options, shop.ledger);
    this.#lanes = this.mailbox.lanes;
  }

  get house(): House {
    return this.#shop.house;
  }

  get label(): string {
    return this.#pattern === undefined ? this.#owner : `${this.#owner} on ${this.#pattern}`;
  }

  get order(): number {
    return this.#richest()?.mailbox.lanes.peek()?.message.seq ?? Infinity;
  }

  /** What this worker still has to do, for the choice of a responder. */
  get outstanding(): number {
    return this.running + this.mailbox.size + this.mailbox.waiting;
  }

  get free(): boolean {
    return this.running < this.#limit;
  }

  /** Every slot is in use, whether or not it takes messages now. */
  get full(): boolean {
    return this.running >= this.options.concurrency && this.#status !== 'stopped';
  }

  get status(): WorkerStatus {
    return this.#status;
  }

  set status(status: WorkerStatus) {
    this.#status = status;
    this.#limit = status === 'open' ? this.options.concurrency : 0;
    this.#shop.ledger.touches++;
  }

  /** Nothing stands before a copy that would come through the ring. */
  get clear(): boolean {
    return this.status === 'open' && this.mailbox.size === 0 && this.mailbox.waiting === 0;
  }

  /** A copy may be handed over now. */
  get idle(): boolean {
    return this.running < this.#limit && this.#lanes.size === 0;
  }

  /** The handler that has run longest, of those that returned a promise. */
  get busyWith(): Attempt | undefined {
    return this.#shop.running.matching((attempt) => attempt.worker === this)[0];
  }

  /** One of its handlers asks somebody for the first time. */
  hasAsker(attempt: Attempt): void {
    if (this.askers === NO_ASKERS) this.askers = new Set();
    this.askers.add(attempt);
  }

  wake(): void {
    this.inbox?.wake();
    if (!this.posted && this.free && this.#richest() !== undefined) this.#shop.env.post(this);
  }

  run(): void {
    if (!this.free) return;
    const delivery = this.#next();
    if (delivery === undefined) return;
    const { batcher } = delivery.subscription;
    if (batcher === undefined) this.#begin(delivery, 'queued');
    else this.#beginBatch(batcher, delivery);
    this.wake();
  }

  /** Hands over a copy that never lay in the mailbox; true when it is handled and done with. */
  hand(admission: Admission, subscription: Subscription, now: Instant): boolean {
    this.running++;
    const attempt = new Attempt(this, admission, subscription, now);
    let result: unknown;
    try {
      result = subscription.invoke(admission.message, attempt);
    } catch (error) {
      this.#shop.ledger.takeUp();
      this.#ended(attempt, failureOf(error, attempt.abortReason), undefined);
      return false;
    }
    // Most handlers return no promise and leave no trace: then the books have to know, and the asker.
    if (!attempt.bare || result === SKIPPED || isThenable(result)) {
      this.#shop.ledger.takeUp();
      this.#returned(attempt, result);
      return false;
    }
    attempt.end();
    this.running--;
    admission.asker?.answer(result);
    if (this.#lanes.size > 0 || this.groups.length > 0) this.wake();
    return true;
  }

  /** Hands over a copy with a record of its own, when somebody watches each step. */
  serve(admission: Admission, subscription: Subscription): void {
    this.#begin(new Delivery(admission, subscription, this), 'queued');
  }

  /** Deliveries that wait for a retry and fit; they are out of the worker when this returns. */
  withdrawRetries(matches: (delivery: Delivery) => boolean): Delivery[] {
    if (this.#retries === undefined) return [];
    return this.#retries.removeWhere(matches, (delivery, held) => {
      if (held) this.release();
      givePlace(delivery);
    });
  }

  // ---- take

  /** The mailbox with the delivery that should be next: its own, or that of a group. */
  #richest(): Recipient | undefined {
    let best: Recipient | undefined = this.mailbox.lanes.size > 0 ? this : undefined;
    for (const group of this.groups) {
      const head = group.headFor(this);
      if (head === undefined) continue;
      const rival = best?.mailbox.lanes.peek();
      if (rival === undefined || isBefore(head, rival)) best = group;
    }
    return best;
  }

  #next(): Delivery | undefined {
    for (let looks = 0; looks < LOOKS_PER_STEP; looks++) {
      const source = this.#richest();
      const delivery = source?.mailbox.lanes.take();
      if (source === undefined || delivery === undefined) return undefined;
      if (source !== this) (source as Group).assign(delivery, this);
      if (delivery.message.expires <= this.#shop.now()) this.#shop.outcomes.expired(delivery);
      else if (isBarred(this.#shop, delivery)) refuse(this.#shop, delivery);
      else if (passesRate(delivery)) {
        if (delivery.subscription.retry !== undefined) keepPlace(delivery);
        letIn(source, this.#shop.ledger);
        return delivery;
      }
      letIn(source, this.#shop.ledger);
    }
    // A listener may say again what has expired: the others have their turn before it goes on.
    this.wake();
    return undefined;
  }

  // ---- handle

  #begin(delivery: Delivery, from: 'queued' | 'retryWait'): void {
    this.running++;
    this.#run(delivery, from);
  }

  #run(delivery: Delivery, from: 'queued' | 'retryWait'): void {
    this.#start(this.#open(delivery, from));
  }

  #open(delivery: Delivery, from: 'queued' | 'retryWait'): Attempt {
    this.#shop.ledger.move(from, 'inFlight');
    delivery.state = 'inFlight';
    const { admission, subscription } = delivery;
    return new Attempt(this, admission, subscription, this.#shop.instant(), delivery);
  }

  #start(attempt: Attempt): void {
    const { admission, subscription } = attempt.delivery;
    const result = this.#call(attempt, subscription, admission);
    if (result !== FAILED) this.#returned(attempt, result);
  }

  /** A batch uses one slot; each of its messages is an attempt of its own. */
  #beginBatch(batcher: Batcher, front: Delivery): void {
    const { outcomes, ledger } = this.#shop;
    const members = batcher.collect(front, this.#shop.now(), (late) => outcomes.expired(late));
    this.running++;
    const run = new BatchRun(batcher);
    const attempts = members.map((delivery) => this.#join(run, delivery, front));
    letIn(this, ledger);
    for (const attempt of attempts) this.#start(attempt);
    run.begin();
  }

  #join(run: BatchRun, delivery: Delivery, front: Delivery): Attempt {
    // The front was taken out of the lanes, and keeps its place already.
    if (delivery !== front && delivery.subscription.retry !== undefined) keepPlace(delivery);
    const attempt = this.#open(delivery, 'queued');
    attempt.batch = run;
    run.expect(attempt);
    return attempt;
  }

  /** Calls the handler. What it throws is settled here; then the result is `FAILED`. */
  #call(attempt: Attempt, subscription: Subscription, { message }: Admission): unknown {
    if (this.#shop.events.has('started')) {
      this.#shop.events.emit('started', told(attempt.delivery));
      // A listener has said what interrupts it: it has its outcome and never begins.
      if (attempt.fenced) return FAILED;
    }
    if (this.#shop.authority !== undefined && isBarred(this.#shop, attempt.delivery)) {
      this.#bar(attempt);
      return FAILED;
    }
    const { env } = this.#shop;
    try {
      if (env.faults === undefined) return subscription.invoke(message, attempt);
      const invoke = (): unknown => subscription.invoke(message, attempt);
      return callStruck(env, env.faults, attempt, invoke);
    } catch (error) {
      if (!attempt.fenced) this.#ended(attempt, failureOf(error, attempt.abortReason), undefined);
      return FAILED;
    }
  }

  /** The rules have changed since it was taken. */
  #bar(attempt: Attempt): void {
    attempt.fence();
    refuse(this.#shop, attempt.delivery);
    this.release(attempt);
  }

  #returned(attempt: Attempt, result: unknown): void {
    if (isThenable(result)) this.#await(attempt, result);
    // Who interrupted himself before he returned has his outcome already, and no slot.
    else if (!attempt.fenced) this.#ended(attempt, undefined, result);
  }

  #await(attempt: Attempt, result: PromiseLike<unknown>): void {
    if (attempt.fenced) {
      // It runs on, and nobody waits for it.
      promiseOf(result).catch(() => {});
      return;
    }
    const watch = new HandlerWatch(this.#shop, attempt, (failure) => this.#hung(attempt, failure));
    attempt.watch = watch;
    this.#shop.running.add(watch);
    promiseOf(result).then(
      (value) => this.#finished(attempt, watch, undefined, value),
      (error: unknown) =>
        this.#finished(attempt, watch, failureOf(error, attempt.abortReason), undefined),
    );
  }

  #finished(
    attempt: Attempt,
    watch: HandlerWatch,
    failure: Failure | undefined,
    value: unknown,
  ): void {
    watch.stop();
    if (!attempt.fenced) this.#ended(attempt, failure, value);
    else if (watch.holdsSlot) this.release(attempt);
    this.#shop.running.remove(attempt);
  }

  /** The grace is over and the handler still runs: it is fenced and the agent goes on. */
  #hung(attempt: Attempt, failure: Failure): void {
    const { ledger, events } = this.#shop;
    ledger.abandoned++;
    this.abandoned++;
    attempt.fence();
    if (events.has('abandoned')) events.emit('abandoned', told(attempt.delivery));
    const holds = this.options.onHang === 'hold';
    const wrapsUp = conclude(this.#shop, attempt, failure, undefined);
    if (attempt.watch !== undefined) attempt.watch.holdsSlot = holds;
    if (!holds && !wrapsUp) this.release(attempt);
    if (this.options.onHang === 'stop') this.ends?.unsubscribe();
    // Who holds no slot is forgotten: its promise may never settle.
    if (holds) this.#shop.running.giveUp(attempt);
    else this.#shop.running.remove(attempt);
    this.ends?.failed?.(failure, attempt, this.options.onHang === 'restart');
  }

  /** Told from outside to stop, the handler has run on through the grace. */
  outstayed(attempt: Attempt, reason: unknown): void {
    if (!attempt.running) return;
    attempt.watch?.stop();
    this.#hung(attempt, { error: reason, stopped: 'withdrawn' });
  }

  /** Gives up a running handler from outside: it is fenced and its slot is free. */
  abandon(attempt: Attempt, end: (delivery: Delivery) => void): void {
    if (!attempt.running) return;
    this.#shop.ledger.abandoned++;
    this.abandoned++;
    attempt.watch?.stop();
    attempt.fence();
    end(attempt.delivery);
    this.release(attempt);
    this.#shop.running.remove(attempt);
  }

  /** As `abandon`, but its delivery has failed, and ends by its own rule. */
  giveUp(attempt: Attempt, error: unknown): void {
    if (!attempt.running) return;
    const { ledger, events, running } = this.#shop;
    ledger.abandoned++;
    attempt.watch?.stop();
    attempt.fence();
    conclude(this.#shop, attempt, { error }, undefined);
    this.release(attempt);
    running.remove(attempt);
    if (events.has('abandoned')) events.emit('abandoned', told(attempt.delivery));
  }

  /** The slot that a fenced handler still holds is free. */
  freeHeld(attempt: Attempt): void {
    if (attempt.watch?.holdsSlot !== true) return;
    attempt.watch.holdsSlot = false;
    this.release(attempt);
    this.#shop.running.remove(attempt);
  }

  /** A newer message takes over: nothing that the handler says from here on is heard. */
  interrupt(attempt: Attempt, reason: unknown): void {
    if (!attempt.running) return;
    const { outcomes, events } = this.#shop;
    this.abandon(attempt, (delivery) => outcomes.cancelled(delivery, 'interrupted'));
    if (events.has('abandoned')) events.emit('abandoned', told(attempt.delivery));
    // Last, because who listens to the signal may say something at once.
    attempt.abort(reason);
  }

  /** What came for the same key while the handler ran, and is done with by being read. */
  steered(attempt: Attempt): readonly Message[] {
    return readSteered(this.#shop, attempt.delivery);
  }

  #ended(attempt: Attempt, failure: Failure | undefined, value: unknown): void {
    attempt.end();
    const holds = conclude(this.#shop, attempt, failure, value);
    if (!holds) this.release(attempt);
    if (failure !== undefined) this.ends?.failed?.(failure, attempt, false);
  }

  /** Frees the slot of an attempt; that of a batch when its last message has ended. */
  release(attempt?: Attempt): void {
    if (attempt?.batch?.leave(attempt) === false) return;
    this.running--;
    this.wake();
  }

  // ---- retry

  /** Retries that wait in their slots go back to their places, for whoever has the slots next. */
  requeueHeld(matches: (delivery: Delivery) => boolean): void {
    if (this.#retries === undefined) return;
    const isHeld = (delivery: Delivery, held: boolean): boolean => held && matches(delivery);
    const taken = this.#retries.removeWhere(isHeld, (delivery) => {
      this.release();
      givePlace(delivery);
    });
    for (const delivery of taken) {
      this.#shop.ledger.move('retryWait', 'queued');
      delivery.state = 'queued';
      delivery.home.mailbox.lanes.restore(delivery);
    }
  }

  /** A delivery waits on the clock for its next attempt; `held`: in its slot. */
  retryLater(delivery: Delivery, delayMs: number, held: boolean): void {
    this.#retries ??= new RetryQueue(this.#shop.env, (due, keepsAgent) => {
      this.#shop.spill();
      if (keepsAgent) this.#run(due, 'retryWait');
      else comeBack(this.#shop, due);
    });
    this.#retries.add(delivery, delayMs, held);
  }
}

function passesRate(delivery: Delivery): boolean {
  const { rate } = delivery.subscription;
  if (rate === undefined || delivery.flags.cleared || rate.pass(delivery)) return true;
  delivery.home.mailbox.hold();
  return false;
}

function isBefore(one: Delivery, other: Delivery): boolean {
  if (one.priority !== other.priority) return one.priority > other.priority;
  return one.message.seq < other.message.seq;
}
