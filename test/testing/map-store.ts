import {
  type Commit,
  type Committed,
  type Store,
  StoreConflictError,
  type Stored,
  type Write,
} from '../../src/index.ts';
import { checkKey, checkText, checkWrites, readRead, readScan } from '../../src/stores/check.ts';
import { compareKeys } from '../../src/stores/key-order.ts';

/** What is wrong with a store. */
export type Flaw =
  | 'loses the second write of a commit'
  | 'writes half a commit'
  | 'checks versions too early'
  | 'takes a version that is one behind'
  | 'ignores expected versions of deletes'
  | 'uses a version again after a delete'
  | 'resolves before it has written'
  | 'shows half a commit'
  | 'orders keys by UTF-16'
  | 'does not order keys'
  | 'scans as LIKE does'
  | 'bounds a prefix by U+FFFF'
  | 'scans from the key it was given'
  | 'counts refused commits'
  | 'reads what was refused'
  | 'answers when it is closed'
  | 'refuses to be closed twice'
  | 'takes a key twice'
  | 'throws instead of rejecting'
  | 'keeps the array it was given'
  | 'reports a conflict as any error'
  | 'scans a thousand keys at most'
  | 'takes a thousand writes at most'
  | 'keeps the first megabyte of a value'
  | 'gives back no deletes'
  | 'gives all writes of a commit one version'
  | 'reads what was there a turn ago';

/**
 * A second way to write a store, with a Map and one counter of versions for each key. Without a
 * flaw it is a right one, so that what fails with a flaw fails because of it.
 */
export class MapStore implements Store {
  readonly #flaw: Flaw | undefined;
  readonly #cache = new Map<string, Stored | undefined>();
  readonly #live = new Map<string, Stored>();
  readonly #lastVersions = new Map<string, number>();
  readonly #commits: Commit[] = [];
  #refused = 0;
  #closed = false;

  constructor(flaw?: Flaw) {
    this.#flaw = flaw;
  }

