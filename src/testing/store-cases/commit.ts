import type { StoreCase } from '../store-conformance.ts';
import {
  contentOf,
  expectConflict,
  expectSame,
  expectThat,
  put,
  rejectionOf,
  remove,
  valueAt,
  versionAt,
} from './expect.ts';

/** One commit after the other. */
export function commitCases(): readonly StoreCase[] {
  return [
    {
      name: 'has nothing at first',
      async run(store) {
        expectSame(await store.get('a'), undefined, 'a key that was never written');
        expectSame(await store.scan(''), [], 'everything');
      },
    },
    {
      name: 'gives back what was committed as soon as the commit has resolved',
      async run(store) {
        const commit = await store.commit([put('a', '1')]);
        const version = commit.writes[0]?.version;

        expectSame(await store.get('a'), { key: 'a', value: '1', version }, 'the key');
        expectSame(commit.writes, [{ key: 'a', value: '1', version }], 'the writes of the commit');
      },
    },
    {
      name: 'writes all keys of a commit, in one revision',
      async run(store) {
        const commit = await store.commit([put('b', '2'), put('a', '1'), put('c', '3')]);

        expectSame(await contentOf(store), ['a=1', 'b=2', 'c=3'], 'everything');
        expectSame(commit.revision, 1, 'the revision');
        expectSame(
          commit.writes.map(({ key }) => key),
          ['b', 'a', 'c'],
          'the keys of the commit, in the order in which they were given',
        );
      },
    },
    {
      name: 'counts revisions from 1, one for each commit and none for a refused one',
      async run(store) {
        const first = await store.commit([put('a', '1')]);
        await expectConflict(store.commit([put('a', '2', 0)]), 'a second first write');
        const second = await store.commit([remove('a')]);

        expectSame([first.revision, second.revision], [1, 2], 'the revisions');
      },
    },
    {
      name: 'raises the version with every write',
      async run(store) {
        const versions: number[] = [];
        for (const value of ['1', '1', '2']) {
          await store.commit([put('b', value)]);
          await store.commit([put('a', value)]);
          versions.push(await versionAt(store, 'a'));
        }

        expectRising(versions);
      },
    },
    {
      name: 'goes on with its versions over a delete, and uses none twice',
      async run(store) {
        const versions: number[] = [];
        for (const value of ['1', '2', '3']) {
          await store.commit([put('a', value)]);
          versions.push(await versionAt(store, 'a'));
          const gone = await store.commit([remove('a')]);
          versions.push(gone.writes[0]?.version ?? 0);
        }

        expectRising(versions);
      },
    },
    {
      name: 'refuses who read a key before it was deleted and made again',
      async run(store) {
        await store.commit([put('a', '1')]);
        const read = await versionAt(store, 'a');
        await store.commit([remove('a')]);
        await store.commit([put('a', '1')]);

        await expectConflict(store.commit([put('a', '2', read)]), 'a version of its former life');
        expectSame(await valueAt(store, 'a'), '1', 'the value');
      },
    },
    {
      name: 'takes a write that expects the version there is',
      async run(store) {
        await store.commit([put('a', '1', 0)]);
        await store.commit([put('a', '2', await versionAt(store, 'a'))]);
        await store.commit([remove('a', await versionAt(store, 'a'))]);
        await store.commit([put('a', '4', 0)]);

        expectSame(await valueAt(store, 'a'), '4', 'the value');
      },
    },
    {
      name: 'refuses a write that expects another version, above or below',
      async run(store) {
        await store.commit([put('a', '1')]);
        const stale = await versionAt(store, 'a');
        await store.commit([put('a', '2')]);
        const version = await versionAt(store, 'a');

        for (const expected of [0, stale, version + 1]) {
          await expectConflict(store.commit([put('a', '3', expected)]), `version ${expected}`);
          await expectConflict(store.commit([remove('a', expected)]), `a delete at ${expected}`);
        }
        await expectConflict(store.commit([put('b', '1', version)]), 'a version of no key');
        expectSame(await contentOf(store), ['a=2'], 'everything');
        expectSame(await versionAt(store, 'a'), version, 'the version');
      },
    },
    {
      name: 'says of a conflict which key it was and which version it has',
      async run(store) {
        await store.commit([put('a', '1')]);
        const actual = await versionAt(store, 'a');
        const error = await rejectionOf(
          store.commit([put('b', '1', 0), put('a', '2', actual + 5)]),
          'a stale write',
        );
        const { key, expected, actual: found } = error as Record<string, unknown>;

        expectSame([key, expected, found], ['a', actual + 5, actual], 'key, expected and actual');
      },
    },
    {
      name: 'writes nothing of a commit of which one write conflicts, wherever it stands',
      async run(store) {
        await store.commit([put('b', 'old')]);
        const stale = put('b', 'new', 0);
        const others = [put('a', 'new', 0), put('c', 'new'), remove('d')];

        for (let place = 0; place <= others.length; place += 1) {
          await expectConflict(store.commit(others.toSpliced(place, 0, stale)), `place ${place}`);
        }
        expectSame(await contentOf(store), ['b=old'], 'everything');
      },
    },
    {
      name: 'deletes, also what is not there',
      async run(store) {
        await store.commit([put('a', '1'), put('b', '1')]);
        await store.commit([remove('a'), remove('c', 0)]);

        expectSame(await contentOf(store), ['b=1'], 'everything');
        expectSame(await store.get('a'), undefined, 'the deleted key');
      },
    },
    {
      name: 'keeps every text as it is',
      async run(store) {
        const texts = ['', ' ', '\n', 'ä\u0308', '😀', '\uffff', '"\'\\%_`$', 'x'.repeat(100_000)];
        await store.commit(texts.map((value, index) => put(`k${index}`, value)));

        for (const [index, value] of texts.entries()) {
          expectSame(await valueAt(store, `k${index}`), value, `text ${index}`);
        }
      },
    },
    {
      name: 'keeps keys apart that look alike',
      async run(store) {
        const keys = [
          '__proto__',
          'constructor',
          'a',
          'A',
          'a ',
          'a/',
          'a%',
          'a_',
          "a'",
          'a\\',
          'ä',
          'a\u0308',
          '1',
          '01',
        ];
        await store.commit(keys.map((key) => put(key, `of ${key}`)));

        for (const key of keys) expectSame(await valueAt(store, key), `of ${key}`, key);
        expectSame((await store.scan('')).length, keys.length, 'how many there are');
      },
    },
    {
      name: 'takes a key of 512 characters',
      async run(store) {
        const key = '😀'.repeat(256);
        await store.commit([put(key, '1')]);

        expectSame(await valueAt(store, key), '1', 'its value');
      },
    },
    {
      name: 'does not change when the writes that it was given are changed',
      async run(store) {
        const write = { key: 'a', value: '1' };
        const done = store.commit([write]);
        write.value = '2';
        await done;
        write.value = '3';

        expectSame(await valueAt(store, 'a'), '1', 'the value');
      },
    },
  ];
}

function expectRising(versions: readonly number[]): void {
  const rising = versions.every(
    (version, index) => Number.isSafeInteger(version) && version > (versions[index - 1] ?? 0),
  );
  expectThat(rising, `Versions must rise from 1, but they are ${versions.join(', ')}`);
}
