import type { Env } from '../kernel/env.ts';
import type { Commit, ScanOptions, Store, Stored, Write } from '../stores/store.ts';
import { LetterStoreError } from './letter-errors.ts';

/** Calls of a store that hangs, throws or answers late: each settles in time, once. */
export class StoreCalls {
  readonly #env: Env;
  readonly #store: Store;
  readonly #timeoutMs: number;
  readonly #open = new Set<(reason: unknown) => void>();

  constructor(env: Env, store: Store, timeoutMs: number) {
    this.#env = env;
    this.#store = store;
    this.#timeoutMs = timeoutMs;
  }

  commit(writes: readonly Write[]): Promise<Commit> {
    return this.#bounded('commit', () => this.#store.commit(writes));
  }

  scan(prefix: string, options: ScanOptions): Promise<readonly Stored[]> {
    return this.#bounded('scan', () => this.#store.scan(prefix, options));
  }

  /** Ends all waiting; what the store does with the calls is its own affair. */
  giveUp(reason: unknown): void {
    for (const reject of this.#open) reject(reason);
  }

  #bounded<T>(what: string, call: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        timer.cancel();
        this.#open.delete(fail);
      };
      const fail = (reason: unknown): void => {
        end();
        reject(reason);
      };
      const late = (): void =>
        fail(new LetterStoreError(`${what} took longer than ${this.#timeoutMs} ms`, {}));
      const options = { keepAlive: true, label: 'store of dead letters' };
      const timer = this.#env.setTimer(this.#timeoutMs, late, options);
      this.#open.add(fail);
      called(call).then((value) => {
        end();
        resolve(value);
      }, fail);
    });
  }
}

/** A store that throws has failed like one that rejects. */
async function called<T>(call: () => Promise<T>): Promise<T> {
  return call();
}
