import { misuse } from '../kernel/errors.ts';
import { isThenable } from '../kernel/thenable.ts';
import type {
  AnyContract,
  ContractShape,
  StateInput,
  StateKeyArg,
  StateValue,
} from '../message/contract-types.ts';
import { compilePattern } from '../message/pattern.ts';
import type { Draft, StateCore } from './core.ts';
import {
  type Author,
  entryOf,
  type KeptVersion,
  type StateAction,
  type StateEntry,
  type StateVersion,
} from './entry.ts';
import { StateConflictError, StateExistsError, StateNotFoundError } from './errors.ts';

/** Options of every write. */
export interface WriteOptions {
  /** Milliseconds until it expires, which is a version of its own. @default never */
  readonly ttlMs?: number;
}

/** Options of `update`. */
export interface UpdateOptions<V = unknown> extends WriteOptions {
  /** What `fn` gets when there is no value. @default `update` throws StateNotFoundError */
  readonly initial?: V;
}

/** Options of `delete`. */
export interface DeleteOptions {
  /** Deletes only this version. @default any */
  readonly expectedVersion?: number;
}

/** Options of `list`. */
export interface ListOptions {
  /** At most so many. @default Infinity */
  readonly limit?: number;
  /** Only keys behind this one. */
  readonly after?: string;
}

/** Who holds a view, and what it may do with it. */
export interface Holder {
  /** Who writes; throws when the holder may write no more. */
  author(): Author;
}

/**
 * The shared state as one actor sees it. Every operation is atomic and takes effect at once; what
 * it gives out is frozen, so nobody can change the state but by writing to it.
 */
export class StateView<C extends ContractShape = AnyContract> {
  readonly #core: StateCore;
  readonly #holder: Holder;

  /** @internal */
  constructor(core: StateCore, holder: Holder) {
    this.#core = core;
    this.#holder = holder;
  }

