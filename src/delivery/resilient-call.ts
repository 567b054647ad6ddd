import type { Lane, Timer } from '../kernel/env.ts';
import { isA } from '../kernel/is-a.ts';
import type { Linked } from '../kernel/linked-list.ts';
import type { Lineage } from '../message/envelope.ts';
import { Call } from '../resilience/call.ts';
import { compose } from '../resilience/compose.ts';
import { type Execution, OwnPolicy, type Work } from '../resilience/policy.ts';
import type { RetryBudget } from '../resilience/retry-budget.ts';
import { Aim } from './aim.ts';
import { BudgetExhaustedError } from './bound-errors.ts';
import type { Delivery } from './delivery.ts';
import { CancelledError, RequestTimeoutError } from './errors.ts';
import { type Asked, whyCalledOff } from './gathering.ts';
import { holderOf, type Question } from './question.ts';
import type { Answer, Pending, StreamSource } from './requests.ts';
import type { ResilientParts, ResilientTerms } from './resilient-terms.ts';
import { CallTokens, type TokenParts } from './retry-tokens.ts';
import { StandIns } from './stand-ins.ts';
import type { Subscription } from './subscription.ts';

/** What an attempt is: `again` is a retry, `instead` asks another. */
type Which = 'first' | 'again' | 'instead';

interface InFlight {
  readonly pending: Pending;
  reject(reason: unknown): void;
}

/** What stands for the answer once nobody wants it. */
const UNWANTED: Answer = { value: undefined, failed: false };
const TIMEOUT = { keepAlive: true, label: 'call time-out' } as const;

/**
 * One call with all its attempts. Each is a request of its own, with the same idempotency key and
 * in the same conversation; the time is that of the whole call.
 */
export class ResilientCall implements Lane, Linked<ResilientCall>, Asked, StreamSource, TokenParts {
  readonly kind = 'reply' as const;
  posted = false;
  previous: ResilientCall | undefined = undefined;
  next: ResilientCall | undefined = undefined;
  readonly #parts: ResilientParts;
  readonly #question: Question;
  #aim: Aim;
  readonly #terms: ResilientTerms;
  readonly #call: Call;
  readonly #tokens: CallTokens;
  /** Monotonic instant at which the time of the whole call is over. */
  readonly #until: number;
  readonly #inFlight: InFlight[] = [];
  /** The attempt that began last. */
  #last: Pending | undefined;
  #lastError: { readonly error: unknown } | undefined;
  /** The library has taken the question back with this error. */
  #calledBack: { readonly error: unknown } | undefined;
  /** Who is asked instead; made when the first one has failed. */
  #standIns: StandIns | undefined;
  /** Nobody may be asked any more, for this reason. */
  #stopped: { readonly reason: unknown } | undefined;
  /** While it begins, the question is as fresh as the call. */
  #beginning = true;
  #timer: Timer | undefined;
  #off: (() => void) | undefined;
  #answer: Answer | undefined;

