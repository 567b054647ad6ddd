import { isTellaskError } from '../../kernel/errors.ts';
import type { Commit, Store } from '../../stores/store.ts';
import type { StoreCase } from '../store-conformance.ts';
import { expectConflict, expectSame, expectThat, put, rejectionOf, remove } from './expect.ts';

/** So many commits the cases of reading make at most. */
const READ = 5;

/** What was committed, for a store that keeps so many commits. */
export function logCases(commits: number): readonly StoreCase[] {
  return [
    ...(commits >= READ ? readCases() : []),
    ...(commits < Infinity ? [forgets(commits)] : []),
  ];
}

function readCases(): readonly StoreCase[] {
  return [
    {
      name: 'reads its commits, oldest first, as they were given back',
      async run(store) {
        const commits = [
          await store.commit([put('b', '1'), put('a', '1')]),
          await store.commit([put('a', '2')]),
          await store.commit([remove('a'), put('c', '')]),
        ];

        expectSame(await store.read(), commits, 'the commits');
        expectSame((await store.read())[2]?.writes[0]?.value, undefined, 'a deleted value');
      },
    },
    {
      name: 'reads nothing of a commit that was refused',
      async run(store) {
        await store.commit([put('a', '1')]);
        await expectConflict(store.commit([put('b', '1'), put('a', '2', 0)]), 'a stale write');

        expectSame(revisions(await store.read()), [1], 'the revisions');
      },
    },
    {
      name: 'reads from where it was left',
      async run(store) {
        await fill(store, READ);

        expectSame(revisions(await store.read({ after: 3 })), [4, 5], 'behind 3');
        expectSame(revisions(await store.read({ after: 1, limit: 2 })), [2, 3], 'two behind 1');
        expectSame(await store.read({ after: 5 }), [], 'behind the last');
        expectSame(await store.read({ after: 99 }), [], 'behind what has yet to come');
        expectSame(await store.read({ limit: 0 }), [], 'limit 0');
      },
    },
  ];
}

function forgets(commits: number): StoreCase {
  return {
    name: `says what it has forgotten, when it keeps ${commits} commits`,
    async run(store) {
      const made = commits + 2;
      await fill(store, made);
      const error = await rejectionOf(store.read(), 'to read what is forgotten');
      expectThat(
        isTellaskError(error, 'TELLASK_STORE_FORGOTTEN'),
        `Expected a StoreForgottenError, but it is ${String(error)}`,
      );
      const oldest = (error as { oldestRevision?: unknown }).oldestRevision;

      expectSame(oldest, made - commits + 1, 'oldestRevision');
      const left = await store.read({ after: made - commits });
      expectSame(left.length, commits, 'how many are left');
      expectSame(left[0]?.revision, commits === 0 ? undefined : oldest, 'the oldest left');
    },
  };
}

async function fill(store: Store, commits: number): Promise<void> {
  for (let n = 1; n <= commits; n += 1) await store.commit([put('a', `${n}`)]);
}

function revisions(commits: readonly Commit[]): number[] {
  return commits.map(({ revision }) => revision);
}
