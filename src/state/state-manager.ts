import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { Contract } from '../message/contract.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import { checkName } from '../message/topic.ts';
import { checkKey } from '../stores/check.ts';
import type { Store } from '../stores/store.ts';
import { StateCore, type StateMetrics } from './core.ts';
import type { StateVersion } from './entry.ts';
import { fixedHolder } from './holder.ts';
import { Journal } from './journal.ts';
import type { LockInspection } from './lock-table.ts';
import { type Migrate, migrations } from './migrate.ts';
import { type StateHome, type StateSeat, seatOf } from './on-bus.ts';
import {
  type RestoreOptions,
  restoration,
  type SnapshotOptions,
  type StateSnapshot,
  takeSnapshot,
} from './snapshot.ts';
import { StateAccess, type StateAccessRules } from './state-access.ts';
import { STATE_DEFAULTS } from './state-defaults.ts';
import { StateEnv } from './state-env.ts';
import { StateView } from './state-view.ts';

/** Options of `new StateManager`. */
export interface StateOptions<C extends ContractShape = AnyContract> {
  /** Which keys there are, with schemas and types. @default any key, values unknown */
  readonly contract?: C;
  /** Takes keys that the contract does not name. @default false */
  readonly open?: boolean;
  /** How much of what was is kept. */
  readonly history?: {
    /** Versions of one key, the current one included: from 1. @default 100 */
    readonly maxVersions?: number;
    /** Bytes of all that is past, as JSON, what versions share counted once. @default 16_777_216 */
    readonly maxBytes?: number;
  };
  /** Bytes that one value may have, as JSON. @default 1_048_576 */
  readonly maxValueBytes?: number;
  /** Levels of arrays and objects inside each other that a value may have. @default 100 */
  readonly maxDepth?: number;
  /** Who may read and write which keys. @default everybody everything */
  readonly access?: StateAccessRules;
  /** Time, order, chance and names. @default those of the bus it is put on, else the real ones */
  readonly env?: Env;
}

/** Options of `StateManager.open`. */
export interface OpenStateOptions<C extends ContractShape = AnyContract> extends StateOptions<C> {
  /** Where it is kept. Whoever opened the store closes it, after the state. */
  readonly store: Store;
  /** Of its keys in the store, with `/` at the end; one process at a time writes under it. @default 'state/' */
  readonly prefix?: string;
  /** Makes of a kept value what the contract wants today; `undefined` deletes it. @default as it is */
  readonly migrate?: Migrate;
  /** Hears of a store that fails, once until it works again, and of one that does not answer. */
  readonly onFault?: (error: unknown) => void;
}

/** Options of `close`. */
export interface StateCloseOptions {
  /** Milliseconds that the store may take. @default 5_000 */
  readonly timeoutMs?: number;
}

/** What became of a state that was closed. */
export interface StateCloseReport {
  /** Keys whose newest version is not safe in the store. */
  readonly unsaved: readonly string[];
}

/** How many deleted keys keep their version number. */
const MAX_TOMBSTONES = 100_000;

/**
 * Shared state that is versioned, atomic and explained. It works alone, and injected into a bus as
 * `bus.state`, `agent.state` and `context.state`, where every version says who wrote it and why.
 *
 * @example
 * ```ts
 * import { StateManager } from 'tellask';
 * const state = new StateManager();
 * const writer = state.as('writer');
 * const doc = writer.create('doc.7', { content: '' });
 * writer.compareAndSet('doc.7', doc.version, { content: 'draft' });
 * state.get('doc.7')?.value; // => { content: 'draft' }
 * state.get('doc.7')?.version; // => 2
 * state.get('doc.7')?.actor; // => 'writer'
 * ```
 */
export class StateManager<C extends ContractShape = AnyContract> extends StateView<C> {
  readonly #core: StateCore;
  readonly #env: StateEnv;
  #journal: Journal | undefined;
  #closing: Promise<StateCloseReport> | undefined;

  constructor(options: StateOptions<C> = {}) {
    const env = new StateEnv(options.env);
    const core = new StateCore(readOptions(options, env));
    super(core, fixedHolder('$host'));
    this.#core = core;
    this.#env = env;
  }

  /** The locks that somebody holds or waits for, in the order of their keys. */
  locks(): readonly LockInspection[] {
    return this.#core.locks.inspect();
  }

  /** Keys, versions, conflicts, bytes and watchers, counted as they come: reading costs nothing. */
  metrics(): StateMetrics {
    return this.#core.metrics();
  }

