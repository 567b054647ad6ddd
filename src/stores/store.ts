/** A value as a store keeps it. */
export interface Stored {
  readonly key: string;
  /** Text; whoever writes it chooses what it means, mostly JSON. */
  readonly value: string;
  /** 1 for the first write of the key, and one more for each write since; it goes on over a delete. */
  readonly version: number;
}

/** One write of a commit. */
export interface Write {
  readonly key: string;
  /** The new value; `undefined` deletes the key. */
  readonly value: string | undefined;
  /**
   * The version that the key has to have; 0 when it must not exist. Left out, any version will do.
   */
  readonly expectedVersion?: number;
}

/** A commit, as `read` gives it back. */
export interface Commit {
  /** 1 for the first commit of the store, and one more for each since. */
  readonly revision: number;
  readonly writes: readonly Committed[];
}

/** One write as it was committed. */
export interface Committed {
  readonly key: string;
  /** `undefined` when the key was deleted. */
  readonly value: string | undefined;
  readonly version: number;
}

/** Which keys of a prefix. */
export interface ScanOptions {
  /** Only keys behind this one, in the order of their UTF-16 code units. */
  readonly after?: string;
  /** At most so many. @default Infinity */
  readonly limit?: number;
}

/** Which commits. */
export interface ReadOptions {
  /** Only commits behind this revision. @default 0 */
  readonly after?: number;
  /** At most so many. @default Infinity */
  readonly limit?: number;
}

/**
 * Where what outlives the process is kept: sagas, dead letters and state are prefixes of keys in
 * it. Whoever implements it runs the conformance suite of `tellask/testing` against it.
 *
 * What a promise of a store rejects with is the store's own; a commit that found another version
 * rejects with a `StoreConflictError`, and nothing of it was written.
 */
export interface Store {
  /** The value of a key; `undefined` when there is none. */
  get(key: string): Promise<Stored | undefined>;
  /** The values whose key begins with `prefix`, in the order of their keys. */
  scan(prefix: string, options?: ScanOptions): Promise<readonly Stored[]>;
  /** What was committed, oldest first. A store may have forgotten the oldest commits. */
  read(options?: ReadOptions): Promise<readonly Commit[]>;
  /** Writes all or nothing, and resolves when it is safe. No key may come twice. */
  commit(writes: readonly Write[]): Promise<Commit>;
  /** Ends it; a second time does nothing. Whatever is called afterwards rejects. */
  close(): Promise<void>;
}
