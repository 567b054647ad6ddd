import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { Contract } from '../message/contract.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import { checkName } from '../message/topic.ts';
import { StateCore, type StateMetrics } from './core.ts';
import { fixedHolder } from './holder.ts';
import type { LockInspection } from './lock-table.ts';
import { type StateHome, type StateSeat, seatOf } from './on-bus.ts';
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
   * Ends every watch when it has read what is there, and refuses writes from now on with
   * `TELLASK_STATE_CLOSED`. What is there can still be read. Closing twice does nothing more.
   */
  async close(): Promise<void> {
    this.#core.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
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

function readOptions(
  options: StateOptions<ContractShape>,
  env: Env,
): ConstructorParameters<typeof StateCore>[0] {
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

function count(option: string, value: number, least: number): number {
  if (typeof value !== 'number') throw misuse(option, 'a number', value);
  if (value >= least && (Number.isInteger(value) || value === Infinity)) return value;
  throw new RangeError(misuse(option, `an integer from ${least}, or Infinity`, value).message);
}
