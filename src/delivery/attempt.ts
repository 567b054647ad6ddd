import { Cancellation } from '../kernel/cancellation.ts';
import type { Env } from '../kernel/env.ts';
import { showEnv } from '../kernel/env-of.ts';
import { printAsJson } from '../kernel/inspection.ts';
import type { Linked } from '../kernel/linked-list.ts';
import { type BudgetView, checkSpending, type Spending, UNLIMITED } from '../message/budget.ts';
import type { Message } from '../message/message.ts';
import type { Logger } from '../observe/logger.ts';
import type { StateView } from '../state/state-view.ts';
import type { BatchRun } from './batch-run.ts';
import { BudgetExhaustedError } from './bound-errors.ts';
import type { BroadcastReceipt } from './broadcast.ts';
import type { Deferral } from './deferral.ts';
import { Delivery } from './delivery.ts';
import { FencedError } from './errors.ts';
import type { ForwardOptions, ForwardTo } from './forward.ts';
import type { Gathered } from './gathering.ts';
import { IDEMPOTENCY_HEADER } from './idempotency.ts';
import type { AnswerLater, DeferOptions, Later } from './later.ts';
import { Outbox } from './outbox.ts';
import type { Admission, Asker, Receipt } from './receipt.ts';
import { type ServedView, showServed } from './served.ts';
import type { Failure } from './settle.ts';
import type {
  BroadcastOptions,
  Cause,
  GatherOptions,
  PublishOptions,
  Recipients,
  RequestOptions,
  SendOptions,
  Speaker,
  Speaking,
  StreamOptions,
} from './speech.ts';
import { failedStream, type MessageStream } from './stream.ts';
import type { Permits, Subscription } from './subscription.ts';
import type { Instant } from './turn-clock.ts';
import type { Awaited } from './wait-for.ts';
import type { Worker } from './worker.ts';

const NOTHING: readonly Message[] = Object.freeze([]);

/** What a running handler may ask of the bus; `wiring/hosting.ts` does it. */
export interface House extends Speaking {
  readonly env: Env;
  now(): number;
  reply(attempt: Attempt, value: unknown): boolean;
  progress(attempt: Attempt, update: unknown): void;
  defer(attempt: Attempt, work: AnswerLater | undefined, options?: DeferOptions): Later;
  forward(attempt: Attempt, to: ForwardTo, options?: ForwardOptions): Later;
  /** An answer as the contract gives it back, in the library's own. */
  answerOf(message: Message, value: unknown): unknown;
  close(attempt: Attempt): Promise<void>;
  logOf(attempt: Attempt): Logger;
  stateOf(attempt: Attempt): StateView;
  /** What the agent of a handler may ask for. */
  served(name: string, permits: Permits | undefined): ServedView;
}

/** What counts the time of a handler that returned a promise. */
export interface Watch extends Linked<Watch> {
  readonly attempt: Attempt;
  /** Its handler was fenced, and its slot waits until it really ends. */
  holdsSlot: boolean;
  stop(): void;
  /** It has to end now, for this reason: the grace begins, unless it has. */
  hurry?(failure: Failure): void;
  /** Whoever is about to abort it gives it the grace, and ends it himself. */
  standDown?(): void;
}

/** Why a handler is only to say what it has, and until which monotonic instant. */
export interface LastCall {
  readonly error: BudgetExhaustedError;
  readonly until: number;
}

const NO_WAITS: Set<Awaited> = new Set();

/** Who speaks in a running handler, whatever has become of the context that it was given. */
export let voiceOf: (attempt: Attempt) => Speaker & { readonly cause: Cause };
/** Whether what the handler says is heard no longer. */
export let isFenced: (attempt: Attempt) => boolean;

/**
 * One call of a handler, and the context that the handler is given: the only way to inherit the
 * conversation. `Context` has its public type.
 */
export class Attempt implements Speaker, Cause {
  static {
    voiceOf = (attempt) => attempt.#voice;
    isFenced = (attempt) => attempt.#state === 'fenced';
  }
  /** Which call of the handler this is, from 1. */
  readonly attempt: number;
  /** Who runs it. */
  readonly worker: Worker;
  /** What counts its time, once it has returned a promise. */
  watch: Watch | undefined = undefined;
  /** The batch in which it runs. */
  batch: BatchRun | undefined = undefined;
  /** Set while it is the one last call of a responder whose budget is used up. */
  lastCall: LastCall | undefined = undefined;
  /** Requests that it made and that are open; made when it makes the first. */
  waits: Set<Awaited> = NO_WAITS;
  readonly #admission: Admission;
  readonly #subscription: Subscription;
  readonly #started: Instant;
  #delivery: Delivery | undefined;
  #state: 'running' | 'deferred' | 'over' | 'fenced' = 'running';
  #cancel: Cancellation | undefined = undefined;
  #outbox: Outbox | undefined = undefined;

