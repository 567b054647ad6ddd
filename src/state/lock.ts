import { Cancellation } from '../kernel/cancellation.ts';
import type { Env, Timer } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { type LockLoss, LockLostError } from './lock-errors.ts';

/** Options of `lock`, `withLock` and `lockAll`. */
export interface LockOptions {
  /** Milliseconds to wait for it: 0 takes it now or never. @default 10_000 */
  readonly timeoutMs?: number;
  /** Milliseconds after which it is taken away; `Infinity` for never. @default 30_000 */
  readonly leaseMs?: number;
  /** Calls the waiting off; a lock that was granted stays. */
  readonly signal?: AbortSignal;
}

/** What a lock is made with. */
export interface LockFacts {
  readonly env: Env;
  readonly key: string;
  readonly actor: string;
  readonly token: number;
  readonly leaseMs: number;
  /** Called once, when nobody holds it any more. */
  readonly free: () => void;
}

/**
 * A lock that was granted. It is held until `release()`, or until its lease is over: then `signal`
 * aborts and the next in line gets it, so write with `{ lock }` what only its holder may write.
 */
export class Lock {
  readonly key: string;
  /** Who holds it. */
  readonly actor: string;
  /** Higher than that of every earlier holder: for systems that can refuse who comes too late. */
  readonly token: number;
  readonly #facts: LockFacts;
  readonly #cancellation = new Cancellation();
  #lost: LockLoss | undefined;
  #timer: Timer | undefined;
  /** Monotonic. */
  #endsAt = Infinity;

  /** @internal */
  constructor(facts: LockFacts) {
    this.#facts = facts;
    this.key = facts.key;
    this.actor = facts.actor;
    this.token = facts.token;
    this.#lease(facts.leaseMs);
  }

  /** Whether it is neither released nor lost. */
  get held(): boolean {
    return this.#lost === undefined;
  }

  /** Milliseconds until it is taken away. */
  get remainingMs(): number {
    return this.held ? Math.max(0, this.#endsAt - this.#facts.env.now()) : 0;
  }

  /** Aborts with a LockLostError when the lock is lost; not when it is released. */
  get signal(): AbortSignal {
    return this.#cancellation.signal;
  }

  /**
   * Begins a new lease now.
   *
   * @throws LockLostError `TELLASK_LOCK_LOST`
   */
  extend(leaseMs: number = this.#facts.leaseMs): void {
    checkLease(leaseMs);
    this.verify();
    this.#timer?.cancel();
    this.#lease(leaseMs);
  }

  /** Lets the next in line have it. Once is enough; more changes nothing. */
  release(): void {
    if (!this.held) return;
    this.#lost = 'released';
    this.#free();
  }

  /** Lets go at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release();
  }

  /** @internal Throws when somebody else may hold it by now. */
  verify(): void {
    if (this.#lost !== undefined) throw new LockLostError(this, this.#lost);
  }

  /** @internal Takes it away. */
  take(loss: LockLoss, cause?: unknown): void {
    if (!this.held) return;
    const error = new LockLostError(this, loss, cause);
    this.#lost = loss;
    this.#cancellation.abort(error);
    this.#free();
  }

  /** @internal */
  onLost(callback: (reason: unknown) => void): () => void {
    return this.#cancellation.onAbort(callback);
  }

  /** @internal What the work gives; when the lock is lost before, why. */
  during<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const off = this.#cancellation.onAbort(reject);
      const settled = async (): Promise<T> => work();
      settled().then(resolve, reject).finally(off);
    });
  }

  #lease(leaseMs: number): void {
    const { env } = this.#facts;
    this.#endsAt = env.now() + leaseMs;
    this.#timer =
      leaseMs === Infinity
        ? undefined
        : env.setTimer(leaseMs, () => this.take('expired'), { label: `lease of ${this.key}` });
  }

  #free(): void {
    this.#timer?.cancel();
    this.#facts.free();
  }
}

/** Several locks that are held, lost and released together. */
export class LockSet {
  /** In the order of their keys. */
  readonly locks: readonly Lock[];
  readonly #cancellation = new Cancellation();

  /** @internal */
  constructor(locks: readonly Lock[]) {
    this.locks = locks;
    for (const lock of locks) lock.onLost((reason) => this.#cancellation.abort(reason));
  }

  /** Whether none was released or lost. */
  get held(): boolean {
    return this.locks.every(({ held }) => held);
  }

  /** Aborts with a LockLostError when one of them is lost. */
  get signal(): AbortSignal {
    return this.#cancellation.signal;
  }

  /** Begins a new lease of each now. */
  extend(leaseMs?: number): void {
    for (const lock of this.locks) lock.extend(leaseMs);
  }

  /** Lets the next in line have them. */
  release(): void {
    for (const lock of this.locks) lock.release();
  }

  /** Lets go at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release();
  }
}

export function checkLease(leaseMs: unknown): void {
  if (typeof leaseMs === 'number' && leaseMs > 0) return;
  throw misuse('leaseMs', 'a number of milliseconds above 0, or Infinity', leaseMs);
}