  /**
   * Refuses writes from now on with `TELLASK_STATE_CLOSED`, waits until the store has what was
   * written, calls off transactions that still run, and ends every watch when it has read what is there. What is there can still be read.
   * Never rejects, and closing twice does nothing more.
   *
   * @returns what the store does not have: nothing, unless it failed or took too long.
   * @throws TypeError for an option that does not fit, at once: nothing is closed then.
   */
  close(options: StateCloseOptions = {}): Promise<StateCloseReport> {
    // What makes no sense closes nothing: a later call can still do it.
    this.#closing ??= this.#close(readCloseOptions(options));
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<StateCloseReport> {
    this.#core.seal();
    const unsaved = this.#journal && (await this.#journal.close(timeoutMs));
    this.#core.close();
    return { unsaved: unsaved ?? [] };
  }

  /** Closes at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Loads what a store has kept, and keeps there what is written from now on. A write is visible at
   * once; `durable` of its version, and `flushed()`, say when it is safe. What the store does not
   * take is rolled back: with all that was written since it becomes a version `rolled-back` with
   * the last value that is safe. The newest version of each key is kept, not its history.
   *
   * @throws StateStoredError `TELLASK_STATE_STORED`; ValidationError `TELLASK_VALIDATION` and
   *   UnknownStateKeyError `TELLASK_UNKNOWN_STATE_KEY` for what the contract does not take.
   *
   * @example
   * ```ts
   * import { MemoryStore, StateManager } from 'tellask';
   * const store = new MemoryStore();
   * const state = await StateManager.open({ store });
   * await state.set('doc.7', { content: 'draft' }).durable;
   * const later = await StateManager.open({ store });
   * later.get('doc.7')?.value; // => { content: 'draft' }
   * later.set('doc.7', { content: 'final' }).version; // => 2
   * ```
   */
  static async open<C extends ContractShape = AnyContract>(
    options: OpenStateOptions<C>,
  ): Promise<StateManager<C>> {
    const { store, prefix = 'state/', migrate, onFault = () => {}, ...rest } = options;
    checkPrefix(prefix);
    checkStore(store);
    if (typeof onFault !== 'function') throw misuse('onFault', 'a function', onFault);
    // Not by its name: a class that names itself is renamed in the bundle.
    const state = new this<C>(rest as StateOptions<C>);
    const core = state.#core;
    const journal = new Journal({ core, store, prefix, onFault });
    await journal.load();
    state.#journal = journal;
    const drafts = migrations(core, migrate);
    if (drafts.length > 0) core.commit(HOST, drafts);
    await journal.flushed();
    return state;
  }

  /**
   * The current values of all keys that fit, as plain JSON for a file or another state. With a key
   * it is signed; without one its checksum finds accidents, and no forger.
   *
   * @example
   * ```ts
   * import { StateManager } from 'tellask';
   * const state = new StateManager();
   * state.set('doc.7', { content: 'draft' });
   * const text = JSON.stringify(state.snapshot('doc.*', { key: 'secret' }));
   * state.set('doc.7', { content: 'spoilt' });
   * state.set('doc.8', { content: 'new' });
   * state.restore(JSON.parse(text), { key: 'secret' }).length; // => 2
   * state.get('doc.7')?.value; // => { content: 'draft' }
   * state.get('doc.7')?.version; // => 3
   * state.has('doc.8'); // => false
   * ```
   */
  snapshot(pattern = '**', options: SnapshotOptions = {}): StateSnapshot {
    return takeSnapshot(this.#core, pattern, options);
  }

  /**
   * Brings all keys of a snapshot's pattern back to what they were, in one revision or not at all:
   * versions with action `restored` are appended, and keys that it does not have are deleted.
   * Values are checked as if they were written; what has expired since is left out.
   *
   * @returns the versions that were made: none for what is as it was.
   * @throws StateSnapshotError `TELLASK_STATE_SNAPSHOT`; ValidationError `TELLASK_VALIDATION`,
   *   StateValueError `TELLASK_STATE_VALUE` and UnknownStateKeyError `TELLASK_UNKNOWN_STATE_KEY` for
   *   what the state does not take.
   */
  restore(snapshot: StateSnapshot, options: RestoreOptions = {}): readonly StateVersion[] {
    this.#core.checkOpen();
    const drafts = restoration(this.#core, snapshot, options);
    return drafts.length === 0 ? [] : this.#core.commit(HOST, drafts);
  }

  /**
   * Resolves when all that was written so far is safe; at once where there is no store. Never
   * unhandled.
   *
   * @throws StateNotDurableError `TELLASK_STATE_NOT_DURABLE` when some of it was rolled back.
   */
  flushed(): Promise<void> {
    return this.#journal?.flushed() ?? Promise.resolve();
  }

  /** The state as an actor sees it: what is written through it is signed with the name. */
  as(actor: string): StateView<C> {
    checkName(actor);
    return new StateView<C>(this.#core, fixedHolder(actor));
  }

  /**
   * Who may read and write which keys: new rules, the reason of a decision, and an audit of what is
   * refused. Rules hold for every actor but the host.
   *
   * @example
   * ```ts
   * import { isTellaskError, StateManager } from 'tellask';
   * const state = new StateManager({
   *   access: { default: 'allow', rules: [{ effect: 'deny', agents: 'guest-*', actions: 'write' }] },
   * });
   * state.access.explain('guest-7', 'write', 'doc.7'); // => { allowed: false, rule: 0 }
   * const guest = state.as('guest-7');
   * try {
   *   guest.set('doc.7', 'mine');
   * } catch (error) {
   *   isTellaskError(error, 'TELLASK_DENIED'); // => true
   * }
   * state.access.set({ default: 'allow' });
   * guest.set('doc.7', 'mine').actor; // => 'guest-7'
   * ```
   */
  get access(): StateAccess {
    return this.#core.access as StateAccess;
  }

  /** Puts it on a bus. @internal */
  attach(home: StateHome): StateSeat {
    return seatOf(this.#core, this.#env, home);
  }
}

/** What somebody holds of a state, whatever its contract. */
// biome-ignore lint/suspicious/noExplicitAny: no type but any says of any contract
export type AnyStateView = StateView<any> | StateManager<any>;

const CLOSE_OPTIONS: ReadonlySet<string> = new Set<keyof StateCloseOptions>(['timeoutMs']);

function readCloseOptions(options: StateCloseOptions): number {
  refuseUnknown(options, CLOSE_OPTIONS, 'close');
  const { timeoutMs = 5_000 } = options;
  if (typeof timeoutMs === 'number' && timeoutMs >= 0) return timeoutMs;
  throw misuse('timeoutMs', 'a number of milliseconds from 0', timeoutMs);
}

const HOST = { actor: '$host', causationId: undefined };

function checkPrefix(prefix: string): void {
  checkKey(prefix, 'prefix');
  if (prefix.length > MAX_PREFIX || !prefix.endsWith('/')) {
    const expected = `a string of at most ${MAX_PREFIX} characters with / at the end`;
    throw misuse('prefix', expected, prefix);
  }
}

/** Topics have 256 characters at most, and keys of stores 512. */
const MAX_PREFIX = 256;

function readOptions(
  options: StateOptions<ContractShape>,
  env: Env,
): ConstructorParameters<typeof StateCore>[0] {
  checkNames(options);
  checkContract(options.contract);
  const { contract, open = false, history = {} } = options;
  const { maxValueBytes = STATE_DEFAULTS.maxValueBytes, maxDepth = STATE_DEFAULTS.maxDepth } =
    options;
  const { maxVersions = STATE_DEFAULTS.maxVersions } = history;
  const { maxBytes = STATE_DEFAULTS.maxHistoryBytes } = history;
  return {
    env,
    contract: contract instanceof Contract ? contract : undefined,
    open,
    values: {
      maxDepth: count('maxDepth', maxDepth, 1),
      maxBytes: count('maxValueBytes', maxValueBytes, 1),
    },
    history: {
      maxVersions: count('history.maxVersions', maxVersions, 1),
      maxBytes: count('history.maxBytes', maxBytes, 0),
    },
    maxTombstones: MAX_TOMBSTONES,
    access: new StateAccess(options.access),
  };
}

const OPTIONS: ReadonlySet<string> = new Set<keyof StateOptions>([
  'contract',
  'open',
  'history',
  'maxValueBytes',
  'maxDepth',
  'access',
  'env',
]);
const HISTORY: ReadonlySet<string> = new Set(['maxVersions', 'maxBytes']);

function checkNames(options: StateOptions<ContractShape>): void {
  if ('store' in options) {
    throw new TypeError(
      'new StateManager has no option store: a state with a store is loaded first, so write ' +
        'await StateManager.open({ store })',
    );
  }
  refuseUnknown(options, OPTIONS, 'StateManager');
  refuseUnknown(options.history ?? {}, HISTORY, 'history');
}

/** What is no contract would check nothing. */
function checkContract(contract: unknown): void {
  if (contract === undefined || contract instanceof Contract) return;
  throw misuse('contract', 'what defineContract returned', contract);
}

function checkStore(store: Store): void {
  if (typeof store?.commit === 'function' && typeof store.scan === 'function') return;
  throw misuse('store', 'a Store, like new MemoryStore()', store);
}

function count(option: string, value: number, least: number): number {
  if (typeof value !== 'number') throw misuse(option, 'a number', value);
  if (value >= least && (Number.isInteger(value) || value === Infinity)) return value;
  throw new RangeError(misuse(option, `an integer from ${least}, or Infinity`, value).message);
}
