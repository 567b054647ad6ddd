import type { Store } from '../../stores/store.ts';
import type { StoreCase } from '../store-conformance.ts';
import {
  contentOf,
  expectConflict,
  expectSame,
  put,
  rejectionOf,
  remove,
  versionAt,
} from './expect.ts';

type Reopen = (closed: Store) => Store | Promise<Store>;

/** Closing, and opening again. */
export function lifeCases(reopen: Reopen | undefined): readonly StoreCase[] {
  return [...CLOSING, ...(reopen === undefined ? [] : reopening(reopen))];
}

const CLOSING: readonly StoreCase[] = [
  {
    name: 'may be closed twice',
    async run(store) {
      await Promise.all([store.close(), store.close()]);
      await store.close();
    },
  },
  {
    name: 'refuses everything once it is closed',
    async run(store) {
      await store.commit([put('a', '1')]);
      await store.close();

      await rejectionOf(store.get('a'), 'get after close');
      await rejectionOf(store.scan(''), 'scan after close');
      await rejectionOf(store.read(), 'read after close');
      await rejectionOf(store.commit([put('a', '2')]), 'commit after close');
    },
  },
  {
    name: 'finishes what was begun before it was closed',
    async run(store) {
      const begun = [store.commit([put('a', '1')]), store.get('a'), store.scan('')];
      const closed = store.close();

      await Promise.all([...begun, closed]);
    },
  },
];

function reopening(reopen: Reopen): readonly StoreCase[] {
  const again = async (store: Store, run: (other: Store) => Promise<void>): Promise<void> => {
    await store.close();
    const other = await reopen(store);
    try {
      await run(other);
    } finally {
      await other.close();
    }
  };
  return [
    {
      name: 'has everything again when it is opened again',
      async run(store) {
        await store.commit([put('b', '1'), put('a', '1'), put('c', '1')]);
        await store.commit([put('a', '2'), remove('c')]);
        const before = await store.scan('');

        await again(store, async (other) => {
          expectSame(await other.scan(''), before, 'everything');
          await other.commit([put('a', '3', await versionAt(other, 'a'))]);
          expectSame(await contentOf(other), ['a=3', 'b=1'], 'everything, after a commit');
        });
      },
    },
    {
      name: 'goes on with revisions and versions when it is opened again',
      async run(store) {
        await store.commit([put('a', '1')]);
        const read = await versionAt(store, 'a');
        await store.commit([remove('a')]);

        await again(store, async (other) => {
          const commit = await other.commit([put('a', '2', 0)]);
          expectSame(commit.revision, 3, 'the revision');
          await expectConflict(other.commit([put('a', '3', read)]), 'a version of its former life');
        });
      },
    },
  ];
}
