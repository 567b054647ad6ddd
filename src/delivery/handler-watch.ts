import type { Env, Timer } from '../kernel/env.ts';
import type { Attempt } from './attempt.ts';
import { HandlerTimeoutError } from './errors.ts';
import type { Failure } from './settle.ts';

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
export class HandlerWatch {
  readonly #env: Env;
  readonly #graceMs: number;
  readonly #attempt: Attempt;
  readonly #onHung: (failure: Failure) => void;
  /** Its handler was fenced, and its slot waits until it really ends. */
  holdsSlot = false;
  #timer: Timer | undefined;

  constructor(parts: WatchParts, attempt: Attempt, onHung: (failure: Failure) => void) {
    this.#env = parts.env;
    this.#graceMs = parts.graceMs;
    this.#attempt = attempt;
    this.#onHung = onHung;
    const { deadline, delivery } = attempt;
    const timeoutMs = Math.min(delivery.subscription.timeoutMs, deadline - parts.now());
    if (timeoutMs !== Infinity) this.#arm(Math.max(0, timeoutMs));
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #arm(timeoutMs: number): void {
    this.#timer = this.#env.setTimer(timeoutMs, () => this.#timedOut(timeoutMs), {
      label: 'handler time-out',
    });
  }

  #timedOut(timeoutMs: number): void {
    const { agent, message } = this.#attempt;
    const timeout = new HandlerTimeoutError(agent, message.topic, timeoutMs);
    this.#timer = this.#env.setTimer(
      this.#graceMs,
      () => this.#onHung({ error: timeout, stopped: 'timed-out' }),
      { label: 'handler grace' },
    );
    this.#attempt.abort(timeout);
  }
}
