import type { Timer } from '../kernel/env.ts';
import { isA } from '../kernel/is-a.ts';
import { isThenable, promiseOf } from '../kernel/thenable.ts';
import { Attempt, type Watch } from './attempt.ts';
import { BudgetExhaustedError } from './bound-errors.ts';
import type { Delivery } from './delivery.ts';
import { told } from './outcomes.ts';
import type { WrapUpCall } from './subscription.ts';
import type { Workshop } from './worker.ts';

/** What follows from a wrap-up. */
export interface AfterWrapUp {
  /** Gives the delivery its outcome. */
  end(error: unknown): void;
  /** Frees the slot. */
  release(): void;
}

/** Whether its responder is to be asked for what it has so far. */
export function owesLastCall(delivery: Delivery, error: unknown): error is BudgetExhaustedError {
  const { subscription, replied } = delivery;
  if (subscription.wrapUp === undefined || !subscription.active || replied) return false;
  return isA(error, BudgetExhaustedError);
}

/** The error with its partial result in the library's own, as everything that is said. */
export function withOwnPartial(shop: Workshop, error: unknown): unknown {
  if (!isA(error, BudgetExhaustedError) || error.partial === undefined) return error;
  try {
    const own = shop.takeIn(error.partial);
    return own === error.partial ? error : error.withPartial(own);
  } catch (fault) {
    shop.onFault(fault, 'partial result');
    return error.withPartial(undefined);
  }
}

/**
 * The one last call of a responder whose budget is used up, in the slot and the delivery of the
 * call that failed. What it returns is the partial result; whatever it does, the asker hears in a
 * bounded time that the budget is used up.
 */
export class WrapUp implements Watch {
  holdsSlot = false;
  readonly #shop: Workshop;
  readonly attempt: Attempt;
  previous: Watch | undefined = undefined;
  next: Watch | undefined = undefined;
  readonly #call: WrapUpCall;
  readonly #error: BudgetExhaustedError;
  readonly #after: AfterWrapUp;
  #timer: Timer | undefined;

  constructor(shop: Workshop, failed: Attempt, error: BudgetExhaustedError, after: AfterWrapUp) {
    const { delivery, worker } = failed;
    const { admission, subscription } = delivery;
    this.#shop = shop;
    this.#call = subscription.wrapUp as WrapUpCall;
    this.#error = error;
    this.#after = after;
    // It is no further attempt: a letter counts the calls of the handler.
    delivery.attempts--;
    this.attempt = new Attempt(worker, admission, subscription, shop.instant(), delivery);
    this.attempt.lastCall = { error, until: shop.env.now() + this.#call.timeoutMs };
  }

  begin(): void {
    const attempt = this.attempt;
    attempt.delivery.admission.asker?.expectFailure?.(this.#error);
    let result: unknown;
    try {
      result = this.#call.invoke(attempt.message, attempt);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (!isThenable(result)) this.#returned(result);
    // It has interrupted itself: it runs on, and nobody waits for it.
    else if (attempt.fenced) promiseOf(result).catch(() => {});
    else this.#await(result);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #await(result: PromiseLike<unknown>): void {
    const { running, env } = this.#shop;
    this.attempt.watch = this;
    running.add(this);
    this.#timer = env.setTimer(this.#call.timeoutMs, () => this.#late(), { label: 'wrap-up' });
    promiseOf(result).then(
      (value) => this.#over(() => this.#returned(value)),
      (error: unknown) => this.#over(() => this.#failed(error)),
    );
  }

  /** The promise has settled: in time, or after it was given up. */
  #over(settle: () => void): void {
    this.stop();
    if (!this.attempt.fenced) settle();
    else if (this.holdsSlot) this.#after.release();
    this.#shop.running.remove(this.attempt);
  }

  #returned(value: unknown): void {
    let error = this.#error;
    try {
      error = error.withPartial(this.#shop.takeIn(value));
    } catch (fault) {
      this.#fault(fault);
    }
    this.#end(error);
  }

  #failed(error: unknown): void {
    // Who was told to stop may say so.
    if (this.attempt.abortReason === undefined) this.#fault(error);
    this.#end(this.#error);
  }

  #end(error: BudgetExhaustedError): void {
    // A newer message has interrupted it: then it has its outcome.
    if (this.attempt.fenced) return;
    this.attempt.end();
    this.#after.end(error);
    this.#after.release();
  }

  /** It had its time, and gets no more: it is fenced as a handler that hangs. */
  #late(): void {
    const { ledger, events, running } = this.#shop;
    const attempt = this.attempt;
    const { onHang } = attempt.worker.options;
    ledger.abandoned++;
    attempt.abort(this.#error);
    attempt.fence();
    if (events.has('abandoned')) events.emit('abandoned', told(attempt.delivery));
    this.#after.end(this.#error);
    this.holdsSlot = onHang === 'hold';
    if (!this.holdsSlot) this.#after.release();
    if (onHang === 'stop') attempt.worker.ends?.unsubscribe();
    // Who holds no slot is forgotten: its promise may never settle.
    if (this.holdsSlot) running.giveUp(attempt);
    else running.remove(attempt);
  }

  #fault(error: unknown): void {
    this.#shop.onFault(error, `wrapUp of ${this.attempt.agent}`);
  }
}
