import { onAbort } from '../kernel/abort.ts';
import type { Env, Lane, Timer } from '../kernel/env.ts';
import { isA } from '../kernel/is-a.ts';
import { type Linked, LinkedList } from '../kernel/linked-list.ts';
import { isThenable } from '../kernel/thenable.ts';
import type { Budget, Shortage } from '../message/budget.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Ambient } from './ambient.ts';
import type { Attempt } from './attempt.ts';
import { BudgetExhaustedError } from './bound-errors.ts';
import type { Delivery } from './delivery.ts';
import { CancelledError, RequestTimeoutError } from './errors.ts';
import type { Asker, ChunkSink } from './receipt.ts';
import { countRetry, isRetriedBelow } from './retry-tokens.ts';
import type { Cause } from './speech.ts';
import { whereabouts } from './whereabouts.ts';

/** What the table of requests needs of its bus. */
export interface RequestParts {
  readonly env: Env;
  readonly ambient: Ambient | undefined;
  now(): number;
  /** The asker has gone: what is left of the delivery is not wanted. */
  abandon(asker: Asker, how: 'expired' | 'withdrawn', reason: unknown): void;
  /** Tells its running handler that the budget is used up; says how long that may still take. */
  stop(asker: Asker, reason: BudgetExhaustedError): number;
  /** An answer that nobody waits for any more. */
  late(message: Envelope, value: unknown): void;
  /** Hears what a user's `onProgress` threw. */
  onFault(error: unknown, where: string): void;
}

/** How long an asker waits, and what it hears meanwhile. */
export interface Terms {
  /** Milliseconds for the whole call, `Infinity` for no limit. */
  readonly timeoutMs: number;
  /** Milliseconds without a sign of life, `Infinity` for no limit. */
  readonly idleTimeoutMs: number;
  readonly onProgress: ((update: unknown) => void) | undefined;
  /** Hears the answer in place of the promise: for who asks many at once. */
  readonly onSettled?: ((answer: Answer, pending: Pending) => void) | undefined;
  /** Gets the chunks, and the answer in place of the promise. */
  readonly stream?: AnswerSink | undefined;
}

/** What a stream belongs to: a request, or a call with attempts. */
export interface StreamSource {
  readonly message: { readonly topic: string; readonly from: string; readonly seq: number };
  touch(): void;
  withdraw(reason?: unknown): void;
}

/** Where the chunks of an answer go, and then the answer. */
export interface AnswerSink extends ChunkSink {
  opened(source: StreamSource): void;
  /** `drops`: what was buffered is not wanted any more. */
  end(answer: Answer, drops: boolean): void;
}

/** What an asker got: a value, or an error. */
export interface Answer {
  readonly value: unknown;
  readonly failed: boolean;
}

/** All requests that wait for an answer. */
export class Requests {
  readonly #parts: RequestParts;
  readonly #open = new LinkedList<Pending>();

