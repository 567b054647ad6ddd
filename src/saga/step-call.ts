import { CancelledError } from '../delivery/errors.ts';
import { onAbort } from '../kernel/abort.ts';
import { Cancellation } from '../kernel/cancellation.ts';
import { Deferred } from '../kernel/deferred.ts';
import type { Env, Timer } from '../kernel/env.ts';
import type { Policy } from '../resilience/policy.ts';
import { retry } from '../resilience/retry.ts';
import { SagaStepTimeoutError } from './errors.ts';
import type { CallPlan } from './step.ts';

/** What a call that heeds no signal has to end in, once it was aborted. */
const GRACE_MS = 1_000;

/** How the calls of a step ended. */
export type Ending =
  | { readonly ok: true; readonly value: unknown }
  /** `unknown`: at least one of its attempts may have had its effect. */
  | { readonly ok: false; readonly error: unknown; readonly unknown: boolean };

/** One attempt, as the code that is called sees it. */
export interface Attempted {
  readonly attempt: number;
  readonly cancellation: Cancellation;
  /** Called once, when it has ended or was given up. */
  onEnd: () => void;
}

/** What a step call needs. */
export interface StepCallParts {
  readonly env: Env;
  /** What is called, as its time-out names it. */
  readonly name: string;
  readonly plan: CallPlan;
  readonly leavesOpen: (error: unknown) => boolean;
  invoke(attempted: Attempted): unknown;
  /** An attempt has failed, and there will be another. */
  retried(attempt: number, error: unknown): void;
}

/**
 * Calls a step or a compensation until it has succeeded or failed for good, and comes to its end
 * only when no attempt runs any more, or after the grace: what is undone has to have ended.
 */
export class StepCall {
  attempts = 0;
  readonly #parts: StepCallParts;
  readonly #open = new Set<OneCall>();
  #unknown = false;
  /** An attempt came to its end, also when a policy did not like what it returned. */
  #returned = false;
  /** Whoever called it has gone on: a policy that calls it now comes too late. */
  #over = false;
  /** The last attempt that failed. */
  #failed: { readonly error: unknown } | undefined;

  constructor(parts: StepCallParts) {
    this.#parts = parts;
  }

  /** An attempt was given up and still runs. */
  get abandoned(): boolean {
    return this.#open.size > 0;
  }

  async run(above: Cancellation): Promise<Ending> {
    try {
      const value = await this.#execute(above);
      await this.#endOpen(above.reason);
      return { ok: true, value };
    } catch (error) {
      const late = await this.#endOpen(error);
      if (late !== undefined) return { ok: true, value: late.value };
      return { ok: false, error, unknown: this.#unknown || this.#returned };
    }
  }

  async #execute(above: Cancellation): Promise<unknown> {
    const policy = this.#policy();
    if (policy === undefined) return this.#attempt(above);
    try {
      return await policy.execute(
        (execution) => this.#attempt(above, execution?.signal),
        above.signal,
      );
    } finally {
      this.#over = true;
    }
  }

  #policy(): Policy | undefined {
    const { env, plan } = this.#parts;
    if (plan.policy === undefined) return plan.retry && retry({ ...plan.retry, env });
    plan.policy.bind?.(env);
    return plan.policy;
  }

  /** A policy tries again by calling this again. */
  async #attempt(above: Cancellation, signal?: AbortSignal): Promise<unknown> {
    if (above.aborted) throw above.reason;
    // What it did now would be undone by nobody.
    if (this.#over) throw new CancelledError(this.#parts.name, 'its policy has ended');
    if (this.#failed !== undefined) this.#parts.retried(this.attempts, this.#failed.error);
    this.attempts += 1;
    const call = new OneCall(this.#parts, this.attempts);
    this.#open.add(call);
    const unlink = [above.onAbort((reason) => call.abort(reason))];
    if (signal !== undefined) unlink.push(onAbort(signal, (reason) => call.abort(reason)));
    try {
      const value = await call.start(() => this.#open.delete(call));
      this.#returned = true;
      return value;
    } catch (error) {
      if (call.aborted || this.#parts.leavesOpen(error)) this.#unknown = true;
      this.#failed = { error };
      throw error;
    } finally {
      for (const stop of unlink) stop();
    }
  }

  /** Some policies end before what they have called; a result that comes in the end is known. */
  async #endOpen(reason: unknown): Promise<{ readonly value: unknown } | undefined> {
    let late: { readonly value: unknown } | undefined;
    for (const call of [...this.#open]) {
      if (call.givenUp) continue;
      call.abort(reason);
      await call.settled.then(
        (value) => {
          late = { value };
        },
        () => {
          this.#unknown = true;
        },
      );
    }
    return late;
  }
}

/** One attempt, with its time. */
class OneCall implements Attempted {
  readonly attempt: number;
  readonly cancellation: Cancellation = new Cancellation();
  readonly #parts: StepCallParts;
  readonly #outcome = new Deferred<unknown>();
  #timer: Timer | undefined;
  #givenUp = false;
  onEnd: () => void = () => {};

  constructor(parts: StepCallParts, attempt: number) {
    this.#parts = parts;
    this.attempt = attempt;
    this.#outcome.promise.catch(() => {});
  }

  get aborted(): boolean {
    return this.cancellation.aborted;
  }

  /** It was told to end and has not. */
  get givenUp(): boolean {
    return this.#givenUp;
  }

  /** How it ended, or that it was given up. */
  get settled(): Promise<unknown> {
    return this.#outcome.promise;
  }

  /** `ended` is called when it really has, maybe long after it was given up. */
  start(ended: () => void): Promise<unknown> {
    const { timeoutMs } = this.#parts.plan;
    if (timeoutMs !== Infinity) this.#arm(timeoutMs, () => this.abort(this.#late()));
    const done = (settle: () => void): void => {
      ended();
      settle();
      this.#close();
    };
    this.#invoke().then(
      (value) => done(() => this.#outcome.resolve(value)),
      (error: unknown) => done(() => this.#outcome.reject(this.#causeOf(error))),
    );
    return this.#outcome.promise;
  }

  abort(reason: unknown): void {
    if (this.aborted || this.#outcome.settled) return;
    this.#arm(GRACE_MS, () => this.#giveUp());
    this.cancellation.abort(reason);
  }

  async #invoke(): Promise<unknown> {
    return this.#parts.invoke(this);
  }

  #giveUp(): void {
    this.#givenUp = true;
    this.#outcome.reject(this.cancellation.reason);
    this.#close();
  }

  #close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const onEnd = this.onEnd;
    this.onEnd = () => {};
    onEnd();
  }

  /** Whoever was aborted failed for that reason, whatever he throws. */
  #causeOf(error: unknown): unknown {
    return this.aborted ? this.cancellation.reason : error;
  }

  #late(): SagaStepTimeoutError {
    return new SagaStepTimeoutError(this.#parts.name, this.#parts.plan.timeoutMs);
  }

  #arm(ms: number, fn: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.env.setTimer(ms, fn, { keepAlive: true, label: 'saga step' });
  }
}
