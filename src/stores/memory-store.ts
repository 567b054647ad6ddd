import { describe, misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { checkCount, checkKey, checkText, checkWrites, readRead, readScan } from './check.ts';
import { CommitLog } from './commit-log.ts';
import { StoreClosedError, StoreConflictError, StoreFullError } from './errors.ts';
import { compareKeys } from './key-order.ts';
import type { Commit, ReadOptions, ScanOptions, Store, Stored, Write } from './store.ts';

/** Options of {@link MemoryStore}. */
export interface MemoryStoreOptions {
  /** Keys that it holds at most; what would need more is refused. @default Infinity */
  readonly maxKeys?: number;
  /** Commits that `read` can give back, each with its values. @default 1_000 */
  readonly maxCommits?: number;
  /** What another memory store held when its JSON was made. @default nothing */
  readonly json?: MemoryStoreJson;
}

/** What a memory store holds, as JSON. */
export interface MemoryStoreJson {
  readonly revision: number;
  readonly entries: readonly Stored[];
  readonly commits: readonly Commit[];
}

/**
 * A store in the memory of this process: for tests, and for what has to outlive a handler and not
 * the process. What it holds is gone with it, unless you keep its JSON.
 *
 * @example
 * ```ts
 * import { MemoryStore } from 'tellask';
 * const store = new MemoryStore();
 * await store.commit([{ key: 'doc/1', value: 'draft', expectedVersion: 0 }]);
 * (await store.get('doc/1'))?.value; // => 'draft'
 * const other = new MemoryStore({ json: JSON.parse(JSON.stringify(store)) });
 * (await other.scan('doc/')).length; // => 1
 * ```
 */
export class MemoryStore implements Store {
  readonly #maxKeys: number;
  readonly #log: CommitLog;
  /** In the order of their keys; frozen, so that they can be handed out. */
  #entries: Stored[] = [];
  #closed = false;

  constructor(options: MemoryStoreOptions = {}) {
    const { maxKeys, maxCommits, json } = readOptions(options);
    this.#maxKeys = maxKeys;
    this.#log = new CommitLog(maxCommits);
    if (json !== undefined) this.#restore(json);
  }

  /** What it holds; also when it is closed. */
  toJSON(): MemoryStoreJson {
    return {
      revision: this.#log.revision,
      entries: [...this.#entries],
      commits: this.#log.commits(),
    };
  }

  async get(key: string): Promise<Stored | undefined> {
    this.#refuseClosed('get');
    checkKey(key);
    return this.#find(key);
  }

  async scan(prefix: string, options?: ScanOptions): Promise<readonly Stored[]> {
    this.#refuseClosed('scan');
    checkText(prefix, 'The prefix');
    const { after, limit } = readScan(options);
    const found: Stored[] = [];
    for (let at = this.#firstOf(prefix, after); at < this.#entries.length; at += 1) {
      const entry = this.#entries[at] as Stored;
      if (found.length >= limit || !entry.key.startsWith(prefix)) break;
      found.push(entry);
    }
    return found;
  }

  async read(options?: ReadOptions): Promise<readonly Commit[]> {
    this.#refuseClosed('read');
    return this.#log.read(readRead(options));
  }

  async commit(writes: readonly Write[]): Promise<Commit> {
    this.#refuseClosed('commit');
    const own = checkWrites(writes);
    for (const write of own) this.#refuseConflict(write);
    this.#refuseTooMany(own);
    const commit = this.#log.append(own);
    for (const { key, value, version } of commit.writes) this.#put(key, value, version);
    return commit;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #refuseClosed(operation: string): void {
    if (this.#closed) throw new StoreClosedError(operation);
  }

  #refuseConflict({ key, expectedVersion }: Write): void {
    if (expectedVersion === undefined) return;
    const actual = this.#find(key)?.version ?? 0;
    if (actual !== expectedVersion) throw new StoreConflictError(key, expectedVersion, actual);
  }

  #refuseTooMany(writes: readonly Write[]): void {
    let growth = 0;
    for (const { key, value } of writes) {
      growth += Number(value !== undefined) - Number(this.#find(key) !== undefined);
    }
    // A store that is over its bound, because it was made from a larger one, can still shrink.
    if (growth > 0 && this.#entries.length + growth > this.#maxKeys)
      throw new StoreFullError(this.#maxKeys);
  }

  #find(key: string): Stored | undefined {
    const entry = this.#entries[this.#placeOf(key)];
    return entry?.key === key ? entry : undefined;
  }

  #put(key: string, value: string | undefined, version: number): void {
    const at = this.#placeOf(key);
    const there = this.#entries[at]?.key === key ? 1 : 0;
    if (value === undefined) this.#entries.splice(at, there);
    else if (there === 1) this.#entries[at] = Object.freeze({ key, value, version });
    else this.#entries.splice(at, 0, Object.freeze({ key, value, version }));
  }

  /** The first place of a prefix that is behind `after`. */
  #firstOf(prefix: string, after: string): number {
    if (compareKeys(after, prefix) < 0) return this.#placeOf(prefix);
    const at = this.#placeOf(after);
    return this.#entries[at]?.key === after ? at + 1 : at;
  }

  /** Where a key is, or would be. */
  #placeOf(key: string): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys((this.#entries[middle] as Stored).key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #restore(json: MemoryStoreJson): void {
    if (typeof json !== 'object' || json === null) {
      throw misuse('json', 'the JSON of a MemoryStore', json);
    }
    this.#log.restore(json.revision, json.commits);
    if (!Array.isArray(json.entries)) throw misuse('entries', 'an array', json.entries);
    for (const [index, entry] of json.entries.entries()) this.#restoreEntry(entry, index);
  }

  #restoreEntry(entry: Stored | null, index: number): void {
    const { key, value, version } = entry ?? {};
    checkKey(key, `entries[${index}].key`);
    if (typeof value !== 'string') throw misuse(`entries[${index}].value`, 'a string', value);
    checkCount(version, `entries[${index}].version`);
    if (version === 0 || version > this.#log.revision || this.#find(key) !== undefined)
      throw new TypeError(`entries[${index}] cannot be: version ${version} of ${describe(key)}`);
    this.#put(key, value, version);
  }
}

const OPTIONS: ReadonlySet<string> = new Set<keyof MemoryStoreOptions>([
  'maxKeys',
  'maxCommits',
  'json',
]);

function readOptions(options: MemoryStoreOptions): MemoryStoreOptions & Bounds {
  if (typeof options !== 'object' || options === null)
    throw misuse('The options of MemoryStore', 'an object', options);
  refuseUnknown(options, OPTIONS, 'MemoryStore');
  const { maxKeys = Infinity, maxCommits = 1_000 } = options;
  if (maxKeys !== Infinity) checkCount(maxKeys, 'maxKeys');
  if (maxCommits !== Infinity) checkCount(maxCommits, 'maxCommits');
  return { ...options, maxKeys, maxCommits };
}

interface Bounds {
  readonly maxKeys: number;
  readonly maxCommits: number;
}
