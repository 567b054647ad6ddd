import { misuse } from '../kernel/errors.ts';
import type {
  AnyContract,
  ContractShape,
  StateInput,
  StateKeyArg,
  StatePatternArg,
  StateValue,
  WatchedValue,
} from '../message/contract-types.ts';
import { compilePattern } from '../message/pattern.ts';
import { checkMade, conflictOf, type OnConflict, solve } from './conflict.ts';
import type { Draft, StateCore } from './core.ts';
import { diff, type PatchOperation } from './diff.ts';
import {
  type Author,
  entryOf,
  type KeptVersion,
  type StateAction,
  type StateEntry,
  type StateVersion,
} from './entry.ts';
import {
  StateConflictError,
  StateExistsError,
  StateNotFoundError,
  StateVersionError,
} from './errors.ts';
import { explain, type StateExplanation } from './explain.ts';
import { Gate } from './gate.ts';
import type { Holder } from './holder.ts';
import type { Lock, LockOptions, LockSet } from './lock.ts';
import { lockAll, lockerOf } from './locking.ts';
import { StatePast } from './past.ts';
import type { StateGround } from './staging.ts';
import { type StateTransaction, type TransactionOptions, transact } from './transaction.ts';
import type { StateWatch } from './watcher.ts';
import type { WatchOptions } from './watchers.ts';
import {
  type CompareAndSetOptions,
  checkListOptions,
  checkOnConflict,
  checkOptions,
  checkVersion,
  type DeleteOptions,
  type ListOptions,
  NO_OPTIONS,
  type UpdateOptions,
  type WriteOptions,
} from './write-options.ts';

/**
 * The shared state as one actor sees it. Every operation is atomic and takes effect at once; what
 * it gives out is frozen, so nobody can change the state but by writing to it.
 */
export class StateView<C extends ContractShape = AnyContract> {
  readonly #core: StateCore;
  readonly #holder: Holder;
  readonly #gate: Gate;
  /** What the plain operations stand on: the core, or a transaction. */
  readonly #ground: StateGround;

  /** @internal */
  constructor(core: StateCore, holder: Holder, ground: StateGround = core) {
    this.#core = core;
    this.#holder = holder;
    this.#gate = new Gate(core, holder);
    this.#ground = ground;
  }