  /** What is at a key; `undefined` when there is no value. */
  get<const K extends string>(key: StateKeyArg<C, K>): StateEntry<StateValue<C, K>> | undefined {
    return entryOf(this.#core.find(key)?.current) as StateEntry<StateValue<C, K>> | undefined;
  }

  /** Whether there is a value. */
  has<const K extends string>(key: StateKeyArg<C, K>): boolean {
    return this.#core.find(key)?.exists === true;
  }

  /** What is at all keys that fit, in the order of the keys. */
  list(pattern = '**', { limit = Infinity, after }: ListOptions = {}): StateEntry[] {
    const compiled = compilePattern(pattern);
    const found: StateEntry[] = [];
    for (const { key, current } of this.#core.records()) {
      if (current?.exists !== true || (after !== undefined && key <= after)) continue;
      if (compiled.matches(key)) found.push(current as StateEntry);
    }
    found.sort((one, other) => (one.key < other.key ? -1 : 1));
    return limit === Infinity ? found : found.slice(0, limit);
  }

  /**
   * Writes a value where there is none.
   *
   * @throws StateExistsError `TELLASK_STATE_EXISTS`
   */
  create<const K extends string>(
    key: StateKeyArg<C, K>,
    value: StateInput<C, K>,
    options: WriteOptions = {},
  ): StateEntry<StateValue<C, K>> {
    const author = this.#holder.author();
    const draft = this.#draft(key, 'created', value, options);
    const current = entryOf(draft.before);
    if (current !== undefined) throw new StateExistsError(current);
    return this.#commit(author, draft);
  }

  /** Writes a value, whatever is there. */
  set<const K extends string>(
    key: StateKeyArg<C, K>,
    value: StateInput<C, K>,
    options: WriteOptions = {},
  ): StateEntry<StateValue<C, K>> {
    return this.#commit(this.#holder.author(), this.#draft(key, 'set', value, options));
  }

  /**
   * Writes a value if the key is at the version that the writer has seen; 0 says that there must be
   * no value. Every success makes a version, so of several claimants one wins.
   *
   * @throws StateConflictError `TELLASK_STATE_CONFLICT`
   */
  compareAndSet<const K extends string>(
    key: StateKeyArg<C, K>,
    expectedVersion: number,
    value: StateInput<C, K>,
    options: WriteOptions = {},
  ): StateEntry<StateValue<C, K>> {
    checkVersion('expectedVersion', expectedVersion);
    const author = this.#holder.author();
    const draft = this.#draft(key, 'set', value, options);
    checkExpected(draft, expectedVersion);
    return this.#commit(author, draft);
  }

  /**
   * Writes what `fn` makes of the value. `fn` is called once, at once, and may not write the same
   * key itself. To give back the same reference changes nothing and makes no version.
   *
   * @throws StateNotFoundError `TELLASK_STATE_NOT_FOUND` without a value and without `initial`;
   *   TypeError when `fn` gives `undefined` or a promise.
   */
  update<const K extends string>(
    key: StateKeyArg<C, K>,
    fn: (value: StateValue<C, K>) => StateInput<C, K>,
    options: UpdateOptions<StateInput<C, K>> = {},
  ): StateEntry<StateValue<C, K>> {
    if (typeof fn !== 'function') throw misuse('The second argument of update', 'a function', fn);
    const author = this.#holder.author();
    const seen = this.#core.find(key)?.current;
    const initial = seen?.exists === true ? undefined : this.#initial(key, options);
    const from = initial === undefined ? seen?.value : initial.value;
    const made = fn(from as StateValue<C, K>);
    checkMade(key, made);
    if (initial === undefined && made === from) return seen as StateEntry<StateValue<C, K>>;
    const expiresAt =
      options.ttlMs === undefined ? (seen?.expiresAt ?? undefined) : this.#expiry(options);
    const draft = this.#core.draft(key, initial ? 'created' : 'updated', made, expiresAt);
    return this.#commit(author, { ...draft, before: seen });
  }

  /**
   * Removes a value. The version that says so goes on counting, so a later one is never mistaken
   * for an earlier.
   *
   * @returns the version that removed it; `undefined` when there was no value.
   * @throws StateConflictError `TELLASK_STATE_CONFLICT`
   */
  delete<const K extends string>(
    key: StateKeyArg<C, K>,
    { expectedVersion }: DeleteOptions = {},
  ): StateVersion<StateValue<C, K>> | undefined {
    const author = this.#holder.author();
    const draft = this.#core.removal(key, 'deleted');
    if (expectedVersion !== undefined) {
      checkVersion('expectedVersion', expectedVersion);
      checkExpected(draft, expectedVersion);
    }
    if (draft.before?.exists !== true) return undefined;
    return this.#core.commit(author, [draft])[0] as StateVersion<StateValue<C, K>>;
  }

  #initial(key: string, options: UpdateOptions): Draft {
    if (options.initial === undefined) throw new StateNotFoundError(key);
    return this.#core.draft(key, 'created', options.initial, undefined);
  }

  #draft(key: string, action: StateAction, value: unknown, options: WriteOptions): Draft {
    return this.#core.draft(key, action, value, this.#expiry(options));
  }

  #expiry({ ttlMs }: WriteOptions): number | undefined {
    if (ttlMs === undefined || ttlMs === Infinity) return undefined;
    if (typeof ttlMs !== 'number' || !(ttlMs > 0)) {
      throw misuse('ttlMs', 'a number of milliseconds above 0, or Infinity', ttlMs);
    }
    return Math.round(this.#core.env.wall() + ttlMs);
  }

  #commit<V>(author: Author, draft: Draft): StateEntry<V> {
    return this.#core.commit(author, [draft])[0] as KeptVersion as StateEntry<V>;
  }
}

function checkMade(key: string, made: unknown): void {
  if (made === undefined) {
    throw new TypeError(
      `The function that updates '${key}' gave back undefined; give back the new value, or the ` +
        'old one to change nothing',
    );
  }
  if (!isThenable(made)) return;
  // Nobody will wait for it, and a rejection that nobody hears would end the process.
  made.then(undefined, () => {});
  throw new TypeError(
    `The function that updates '${key}' gave back a promise, but an update is one step: await ` +
      'first, or use a transaction',
  );
}

function checkVersion(option: string, version: number): void {
  if (Number.isSafeInteger(version) && version >= 0) return;
  throw misuse(option, 'a version: an integer from 0', version);
}

function checkExpected(draft: Draft, expectedVersion: number): void {
  const { key, before, value } = draft;
  const current = entryOf(before);
  if ((current?.version ?? 0) === expectedVersion) return;
  throw new StateConflictError({
    key,
    expectedVersion,
    actualVersion: before?.version ?? 0,
    current,
    proposed: value,
  });
}
