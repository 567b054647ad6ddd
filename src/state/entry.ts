import { printAsJson } from '../kernel/inspection.ts';

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
  | 'migrated'
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

/** What the versions of one commit share. */
export interface CommitFacts {
  readonly revision: number;
  readonly author: Author;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Says when it is safe; `undefined` where there is no store. */
  readonly durable: (() => Promise<void>) | undefined;
}

const SAFE: Promise<void> = Promise.resolve();

/**
 * A version as it is kept. Private fields make it immutable at a fraction of what freezing costs.
 */
export class KeptVersion implements StateVersion {
  readonly #key: string;
  readonly #value: unknown;
  readonly #version: number;
  readonly #action: StateAction;
  readonly #expiresAt: number | undefined;
  readonly #commit: CommitFacts;
  /** About how many bytes the value has as JSON. */
  readonly #bytes: number;

  constructor(
    key: string,
    value: unknown,
    version: number,
    action: StateAction,
    expiresAt: number | undefined,
    bytes: number,
    commit: CommitFacts,
  ) {
    this.#key = key;
    this.#value = value;
    this.#version = version;
    this.#action = action;
    this.#expiresAt = expiresAt;
    this.#bytes = bytes;
    this.#commit = commit;
  }

  get key(): string {
    return this.#key;
  }

  get value(): unknown {
    return this.#value;
  }

  get version(): number {
    return this.#version;
  }

  get revision(): number {
    return this.#commit.revision;
  }

  get action(): StateAction {
    return this.#action;
  }

  get actor(): string {
    return this.#commit.author.actor;
  }

  get causationId(): string | undefined {
    return this.#commit.author.causationId;
  }

  get at(): number {
    return this.#commit.at;
  }

  get expiresAt(): number | undefined {
    return this.#expiresAt;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get exists(): boolean {
    return this.#value !== undefined;
  }

  get durable(): Promise<void> {
    return this.#commit.durable?.() ?? SAFE;
  }

  /** Everything but `durable`. */
  toJSON(): Omit<StateVersion, 'durable'> {
    const { key, value, version, revision, action, actor, causationId, at, expiresAt } = this;
    return { key, value, version, revision, action, actor, causationId, at, expiresAt };
  }
}
printAsJson(KeptVersion.prototype);

/** A version as an entry, when it has a value. */
export function entryOf(version: KeptVersion | undefined): StateEntry | undefined {
  return version?.exists === true ? version : undefined;
}