  constructor(
    worker: Worker,
    admission: Admission,
    subscription: Subscription,
    started: Instant,
    delivery?: Delivery,
  ) {
    this.worker = worker;
    this.#admission = admission;
    this.#subscription = subscription;
    this.#started = started;
    this.#delivery = delivery;
    this.attempt = delivery === undefined ? 1 : ++delivery.attempts;
    if (delivery !== undefined) delivery.current = this;
  }

  /** A copy that was handed over directly gets a record of its own when somebody needs it. */
  get delivery(): Delivery {
    this.#delivery ??= this.#materialize();
    return this.#delivery;
  }

  /** Nothing needed a record of its own so far. */
  get bare(): boolean {
    return this.#delivery === undefined;
  }

  /** Monotonic instant. */
  get startedAt(): number {
    return this.#started.at;
  }

  get agent(): string {
    return this.#subscription.owner;
  }

  /** What people call its handler. */
  get handlerName(): string {
    return this.#subscription.handlerName;
  }

  get replayed(): boolean {
    return this.#delivery?.flags.replayed ?? false;
  }

  /** Made when first read: a signal costs more than a whole delivery. */
  get signal(): AbortSignal {
    this.#cancel ??= new Cancellation();
    return this.#cancel.signal;
  }

  get remainingMs(): number {
    return Math.max(0, this.until - this.worker.house.now());
  }

