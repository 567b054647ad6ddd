import { describe, expect, it } from 'vitest';
import { isTellaskError, MemoryStore, type MemoryStoreJson, type Write } from '../../src/index.ts';

const put = (key: string, value: string, expectedVersion?: number): Write =>
  expectedVersion === undefined ? { key, value } : { key, value, expectedVersion };
const remove = (key: string): Write => ({ key, value: undefined });

const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );

/** The store that holds what went through JSON. */
const reopened = (store: MemoryStore): MemoryStore =>
  new MemoryStore({ json: JSON.parse(JSON.stringify(store)) as MemoryStoreJson });

// What every store must do is in the conformance suite; here is what this one has beside it.
describe('a memory store', () => {
  // R:I3
  it('names the key and both versions when a commit finds another version', async () => {
    const store = new MemoryStore();
    await store.commit([put('a', '1')]);

    const error = await reasonOf(store.commit([put('b', '2', 0), put('a', '2', 0)]));

    expect(isTellaskError(error, 'TELLASK_STORE_CONFLICT')).toBe(true);
    expect(error).toMatchObject({ key: 'a', expected: 0, actual: 1, retryable: false });
    expect((error as Error).message).toBe('a has version 1, expected was not to exist');
  });

  it('holds the same after it went through JSON, its log and its versions included', async () => {
    const store = new MemoryStore();
    await store.commit([put('a', '1'), put('b', '2')]);
    await store.commit([remove('a')]);

    const other = reopened(store);
    const again = await other.commit([put('a', '3', 0)]);

    expect(await other.get('b')).toEqual(await store.get('b'));
    expect((await other.read()).map(({ revision }) => revision)).toEqual([1, 2, 3]);
    expect(again.revision).toBe(3);
    expect(await store.get('a')).toBeUndefined();
  });

  it('forgets its oldest commits, and says so to whom asks for them', async () => {
    const store = new MemoryStore({ maxCommits: 2 });
    for (const value of ['1', '2', '3', '4', '5', '6', '7']) await store.commit([put('a', value)]);

    const error = await reasonOf(store.read());
    const left = await store.read({ after: 5 });

    expect(isTellaskError(error, 'TELLASK_STORE_FORGOTTEN')).toBe(true);
    expect(error).toMatchObject({ after: 0, oldestRevision: 6 });
    expect((error as Error).message).toBe('Commits 1 to 5 are forgotten; 6 is the oldest left');
    expect(left.map(({ revision }) => revision)).toEqual([6, 7]);
    expect(await store.read({ after: 7 })).toEqual([]);
    expect(store.toJSON().commits).toHaveLength(2);
  });

  it('remembers no commit when it may keep none', async () => {
    const store = new MemoryStore({ maxCommits: 0 });
    await store.commit([put('a', '1')]);

    expect(await reasonOf(store.read())).toMatchObject({ oldestRevision: 2 });
    expect(await store.read({ after: 1 })).toEqual([]);
    expect((await store.get('a'))?.value).toBe('1');
  });

  it('gives back all commits when nothing bounds them', async () => {
    const store = new MemoryStore({ maxCommits: Infinity });
    for (let n = 0; n < 3_000; n += 1) await store.commit([put('a', `${n}`)]);

    expect(await store.read()).toHaveLength(3_000);
  });

  it('refuses a key more than it has room for, and takes it when another goes', async () => {
    const store = new MemoryStore({ maxKeys: 2 });
    await store.commit([put('a', '1'), put('b', '1')]);

    const error = await reasonOf(store.commit([put('a', '2'), put('c', '1')]));
    await store.commit([put('a', '3'), remove('b'), put('c', '1')]);

    expect(isTellaskError(error, 'TELLASK_STORE_FULL')).toBe(true);
    expect(error).toMatchObject({ maxKeys: 2, retryable: true });
    expect((await store.scan('')).map(({ key, value }) => key + value)).toEqual(['a3', 'c1']);
  });

  it('lets what is over its bound change and shrink', async () => {
    const large = new MemoryStore();
    await large.commit([put('a', '1'), put('b', '1'), put('c', '1')]);

    const store = new MemoryStore({ maxKeys: 1, json: large.toJSON() });
    await store.commit([put('a', '2')]);
    await store.commit([remove('b')]);

    expect(await store.scan('')).toHaveLength(2);
    expect(await reasonOf(store.commit([put('d', '1')]))).toMatchObject({ maxKeys: 1 });
  });

  it('hands out what nobody can change', async () => {
    const store = new MemoryStore();
    const writes = [{ key: 'a', value: '1' }];
    const commit = await store.commit(writes);
    (writes[0] as { value: string }).value = 'changed';

    const stored = await store.get('a');

    expect(stored?.value).toBe('1');
    expect([stored, commit, commit.writes, commit.writes[0]].every(Object.isFrozen)).toBe(true);
  });

  it('answers in a later turn, and refuses by a rejection', async () => {
    const store = new MemoryStore();
    const log: string[] = [];

    const done = store.commit([put('a', '1')]).then(() => log.push('committed'));
    const refused = store.get('').catch(() => log.push('refused'));
    log.push('called');
    await Promise.all([done, refused]);

    expect(log).toEqual(['called', 'committed', 'refused']);
  });

  it.each([
    [{ maxKeys: -1 }, RangeError],
    [{ maxKeys: '2' }, TypeError],
    [{ maxCommits: 1.5 }, RangeError],
    [{ maxCommit: 1 }, TypeError],
    [null, TypeError],
    [{ json: null }, TypeError],
    [{ json: { revision: 0, entries: [] } }, TypeError],
    [{ json: { revision: 0, commits: [] } }, TypeError],
    [{ json: { revision: -1, entries: [], commits: [] } }, RangeError],
    [
      { json: { revision: 1, entries: [{ key: '', value: '', version: 1 }], commits: [] } },
      TypeError,
    ],
    [
      { json: { revision: 1, entries: [{ key: 'a', value: 1, version: 1 }], commits: [] } },
      TypeError,
    ],
    [
      { json: { revision: 1, entries: [{ key: 'a', value: '', version: 2 }], commits: [] } },
      TypeError,
    ],
    [{ json: { revision: 1, entries: [null], commits: [] } }, TypeError],
    [{ json: { revision: 1, entries: [], commits: [{ revision: 2, writes: [] }] } }, TypeError],
    [{ json: { revision: 1, entries: [], commits: [null] } }, TypeError],
  ])('is not made with %j', (options, kind) => {
    expect(() => new MemoryStore(options as never)).toThrow(kind);
  });

  it('is not made from JSON that has a key twice', () => {
    const entry = { key: 'a', value: '', version: 1 };
    const json = { revision: 1, entries: [entry, entry], commits: [] };

    expect(() => new MemoryStore({ json })).toThrow('entries[1] cannot be: version 1 of "a"');
  });
});
