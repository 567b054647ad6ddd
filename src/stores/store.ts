/** A value as a store keeps it. */
export interface Stored {
  readonly key: string;
  /** Text; whoever writes it chooses what it means, mostly JSON. */
  readonly value: string;
  /**
   * A safe integer from 1 that no earlier write of the key had, also none before it was deleted;
   * later writes have greater ones. The revision of the commit will do, and needs no memory of
   * what was deleted. To be compared, never to be counted on.
   */
  readonly version: number;
}

/** One write of a commit. */
export interface Write {
  /** 1 to 512 UTF-16 code units of well-formed Unicode, without U+0000. */
  readonly key: string;
  /** The new value, well-formed Unicode; `undefined` deletes the key, if it is there. */
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
  /** In the order in which they were given. */
  readonly writes: readonly Committed[];
}

/** One write as it was committed. */
export interface Committed {
  readonly key: string;
  /** `undefined` when the key was deleted. */
  readonly value: string | undefined;
  /** What `expectedVersion` has to be next time; after a delete that is 0 and not this. */
  readonly version: number;
}

/** Which keys of a prefix. */
export interface ScanOptions {
  /** Only keys behind this one, which need not exist. */
  readonly after?: string;
  /** At most so many: an integer from 0, or `Infinity`. @default Infinity */
  readonly limit?: number;
}

/** Which commits. */
export interface ReadOptions {
  /** Only commits behind this revision. @default 0 */
  readonly after?: number;
  /** At most so many: an integer from 0, or `Infinity`. @default Infinity */
  readonly limit?: number;
}

/**
 * Where what outlives the process is kept: sagas, dead letters and state are prefixes of keys in
 * it. Whoever implements it runs `storeConformance` of `tellask/testing` against it.
 *
 * Whatever is wrong is a rejection: a call that makes no sense with a TypeError or RangeError, a
 * commit that found another version with a `StoreConflictError`, and everything else is the
 * store's own. After a conflict nothing was written. **After any other rejection of `commit` the
 * writes may be there or not**: an answer can be lost on its way. Read again before going on.
 *
 * What is committed is seen by every call that begins afterwards, and one call sees whole commits
 * only.
 */
export interface Store {
  /** The value of a key; `undefined` when there is none. */
  get(key: string): Promise<Stored | undefined>;
  /**
   * The values whose key begins with `prefix` (`''` for all), by key in the order of Unicode code
   * points, which is that of UTF-8 bytes and not that of `<`.
   */
  scan(prefix: string, options?: ScanOptions): Promise<readonly Stored[]>;
  /**
   * What was committed, oldest first. A store may forget its oldest commits; when one of those
   * asked for is gone, it rejects with a `StoreForgottenError` that names the oldest left.
   */
  read(options?: ReadOptions): Promise<readonly Commit[]>;
  /** Writes all or nothing, at least one, no key twice; resolves when it is safe. */
  commit(writes: readonly Write[]): Promise<Commit>;
  /** Ends it after what was begun; a second time does nothing. What is called later rejects. */
  close(): Promise<void>;
}