  /** The monotonic instant at which its time is over. */
  get until(): number {
    if (this.lastCall !== undefined) return this.lastCall.until;
    return Math.min(this.deadline, this.startedAt + this.#subscription.timeoutMs);
  }

  get idempotencyKey(): string {
    const { redriveOf, message } = this.#admission;
    return message.headers[IDEMPOTENCY_HEADER] ?? redriveOf?.originalId ?? message.id;
  }

  get budget(): BudgetView {
    const budget = this.message.lineage?.budget;
    return budget === undefined ? UNLIMITED : budget.view(this.worker.house.now());
  }

  /** What was used counts in any case, so it is entered before it is judged. */
  spend(spending: Spending): void {
    checkSpending(spending);
    const short = this.message.lineage?.budget?.spend(spending);
    if (short !== undefined && this.lastCall === undefined) throw new BudgetExhaustedError(short);
  }

  get log(): Logger {
    return this.worker.house.logOf(this);
  }

  get state(): StateView {
    return this.worker.house.stateOf(this);
  }

  publish(topic: string, payload: unknown, options?: PublishOptions): Receipt {
    this.#mayStill('publish', topic);
    return this.worker.house.publish(this.#voice, topic, payload, options);
  }

  send(to: string, topic: string, payload: unknown, options?: SendOptions): Receipt {
    this.#mayStill('send', topic);
    return this.worker.house.send(this.#voice, to, topic, payload, options);
  }

  request(topic: string, payload: unknown, options?: RequestOptions): Promise<unknown> {
    const asked = this.#request(topic, payload, options);
    // Nobody waits for it, so nobody has to hear that it failed.
    if (options?.detached === true) asked.catch(() => {});
    return asked;
  }

  async #request(topic: string, payload: unknown, options?: RequestOptions): Promise<unknown> {
    this.#mayStill('request', topic);
    return this.worker.house.request(this.#voice, topic, payload, options);
  }

  broadcast(
    to: Recipients,
    topic: string,
    payload: unknown,
    options?: BroadcastOptions,
  ): BroadcastReceipt {
    this.#mayStill('send', topic);
    return this.worker.house.broadcast(this.#voice, to, topic, payload, options);
  }

  async gather(topic: string, payload: unknown, options?: GatherOptions): Promise<Gathered> {
    this.#mayStill('request', topic);
    return this.worker.house.gather(this.#voice, topic, payload, options);
  }

  stream(topic: string, payload: unknown, options?: StreamOptions): MessageStream {
    try {
      this.#mayStill('request', topic);
    } catch (error) {
      return failedStream(error);
    }
    return this.worker.house.stream(this.#voice, topic, payload, options);
  }

  reply(value: unknown): boolean {
    this.#mayStill('reply to', this.message.topic);
    return this.worker.house.reply(this, value);
  }

  progress(update?: unknown): void {
    this.#mayStill('report progress on', this.message.topic);
    this.worker.house.progress(this, update);
  }

  steered(): readonly Message[] {
    this.#mayStill('read what steers', this.message.topic);
    if (!this.running || this.#subscription.busy?.policy !== 'steer') return NOTHING;
    return this.worker.steered(this);
  }

  defer(work?: AnswerLater, options?: DeferOptions): Later {
    this.#mayStill('defer', this.message.topic);
    this.#mayPutOff('defer');
    return this.worker.house.defer(this, work, options);
  }

  forward(to: ForwardTo, options?: ForwardOptions): Later {
    this.#mayStill('request', this.message.topic);
    this.#mayPutOff('forward');
    return this.worker.house.forward(this, to, options);
  }

  async close(): Promise<void> {
    if (this.#state === 'fenced') throw new FencedError(this.agent, 'close', this.message.topic);
    return this.worker.house.close(this);
  }

  get name(): string {
    return this.#subscription.owner;
  }

  /** Apart from the context, which whoever handles the message can give properties of his own. */
  get #voice(): Speaker & { readonly cause: Cause } {
    const { owner: name, permits } = this.#subscription;
    return { name, cause: this, permits };
  }

  /** Who waits for its answer. */
  get asker(): Asker | undefined {
    return this.#admission.asker;
  }

  get cause(): Cause {
    return this;
  }

  get permits(): Permits | undefined {
    return this.#subscription.permits;
  }

  get message(): Cause['message'] {
    return this.#admission.message;
  }

  get deadline(): number {
    return this.message.lineage?.deadline ?? Infinity;
  }

  get exhausted(): BudgetExhaustedError | undefined {
    return this.lastCall?.error;
  }

  /** Made when it is first told something; of a failed attempt it keeps what is told too late. */
  get outbox(): Outbox | undefined {
    if (!this.#subscription.outbox) return undefined;
    if (this.running) this.#outbox ??= new Outbox();
    return this.#outbox;
  }

  /** It waits for the outcome of what is held until it has ended. */
  get waitsForItself(): boolean {
    return this.#outbox?.watched === true;
  }

  get running(): boolean {
    return this.#state === 'running';
  }

  get heard(): boolean {
    return this.#state === 'running' || this.#state === 'deferred';
  }

  /** What this call has put off. */
  get deferral(): Deferral | undefined {
    const deferral = this.#delivery?.flags.deferral;
    return deferral?.attempt === this ? deferral : undefined;
  }

  /** What it answered before it returned. */
  get early(): { readonly value: unknown } | undefined {
    return this.#delivery?.flags.reply;
  }

  get fenced(): boolean {
    return this.#state === 'fenced';
  }

  /** The handler has returned or thrown, or what it put off is answered. */
  end(): void {
    if (this.heard) this.#state = 'over';
    this.#waitsNoMore();
  }

  /** It has succeeded: what it has told leaves, and what it tells from here on is not held. */
  letOut(): void {
    const outbox = this.#outbox;
    if (outbox === undefined) return;
    this.#outbox = undefined;
    outbox.release();
  }

  /** It has failed: what it has told was never said. */
  takeBack(): void {
    if (!this.#subscription.outbox) return;
    this.#outbox ??= new Outbox();
    this.#outbox.withdraw();
  }

  /** The handler has returned and owes the answer: what it began goes on. */
  putOff(): void {
    if (this.#state === 'over') this.#state = 'deferred';
  }

  /** The handler runs on, but what it says is no longer heard. */
  fence(): void {
    if (this.heard) this.#state = 'fenced';
    this.#outbox?.withdraw();
    this.#waitsNoMore();
  }

  /** From here on it may have to wait for what it asks; so does its slot while it has one. */
  beginsToWait(): void {
    if (this.waits !== NO_WAITS) return;
    this.waits = new Set();
    if (this.running) this.worker.hasAsker(this);
  }

  #waitsNoMore(): void {
    if (this.waits === NO_WAITS) return;
    this.worker.askers.delete(this);
    this.waits = NO_WAITS;
  }

  /** Why its handler was told to stop, if it was. */
  get abortReason(): unknown {
    return this.#cancel?.reason;
  }

  /** Tells the handler, and what it waits for on this bus, that nobody waits. */
  abort(reason: unknown): void {
    this.#cancel ??= new Cancellation();
    this.#cancel.abort(reason);
  }

  onAbort(callback: (reason: unknown) => void): () => void {
    this.#cancel ??= new Cancellation();
    return this.#cancel.onAbort(callback);
  }

  #materialize(): Delivery {
    const delivery = new Delivery(this.#admission, this.#subscription, this.worker, 'inFlight');
    delivery.attempts = 1;
    delivery.current = this;
    return delivery;
  }

  toJSON(): Record<string, unknown> {
    const { agent, attempt, remainingMs, replayed } = this;
    return { agent, attempt, remainingMs, replayed };
  }

  /** Not when the handler has ended; nor in a last call, whose answer is due now. */
  #mayPutOff(action: string): void {
    if (!this.running) throw new FencedError(this.agent, action, this.message.topic);
    if (this.lastCall !== undefined) throw this.lastCall.error;
  }

  #mayStill(action: string, topic: string): void {
    if (this.#state === 'fenced') throw new FencedError(this.agent, action, topic);
    this.#subscription.permits?.check(action, topic);
  }
}
printAsJson(Attempt.prototype);
showEnv(Attempt.prototype, (attempt) => attempt.worker.house.env);
showServed(Attempt.prototype, (attempt) =>
  attempt.worker.house.served(attempt.agent, attempt.permits),
);
