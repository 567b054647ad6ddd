import { Deferred } from '../kernel/deferred.ts';

const SAFE: Promise<void> = Promise.resolve();

/** What becomes of the commits that go to the store together. The promise is made when asked for. */
export class Fate {
  #deferred: Deferred<void> | undefined;
  #isSafe = false;
  #error: Error | undefined;

  /** Never unhandled. */
  readonly whenSafe = (): Promise<void> => {
    if (this.#isSafe) return SAFE;
    this.#deferred ??= this.#defer();
    return this.#deferred.promise;
  };

  safe(): void {
    this.#isSafe = true;
    this.#deferred?.resolve();
  }

  failed(error: Error): void {
    this.#error = error;
    this.#deferred?.reject(error);
  }

  #defer(): Deferred<void> {
    const deferred = new Deferred<void>();
    deferred.promise.catch(() => {});
    if (this.#error !== undefined) deferred.reject(this.#error);
    return deferred;
  }
}
