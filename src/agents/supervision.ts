import type { Attempt } from '../delivery/attempt.ts';
import { RevokedError } from '../delivery/bound-errors.ts';
import type { BusEvents } from '../delivery/bus-events.ts';
import type { Deferrals } from '../delivery/deferrals.ts';
import { Inbox } from '../delivery/inbox.ts';
import { RestartError, RestartedError } from '../delivery/restart-errors.ts';
import type { Failure } from '../delivery/settle.ts';
import type { Permits, Subscription } from '../delivery/subscription.ts';
import type { Subscriptions } from '../delivery/subscriptions.ts';
import { statusOf } from '../delivery/whereabouts.ts';
import { Worker, type WorkerOptions, type Workshop } from '../delivery/worker.ts';
import { Deferred } from '../kernel/deferred.ts';
import type { Lane, Timer } from '../kernel/env.ts';
import type { GuardedEvents } from '../kernel/events.ts';
import { isA } from '../kernel/is-a.ts';
import { isThenable, promiseOf } from '../kernel/thenable.ts';
import type { Message } from '../message/message.ts';
import type { AgentRecord } from './agent-record.ts';
import { HandlePermits } from './permits.ts';
import { RestartBudget, type RestartTerms } from './restart-terms.ts';

/** Ends what `start` began; may return a promise, for which a second is waited. */
export type StopAgent = () => unknown;

/** An agent whose restarts are used up: it has left, and somebody else has to decide. */
export interface Escalation {
  readonly agent: string;
  /** What it failed with last. */
  readonly error: unknown;
  /** Restarts in the window before that. */
  readonly restarts: number;
}

/** What supervising an agent needs of its bus. */
export interface SupervisionParts {
  readonly shop: Workshop;
  readonly subscriptions: Subscriptions;
  readonly deferrals: Deferrals;
  readonly events: GuardedEvents<BusEvents>;
  readonly graceMs: number;
  /** Says something as the bus itself, if anybody listens. */
  readonly say: (topic: string, notice: unknown) => void;
  /** Ends what was made with handles that are revoked now, save what waits for an heir. */
  readonly endRevoked: (record: AgentRecord) => void;
  readonly leave: (record: AgentRecord) => Promise<void>;
}

/** How one agent is supervised. */
export interface SupervisionTerms extends RestartTerms {
  /** Wires a new life with these permits. */
  readonly start: (permits: HandlePermits) => unknown;
  readonly onEscalate: ((escalation: Escalation) => unknown) | undefined;
}

/** `waiting`: the old life has ended and the new one is due. */
type Phase = 'starting' | 'running' | 'ending' | 'waiting' | 'over';

/** What is told of an agent that does not run. */
export type SupervisedStatus = 'starting' | 'restarting';

/**
 * Gives an agent one life after the other. Each has a handle of its own, which is revoked when it
 * ends; what it listened to stays in the routes until the next life listens to the same, and takes
 * the mail over in its order. Between two lives nothing is taken out of the mailbox.
 */
export class Supervision implements Lane {
  readonly kind = 'timer' as const;
  readonly label: string;
  readonly order: number = Infinity;
  posted = false;
  /** Paused by its owner, whatever its supervision does. */
  paused = false;
  readonly #parts: SupervisionParts;
  readonly #record: AgentRecord;
  readonly #root: HandlePermits;
  readonly #terms: SupervisionTerms;
  readonly #budget: RestartBudget;
  #phase: Phase = 'starting';
  #lives = 0;
  #permits: HandlePermits;
  #stop: StopAgent | undefined;
  /** Subscriptions of an ended life: they gather mail for their heirs. */
  #orphans: Subscription[] = [];
  #timer: Timer | undefined;
  #ending: Promise<void> | undefined;
  #waiters: Deferred<void>[] = [];

  constructor(
    parts: SupervisionParts,
    record: AgentRecord,
    root: HandlePermits,
    terms: SupervisionTerms,
  ) {
    this.#parts = parts;
    this.#record = record;
    this.#root = root;
    this.#terms = terms;
    this.#permits = root;
    this.#budget = new RestartBudget(terms);
    this.label = `restart of ${record.name}`;
  }

  /** Nothing is taken out of its mailboxes now. */
  get suspended(): boolean {
    return this.#phase !== 'running';
  }