  constructor(parts: ResilientParts, question: Question, aim: Aim, terms: ResilientTerms) {
    this.#parts = parts;
    this.#question = question;
    this.#aim = aim;
    this.#terms = terms;
    this.#until = question.now.at + question.timeoutMs;
    this.#tokens = new CallTokens(this);
    const around = { deadline: this.#until, retries: this.#tokens };
    this.#call = new Call(parts.env, terms.signal, around, aim);
  }

  get topic(): string {
    return this.#question.words.topic;
  }

  get asker(): string {
    return this.#question.words.speaker.name;
  }

  get correlationId(): string | undefined {
    return this.#question.words.said.correlationId ?? this.#last?.message.correlationId;
  }

  get aborted(): boolean {
    return this.#call.aborted;
  }

  /** What it says, as far as a stream asks. */
  get message(): StreamSource['message'] {
    return this.#last?.message ?? { topic: this.topic, from: this.asker, seq: 0 };
  }

  get above(): Lineage | undefined {
    return holderOf(this.#question)?.message.lineage;
  }

  get below(): Lineage | undefined {
    return this.#last?.message.lineage;
  }

  get budget(): RetryBudget | undefined {
    const { asked } = this.#aim;
    return asked === undefined ? undefined : this.#budgetOf(asked);
  }

  get label(): string {
    return `reply to ${this.asker}`;
  }

  get order(): number {
    return this.#last?.order ?? 0;
  }

  /** What it got, also when that is still on its way. */
  get settled(): Answer | undefined {
    return this.#answer;
  }

  /** That of the last attempt. */
  get delivery(): Delivery | undefined {
    return this.#last?.delivery;
  }

  begin(): this {
    this.#parts.calls.add(this);
    this.#terms.opened?.(this);
    this.#off = holderOf(this.#question)?.onAbort((reason) => this.#askerEnds(reason));
    this.#call.onAbort((reason) => this.#calledOff(reason));
    if (this.#answer === undefined) {
      this.#primary().then(
        (value) => this.#end({ value, failed: false }),
        (error: unknown) => this.#failed(error),
      );
    }
    this.#beginning = false;
    this.#watchTime();
    return this;
  }

  /** The reader has made room. */
  touch(): void {
    this.#last?.touch();
  }

  /** Calls it off: the attempt that is in flight, and those that would follow. */
  withdraw(reason: unknown = new CancelledError(this.topic, 'withdrawn')): void {
    this.#call.abort(reason);
  }

  /** Nobody waits any more: the responder may go on, and no other attempt follows. */
  release(): void {
    if (this.#answer !== undefined) return;
    this.#leave(UNWANTED);
    const reason = new CancelledError(this.topic, 'nobody waits for it');
    this.#aim.exempt(reason);
    for (const { pending, reject } of this.#inFlight.splice(0)) {
      pending.release();
      reject(reason);
    }
    this.#call.abort(reason);
  }

  /** No other attempt follows; what is in flight is ended by whoever ends requests. */
  stop(reason: unknown): void {
    this.#stopped = { reason };
    if (this.#inFlight.length === 0) this.#call.abort(reason);
  }

  /** The answer arrives. */
  run(): void {
    const answer = this.#answer as Answer;
    if (answer !== UNWANTED) this.#terms.onSettled?.(answer, this);
  }

  #primary(): Promise<unknown> {
    const { policy } = this.#terms;
    if (policy === undefined) return this.#attempt(this.#call, 'first');
    let tries = 0;
    try {
      const own = policy instanceof OwnPolicy ? policy : compose(policy);
      own.bind(this.#parts.env);
      const attempt: Work<unknown> = (execution) =>
        this.#attempt(execution, ++tries === 1 ? 'first' : 'again');
      return own.run(attempt, this.#call);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** One request. What refuses it says nothing about whom it was for. */
  #attempt(execution: Execution, which: Which): Promise<unknown> {
    return new Promise((resolve, reject) => {
      try {
        const settled = ({ value, failed }: Answer): void =>
          failed ? reject(value) : resolve(value);
        const pending = this.#put(which, settled);
        this.#last = pending;
        if (pending.settled !== undefined) return;
        this.#inFlight.push({ pending, reject });
        if (execution instanceof Call && execution !== this.#call) {
          pending.listen(undefined, execution);
        }
      } catch (error) {
        this.#aim.refused(error);
        this.#lastError = { error };
        reject(error);
        this.#watchTime();
      }
    });
  }

  #put(which: Which, settle: (answer: Answer) => void): Pending {
    const question = this.#beginning ? this.#question : this.#asAgain();
    if (which === 'again' && !this.#tokens.use()) throw this.#notAgain();
    const responder = this.#aim.take();
    if (which === 'first') this.#budgetOf(responder)?.deposit();
    const { idleTimeoutMs, onProgress, sinkOf } = this.#terms;
    const settled = (answer: Answer, pending: Pending | undefined): void => {
      this.#attemptEnded(answer, pending);
      settle(answer);
    };
    let pending: Pending | undefined;
    const stream = sinkOf?.({
      committed: () => {
        this.#commit(pending);
        settle(UNWANTED);
      },
      settled: (answer) => settled(answer, pending),
    });
    const { timeoutMs } = question;
    const terms = { timeoutMs, idleTimeoutMs, onProgress, onSettled: settled, stream };
    pending = this.#parts.posing.put(question, responder, terms, true);
    return pending;
  }

  /** The question as it is asked now: with the time that is left, by who still may ask. */
  #asAgain(): Question {
    const { admitter, chooser, now } = this.#parts;
    const { words, now: first, timeoutMs } = this.#question;
    const { speaker, said, topic } = words;
    if (this.#stopped !== undefined) throw this.#stopped.reason;
    if (this.#call.aborted) throw this.#call.reason;
    if (this.#answer !== undefined) throw new CancelledError(topic, 'the call has ended');
    admitter.checkNotClosed('request', topic);
    speaker.permits?.check('request', topic);
    const at = now();
    if (at >= this.#until) throw this.#late();
    return {
      ...chooser.renew(this.#question),
      words: { ...words, said: { ...said, correlationId: this.correlationId } },
      now: { at },
      timeoutMs: timeoutMs - (at - first.at),
    };
  }

  #attemptEnded({ value, failed }: Answer, pending: Pending | undefined): void {
    for (let i = 0; i < this.#inFlight.length; i++) {
      if (this.#inFlight[i]?.pending === pending) this.#inFlight.splice(i, 1);
    }
    if (failed) {
      this.#lastError = { error: value };
      if (pending !== undefined && whyCalledOff(value, pending) !== undefined) {
        this.#aim.exempt(value);
        this.#calledBack = { error: value };
      }
      if (this.#stopped !== undefined) this.#end({ value, failed });
    }
    // A policy of ours ends as soon as its work has succeeded.
    if (failed || !(this.#terms.policy instanceof OwnPolicy)) this.#watchTime();
  }

  /** The first chunk is there: what follows is the request's alone. */
  #commit(pending: Pending | undefined): void {
    this.#inFlight.length = 0;
    this.#leave(UNWANTED);
    if (pending !== undefined) this.#terms.opened?.(pending);
    pending?.listen(this.#terms.signal, holderOf(this.#question));
  }

  /** The one who was asked has failed, with all that the policy did: another one is asked once. */
  #failed(error: unknown): void {
    this.#standIns ??= new StandIns(this.#fallbacks());
    const other = this.#mayAskAnother(error) ? this.#standIns.next(error) : undefined;
    if (other === undefined) {
      this.#end({ value: this.#standIns.sum(error), failed: true });
      return;
    }
    this.#aim = new Aim(this.#parts.chooser, this.#question, other);
    this.#attempt(this.#call, 'instead').then(
      (value) => this.#end({ value, failed: false }),
      (again: unknown) => this.#failed(again),
    );
  }

  #fallbacks(): readonly string[] {
    const { fallback, to } = this.#terms;
    if (fallback !== undefined) return fallback;
    const name = typeof to === 'string' ? to : this.#aim.asked?.owner;
    return (name === undefined ? undefined : this.#parts.fallbacks?.get(name)) ?? [];
  }

  /** Not when nobody wants the answer any more, or nobody may be asked. */
  #mayAskAnother(error: unknown): boolean {
    const over = this.#answer !== undefined || this.#stopped !== undefined || this.#call.aborted;
    return !over && this.#calledBack?.error !== error && this.#parts.now() < this.#until;
  }

  /** What a policy hears that would call again when that is not to be. */
  #notAgain(): unknown {
    return this.#lastError?.error ?? new CancelledError(this.topic, 'no retry is left');
  }

  #budgetOf(responder: Subscription): RetryBudget | undefined {
    responder.retryBudget ??= this.#parts.makeRetryBudget?.();
    return responder.retryBudget;
  }

  /** A budget that is over lets what is in flight say what it has. */
  #askerEnds(reason: unknown): void {
    if (!isA(reason, BudgetExhaustedError) || this.#inFlight.length === 0) {
      this.#call.abort(reason);
      return;
    }
    this.#stopped = { reason };
    this.#withdrawAttempts(reason);
  }

  #calledOff(reason: unknown): void {
    this.#end({ value: reason, failed: true });
  }

  #withdrawAttempts(reason: unknown): void {
    for (const { pending } of [...this.#inFlight]) pending.withdraw(reason);
  }

  /** While no request is there to end with its time, somebody has to. */
  #watchTime(): void {
    const busy = this.#answer !== undefined || this.#inFlight.length > 0;
    if (busy || this.#timer !== undefined || this.#until === Infinity) return;
    const { env, now } = this.#parts;
    this.#timer = env.setTimer(Math.max(0, this.#until - now()), () => this.#due(), TIMEOUT);
  }

  #due(): void {
    this.#timer = undefined;
    if (this.#inFlight.length > 0) return;
    const error = this.#late();
    this.#end({ value: error, failed: true });
    this.#call.abort(error);
  }

  /** The real error is worth more than that the time is over. */
  #late(): unknown {
    if (this.#lastError !== undefined) return this.#lastError.error;
    const { timeoutMs } = this.#question;
    const where = { where: 'its policy held it back' };
    return new RequestTimeoutError(
      this.topic,
      this.#aim.asked?.owner ?? 'nobody',
      timeoutMs,
      where,
    );
  }

  #end(answer: Answer): void {
    if (this.#answer !== undefined) return;
    this.#leave(answer);
    this.#withdrawAttempts(answer.failed ? answer.value : undefined);
    if (this.#parts.env.direct) this.run();
    else this.#parts.env.post(this);
  }

  /** It has ended, for whoever waits for it. */
  #leave(answer: Answer): void {
    this.#answer = answer;
    this.#tokens.ended(!answer.failed);
    this.#parts.calls.remove(this);
    this.#timer?.cancel();
    this.#off?.();
    this.#call.end();
  }
}
