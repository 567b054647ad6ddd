import type { Env, Timer } from '../kernel/env.ts';
import type { Budget, Shortage } from '../message/budget.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Attempt, Watch } from './attempt.ts';
import { BudgetExhaustedError } from './bound-errors.ts';
import { HandlerTimeoutError } from './errors.ts';
import { type Failure, failureOf } from './settle.ts';

/** What the watch needs to know of its bus. */
export interface WatchParts {
  readonly env: Env;
  readonly graceMs: number;
  now(): number;
}

/**
 * Watches one handler that returned a promise: its signal aborts at the time-out, and after the
 * grace it is reported as hung.
 */
export class HandlerWatch implements Watch {
  readonly #env: Env;
  readonly #graceMs: number;
  readonly attempt: Attempt;
  previous: Watch | undefined = undefined;
  next: Watch | undefined = undefined;
  readonly #onHung: (failure: Failure) => void;
  holdsSlot = false;
  #timer: Timer | undefined;
  /** It is the time of a budget that ends it. */
  readonly #byBudget: boolean;
  #inGrace = false;
  #forget: (() => void) | undefined;

  constructor(parts: WatchParts, attempt: Attempt, onHung: (failure: Failure) => void) {
    this.#env = parts.env;
    this.#graceMs = parts.graceMs;
    this.attempt = attempt;
    this.#onHung = onHung;
    const { deadline, delivery } = attempt;
    const left = deadline - parts.now();
    const timeoutMs = Math.min(delivery.subscription.timeoutMs, left);
    this.#byBudget = timeoutMs === left && deadline === attempt.message.lineage?.budget?.deadline;
    if (timeoutMs !== Infinity) this.#arm(Math.max(0, timeoutMs));
    // Without a time-out nothing else would ever end who does not heed that nobody waits for it.
    else this.#forget = attempt.onAbort((reason) => this.hurry(failureOf(reason, reason)));
  }

  standDown(): void {
    this.#inGrace = true;
  }

  hurry(failure: Failure): void {
    if (this.#inGrace) return;
    this.#timer?.cancel();
    this.#giveGrace(failure);
  }

  stop(): void {
    this.#timer?.cancel();
    // What it put off may be aborted long after it has returned.
    this.#forget?.();
  }

  #arm(timeoutMs: number): void {
    this.#timer = this.#env.setTimer(timeoutMs, () => this.#timedOut(timeoutMs), {
      label: 'handler time-out',
    });
  }

  #timedOut(timeoutMs: number): void {
    const { agent, message, waitsForItself } = this.attempt;
    const failure = this.#byBudget
      ? { error: overrunOf(message) }
      : ({
          error: new HandlerTimeoutError(agent, message.topic, timeoutMs, waitsForItself),
          stopped: 'timed-out',
        } as const);
    this.#giveGrace(failure);
    this.attempt.abort(failure.error);
  }

  #giveGrace(failure: Failure): void {
    this.#inGrace = true;
    const label = 'handler grace';
    this.#timer = this.#env.setTimer(this.#graceMs, () => this.#onHung(failure), { label });
  }
}

function overrunOf({ lineage }: Envelope): BudgetExhaustedError {
  const budget = lineage?.budget as Budget;
  return new BudgetExhaustedError(budget.overrun(budget.deadline) as Shortage);
}