  async get(key: string): Promise<Stored | undefined> {
    this.#refuseClosed();
    checkKey(key);
    if (!this.#is('reads what was there a turn ago')) return this.#live.get(key);
    // A cache that hears of commits by and by.
    setImmediate(() => this.#cache.clear());
    if (!this.#cache.has(key)) this.#cache.set(key, this.#live.get(key));
    return this.#cache.get(key);
  }

  async scan(prefix: string, options?: { after?: string; limit?: number }): Promise<Stored[]> {
    this.#refuseClosed();
    checkText(prefix, 'prefix');
    const { after, limit } = readScan(options);
    const behind = this.#is('scans from the key it was given') ? -1 : 0;
    return [...this.#live.values()]
      .filter(({ key }) => this.#begins(key, prefix))
      .filter(({ key }) => after === '' || compareKeys(key, after) > behind)
      .toSorted((a, b) => this.#compare(a.key, b.key))
      .slice(0, this.#is('scans a thousand keys at most') ? Math.min(limit, 1_000) : limit);
  }

  async read(options?: { after?: number; limit?: number }): Promise<Commit[]> {
    this.#refuseClosed();
    const { after, limit } = readRead(options);
    return this.#commits.slice(after, after + limit);
  }

  commit(given: readonly Write[]): Promise<Commit> {
    if (this.#is('throws instead of rejecting')) checkWrites(given);
    return this.#commit(given);
  }

  async close(): Promise<void> {
    if (this.#closed && this.#is('refuses to be closed twice')) throw new Error('closed already');
    this.#closed = true;
  }

  async #commit(given: readonly Write[]): Promise<Commit> {
    this.#refuseClosed();
    const writes = this.#own(given);
    if (this.#is('keeps the array it was given')) await undefined;
    if (!this.#is('writes half a commit')) for (const write of writes) this.#check(write);
    if (this.#is('checks versions too early')) await undefined;
    if (this.#is('takes a thousand writes at most') && writes.length > 1_000)
      throw new Error('too many parameters');
    const commit: Commit = {
      revision: this.#commits.length + this.#refused + 1,
      writes: writes.map(({ key, value }) => ({ key, value, version: this.#next(key) })),
    };
    this.#commits.push(commit);
    await this.#apply(commit.writes, writes);
    return this.#answer(commit);
  }

  /** What was committed, as the store tells it. */
  #answer(commit: Commit): Commit {
    const { writes } = commit;
    if (this.#is('gives back no deletes'))
      return { ...commit, writes: writes.filter(({ value }) => value !== undefined) };
    if (!this.#is('gives all writes of a commit one version')) return commit;
    const { version } = writes[0] as Committed;
    return { ...commit, writes: writes.map((write) => ({ ...write, version })) };
  }

  #own(given: readonly Write[]): readonly Write[] {
    if (this.#is('takes a key twice') && Array.isArray(given) && given.length === 2) return given;
    const own = checkWrites(given);
    return this.#is('keeps the array it was given') ? given : own;
  }

  async #apply(written: readonly Committed[], writes: readonly Write[]): Promise<void> {
    if (this.#is('resolves before it has written')) {
      setImmediate(() => {
        for (const write of written) this.#put(write);
      });
      return;
    }
    for (const [index, write] of written.entries()) {
      if (this.#is('writes half a commit')) this.#check(writes[index] as Write);
      if (index > 0 && this.#is('shows half a commit')) await undefined;
      if (index !== 1 || !this.#is('loses the second write of a commit')) this.#put(write);
    }
  }

  #check({ key, value, expectedVersion }: Write): void {
    if (expectedVersion === undefined) return;
    if (value === undefined && this.#is('ignores expected versions of deletes')) return;
    const actual = this.#live.get(key)?.version ?? 0;
    if (actual === expectedVersion) return;
    if (this.#is('takes a version that is one behind') && actual === expectedVersion + 1) return;
    this.#refuse(key, expectedVersion, actual);
  }

  #refuse(key: string, expected: number, actual: number): never {
    if (this.#is('counts refused commits')) this.#refused += 1;
    if (this.#is('reads what was refused'))
      this.#commits.push({ revision: this.#commits.length + 1, writes: [] });
    if (this.#is('reports a conflict as any error')) throw new Error('conflict');
    throw new StoreConflictError(key, expected, actual);
  }

  #put(write: Committed): void {
    const { key, value, version } = write;
    this.#lastVersions.set(key, version);
    if (value !== undefined) this.#live.set(key, this.#entry(write));
    else this.#live.delete(key);
    if (value === undefined && this.#is('uses a version again after a delete'))
      this.#lastVersions.delete(key);
  }

  #entry({ key, value: whole = '', version }: Committed): Stored {
    const isCut = this.#is('keeps the first megabyte of a value');
    const value = isCut ? whole.slice(0, 1_000_000) : whole;
    return { key, value, version };
  }

  #next(key: string): number {
    return (this.#lastVersions.get(key) ?? 0) + 1;
  }

  #begins(key: string, prefix: string): boolean {
    if (this.#is('bounds a prefix by U+FFFF')) return key >= prefix && key < `${prefix}\uffff`;
    if (!this.#is('scans as LIKE does')) return key.startsWith(prefix);
    const like = prefix.replaceAll('%', '[^]*').replaceAll('_', '[^]').replaceAll(/[/*]/g, '\\$&');
    return new RegExp(`^${like}`, 'i').test(key);
  }

  #compare(a: string, b: string): number {
    if (this.#is('does not order keys')) return 0;
    return this.#is('orders keys by UTF-16') ? Number(a > b) * 2 - 1 : compareKeys(a, b);
  }

  #refuseClosed(): void {
    if (this.#closed && !this.#is('answers when it is closed')) throw new Error('closed');
  }

  #is(flaw: Flaw): boolean {
    return this.#flaw === flaw;
  }
}
