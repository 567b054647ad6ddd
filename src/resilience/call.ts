import { onAbort } from '../kernel/abort.ts';
import { Cancellation } from '../kernel/cancellation.ts';
import type { Env } from '../kernel/env.ts';
import type { Execution } from './policy.ts';

/**
 * Whom a call is for, when there are several to choose from: a breaker says of whom it would let a
 * call through, and the choice is for this attempt.
 */
export interface Target {
  choose(admits: (key: string) => boolean): string;
  /** False when an error says nothing about whom was called: the call did not get to him. */
  blames?(error: unknown): boolean;
}

/** Where a retry asks for leave, besides its own budget: what retries below it share. */
export interface RetryTokens {
  /** Takes a token; false when there is none. */
  withdraw(): boolean;
}

/** What a call has that the one around it has not. */
export interface CallChange {
  readonly attempt?: number;
  /** Monotonic instant; an earlier one above stays. */
  readonly deadline?: number;
  readonly retries?: RetryTokens | undefined;
  /**
   * False when nobody will call `abort` on it: its signal is then the very one above, and there is
   * nothing to `end`. @default true
   */
  readonly abortable?: boolean;
}

const NO_CHANGE: CallChange = {};
const NOTHING = (): void => {};

/**
 * One call as the policies around it see it. Policies that change something make a call below it;
 * one that may call it off does so with `abort`, and has to `end` it when the work has ended.
 */
export class Call implements Execution {
  readonly attempt: number;
  /** Monotonic instant after which nobody waits; `Infinity` for none. */
  readonly deadline: number;
  readonly target: Target | undefined;
  readonly retries: RetryTokens | undefined;
  readonly #env: Env;
  readonly #above: Call | AbortSignal | undefined;
  readonly #abortable: boolean;
  #own: Cancellation | undefined;
  #left: LeftBehind | undefined;
  /** Set while it listens to what is above, and when it never will again. */
  #unlink: (() => void) | undefined;

  constructor(
    env: Env,
    above?: Call | AbortSignal,
    change: CallChange = NO_CHANGE,
    target?: Target,
  ) {
    const call = above instanceof Call ? above : undefined;
    const { deadline = Infinity } = change;
    this.#env = env;
    this.#above = above;
    this.#abortable = change.abortable !== false;
    this.attempt = change.attempt ?? call?.attempt ?? 1;
    this.deadline = call === undefined ? deadline : Math.min(deadline, call.deadline);
    this.target = target ?? call?.target;
    this.retries = change.retries ?? call?.retries;
  }

  get remainingMs(): number {
    if (this.deadline === Infinity) return Infinity;
    return Math.max(0, this.deadline - this.#env.now());
  }

  /** Whether it was called off, here or above. */
  get aborted(): boolean {
    return this.#own?.aborted === true || this.#above?.aborted === true;
  }

  /** Why it was called off. */
  get reason(): unknown {
    return this.#own?.aborted === true ? this.#own.reason : this.#above?.reason;
  }

  get signal(): AbortSignal {
    const above = this.#above;
    if (this.#abortable || above === undefined) return this.#listening().signal;
    return above instanceof Call ? above.signal : above;
  }

  /** Calls off this call and those below it; the first reason stays. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.#own ??= new Cancellation();
    this.end();
    this.#own.abort(reason);
  }

  /** Calls back once when it is called off, here or above; at once when it has been. */
  onAbort(callback: (reason: unknown) => void): () => void {
    if (this.#abortable) return this.#listening().onAbort(callback);
    return this.#above === undefined ? NOTHING : listenTo(this.#above, callback);
  }

  /** Its work has ended: it no longer listens to what is above, nor ever will. */
  end(): void {
    this.#unlink?.();
    this.#unlink = NOTHING;
  }

  /** What is called again, or elsewhere, in this call's name. */
  below(change?: CallChange): Call {
    return new Call(this.#env, this, change);
  }

  /**
   * Says that work of this call goes on though nobody waits for it any more: who holds a place for
   * this call, or for one above, keeps it until that work has ended.
   */
  leaveBehind(work: PromiseLike<unknown>): void {
    this.#left ??= new LeftBehind();
    this.#left.add(work);
    if (this.#above instanceof Call) this.#above.leaveBehind(work);
  }

  /** Calls back when nothing that was left behind goes on: at once when there is nothing. */
  whenQuiet(callback: () => void): void {
    if (this.#left === undefined) callback();
    else this.#left.whenQuiet(callback);
  }

  #listening(): Cancellation {
    this.#own ??= new Cancellation();
    const [own, above] = [this.#own, this.#above];
    if (above === undefined) return own;
    if (above.aborted) own.abort(above.reason);
    else this.#unlink ??= listenTo(above, (reason) => own.abort(reason));
    return own;
  }
}

/** Work that somebody has given up and that goes on. */
class LeftBehind {
  #running = 0;
  #waiting: (() => void)[] = [];

  add(work: PromiseLike<unknown>): void {
    this.#running++;
    const ended = (): void => {
      this.#running--;
      if (this.#running > 0) return;
      for (const callback of this.#waiting.splice(0)) callback();
    };
    work.then(ended, ended);
  }

  whenQuiet(callback: () => void): void {
    if (this.#running === 0) callback();
    else this.#waiting.push(callback);
  }
}

function listenTo(above: Call | AbortSignal, callback: (reason: unknown) => void): () => void {
  return above instanceof Call ? above.onAbort(callback) : onAbort(above, callback);
}
