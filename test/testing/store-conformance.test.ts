import { describe, expect, it } from 'vitest';
import { MemoryStore, type Store } from '../../src/index.ts';
import { type StoreConformanceOptions, storeConformance } from '../../src/testing.ts';
import { type Flaw, MapStore } from './map-store.ts';

/** A memory store on what another left. */
const reopen = (closed: Store): Store =>
  new MemoryStore({ json: (closed as MemoryStore).toJSON() });

const STORES: readonly (readonly [string, () => Store, StoreConformanceOptions])[] = [
  ['a memory store', () => new MemoryStore(), { reopen, features: { commits: 1_000 } }],
  [
    'a memory store that keeps three commits',
    () => new MemoryStore({ maxCommits: 3 }),
    { features: { commits: 3 } },
  ],
  [
    'a memory store that keeps no commit',
    () => new MemoryStore({ maxCommits: 0 }),
    { features: { commits: 0 }, seeds: 1 },
  ],
  ['a memory store that keeps all', () => new MemoryStore({ maxCommits: Infinity }), { seeds: 1 }],
  ['a store with versions of its own for each key', () => new MapStore(), {}],
];

// F:N4, R:I3
describe.each(STORES)('%s', (_name, makeStore, options) => {
  it.each([...storeConformance(makeStore, options)])('$name', ({ run }) => run());
});

const FLAWS: readonly (readonly [flaw: Flaw, caught: string])[] = [
  ['loses the second write of a commit', 'writes all keys of a commit, in one revision'],
  [
    'writes half a commit',
    'writes nothing of a commit of which one write conflicts, wherever it stands',
  ],
  ['checks versions too early', 'lets one of many that make the same key win, and no other'],
  [
    'takes a version that is one behind',
    'refuses a write that expects another version, above or below',
  ],
  [
    'ignores expected versions of deletes',
    'refuses a write that expects another version, above or below',
  ],
  [
    'uses a version again after a delete',
    'goes on with its versions over a delete, and uses none twice',
  ],
  [
    'resolves before it has written',
    'gives back what was committed as soon as the commit has resolved',
  ],
  ['shows half a commit', 'never shows half a commit'],
  ['orders keys by UTF-16', 'scans by the code points of the keys, however they were written'],
  ['does not order keys', 'scans by the code points of the keys, however they were written'],
  ['scans as LIKE does', 'scans what begins with the prefix and nothing else'],
  ['bounds a prefix by U+FFFF', 'scans a prefix that ends with the last characters there are'],
  ['scans from the key it was given', 'scans page by page'],
  [
    'counts refused commits',
    'counts revisions from 1, one for each commit and none for a refused one',
  ],
  ['reads what was refused', 'reads nothing of a commit that was refused'],
  ['answers when it is closed', 'refuses everything once it is closed'],
  ['refuses to be closed twice', 'may be closed twice'],
  ['takes a key twice', 'refuses to commit a key twice'],
  ['throws instead of rejecting', 'refuses to commit nothing'],
  ['keeps the array it was given', 'does not change when the writes that it was given are changed'],
  [
    'reports a conflict as any error',
    'says of a conflict which key it was and which version it has',
  ],
  [
    'scans a thousand keys at most',
    'writes and deletes many keys in one commit, and scans all of them',
  ],
  [
    'takes a thousand writes at most',
    'writes and deletes many keys in one commit, and scans all of them',
  ],
  ['keeps the first megabyte of a value', 'keeps a value of 2 MB as it is'],
  [
    'gives back no deletes',
    'gives a version of its own for every write of a commit, deletes of nothing included',
  ],
  [
    'gives all writes of a commit one version',
    'gives a version of its own for every write of a commit, deletes of nothing included',
  ],
  ['reads what was there a turn ago', 'answers many who ask at once, each as it is then'],
];

/** What a state loses in such a store; a case of plain calls finds it, too. */
const SPOILS: readonly (readonly [flaw: Flaw, lost: string])[] = [
  ['loses the second write of a commit', 'carries a state from one process to the next'],
  ['takes a thousand writes at most', 'carries a state from one process to the next'],
  ['does not order keys', 'carries a state from one process to the next'],
  ['resolves before it has written', 'carries a state through the writes'],
  ['gives all writes of a commit one version', 'carries a state through the writes'],
  ['takes a version that is one behind', 'rolls a state back'],
  ['writes half a commit', 'rolls a state back'],
  ['scans as LIKE does', 'keeps states apart'],
];

describe('the conformance suite of stores', () => {
  it.each(FLAWS)('fails a store that %s', async (flaw, caught) => {
    const cases = storeConformance(() => new MapStore(flaw));
    const one = cases.find(({ name }) => name === caught);

    await expect(one?.run()).rejects.toThrow();
  });

  // R:K8
  it.each(SPOILS)('shows that a store that %s cannot carry a state', async (flaw, lost) => {
    const cases = storeConformance(() => new MapStore(flaw));
    const one = cases.find(({ name }) => name.startsWith(lost));

    await expect(one?.run()).rejects.toThrow();
  });

  it('leaves out what a store does in its own way', () => {
    const all = storeConformance(() => new MapStore());
    const fewer = storeConformance(() => new MapStore(), { features: { checks: false }, seeds: 0 });
    const left = all.filter(({ name }) => !fewer.some((other) => other.name === name));

    expect(left.every(({ name }) => /^(refuses to|does what a map)/.test(name))).toBe(true);
    expect(left.length).toBeGreaterThan(40);
  });

  it('gives every case a name of its own, and fails with a plain Error', async () => {
    const cases = storeConformance(() => new MapStore('takes a version that is one behind'));
    const names = cases.map(({ name }) => name);
    const reasons = await Promise.all(cases.map(({ run }) => run().catch((error: Error) => error)));
    const errors = reasons.filter((reason) => reason !== undefined);

    expect(new Set(names).size).toBe(names.length);
    expect(errors.every((error) => error.constructor === Error)).toBe(true);
    expect(errors.map(({ message }) => message)).toContain(
      'version 1: it should have been refused',
    );
  });

  it('closes the store of a case also when the case fails', async () => {
    const made: MapStore[] = [];
    const cases = storeConformance(() => {
      made.push(new MapStore('does not order keys'));
      return made.at(-1) as MapStore;
    });
    await Promise.all(cases.map(({ run }) => run().catch(() => {})));

    expect(made.length).toBe(cases.length);
    for (const store of made) await expect(store.get('a')).rejects.toThrow('closed');
  });
});
