import { onAbort } from '../kernel/abort.ts';
import type { Env, Lane, Timer } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { type Linked, LinkedList } from '../kernel/linked-list.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { checkTopic } from '../message/topic.ts';
import { checkLease, Lock, type LockOptions } from './lock.ts';
import {
  type LockLoss,
  LockTimeoutError,
  type LockWait,
  StateDeadlockError,
} from './lock-errors.ts';
import { STATE_DEFAULTS } from './state-defaults.ts';

/** Who asks for a lock. */
export interface Locker {
  readonly actor: string;
  /** One piece of work: what tells who waits for whom. */
  readonly owner: unknown;
  /** What can leave: all its locks are released then. */
  readonly registration: unknown;
}

/** A lock as it is now. */
export interface LockInspection {
  readonly key: string;
  /** Who holds it; `undefined` while it is handed on. */
  readonly heldBy: string | undefined;
  readonly token: number | undefined;
  /** Milliseconds until it is taken away. */
  readonly remainingMs: number | undefined;
  /** Who waits, the next first. */
  readonly waiting: readonly string[];
}

/** All locks that somebody holds or waits for. */
export class LockTable {
  readonly env: Env;
  readonly #keys = new Map<string, LockedKey>();
  /** Of every owner, what it waits for. */
  readonly #waits = new Map<unknown, Set<Waiter>>();
  #lastToken = 0;

  constructor(env: Env) {
    this.env = env;
  }

  /** Grants the lock in the order of the requests. */
  async request(key: string, locker: Locker, options: LockOptions = {}): Promise<Lock> {
    const { timeoutMs, leaseMs, signal } = readOptions(options);
    checkTopic(key);
    signal?.throwIfAborted();
    const locked = this.#keys.get(key);
    const { actor } = locker;
    if (timeoutMs === 0 && locked !== undefined) {
      throw new LockTimeoutError(key, 0, { actor, heldBy: locked.held?.lock.actor });
    }
    const cycle = locked && this.#cycle(locker, locked);
    if (cycle !== undefined) throw new StateDeadlockError(key, cycle);
    return new Promise((resolve, reject) => {
      const waiter = new Waiter(locked ?? this.#locked(key), locker, { resolve, reject, leaseMs });
      this.#add(waiter, timeoutMs, signal);
    });
  }

  /** Everything of those who have left is released, and they wait no more. */
  leave(registration: unknown, reason: unknown): void {
    this.leaveAll((one) => one === registration, reason);
  }

  leaveAll(matches: (registration: unknown) => boolean, reason: unknown): void {
    this.#drop((locker) => matches(locker.registration), 'left', reason);
  }

  /** Nobody holds a lock any more, and nobody waits for one. */
  close(reason: unknown): void {
    this.#drop(() => true, 'closed', reason);
  }

  #drop(belongs: (locker: Locker) => boolean, loss: LockLoss, reason: unknown): void {
    for (const { held, waiters } of [...this.#keys.values()]) {
      for (const waiter of waiters.toArray()) {
        if (belongs(waiter.locker)) this.refuse(waiter, reason);
      }
      if (held !== undefined && belongs(held.locker)) held.lock.take(loss, reason);
    }
  }

  /** @returns what is held or waited for, in the order of the keys. */
  inspect(): LockInspection[] {
    const found = [...this.#keys.values()].map((locked) => locked.inspect());
    return found.sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  /** The lock of one key; `undefined` when nobody holds it or waits. */
  find(key: string): LockInspection | undefined {
    return this.#keys.get(key)?.inspect();
  }

  /** Ends a waiting without a lock. */
  refuse(waiter: Waiter, reason: unknown): void {
    waiter.locked.waiters.remove(waiter);
    this.settled(waiter);
    this.forget(waiter.locked);
    waiter.reject(reason);
  }

  /** Forgets what belongs to the waiting. */
  settled(waiter: Waiter): void {
    waiter.settled = true;
    waiter.timer?.cancel();
    waiter.off?.();
    const waits = this.#waits.get(waiter.locker.owner);
    waits?.delete(waiter);
    if (waits?.size === 0) this.#waits.delete(waiter.locker.owner);
  }

  /** A key that nobody holds or waits for takes no memory. */
  forget(locked: LockedKey): void {
    if (locked.held === undefined && locked.waiters.size === 0) this.#keys.delete(locked.key);
  }

  /** Grows over all keys, so it also grows for each. */
  nextToken(): number {
    return ++this.#lastToken;
  }

  #locked(key: string): LockedKey {
    const locked = new LockedKey(this, key);
    this.#keys.set(key, locked);
    return locked;
  }

  #add(waiter: Waiter, timeoutMs: number, signal: AbortSignal | undefined): void {
    const { locked, locker } = waiter;
    const waits = this.#waits.get(locker.owner);
    if (waits === undefined) this.#waits.set(locker.owner, new Set([waiter]));
    else waits.add(waiter);
    locked.waiters.add(waiter);
    locked.next();
    if (waiter.settled) return;
    if (signal !== undefined) {
      waiter.off = onAbort(signal, (reason) => this.refuse(waiter, reason));
    }
    // With 0 it waits for its turn only.
    if (timeoutMs === 0 || timeoutMs === Infinity) return;
    const late = (): void => this.#late(waiter, timeoutMs);
    const label = `time-out of the lock of ${locked.key}`;
    waiter.timer = this.env.setTimer(timeoutMs, late, { keepAlive: true, label });
  }

  #late(waiter: Waiter, timeoutMs: number): void {
    const { locked, locker } = waiter;
    const heldBy = locked.held?.lock.actor;
    this.refuse(waiter, new LockTimeoutError(locked.key, timeoutMs, { ...locker, heldBy }));
  }

