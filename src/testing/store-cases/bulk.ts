import type { StoreCase } from '../store-conformance.ts';
import { expectSame, expectThat, put, remove, versionAt } from './expect.ts';

/** More than a page of what many databases give at once, and than the parameters of a statement. */
const MANY = 1_500;

/** Much at a time: what was written meanwhile goes to the store as one commit. */
export function bulkCases(): readonly StoreCase[] {
  return [
    {
      name: 'writes and deletes many keys in one commit, and scans all of them',
      async run(store) {
        const keys = Array.from({ length: MANY }, (_, index) => `k${10_000 + index}`);
        await store.commit(keys.map((key) => put(key, key, 0)));
        const all = await store.scan('k');
        const half = all.filter((_, index) => index % 2 === 0);
        await store.commit(half.map(({ key, version }) => remove(key, version)));
        const left = await store.scan('k', { limit: MANY });

        expectSame(all.length, MANY, 'how many a scan without limit gives');
        expectSame(
          all.map(({ value }) => value),
          keys,
          'the values',
        );
        expectSame(left.length, MANY / 2, 'how many are left');
      },
    },
    {
      name: 'gives a version of its own for every write of a commit, deletes of nothing included',
      async run(store) {
        await store.commit([put('a', '1'), put('b', '1')]);
        await store.commit([put('b', '2')]);
        const { writes } = await store.commit([put('b', '3'), put('c', '1'), remove('d', 0)]);

        expectSame(
          writes.map(({ key }) => key),
          ['b', 'c', 'd'],
          'the keys of the commit',
        );
        for (const { key, value, version } of writes) {
          expectThat(Number.isSafeInteger(version) && version > 0, `${key} has version ${version}`);
          if (value !== undefined) expectSame(version, await versionAt(store, key), key);
        }
        await store.commit(writes.slice(0, 2).map(({ key, version }) => put(key, '4', version)));
      },
    },
    {
      name: 'keeps a value of 2 MB as it is',
      async run(store) {
        const value = 'äx'.repeat(1_000_000);
        await store.commit([put('a', value), put('b', '')]);
        const found = await store.scan('');

        expectThat(found[0]?.value === value, 'the value is another, or not whole');
        expectSame(found[1]?.value, '', 'the value behind it');
      },
    },
    {
      name: 'answers many who ask at once, each as it is then',
      async run(store) {
        await store.commit([put('a', '0'), put('b', '0')]);
        const before = Array.from({ length: 200 }, () => store.get('a'));
        await store.commit([put('a', '1'), put('b', '1')]);
        const after = Array.from({ length: 200 }, (_, index) =>
          store.get('ab'[index % 2] as string),
        );

        const old = new Set((await Promise.all(before)).map((found) => found?.value));
        const current = new Set((await Promise.all(after)).map((found) => found?.value));
        expectThat(
          [...old].every((value) => value === '0' || value === '1'),
          `what was asked before the commit gave ${[...old].join(', ')}`,
        );
        expectSame([...current], ['1'], 'what was asked after the commit');
      },
    },
  ];
}