  get status(): SupervisedStatus | undefined {
    if (!this.suspended || this.#phase === 'over') return undefined;
    return this.#lives > 1 || this.#phase !== 'starting' ? 'restarting' : 'starting';
  }

  /** Begins the next life. */
  run(): void {
    if (this.#phase === 'over') return;
    const life = ++this.#lives;
    this.#phase = 'starting';
    this.#permits = new HandlePermits(this.#record.name, this.#root);
    let started: unknown;
    try {
      started = this.#terms.start(this.#permits);
    } catch (error) {
      if (this.#starts(life)) this.#die(error);
      return;
    }
    if (isThenable(started)) this.#await(life, promiseOf(started));
    else this.#begun(life, started);
  }

  // ---- what ends a life

  /** A handler has failed; `hung`: it has run on, and its agent is to be restarted for it. */
  failed(failure: Failure, attempt: Attempt, hung: boolean): void {
    if (this.#phase !== 'running') return;
    if (hung || this.#isFatal(failure, attempt.message)) this.#die(failure.error);
  }

  /** Resolves when the next life has begun. */
  restart(reason: string): Promise<void> {
    const waiter = new Deferred<void>();
    // Whoever does not wait for it need not hear that it has failed.
    waiter.promise.catch(() => {});
    this.#waiters.push(waiter);
    if (this.#phase === 'running' || this.#phase === 'starting') {
      this.#die(new RestartError(reason, { cause: undefined }));
    }
    return waiter.promise;
  }

  /** It is not started again. */
  halt(reason: unknown): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#timer?.cancel();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(reason);
    this.#orphans = [];
  }

  /** Its last life has ended. Called after {@link halt}. */
  async finish(): Promise<void> {
    await this.#ending;
    await this.#callStop(this.#takeStop());
  }

  // ---- heirs

  /** Waits for an heir: nobody else ends it. */
  keeps(subscription: Subscription): boolean {
    return this.#orphans.includes(subscription);
  }

  /** The lane that an earlier life has left for this one. */
  laneFor(permits: HandlePermits, seat: Seat, options: WorkerOptions): Worker | undefined {
    if (this.#orphans.length === 0 || !this.#isOfLife(permits)) return undefined;
    for (const old of this.#orphans) {
      const { home } = old;
      if (home === this.#record.worker || !(home instanceof Worker)) continue;
      if (isSeatOf(old, seat) && isSame(home.options, options)) return home;
    }
    return undefined;
  }

  /** A new life listens to what an earlier one did: it gets the mail. */
  adopt(heir: Subscription): void {
    if (this.#orphans.length === 0 || !this.#isOfLife(heir.permits)) return;
    const at = this.#orphans.findIndex((old) => old.home === heir.home && isSeatOf(old, heir));
    const [old] = this.#orphans.splice(at, at < 0 ? 0 : 1);
    if (old === undefined) return;
    this.#parts.subscriptions.supersede(old, heir);
    this.#record.remove(old);
  }

  // ---- a life begins

  #starts(life: number): boolean {
    return this.#lives === life && this.#phase === 'starting';
  }

  #await(life: number, started: Promise<unknown>): void {
    this.#suspend();
    const { env } = this.#parts.shop;
    const { startTimeoutMs } = this.#terms;
    const late = (): void => {
      if (!this.#starts(life)) return;
      this.#die(new Error(`start of ${this.#record.name} took more than ${startTimeoutMs} ms`));
    };
    const timer =
      startTimeoutMs === Infinity
        ? undefined
        : env.setTimer(startTimeoutMs, late, { keepAlive: true, label: 'start' });
    this.#timer = timer;
    started.then(
      (stop) => {
        timer?.cancel();
        this.#begun(life, stop);
      },
      (error: unknown) => {
        timer?.cancel();
        if (this.#starts(life)) this.#die(error);
      },
    );
  }

  #begun(life: number, started: unknown): void {
    const stop = typeof started === 'function' ? (started as StopAgent) : undefined;
    if (!this.#starts(life)) {
      // It was given up meanwhile: what it has begun ends at once.
      void this.#callStop(stop);
      return;
    }
    this.#stop = stop;
    this.#phase = 'running';
    this.#endOrphans();
    if (!this.paused) {
      for (const worker of this.#record.workers) {
        if (worker.status === 'paused') worker.status = 'open';
        worker.wake();
      }
    }
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
    if (life > 1) this.#tellStatus(statusOf(this.#record.worker));
  }

  #tellStatus(status: string): void {
    this.#parts.say('$bus.agent.status', { agent: this.#record.name, status });
  }

  /** What the new life does not listen to any more. */
  #endOrphans(): void {
    for (const old of this.#orphans.splice(0)) {
      this.#parts.subscriptions.end(old);
      this.#record.remove(old);
    }
  }

  // ---- a life ends

  #isFatal({ error, stopped }: Failure, message: Message): boolean {
    if (isA(error, RestartError)) return true;
    const { when } = this.#terms;
    if (when === undefined || stopped === 'withdrawn') return false;
    try {
      return when(error, message) === true;
    } catch (fault) {
      this.#parts.shop.onFault(fault, `restart.when of ${this.#record.name}`);
      return false;
    }
  }

  #die(error: unknown): void {
    const { env } = this.#parts.shop;
    this.#timer?.cancel();
    const now = env.now();
    const restarts = this.#budget.used(now);
    const delayMs = this.#budget.take(now, error, () => env.random());
    if (delayMs === undefined) {
      this.#escalate(error, restarts);
      return;
    }
    this.#phase = 'ending';
    const reason = new RestartedError(this.#record.name, error);
    this.#retire();
    this.#parts.events.emit('restarted', this.#record.name, error, restarts + 1);
    this.#tellStatus('restarting');
    this.#ending = this.#windDown(reason).then(() => this.#scheduleNext(delayMs));
  }

  /** The handle is of no use any more; what it listened to goes on gathering mail. */
  #retire(): void {
    const { shop, deferrals, endRevoked } = this.#parts;
    const record = this.#record;
    shop.spill();
    this.#permits.revoke('restarted');
    for (const subscription of record.subscriptions) {
      const { permits, home } = subscription;
      if (this.#isOfLife(permits) && !(home instanceof Inbox)) this.#orphans.push(subscription);
    }
    this.#suspend();
    for (const worker of record.workers) {
      worker.requeueHeld(({ subscription }) => this.#isOfLife(subscription.permits));
    }
    endRevoked(record);
    const owed = deferrals.matching(({ attempt }) => this.#isOfLife(attempt.permits));
    for (const one of owed) one.leave();
  }

  async #windDown(reason: RestartedError): Promise<void> {
    const { shop, graceMs } = this.#parts;
    // A handler that is at work in this very turn counts as running only when it has returned.
    await undefined;
    const ended = this.#running();
    for (const attempt of await shop.running.end(shop.env, ended, reason, graceMs)) {
      attempt.worker.giveUp(attempt, reason);
    }
    await this.#callStop(this.#takeStop());
  }

  /** Handlers of the life that ends. A slot that one of them held for ever is free. */
  #running(): Attempt[] {
    const ended: Attempt[] = [];
    const isOfLife = ({ permits }: Attempt): boolean => this.#isOfLife(permits);
    for (const attempt of this.#parts.shop.running.matching(isOfLife)) {
      if (attempt.running) ended.push(attempt);
      else attempt.worker.freeHeld(attempt);
    }
    return ended;
  }

  #scheduleNext(delayMs: number): void {
    this.#ending = undefined;
    if (this.#phase === 'over') return;
    const { env } = this.#parts.shop;
    this.#phase = 'waiting';
    if (delayMs === 0) env.post(this);
    else {
      const { label } = this;
      this.#timer = env.setTimer(delayMs, () => this.run(), { keepAlive: true, label });
    }
  }

  #suspend(): void {
    const workers = new Set([this.#record.worker]);
    for (const { home, permits } of this.#record.subscriptions) {
      if (home instanceof Worker && this.#isOfLife(permits)) workers.add(home);
    }
    for (const worker of workers) if (worker.status === 'open') worker.status = 'paused';
  }

  /** Made with the handle of the last life, or with one that was made from it. */
  #isOfLife(permits: Permits | undefined): boolean {
    return permits instanceof HandlePermits && permits.isUnder(this.#permits);
  }

  #takeStop(): StopAgent | undefined {
    const stop = this.#stop;
    this.#stop = undefined;
    return stop;
  }

  async #callStop(stop: StopAgent | undefined): Promise<void> {
    if (stop === undefined) return;
    const { shop, graceMs } = this.#parts;
    const fault = (error: unknown): void => shop.onFault(error, `stop of ${this.#record.name}`);
    try {
      const result = stop();
      if (!isThenable(result)) return;
      const over = new Deferred<void>();
      const timer = shop.env.setTimer(graceMs, () => over.resolve(), {
        keepAlive: true,
        label: 'grace of stop',
      });
      promiseOf(result).then(
        () => over.resolve(),
        (error: unknown) => {
          fault(error);
          over.resolve();
        },
      );
      await over.promise;
      timer.cancel();
    } catch (error) {
      fault(error);
    }
  }

  // ---- the end

  #escalate(error: unknown, restarts: number): void {
    const { events, leave, shop } = this.#parts;
    const agent = this.#record.name;
    const { onEscalate } = this.#terms;
    this.halt(new RevokedError(agent, 'left'));
    events.emit('escalated', agent, error);
    void leave(this.#record);
    // Nobody else would ever hear of it.
    if (onEscalate === undefined) shop.onFault(error, `${agent}, which is not restarted any more`);
    else this.#tell(onEscalate, { agent, error, restarts });
  }

  #tell(onEscalate: (escalation: Escalation) => unknown, escalation: Escalation): void {
    const { shop } = this.#parts;
    const fault = (error: unknown): void =>
      shop.onFault(error, `onEscalate of ${escalation.agent}`);
    try {
      const result = onEscalate(escalation);
      if (isThenable(result)) promiseOf(result).then(undefined, fault);
    } catch (error) {
      fault(error);
    }
  }
}

/** What makes a subscription the heir of another: what it listens to, and how. */
export interface Seat {
  readonly kind: Subscription['kind'];
  readonly pattern: { readonly source: string };
  readonly types?: readonly string[] | undefined;
}

function isSeatOf(old: Subscription, seat: Seat): boolean {
  if (old.kind !== seat.kind || old.pattern.source !== seat.pattern.source) return false;
  return (old.types?.join() ?? '') === (seat.types?.join() ?? '');
}

function isSame(one: WorkerOptions, other: WorkerOptions): boolean {
  return (
    one.concurrency === other.concurrency &&
    one.capacity === other.capacity &&
    one.overflow === other.overflow &&
    one.ageingLimit === other.ageingLimit &&
    one.onHang === other.onHang
  );
}
