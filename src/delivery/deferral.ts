import type { Lane, Timer } from '../kernel/env.ts';
import { isTellaskError } from '../kernel/errors.ts';
import { isThenable } from '../kernel/thenable.ts';
import type { Attempt } from './attempt.ts';
import { RevokedError } from './bound-errors.ts';
import type { DeferralParts } from './deferrals.ts';
import type { Delivery } from './delivery.ts';
import { CancelledError, ClosedError, RequestTimeoutError } from './errors.ts';
import { type AnswerLater, type Later, LaterHandle } from './later.ts';
import type { Asker } from './receipt.ts';
import { reasonOf } from './settle.ts';
import { whereabouts } from './whereabouts.ts';

/** How the owed answer came in. */
type Answer =
  | { readonly failed: false; readonly value: unknown }
  | { readonly failed: true; readonly error: unknown };

/**
 * `held` until the handler returns, which may yet fail; then `open`: out of the mailbox and of the
 * agent's slots, with nobody but the asker's deadline to end it; then `over`.
 */
type Status = 'held' | 'open' | 'over';

const TIMEOUT = { keepAlive: true, label: 'deferred answer' } as const;

/**
 * A request whose handler returned without an answer and gives it later. It is the lane on which
 * the function of `context.defer` is called, in a turn after the handler's.
 */
export class Deferral implements Lane {
  readonly kind = 'reply' as const;
  posted = false;
  readonly attempt: Attempt;
  readonly later: Later = new LaterHandle(this);
  /** Monotonic instant at which the handler put the answer off. */
  readonly since: number;
  readonly #parts: DeferralParts;
  readonly #open: Set<Deferral>;
  /** Monotonic instant, `Infinity` for none. */
  readonly #deadline: number;
  readonly #timeoutMs: number;
  #work: AnswerLater | undefined;
  #status: Status = 'held';
  #answer: Answer | undefined = undefined;
  #timer: Timer | undefined = undefined;
  #followers: Deferral[] | undefined = undefined;

  constructor(
    parts: DeferralParts,
    open: Set<Deferral>,
    attempt: Attempt,
    work: AnswerLater | undefined,
    timeoutMs: number,
  ) {
    this.#parts = parts;
    this.#open = open;
    this.attempt = attempt;
    this.#work = work;
    this.#timeoutMs = timeoutMs;
    this.since = parts.env.now();
    this.#deadline = Math.min(attempt.deadline, this.since + timeoutMs);
  }

  get label(): string {
    return `deferred by ${this.attempt.agent}`;
  }

  get order(): number {
    return this.attempt.message.seq;
  }

  get deadlineAt(): number | undefined {
    const { sentAt, at } = this.attempt.message;
    return this.#deadline === Infinity ? undefined : Math.round(sentAt + this.#deadline - at);
  }

  /** The asker was told, or is about to be told, that it failed. */
  get failed(): boolean {
    return this.#answer?.failed === true;
  }

