import { Deferred } from '../kernel/deferred.ts';
import type { Env, Timer } from '../kernel/env.ts';
import { isTellaskError } from '../kernel/errors.ts';
import { promiseOf } from '../kernel/thenable.ts';
import type { Commit, Store } from '../stores/store.ts';
import { SagaLeaseLostError, SagaStoppedError } from './errors.ts';
import { type Change, isOver, type SagaJournal } from './journal.ts';

/** What a keeper keeps, and where. */
export interface Keeping {
  readonly env: Env;
  readonly store: Store;
  readonly key: string;
  readonly journal: SagaJournal;
  /** The version that the store gave it. */
  readonly version: number;
  readonly leaseMs: number;
  /** Milliseconds that the store has for a commit. */
  readonly storeTimeoutMs: number;
}

/**
 * Keeps one journal for the one who has claimed it. Every commit expects the version of the one
 * before, so that a second owner's claim makes the first one's next commit fail, and renews the
 * lease. After the first commit that fails nothing is written any more: nobody can say then what
 * the store has.
 */
export class JournalKeeper {
  /** Told once, when nothing can be saved any more. */
  onHalt: (error: unknown) => void = () => {};
  readonly #keeping: Keeping;
  #journal: SagaJournal;
  #version: number;
  /** What the last commit says, whether it has come to its end or not. */
  #written: SagaJournal;
  #heart: Timer | undefined;
  #committing: Promise<void> = Promise.resolve();
  /** The commit behind the one that runs: it takes along all that has changed meanwhile. */
  #following: Promise<void> | undefined;
  #halted: { readonly error: unknown } | undefined;

  constructor(keeping: Keeping) {
    this.#keeping = keeping;
    this.#journal = keeping.journal;
    this.#written = keeping.journal;
    this.#version = keeping.version;
  }

  get journal(): SagaJournal {
    return this.#journal;
  }

  get halted(): boolean {
    return this.#halted !== undefined;
  }

  /** Takes effect here at once, and in the store with the next `save`. */
  change(change: Change): void {
    this.#journal = change(this.#journal);
  }

  /** Resolves when all that has changed so far is in the store. */
  save(): Promise<void> {
    if (this.#halted !== undefined) return Promise.reject(this.#halted.error);
    return this.#journal === this.#written ? this.#committing : this.#write();
  }

  #write(): Promise<void> {
    if (this.#following === undefined) {
      // Both at once: a store may call back before it returns its promise.
      this.#committing = this.#committing.then(() => {
        this.#following = undefined;
        return this.#commit();
      });
      this.#following = this.#committing;
    }
    return this.#following;
  }

  /** Renews the lease while a step runs, well before it ends. */
  beat(): void {
    const { env, leaseMs } = this.#keeping;
    if (leaseMs === 0) return;
    this.#heart?.cancel();
    const renew = (): void => {
      this.beat();
      this.#write().catch(() => {});
    };
    this.#heart = env.setTimer(leaseMs / 3, renew, { label: 'saga lease' });
  }

  /** Nothing is written any more, for this reason. */
  halt(error: unknown): void {
    if (this.#halted !== undefined) return;
    this.#halted = { error };
    this.end();
    this.onHalt(error);
  }

  /** Holds no timer any more. */
  end(): void {
    this.#heart?.cancel();
    this.#heart = undefined;
  }

  async #commit(): Promise<void> {
    if (this.#halted !== undefined) throw this.#halted.error;
    const { store, key } = this.#keeping;
    const journal = this.#renewed();
    this.#written = this.#journal;
    try {
      const write = { key, value: JSON.stringify(journal), expectedVersion: this.#version };
      const commit = await this.#inTime(store.commit([write]));
      this.#version = versionOf(commit, key);
    } catch (error) {
      const halted = this.#haltedBy(error);
      this.halt(halted);
      throw halted;
    }
  }

  #renewed(): SagaJournal {
    const { env, leaseMs } = this.#keeping;
    const updatedAt = env.wall();
    const journal = { ...this.#journal, updatedAt };
    if (isOver(journal) || journal.owner === undefined) return journal;
    return { ...journal, leaseEndsAt: updatedAt + leaseMs };
  }

  #haltedBy(error: unknown): unknown {
    const { saga, id } = this.#journal;
    if (isTellaskError(error, 'TELLASK_STORE_CONFLICT')) {
      return new SagaLeaseLostError(saga, id, { cause: error });
    }
    return new SagaStoppedError(saga, id, 'the store failed', { cause: error });
  }

  #inTime(commit: Promise<Commit>): Promise<Commit> {
    const { env, storeTimeoutMs } = this.#keeping;
    return inTime(env, storeTimeoutMs, commit);
  }
}

/** Rejects when the store has not answered in time. */
export function inTime<T>(env: Env, ms: number, answer: Promise<T>): Promise<T> {
  if (ms === Infinity) return answer;
  const waiting = new Deferred<T>();
  const late = (): void => waiting.reject(new Error(`The store has not answered within ${ms} ms`));
  const timer = env.setTimer(ms, late, { keepAlive: true, label: 'saga store' });
  // A store that gives no promise has answered, too.
  promiseOf(answer).then(
    (value) => waiting.resolve(value as T),
    (error: unknown) => waiting.reject(error),
  );
  return waiting.promise.finally(() => timer.cancel());
}

/** The version that a commit gave to a key. */
export function versionOf({ writes }: Commit, key: string): number {
  return writes.find((write) => write.key === key)?.version ?? 0;
}
