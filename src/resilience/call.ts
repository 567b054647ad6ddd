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
}

/** What a call has that the one around it has not. */
export interface CallChange {
  readonly attempt?: number;
  /** Monotonic instant; an earlier one above stays. */
  readonly deadline?: number;
}

/**
 * One call as the policies around it see it. Policies that change something make a call below it;
 * one that may call it off does so with `abort`, and has to `end` it when the work has ended.
 */
export class Call implements Execution {
  readonly attempt: number;
  /** Monotonic instant after which nobody waits; `Infinity` for none. */
  readonly deadline: number;
  readonly target: Target | undefined;
  readonly #env: Env;
  readonly #above: Call | AbortSignal | undefined;
  #own: Cancellation | undefined;
  #left: LeftBehind | undefined;
  #unlink: (() => void) | undefined;

  constructor(
    env: Env,
    above?: Call | AbortSignal,
    { attempt, deadline = Infinity }: CallChange = {},
    target?: Target,
  ) {
    const call = above instanceof Call ? above : undefined;
    this.#env = env;
    this.#above = above;
    this.attempt = attempt ?? call?.attempt ?? 1;
    this.deadline = Math.min(deadline, call?.deadline ?? Infinity);
    this.target = target ?? call?.target;
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
    return this.#listening().signal;
  }

  /** Calls off this call and those below it; the first reason stays. */
  abort(reason: unknown): void {
    this.#own ??= new Cancellation();
    this.#own.abort(reason);
  }

  /** Calls back once when it is called off, here or above; at once when it has been. */
  onAbort(callback: (reason: unknown) => void): () => void {
    return this.#listening().onAbort(callback);
  }

  /** Its work has ended: it no longer listens to what is above. */
  end(): void {
    this.#unlink?.();
    this.#unlink = undefined;
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
    if (this.#above !== undefined && this.#unlink === undefined) {
      this.#unlink = listenTo(this.#above, (reason) => this.abort(reason));
    }
    return this.#own;
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
