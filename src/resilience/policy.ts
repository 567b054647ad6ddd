import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { realEnv } from '../kernel/real-env.ts';
import { Call } from './call.ts';

/** What a call is told by the policies around it. */
export interface Execution {
  /** Aborts when the call is called off, or its time is over. Made when it is read. */
  readonly signal: AbortSignal;
  /** Which call this is, from 1. */
  readonly attempt: number;
  /** Milliseconds until somebody above gives up; 0 when he has, `Infinity` when nobody does. */
  readonly remainingMs: number;
}

/** The work that policies are put around. */
export type Work<T> = (execution: Execution) => T | PromiseLike<T>;

/** What a policy of any make may tell the work; `compose` fills in what it leaves out. */
export interface PolicyContext {
  readonly signal?: AbortSignal | undefined;
  readonly attempt?: number | undefined;
  readonly remainingMs?: number | undefined;
}

/**
 * A way of calling something: again, at most so long, at most so many at a time. Whatever has this
 * method is one, so policies of other libraries fit, too. `compose(policy)` makes one of ours of it.
 */
export interface Policy<Instead = never> {
  /** Resolves with what the work returns, or with what the policy gives `Instead`. */
  execute<T>(
    fn: (context?: PolicyContext) => T | PromiseLike<T>,
    signal?: AbortSignal,
  ): Promise<T | Instead>;
  /** Tells it where time and chance come from, unless it was told when it was made. */
  bind?(env: Env): void;
}

/** Options that every policy of the library has. */
export interface PolicyOptions {
  /** Where time and chance come from. @default that of the bus it is used on, else the real one */
  readonly env?: Env;
}

/**
 * A policy of the library: `run` takes a call rather than a signal, so that a signal is made only
 * when somebody reads it, however many policies stand around the work.
 */
export abstract class OwnPolicy<Instead = never> implements Policy<Instead> {
  #env: Env | undefined;

  constructor(env: Env | undefined) {
    this.#env = env;
  }

  get env(): Env {
    this.#env ??= realEnv();
    return this.#env;
  }

  bind(env: Env): void {
    this.#env ??= env;
  }

  execute<T>(fn: Work<T>, signal?: AbortSignal): Promise<T | Instead> {
    const wrong = typeof fn !== 'function' ? misuse('fn', 'a function', fn) : refuseSignal(signal);
    if (wrong !== undefined) return Promise.reject(wrong);
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    // A signal may outlive a million calls, so none of them listens to it on its own account.
    return this.run(fn, new Call(this.env, signal, NOT_ABORTABLE));
  }

  /**
   * Never throws: whatever is wrong is a rejection.
   *
   * @internal
   */
  abstract run<T>(fn: Work<T>, call: Call): Promise<T | Instead>;
}

/** The signal of the caller is good enough for whoever changes nothing. */
const NOT_ABORTABLE = { abortable: false } as const;

function refuseSignal(signal: AbortSignal | undefined): TypeError | undefined {
  if (signal === undefined || typeof signal?.addEventListener === 'function') return undefined;
  return misuse('signal', 'an AbortSignal', signal);
}
