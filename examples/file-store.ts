// An example of a store that outlives its process: one file of JSON, for one process at a time, and
// as large as may be written anew with each commit. It passes `storeConformance`, but for the checks
// of its arguments. It does not wait for the disk (fsync), so it may not outlive a power cut.
import { readFile, rename, writeFile } from 'node:fs/promises';
import {
  type Commit,
  type ReadOptions,
  type ScanOptions,
  type Store,
  StoreClosedError,
  StoreConflictError,
  type Stored,
  StoreForgottenError,
  type Write,
} from 'tellask';

interface Content {
  revision: number;
  entries: Stored[];
}

/** By the bytes of UTF-8, as every store has its keys. */
const byKey = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

export class FileStore implements Store {
  readonly #path: string;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  async get(key: string): Promise<Stored | undefined> {
    const { entries } = await this.#load('get');
    return entries.find((entry) => entry.key === key);
  }

  async scan(prefix: string, { after, limit }: ScanOptions = {}): Promise<readonly Stored[]> {
    const { entries } = await this.#load('scan');
    return entries
      .filter(({ key }) => key.startsWith(prefix) && (after === undefined || byKey(key, after) > 0))
      .sort((a, b) => byKey(a.key, b.key))
      .slice(0, limit);
  }

  /** It keeps no log. */
  async read({ after = 0 }: ReadOptions = {}): Promise<readonly Commit[]> {
    const { revision } = await this.#load('read');
    if (after < revision) throw new StoreForgottenError(after, revision + 1);
    return [];
  }

  /** One after the other: each reads what the one before has written. */
  commit(writes: readonly Write[]): Promise<Commit> {
    const own = writes.map((write) => ({ ...write }));
    const content = this.#last.then(() => this.#load('commit'));
    const commit = content.then((found) => this.#write(found, own));
    this.#last = commit.catch(() => {});
    return commit;
  }

  async close(): Promise<void> {
    await this.#last;
    this.#closed = true;
  }

  async #load(operation: string): Promise<Content> {
    if (this.#closed) throw new StoreClosedError(operation);
    const text = await readFile(this.#path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return '{"revision":0,"entries":[]}';
    });
    return JSON.parse(text) as Content;
  }

  /** Replaces the file as a whole: all of a commit is there, or nothing of it. */
  async #write({ revision, entries }: Content, writes: readonly Write[]): Promise<Commit> {
    const version = revision + 1;
    const all = new Map(entries.map((entry) => [entry.key, entry]));
    for (const { key, value, expectedVersion } of writes) {
      const actual = all.get(key)?.version ?? 0;
      if (expectedVersion !== undefined && expectedVersion !== actual)
        throw new StoreConflictError(key, expectedVersion, actual);
      if (value === undefined) all.delete(key);
      else all.set(key, { key, value, version });
    }
    const content: Content = { revision: version, entries: [...all.values()] };
    await writeFile(`${this.#path}.new`, JSON.stringify(content));
    await rename(`${this.#path}.new`, this.#path);
    return { revision: version, writes: writes.map(({ key, value }) => ({ key, value, version })) };
  }
}