  constructor(parts: RequestParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Opens a request; its promise settles exactly once. */
  open(message: Envelope, terms: Terms): Pending {
    const { ambient } = this.#parts;
    const heard = ambient === undefined ? terms : bound(terms, ambient);
    const pending = new Pending(this.#parts, this.#open, message, heard);
    this.#open.add(pending);
    return pending;
  }

  /** Those that wait, oldest first. */
  all(): Pending[] {
    return this.#open.toArray();
  }

  /** Rejects everything that is open. */
  failAll(error: (message: Envelope) => unknown): void {
    for (const pending of this.all()) pending.fail(error(pending.message));
  }
}

/** What the asker hears, it hears where it asked, and not inside of the responder's handler. */
function bound(terms: Terms, ambient: Ambient): Terms {
  const { onProgress, onSettled } = terms;
  return {
    ...terms,
    onProgress: onProgress && ambient.bind(onProgress),
    onSettled: onSettled && ambient.bind(onSettled),
  };
}

/** The promise of a request whose answer is heard in another way. */
const NEVER = new Promise<never>(() => {});
/** What stands for the answer once nobody wants it, though the responder may go on. */
const UNWANTED: Answer = { value: undefined, failed: false };

const TIMEOUT = { keepAlive: true, label: 'request time-out' } as const;

/**
 * One request that waits: for its answer, for the clock, for its caller's signal, for the end of
 * the handler that asks. On a simulated Env it is also the lane on which the answer comes back.
 */
export class Pending implements Asker, Lane, Linked<Pending> {
  readonly kind = 'reply' as const;
  readonly message: Envelope;
  readonly promise: Promise<unknown>;
  delivery: Delivery | undefined = undefined;
  /** It is one attempt of a call, which knows itself what its failure means for those above. */
  isAttempt = false;
  /** Hears how it has ended, before the asker does: a strategy that learns. */
  watch: ((answer: Answer, withdrawn: boolean) => void) | undefined = undefined;
  /** The handler that it holds up. */
  #waiter: Attempt | undefined = undefined;
  posted = false;
  previous: Pending | undefined = undefined;
  next: Pending | undefined = undefined;
  readonly #parts: RequestParts;
  readonly #open: LinkedList<Pending>;
  readonly #terms: Terms;
  /** Monotonic instant of the last sign of life; read only when an idle limit is set. */
  #aliveAt = 0;
  #timer: Timer | undefined = undefined;
  #offs: (() => void)[] | undefined = undefined;
  #answer: Answer | undefined = undefined;
  /** Updates on their way to `onProgress`, on a simulated Env. */
  #updates: unknown[] | undefined = undefined;
  /** Set when the time of a budget is over and the responder gets a moment to end. */
  #overrun: BudgetExhaustedError | undefined = undefined;
  #resolve!: (value: unknown) => void;
  #reject!: (reason: unknown) => void;

  constructor(parts: RequestParts, open: LinkedList<Pending>, message: Envelope, terms: Terms) {
    this.message = message;
    this.#parts = parts;
    this.#open = open;
    this.#terms = terms;
    this.promise = (terms.onSettled ?? terms.stream) ? NEVER : this.#makePromise();
    const { timeoutMs, idleTimeoutMs } = terms;
    if (idleTimeoutMs !== Infinity) this.#aliveAt = parts.env.now();
    const budget = message.lineage?.budget;
    const limitMs = Math.min(timeoutMs, idleTimeoutMs);
    this.#arm(
      budget === undefined ? limitMs : Math.min(limitMs, Math.max(0, budget.deadline - message.at)),
    );
    terms.stream?.opened(this);
  }

  get chunks(): ChunkSink | undefined {
    return this.#terms.stream;
  }

  get label(): string {
    return `reply to ${this.message.from}`;
  }

  get order(): number {
    return this.message.seq;
  }

  get waits(): boolean {
    return this.#answer === undefined;
  }

  get gone(): boolean {
    return this.#answer !== undefined && this.#answer !== UNWANTED;
  }

  /** Lets the caller's signal, or the end of the asking handler, call it off. */
  listen(signal: AbortSignal | undefined, cause: Pick<Cause, 'onAbort'> | undefined): void {
    const withdraw = (reason: unknown): void => this.withdraw(reason);
    for (const off of this.#offs ?? []) off();
    this.#offs = [];
    if (signal !== undefined) this.#offs.push(onAbort(signal, withdraw));
    if (cause !== undefined) this.#offs.push(cause.onAbort(withdraw));
    if (this.#answer !== undefined) this.#stop();
  }

  answer(value: unknown): boolean {
    if (this.#answer === undefined) {
      const late = this.#overrun?.withPartial(value);
      this.#settle({ value: late ?? value, failed: late !== undefined });
      return true;
    }
    if (this.#answer !== UNWANTED) this.#parts.late(this.message, value);
    return false;
  }

  /** The handler, or what it has passed on, waits for this until it is settled. */
  holdsUp(waiter: Attempt): void {
    if (!waiter.heard) return;
    this.#waiter = waiter;
    waiter.beginsToWait();
    waiter.waits.add(this);
  }

  /** What it got, also when that is still on its way. */
  get settled(): Answer | undefined {
    return this.#answer;
  }

  /**
   * Calls it off: what has begun is aborted, what has not is taken back. Where the asker itself is
   * stopped by a budget whose time is over, so is what it asked: that may say what it has.
   */
  withdraw(reason: unknown = new CancelledError(this.message.topic, 'withdrawn')): void {
    const budget = this.message.lineage?.budget;
    const now = this.#parts.env.now();
    const stopped = isA(reason, BudgetExhaustedError) && budget !== undefined;
    if (!stopped || budget.deadline > now) this.#giveUp('withdrawn', reason);
    else if (this.#overrun === undefined && this.#answer === undefined) {
      this.#timer?.cancel();
      this.#runOver(budget, now);
    }
  }

  /** Nobody waits any more, but the responder may go on: its answer will be no late reply. */
  release(): void {
    if (this.#answer !== undefined) return;
    this.#answer = UNWANTED;
    this.#leave();
  }

  fail(error: unknown): void {
    if (this.#answer === undefined) this.#settle({ value: error, failed: true });
  }

  expired(): void {
    const { lineage, expires, at } = this.message;
    const budget = lineage?.budget;
    const now = this.#parts.env.now();
    if (budget !== undefined && budget.deadline <= expires) {
      this.#overrun ??= new BudgetExhaustedError(budget.overrun(now) as Shortage);
    }
    this.fail(this.#overrun ?? this.#timeout(expires - at, 'answer'));
  }

  expectFailure(error: BudgetExhaustedError): void {
    this.#overrun ??= error;
  }

  /** A sign of life: the idle limit counts from here. */
  touch(): void {
    if (this.#terms.idleTimeoutMs !== Infinity) this.#aliveAt = this.#parts.env.now();
  }

  /** The responder says how far it is. */
  progress(update: unknown): void {
    if (this.#answer !== undefined) return;
    this.touch();
    if (this.#terms.onProgress === undefined) return;
    if (this.#parts.env.direct) {
      this.#tell(update);
      return;
    }
    this.#updates ??= [];
    this.#updates.push(update);
    this.#parts.env.post(this);
  }

  /** The next update arrives, or the answer. */
  run(): void {
    if (this.#updates !== undefined && this.#updates.length > 0) {
      this.#tell(this.#updates.shift());
      if (this.#updates.length > 0 || this.#answer !== undefined) this.#parts.env.post(this);
    } else if (this.#answer !== undefined && this.#answer !== UNWANTED) this.#arrive(this.#answer);
  }

  #makePromise(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  #arrive(answer: Answer): void {
    const { onSettled, stream } = this.#terms;
    // A stream was told when it settled: its end comes after its chunks.
    if (stream !== undefined) return;
    if (onSettled !== undefined) onSettled(answer, this);
    else if (answer.failed) this.#reject(answer.value);
    else this.#resolve(answer.value);
  }

  /** An `onProgress` that fails, now or later, changes nothing for the request. */
  #tell(update: unknown): void {
    try {
      const heard: unknown = this.#terms.onProgress?.(update);
      if (!isThenable(heard)) return;
      Promise.resolve(heard).catch((error) => this.#parts.onFault(error, 'onProgress'));
    } catch (error) {
      this.#parts.onFault(error, 'onProgress');
    }
  }

  #arm(delayMs: number): void {
    if (delayMs === Infinity) return;
    this.#timer = this.#parts.env.setTimer(delayMs, () => this.#due(), TIMEOUT);
  }

  /** One timer serves both limits: signs of life move the idle one, and it looks again. */
  #due(): void {
    const { timeoutMs, idleTimeoutMs } = this.#terms;
    const budget = this.message.lineage?.budget;
    if (idleTimeoutMs === Infinity && budget === undefined) {
      this.#timedOut(timeoutMs);
      return;
    }
    const now = this.#parts.env.now();
    if (this.#overrun !== undefined) {
      this.#giveUp('expired', this.#overrun);
      return;
    }
    if (budget !== undefined && budget.deadline <= now) {
      this.#runOver(budget, now);
      return;
    }
    const left = this.message.at + timeoutMs - now;
    const idleLeft = this.#aliveAt + idleTimeoutMs - now;
    if (left <= 0) this.#timedOut(timeoutMs);
    else if (idleLeft <= 0) this.#idledOut(idleTimeoutMs);
    else this.#arm(Math.min(left, idleLeft, (budget?.deadline ?? Infinity) - now));
  }

  /** The time of a budget is over: a handler at work gets a moment to say what it has. */
  #runOver(budget: Budget, now: number): void {
    const error = new BudgetExhaustedError(budget.overrun(now) as Shortage);
    this.#overrun = error;
    const left = this.message.at + this.#terms.timeoutMs - now;
    const graceMs = Math.min(left, this.#parts.stop(this, error));
    if (this.#answer !== undefined) return;
    if (graceMs > 0) this.#arm(graceMs);
    else this.#giveUp('expired', error);
  }

  #timedOut(afterMs: number, limit: 'answer' | 'idle' = 'answer'): void {
    this.#giveUp('expired', this.#overrun ?? this.#timeout(afterMs, limit));
  }

  #timeout(afterMs: number, limit: 'answer' | 'idle'): RequestTimeoutError {
    const { topic, to = 'nobody' } = this.message;
    const seen = whereabouts(this.delivery, this.#parts.now());
    return new RequestTimeoutError(topic, to, afterMs, seen, limit);
  }

  /** Nothing moves: either the responder owes a sign of life, or the reader has left it no room. */
  #idledOut(afterMs: number): void {
    const { stream } = this.#terms;
    if (stream === undefined || stream.writable) {
      this.#timedOut(afterMs, 'idle');
      return;
    }
    const { topic, from, to = 'nobody' } = this.message;
    const seen = { where: `${from} has left ${stream.unread} chunks unread` };
    this.#settle({
      value: new RequestTimeoutError(topic, to, afterMs, seen, 'reader'),
      failed: true,
    });
    // The responder has done nothing wrong: to it, its asker has gone.
    this.#parts.abandon(this, 'withdrawn', new CancelledError(topic, 'its reader stopped reading'));
  }

  #giveUp(how: 'expired' | 'withdrawn', reason: unknown): void {
    if (this.#answer !== undefined) return;
    this.#settle({ value: reason, failed: true }, how === 'withdrawn');
    this.#parts.abandon(this, how, reason);
  }

  /** `unwanted`: also what has come already. */
  #settle(answer: Answer, unwanted: boolean = false): void {
    this.#answer = answer;
    if (this.watch !== undefined) this.watch(answer, unwanted);
    if (answer.failed) this.#tellAbove();
    this.#leave();
    const { stream } = this.#terms;
    if (stream !== undefined) stream.end(answer, unwanted);
    else if (this.#parts.env.direct) this.run();
    else this.#parts.env.post(this);
  }

  /** Who waits for it, and fails because of it, is not to be retried if this was. */
  #tellAbove(): void {
    const { message } = this;
    if (!this.isAttempt && isRetriedBelow(message.lineage)) {
      countRetry(this.#waiter?.message.lineage);
    }
  }

  /** Nobody waits for it from here on. */
  #leave(): void {
    this.#stop();
    this.#open.remove(this);
    this.#waiter?.waits.delete(this);
  }

  #stop(): void {
    this.#timer?.cancel();
    for (const off of this.#offs ?? []) off();
  }
}
