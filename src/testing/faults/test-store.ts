import { Deferred } from '../../kernel/deferred.ts';
import type { Env, Lane } from '../../kernel/env.ts';
import {
  MemoryStore,
  type MemoryStoreJson,
  type MemoryStoreOptions,
} from '../../stores/memory-store.ts';
import type { Store } from '../../stores/store.ts';
import { intercepted, type StoreCall } from '../faulty-store.ts';
import { InjectedFaultError } from './errors.ts';
import type { SeededFaults, StoreStrike } from './seeded-faults.ts';

/** Options of `TestBus.store`. */
export interface TestStoreOptions extends MemoryStoreOptions {
  /** What rules of faults and transcripts call it. @default 'store' */
  readonly name?: string;
}

/** A store under test. */
export interface TestStore extends Store {
  /** What it holds, for a store that goes on where this one stopped: `t.store({ json })`. */
  toJSON(): MemoryStoreJson;
}

/**
 * A store in memory whose calls take two turns that the scheduler chooses: in the first the work
 * is done, in the second the answer arrives. It fails as a plan of faults says.
 */
export function makeTestStore(
  env: Env,
  faults: SeededFaults | undefined,
  { name = 'store', ...options }: TestStoreOptions = {},
): TestStore {
  const inner = new MemoryStore(options);
  const counts = new Map<StoreCall, number>();
  const store = intercepted(inner, (call, _writes, work) => {
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    const strike = faults?.storing(name, call, nth);
    return new StoreTurn(env, `${call} ${nth} of ${name}`, strike).take(work);
  });
  return { ...store, toJSON: () => inner.toJSON() };
}

/** One call of a store on its way there and back. */
class StoreTurn implements Lane {
  readonly kind = 'store';
  /** Behind everything that needs no store, as in production. */
  readonly order: number = Infinity;
  readonly label: string;
  posted = false;
  readonly #env: Env;
  readonly #strike: StoreStrike | undefined;
  #next: () => void = () => {};

  constructor(env: Env, label: string, strike: StoreStrike | undefined) {
    this.#env = env;
    this.label = label;
    this.#strike = strike;
  }

  run(): void {
    this.#next();
  }

  take<T>(work: () => Promise<T>): Promise<T> {
    const answered = new Deferred<T>();
    this.#then(() => {
      if (this.#strike?.when === 'before') this.#goWrong(answered);
      else this.#work(work, answered);
    });
    return answered.promise;
  }

  #work<T>(work: () => Promise<T>, answered: Deferred<T>): void {
    work().then(
      (result) => this.#then(() => this.#answer(result, answered)),
      (error: unknown) => this.#then(() => answered.reject(error)),
    );
  }

  #answer<T>(result: T, answered: Deferred<T>): void {
    if (this.#strike === undefined) answered.resolve(result);
    else this.#goWrong(answered);
  }

  #goWrong<T>(answered: Deferred<T>): void {
    const { when, hangs } = this.#strike as StoreStrike;
    if (!hangs) answered.reject(new InjectedFaultError(`${this.label} failed ${when} it was done`));
  }

  #then(next: () => void): void {
    this.#next = next;
    this.#env.post(this);
  }
}
