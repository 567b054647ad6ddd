import type {
  AnyContract,
  ContractShape,
  StateKeyArg,
  StatePatternArg,
  StateValue,
  WatchedValue,
} from '../message/contract-types.ts';
import { compilePattern } from '../message/pattern.ts';
import type { StateCore } from './core.ts';
import { entryOf, type KeptVersion, type StateEntry } from './entry.ts';
import { StateVersionError } from './errors.ts';
import type { Gate } from './gate.ts';
import type { KeyRecord } from './history.ts';
import { checkListOptions, type ListOptions, NO_OPTIONS } from './write-options.ts';

/**
 * The state as it was at one revision. It is read where it lies, in the histories: nothing is kept
 * for it, so a version that is trimmed meanwhile can be read no more.
 */
export class StatePast<C extends ContractShape = AnyContract> {
  /** The commit after which everything was so. */
  readonly revision: number;
  readonly #core: StateCore;
  readonly #gate: Gate;

  /** @internal */
  constructor(core: StateCore, gate: Gate, revision: number) {
    this.revision = revision;
    this.#core = core;
    this.#gate = gate;
  }

  /**
   * What was at a key; `undefined` when there was no value.
   *
   * @throws StateVersionError `TELLASK_STATE_VERSION`: it is no longer kept.
   */
  get<const K extends string>(key: StateKeyArg<C, K>): StateEntry<StateValue<C, K>> | undefined {
    this.#gate.look(key);
    const version = this.#versionOf(this.#core.find(key));
    return entryOf(version) as StateEntry<StateValue<C, K>> | undefined;
  }

  /**
   * Whether there was a value.
   *
   * @throws StateVersionError `TELLASK_STATE_VERSION`: nobody knows any more.
   */
  has<const K extends string>(key: StateKeyArg<C, K>): boolean {
    return this.get(key) !== undefined;
  }

  /**
   * What was at all keys that fit, in the order of the keys: all of it, or an error.
   *
   * @throws StateVersionError `TELLASK_STATE_VERSION`: of a key that fits it is no longer kept.
   */
  list<const P extends string = '**'>(
    pattern: StatePatternArg<C, P> = '**' as StatePatternArg<C, P>,
    options: ListOptions = NO_OPTIONS,
  ): StateEntry<WatchedValue<C, P>>[] {
    this.#gate.enter();
    checkListOptions(options);
    const { limit = Infinity, after = '' } = options;
    const wanted = compilePattern(pattern);
    this.#checkForgotten();
    const found: StateEntry<WatchedValue<C, P>>[] = [];
    for (const record of this.#core.records()) {
      const { key } = record;
      if (key <= after || !wanted.matches(key) || !this.#gate.sees(key)) continue;
      const entry = entryOf(this.#versionOf(record));
      if (entry !== undefined) found.push(entry as StateEntry<WatchedValue<C, P>>);
    }
    found.sort((one, other) => (one.key < other.key ? -1 : 1));
    return limit === Infinity ? found : found.slice(0, limit);
  }

  #versionOf(record: KeyRecord | undefined): KeptVersion | undefined {
    const version = record?.at(this.revision);
    if (version !== undefined || this.revision === 0) return version;
    if (record !== undefined && record.trimmedAt > 0) this.#refuse(record.oldest?.revision ?? 0);
    this.#checkForgotten();
    return undefined;
  }

  /** Of a key that was deleted and forgotten since, nobody knows what it was. */
  #checkForgotten(): void {
    const { forgottenAt } = this.#core;
    if (this.revision > 0 && this.revision < forgottenAt) this.#refuse(forgottenAt);
  }

  #refuse(oldest: number): never {
    const newest = this.#core.revision;
    throw new StateVersionError(undefined, this.revision, { oldest, newest });
  }
}