  /**
   * Who would wait for whom, when that leads back to who asks. One who asks for what he holds
   * himself may be two pieces of work of one actor, and waits.
   */
  #cycle(locker: Locker, asked: LockedKey): LockWait[] | undefined {
    const seen = new Set<unknown>([locker.owner]);
    const follow = (actor: string, locked: LockedKey): LockWait[] | undefined => {
      const { held } = locked;
      if (held === undefined) return undefined;
      const wait = { actor, waitsFor: locked.key, heldBy: held.lock.actor };
      if (held.locker.owner === locker.owner) return locked === asked ? undefined : [wait];
      if (seen.has(held.locker.owner)) return undefined;
      seen.add(held.locker.owner);
      for (const next of this.#waits.get(held.locker.owner) ?? []) {
        const rest = follow(held.lock.actor, next.locked);
        if (rest !== undefined) return [wait, ...rest];
      }
      return undefined;
    };
    return follow(locker.actor, asked);
  }
}

/** One key that somebody holds or waits for. As a lane it hands the lock on. */
class LockedKey implements Lane {
  readonly kind = 'state' as const;
  readonly order = 0;
  posted = false;
  readonly key: string;
  readonly waiters: LinkedList<Waiter> = new LinkedList();
  held: { readonly lock: Lock; readonly locker: Locker } | undefined;
  readonly #table: LockTable;

  constructor(table: LockTable, key: string) {
    this.#table = table;
    this.key = key;
  }

  get label(): string {
    return `lock of ${this.key}`;
  }

  /** Hands it on if nobody holds it. */
  next(): void {
    if (this.held !== undefined || this.waiters.size === 0) return;
    if (this.#table.env.direct) this.run();
    else this.#table.env.post(this);
  }

  run(): void {
    const waiter = this.waiters.shift();
    if (waiter === undefined) return;
    const { locker, leaseMs } = waiter;
    this.#table.settled(waiter);
    const token = this.#table.nextToken();
    const { env } = this.#table;
    const free = (): void => this.#free();
    const lock = new Lock({ env, key: this.key, actor: locker.actor, token, leaseMs, free });
    this.held = { lock, locker };
    waiter.resolve(lock);
  }

  inspect(): LockInspection {
    const lock = this.held?.lock;
    return {
      key: this.key,
      heldBy: lock?.actor,
      token: lock?.token,
      remainingMs: lock?.remainingMs,
      waiting: this.waiters.toArray().map(({ locker }) => locker.actor),
    };
  }

  #free(): void {
    this.held = undefined;
    this.next();
    this.#table.forget(this);
  }
}

/** One request that was not granted yet. */
class Waiter implements Linked<Waiter> {
  previous: Waiter | undefined;
  next: Waiter | undefined;
  readonly locked: LockedKey;
  readonly locker: Locker;
  readonly leaseMs: number;
  readonly resolve: (lock: Lock) => void;
  readonly reject: (reason: unknown) => void;
  timer: Timer | undefined;
  off: (() => void) | undefined;
  settled = false;

  constructor(
    locked: LockedKey,
    locker: Locker,
    how: {
      readonly leaseMs: number;
      readonly resolve: (lock: Lock) => void;
      readonly reject: (reason: unknown) => void;
    },
  ) {
    this.locked = locked;
    this.locker = locker;
    this.leaseMs = how.leaseMs;
    this.resolve = how.resolve;
    this.reject = how.reject;
  }
}

const OPTIONS: ReadonlySet<string> = new Set<keyof LockOptions>(['timeoutMs', 'leaseMs', 'signal']);

function readOptions(options: LockOptions) {
  refuseUnknown(options, OPTIONS, 'lock');
  const {
    timeoutMs = STATE_DEFAULTS.lockTimeoutMs,
    leaseMs = STATE_DEFAULTS.leaseMs,
    signal,
  } = options;
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
    throw misuse('timeoutMs', 'a number of milliseconds from 0, or Infinity', timeoutMs);
  }
  checkLease(leaseMs);
  return { timeoutMs, leaseMs, signal };
}