  /** What is at a key; `undefined` when there is no value. */
  get<const K extends string>(key: StateKeyArg<C, K>): StateEntry<StateValue<C, K>> | undefined {
    this.#gate.look(key);
    return entryOf(this.#ground.find(key)?.current) as StateEntry<StateValue<C, K>> | undefined;
  }

  /** Whether there is a value. */
  has<const K extends string>(key: StateKeyArg<C, K>): boolean {
    this.#gate.look(key);
    return this.#ground.find(key)?.exists === true;
  }

  /** What is at all keys that fit, in the order of the keys. */
  list<const P extends string = '**'>(
    pattern: StatePatternArg<C, P> = '**' as StatePatternArg<C, P>,
    options: ListOptions = NO_OPTIONS,
  ): StateEntry<WatchedValue<C, P>>[] {
    this.#gate.enter();
    checkListOptions(options);
    const { limit = Infinity, after } = options;
    const scan = { pattern: compilePattern(pattern), after };
    const found = this.#gate.only(this.#ground.scan(scan)) as unknown as StateEntry<
      WatchedValue<C, P>
    >[];
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
    options: WriteOptions = NO_OPTIONS,
  ): StateEntry<StateValue<C, K>> {
    checkOptions('create', options);
    const author = this.#editor(key, options);
    const draft = this.#draft(key, 'created', value, options);
    const current = entryOf(draft.before);
    if (current !== undefined) throw new StateExistsError(current);
    return this.#commit(author, draft);
  }

  /** Writes a value, whatever is there. */
  set<const K extends string>(
    key: StateKeyArg<C, K>,
    value: StateInput<C, K>,
    options: WriteOptions = NO_OPTIONS,
  ): StateEntry<StateValue<C, K>> {
    checkOptions('set', options);
    return this.#commit(this.#author(key, options), this.#draft(key, 'set', value, options));
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
    options: CompareAndSetOptions<StateInput<C, K>> = NO_OPTIONS,
  ): StateEntry<StateValue<C, K>> {
    checkOptions('compareAndSet', options);
    checkOnConflict(options.onConflict as OnConflict);
    checkVersion('expectedVersion', expectedVersion);
    const author = this.#editor(key, options);
    const draft = this.#draft(key, 'set', value, options);
    const conflict = conflictOf(draft, expectedVersion);
    if (conflict === undefined) return this.#commit(author, draft);
    this.#core.conflicts++;
    const solved = solve(this.#ground, draft, conflict, options.onConflict as OnConflict);
    // Over what was merged with, and nothing that has come since: who solves may have written.
    const merged = this.#draft(key, 'merged', solved, options);
    return this.#commit(author, { ...merged, before: draft.before });
  }

  /**
   * Writes what `fn` makes of the value. `fn` is called once, at once, and may not write the same
   * key itself. To give back the same reference changes nothing and makes no version, unless
   * there is a `ttlMs`: then it lives on. `Infinity` takes the end away.
   *
   * @throws StateNotFoundError `TELLASK_STATE_NOT_FOUND` without a value and without `initial`;
   *   TypeError when `fn` gives `undefined` or a promise.
   */
  update<const K extends string>(
    key: StateKeyArg<C, K>,
    fn: (value: StateValue<C, K>) => StateInput<C, K>,
    options: UpdateOptions<StateInput<C, K>> = NO_OPTIONS,
  ): StateEntry<StateValue<C, K>> {
    checkOptions('update', options);
    if (typeof fn !== 'function') throw misuse('The second argument of update', 'a function', fn);
    const author = this.#editor(key, options);
    const seen = this.#ground.find(key)?.current;
    const initial = seen?.exists === true ? undefined : this.#initial(key, options);
    const from = initial === undefined ? seen?.value : initial.value;
    const made = fn(from as StateValue<C, K>);
    checkMade(key, made);
    if (initial === undefined && made === from && options.ttlMs === undefined)
      return seen as StateEntry<StateValue<C, K>>;
    const expiresAt =
      options.ttlMs === undefined ? (seen?.expiresAt ?? undefined) : this.#expiry(options);
    const draft = this.#ground.draft(key, initial ? 'created' : 'updated', made, expiresAt);
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
    options: DeleteOptions = NO_OPTIONS,
  ): StateVersion<StateValue<C, K>> | undefined {
    checkOptions('delete', options);
    const { expectedVersion } = options;
    const author =
      expectedVersion === undefined ? this.#author(key, options) : this.#editor(key, options);
    const draft = this.#ground.removal(key, 'deleted');
    if (expectedVersion !== undefined) {
      checkVersion('expectedVersion', expectedVersion);
      const conflict = conflictOf(draft, expectedVersion);
      if (conflict !== undefined) {
        this.#core.conflicts++;
        throw new StateConflictError(conflict);
      }
    }
    if (draft.before?.exists !== true) return undefined;
    return this.#ground.commit(author, [draft])[0] as StateVersion<StateValue<C, K>>;
  }

  /**
   * Runs `fn` and makes all that it wrote through `tx` true in one revision, or nothing of it. What
   * it saw of the state is true until then: when somebody else was faster it is run again, so what
   * else it does must bear repeating. What it throws is thrown, and nothing is written.
   *
   * @throws StateConflictError `TELLASK_STATE_CONFLICT` when others were faster every time;
   *   StateTimeoutError `TELLASK_STATE_TIMEOUT`
   *
   * @example
   * ```ts
   * import { StateManager } from 'tellask';
   * const state = new StateManager();
   * state.set('purse.ann', 10);
   * state.set('purse.bob', 0);
   * await state.transaction(async (tx) => {
   *   tx.update('purse.ann', (euros) => (euros as number) - 4);
   *   tx.update('purse.bob', (euros) => (euros as number) + 4);
   * });
   * state.list('purse.*').map(({ value, revision }) => [value, revision]); // => [[6, 3], [4, 3]]
   * ```
   */
  transaction<T>(
    fn: (tx: StateTransaction<C>) => T | Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    const core = this.#core;
    const holder = this.#holder;
    const open = (ground: StateGround) => viewOn<C>(core, holder, ground);
    return transact({ core, holder, open }, fn, options);
  }

  /**
   * Runs `fn` while it holds the lock of a key, and lets go of it whatever `fn` does. Who asks
   * first gets it first. When the lease is over, `lock.signal` aborts, the next in line gets the
   * lock and this rejects, while `fn` may still go on: write with `{ lock }`, or `lock.extend()` in
   * time. A lock keeps others from the lock, and not from the key; and it is not re-entrant.
   *
   * @throws LockTimeoutError `TELLASK_LOCK_TIMEOUT`, LockLostError `TELLASK_LOCK_LOST`,
   *   StateDeadlockError `TELLASK_LOCK_DEADLOCK` when to wait would be to wait for ever.
   *
   * @example
   * ```ts
   * import { StateManager } from 'tellask';
   * const writer = new StateManager().as('writer');
   * const entry = await writer.withLock('doc.7', async (lock) => {
   *   const content = await Promise.resolve('slowly made');
   *   return writer.set('doc.7', { content }, { lock });
   * });
   * entry.version; // => 1
   * ```
   */
  async withLock<T>(
    key: string,
    fn: (lock: Lock) => T | Promise<T>,
    options: LockOptions = {},
  ): Promise<T> {
    if (typeof fn !== 'function') throw misuse('The second argument of withLock', 'a function', fn);
    const lock = await this.lock(key, options);
    try {
      return await lock.during(() => fn(lock));
    } finally {
      lock.release();
    }
  }

  /**
   * Waits for the lock of a key, which has to be released: `using lock = await state.lock(key)`.
   *
   * @throws what `withLock` throws.
   */
  async lock(key: string, options: LockOptions = {}): Promise<Lock> {
    this.#gate.author(key);
    this.#core.checkOpen();
    return this.#core.locks.request(key, lockerOf(this.#holder), options);
  }

  /**
   * Waits for the locks of several keys, one after the other in the order of the keys, so that two
   * who want the same never wait for each other. All or none.
   *
   * @throws what `withLock` throws.
   */
  async lockAll(keys: readonly string[], options: LockOptions = {}): Promise<LockSet> {
    for (const key of Array.isArray(keys) ? keys : []) this.#gate.author(key);
    this.#core.checkOpen();
    return lockAll(this.#core.locks, lockerOf(this.#holder), keys, options);
  }

  /**
   * Watches all keys that fit, from this very step on: every version in order of revision, none
   * twice, deletes and expiries included. Writers never wait: who reads too slowly gets what is in
   * the buffer and then an error that says where to go on. What was read before a `break` counts as
   * read; `resumeFrom` of the watch is the `fromRevision` of the next one.
   *
   * @throws StateGapError `TELLASK_STATE_GAP`, StateVersionError `TELLASK_STATE_VERSION` for a
   *   revision that was not reached yet; StateOverflowError `TELLASK_STATE_OVERFLOW` in the loop.
   * @example
   * ```ts
   * import { StateManager } from 'tellask';
   * const state = new StateManager();
   * state.set('doc.7', 'draft');
   * const watch = state.watch('doc.*', { initial: true });
   * state.set('doc.7', 'final');
   * (await watch.next()).value?.value; // => 'draft'
   * (await watch.next()).value?.value; // => 'final'
   * await watch.return();
   * watch.resumeFrom; // => 3
   * ```
   */
  watch<const P extends string = '**'>(
    pattern: StatePatternArg<C, P> = '**' as StatePatternArg<C, P>,
    options: WatchOptions = {},
  ): StateWatch<WatchedValue<C, P>> {
    this.#gate.enter();
    const watch: StateWatch = this.#core.watchers.watch(pattern, options, this.#gate);
    return watch as StateWatch<WatchedValue<C, P>>;
  }

  /** Everything about a version: what is kept, who wrote it when, and because of what. */
  history<const K extends string>(
    key: StateKeyArg<C, K>,
  ): readonly StateVersion<StateValue<C, K>>[] {
    this.#gate.look(key);
    const versions = this.#core.find(key)?.versions() ?? [];
    return versions as unknown as readonly StateVersion<StateValue<C, K>>[];
  }

  /**
   * One version of a key, also one that deleted it.
   *
   * @throws StateVersionError `TELLASK_STATE_VERSION`: it is no longer kept, or not yet written.
   */
  getVersion<const K extends string>(
    key: StateKeyArg<C, K>,
    version: number,
  ): StateVersion<StateValue<C, K>> {
    this.#gate.look(key);
    return this.#version(key, version) as StateVersion<StateValue<C, K>>;
  }

  /**
   * What changed between two versions of a key, as a JSON Patch (RFC 6902).
   *
   * @throws StateVersionError `TELLASK_STATE_VERSION`
   */
  diff<const K extends string>(
    key: StateKeyArg<C, K>,
    fromVersion: number,
    toVersion: number,
  ): readonly PatchOperation[] {
    this.#gate.look(key);
    return diff(this.#version(key, fromVersion).value, this.#version(key, toVersion).value);
  }

  /**
   * Writes the value of an earlier version as a new one; versions never fall. To revert to a
   * version that deleted the key deletes it.
   *
   * @throws StateVersionError `TELLASK_STATE_VERSION`
   */
  revert<const K extends string>(
    key: StateKeyArg<C, K>,
    version: number,
  ): StateVersion<StateValue<C, K>> {
    const author = this.#gate.editor(key);
    const { value } = this.#version(key, version);
    const draft =
      value === undefined
        ? this.#core.removal(key, 'reverted')
        : this.#core.draft(key, 'reverted', value, undefined);
    return this.#core.commit(author, [draft])[0] as StateVersion<StateValue<C, K>>;
  }

  /**
   * The whole state as it was after a commit, read-only. 0 is before the first. It is read from the
   * histories and keeps nothing alive: what is trimmed, by then or meanwhile, throws when it is read.
   *
   * @throws StateVersionError `TELLASK_STATE_VERSION`: that revision was not reached yet, or, from
   *   the reads, what was there is no longer kept.
   *
   * @example
   * ```ts
   * import { StateManager } from 'tellask';
   * const state = new StateManager();
   * state.set('doc.7', 'draft');
   * const { revision } = state.set('doc.8', 'notes');
   * state.set('doc.7', 'final');
   * state.delete('doc.8');
   * const then = state.at(revision);
   * then.list('doc.*').map(({ value }) => value); // => ['draft', 'notes']
   * then.get('doc.7')?.version; // => 1
   * ```
   */
  at(revision: number): StatePast<C> {
    this.#gate.enter();
    if (!Number.isSafeInteger(revision) || revision < 0) {
      throw misuse('revision', 'a revision: an integer from 0', revision);
    }
    this.#core.expireDue();
    const newest = this.#core.revision;
    if (revision <= newest) return new StatePast<C>(this.#core, this.#gate, revision);
    throw new StateVersionError(undefined, revision, { oldest: 0, newest });
  }

  /**
   * Why a key is as it is: who wrote it when and because of which message, which versions are kept,
   * when it expires and who holds its lock. `text` says it to a person, without any value.
   *
   * @example
   * ```ts
   * import { StateManager } from 'tellask';
   * const state = new StateManager();
   * state.as('ann').create('doc.7', { lines: [] });
   * state.as('bob').set('doc.7', { lines: ['green'] }, { ttlMs: 60_000 });
   * const { last, kept, text } = state.explain('doc.7');
   * last?.actor; // => 'bob'
   * kept; // => 2
   * text.startsWith("'doc.7' has a value. Versions 1 to 2 are kept."); // => true
   * ```
   */
  explain<const K extends string>(key: StateKeyArg<C, K>): StateExplanation<StateValue<C, K>> {
    this.#gate.look(key);
    return explain(this.#core, key) as StateExplanation<StateValue<C, K>>;
  }

  #version(key: string, version: number): KeptVersion {
    checkVersion('version', version);
    const record = this.#core.find(key);
    const found = record?.find(version);
    if (found !== undefined) return found;
    const { version: oldest = 0 } = record?.oldest ?? {};
    throw new StateVersionError(key, version, { oldest, newest: record?.current?.version ?? 0 });
  }

  #author(key: string, { lock }: { readonly lock?: Lock | undefined }): Author {
    if (lock !== undefined) this.#ground.fence(lock);
    return this.#gate.author(key);
  }

  #editor(key: string, { lock }: { readonly lock?: Lock | undefined }): Author {
    if (lock !== undefined) this.#ground.fence(lock);
    return this.#gate.editor(key);
  }

  #initial(key: string, options: UpdateOptions): Draft {
    if (options.initial === undefined) throw new StateNotFoundError(key);
    return this.#ground.draft(key, 'created', options.initial, undefined);
  }

  #draft(key: string, action: StateAction, value: unknown, options: WriteOptions): Draft {
    return this.#ground.draft(key, action, value, this.#expiry(options));
  }

  #expiry({ ttlMs }: WriteOptions): number | undefined {
    if (ttlMs === undefined || ttlMs === Infinity) return undefined;
    if (typeof ttlMs !== 'number' || !(ttlMs > 0)) {
      throw misuse('ttlMs', 'a number of milliseconds above 0, or Infinity', ttlMs);
    }
    return Math.ceil(this.#core.env.wall() + ttlMs);
  }

  #commit<V>(author: Author, draft: Draft): StateEntry<V> {
    return this.#ground.commit(author, [draft])[0] as KeptVersion as StateEntry<V>;
  }
}

/** Apart from the class: one that names itself inside would be renamed when it is bundled. */
function viewOn<C extends ContractShape>(
  core: StateCore,
  holder: Holder,
  ground: StateGround,
): StateView<C> {
  return new StateView<C>(core, holder, ground);
}