  answer(value: unknown): boolean {
    if (!this.#live) return this.#tooLate(value);
    const { message, worker } = this.attempt;
    const owned = worker.house.answerOf(message, value);
    // A schema is the user's code, and may have ended it.
    return this.#live ? this.answerWith(owned) : this.#tooLate(value);
  }

  /** Answers with what was checked and taken in already. */
  answerWith(value: unknown): boolean {
    if (!this.#live) return this.#tooLate(value);
    this.#answer = { failed: false, value };
    if (this.#status === 'open') this.#settle(this.#answer);
    else this.#answerEarly(value);
    return true;
  }

  fail(error: unknown): boolean {
    if (!this.#live) return false;
    this.#answer = { failed: true, error };
    // Before its handler has returned, that may still throw: then this is what counts.
    if (this.#status === 'open') this.#settle(this.#answer);
    return true;
  }

  progress(update: unknown): void {
    if (this.#live) this.attempt.worker.house.progress(this.attempt, update);
  }

  /** The handler has returned: its agent goes on, and the answer is owed from here. */
  begin(): void {
    const { delivery, worker, abortReason } = this.attempt;
    this.#status = 'open';
    this.#open.add(this);
    this.attempt.putOff();
    this.#parts.outcomes.deferred(delivery);
    // Its handler has returned and is never called again, so what it has told leaves now.
    if (this.failed) this.attempt.takeBack();
    else this.attempt.letOut();
    // Those who listened may have answered or ended it.
    if (this.#status !== 'open') return;
    if (this.#answer !== undefined) this.#settle(this.#answer);
    else if (worker.status === 'stopped') this.#stopped();
    else if (abortReason !== undefined) this.#aborted(abortReason);
    else if (this.#asker?.gone === true) this.giveUp('withdrawn', goneFrom(delivery));
    else this.#wait();
  }

  /** The handler has failed after all: it has put nothing off. */
  drop(error: unknown): void {
    if (this.#status !== 'held') return;
    this.#close();
    this.#tell(error);
  }

  /** Calls the function that answers. */
  run(): void {
    const work = this.#work;
    this.#work = undefined;
    if (work === undefined || this.#status !== 'open') return;
    try {
      const result = work(this.later);
      if (!isThenable(result)) return;
      Promise.resolve(result).then(undefined, (error: unknown) => this.#broke(error));
    } catch (error) {
      this.#broke(error);
    }
  }

  /** The time is up, or the asker does not want it any more. */
  giveUp(how: 'expired' | 'withdrawn', reason: unknown): void {
    if (this.#status !== 'open') return;
    if (how === 'expired') {
      this.#close();
      this.#asker?.fail(reason);
      this.#parts.outcomes.expired(this.attempt.delivery);
    } else this.withdraw();
    this.callOff(reason);
  }

  /** Ends it as not wanted; `callOff` is for the caller to do. */
  withdraw(): void {
    this.#close();
    this.#parts.outcomes.cancelled(this.attempt.delivery, 'withdrawn');
  }

  /** What still works on it hears of its end; what it says from now on is not heard. */
  callOff(reason: unknown): void {
    this.attempt.fence();
    this.#tell(reason);
  }

  /** Its agent has left. */
  leave(): void {
    if (this.#status !== 'open') return;
    this.#close();
    this.#parts.outcomes.deadLettered(this.attempt.delivery, 'recipient-stopped', undefined);
    this.callOff(new RevokedError(this.attempt.agent, 'left'));
  }

  /** The bus closes. */
  close(): void {
    if (this.#status !== 'open') return;
    this.#close();
    this.#parts.outcomes.cancelled(this.attempt.delivery, 'closed');
    this.callOff(new ClosedError(`the answer to ${this.attempt.message.topic}`));
  }

  /** A repetition of the same request: it gets the answer of this one, now or when it is there. */
  share(other: Attempt): unknown {
    const answer = this.#answer;
    if (answer?.failed === false) return answer.value;
    other.defer(undefined, { timeoutMs: Infinity });
    this.#followers ??= [];
    this.#followers.push(other.deferral as Deferral);
    return undefined;
  }

  get #asker(): Asker | undefined {
    return this.attempt.asker;
  }

  /** A handler that threw or was fenced has put nothing off. */
  get #live(): boolean {
    if (this.#answer !== undefined) return false;
    return this.#status === 'open' || (this.#status === 'held' && this.attempt.running);
  }

  #answerEarly(value: unknown): void {
    this.attempt.delivery.replied = true;
    this.#asker?.answer(value);
  }

  #wait(): void {
    // The asker's timer is not enough: it may let go of the request, or there is no asker.
    if (this.#deadline !== Infinity) {
      const leftMs = Math.max(0, this.#deadline - this.#parts.env.now());
      this.#timer = this.#parts.env.setTimer(leftMs, () => this.#due(), TIMEOUT);
    }
    if (this.#work !== undefined) this.#parts.env.post(this);
  }

  #due(): void {
    const { delivery, message, agent, deadline } = this.attempt;
    if (this.#asker?.waits === true && this.#deadline === deadline) return;
    const timeoutMs = Math.min(this.#timeoutMs, this.#deadline - message.at);
    const where = whereabouts(delivery, this.#parts.env.now());
    this.giveUp('expired', new RequestTimeoutError(message.topic, agent, timeoutMs, where));
  }

  #settle(answer: Answer): void {
    const { delivery } = this.attempt;
    const { outcomes } = this.#parts;
    this.#close();
    this.attempt.end();
    if (!answer.failed) outcomes.handled(delivery, answer.value);
    else outcomes.deadLettered(delivery, reasonOf(answer), answer.error);
    for (const follower of this.#takeFollowers()) {
      if (answer.failed) follower.fail(answer.error);
      else follower.answerWith(answer.value);
    }
  }

  #close(): void {
    this.#status = 'over';
    this.#timer?.cancel();
    this.#work = undefined;
    this.#open.delete(this);
  }

  #tell(reason: unknown): void {
    this.attempt.abort(reason);
    for (const follower of this.#takeFollowers()) follower.fail(reason);
  }

  #takeFollowers(): readonly Deferral[] {
    const followers = this.#followers ?? [];
    this.#followers = undefined;
    return followers;
  }

  /** Its agent left, or the bus closed, while the handler ran. */
  #stopped(): void {
    if (this.attempt.delivery.subscription.active) this.close();
    else this.leave();
  }

  /** Its handler was told to stop, and returned all the same. */
  #aborted(reason: unknown): void {
    if (!isTellaskError(reason, 'TELLASK_HANDLER_TIMEOUT')) {
      this.giveUp(isTellaskError(reason, 'TELLASK_TIMEOUT') ? 'expired' : 'withdrawn', reason);
      return;
    }
    this.#close();
    this.#parts.outcomes.deadLettered(this.attempt.delivery, 'handler-timeout', reason);
    this.callOff(reason);
  }

  #broke(error: unknown): void {
    if (this.fail(error) || this.attempt.fenced) return;
    this.#parts.onFault(error, `defer of ${this.attempt.agent}`);
  }

  #tooLate(value: unknown): false {
    const { ledger, late } = this.#parts;
    if (this.#answer?.failed === false) ledger.duplicateReplies++;
    else late(this.attempt.message, value);
    return false;
  }
}

/** Why nobody waits, when the asker went before its delivery had a record. */
function goneFrom({ message }: Delivery): CancelledError {
  return new CancelledError(message.topic, 'withdrawn');
}
