/** How a version of a key came to be. */
export type StateAction =
  | 'created'
  | 'set'
  | 'updated'
  | 'merged'
  | 'deleted'
  | 'expired'
  | 'reverted'
  | 'restored'
  | 'rolled-back';

/** Who writes, and because of which message. */
export interface Author {
  readonly actor: string;
  /** Id of the message whose handler writes. */
  readonly causationId: string | undefined;
}

/** One version of a key that has a value. */
export interface StateEntry<V = unknown> {
  readonly key: string;
  /** The value itself, frozen to the bottom. */
  readonly value: V;
  /** 1 for the first write of the key, one more for each since, also over deletes. */
  readonly version: number;
  /** 1 for the first commit of the manager, one more for each since. */
  readonly revision: number;
  readonly action: StateAction;
  readonly actor: string;
  /** Id of the message whose handler wrote it. */
  readonly causationId: string | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Epoch milliseconds at which it expires; `undefined` for never. */
  readonly expiresAt: number | undefined;
  /** Resolves when it is safe in the store; at once where there is no store. Never unhandled. */
  readonly durable: Promise<void>;
}

/** One version of a key, deletes included: what a history holds and a watcher sees. */
export type StateVersion<V = unknown> = Omit<StateEntry<V>, 'value'> & {
  /** `undefined` when the version deleted the key. */
  readonly value: V | undefined;
};

/** What a version is made of. */
export interface VersionFacts {
  readonly key: string;
  readonly value: unknown;
  readonly version: number;
  readonly revision: number;
  readonly action: StateAction;
  readonly author: Author;
  readonly at: number;
  readonly expiresAt: number | undefined;
}

const SAFE: Promise<void> = Promise.resolve();

/** A version as it is kept. */
export class KeptVersion implements StateVersion {
  readonly key: string;
  readonly value: unknown;
  readonly version: number;
  readonly revision: number;
  readonly action: StateAction;
  readonly actor: string;
  readonly causationId: string | undefined;
  readonly at: number;
  readonly expiresAt: number | undefined;
  /** About how many bytes the value has as JSON. */
  readonly #bytes: number;
  #durable: (() => Promise<void>) | undefined;

  constructor(facts: VersionFacts, bytes: number, durable: (() => Promise<void>) | undefined) {
    this.key = facts.key;
    this.value = facts.value;
    this.version = facts.version;
    this.revision = facts.revision;
    this.action = facts.action;
    this.actor = facts.author.actor;
    this.causationId = facts.author.causationId;
    this.at = facts.at;
    this.expiresAt = facts.expiresAt;
    this.#bytes = bytes;
    this.#durable = durable;
    Object.freeze(this);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get exists(): boolean {
    return this.value !== undefined;
  }

  get durable(): Promise<void> {
    return this.#durable?.() ?? SAFE;
  }
}

/** A version as an entry, when it has a value. */
export function entryOf(version: KeptVersion | undefined): StateEntry | undefined {
  return version?.exists === true ? version : undefined;
}
