import { isTellaskError } from '../../kernel/errors.ts';
import type { Commit, Store } from '../../stores/store.ts';
import type { StoreCase } from '../store-conformance.ts';
import { contentOf, expectSame, put, valueAt } from './expect.ts';

const RIVALS = 20;
const COUNTERS = 5;

/** Calls that do not wait for each other. */
export function concurrencyCases(): readonly StoreCase[] {
  return [
    {
      name: 'lets one of many that make the same key win, and no other',
      async run(store) {
        const won = await winners(names(RIVALS).map((name) => store.commit([put('a', name, 0)])));

        expectSame(won.length, 1, 'how many won');
        expectSame(await valueAt(store, 'a'), won[0]?.writes[0]?.value, 'the value');
      },
    },
    {
      name: 'lets one of many that read the same version win, round after round',
      async run(store) {
        let { version } = (await store.commit([put('a', '')])).writes[0] as { version: number };
        for (const round of names(10)) {
          const claims = names(5).map((name) => store.commit([put('a', round + name, version)]));
          const won = await winners(claims);

          expectSame(won.length, 1, `how many won ${round}`);
          version = won[0]?.writes[0]?.version as number;
        }
      },
    },
    {
      name: 'loses no count of many that count together',
      async run(store) {
        await store.commit([put('count', '0')]);
        await Promise.all(names(COUNTERS).map(() => countTo(store, 5)));

        expectSame(await valueAt(store, 'count'), `${COUNTERS * 5}`, 'the count');
      },
    },
    {
      name: 'writes whole commits when they name the same keys in another order',
      async run(store) {
        const won = await winners(
          names(RIVALS).map((name, index) => {
            const writes = [put('a', name, 0), put('b', name, 0), put('c', name)];
            return store.commit(index % 2 === 0 ? writes : writes.toReversed());
          }),
        );
        const name = won[0]?.writes[0]?.value;

        expectSame(won.length, 1, 'how many won');
        expectSame(await contentOf(store), [`a=${name}`, `b=${name}`, `c=${name}`], 'everything');
      },
    },
    {
      name: 'gives every commit a revision of its own',
      async run(store) {
        const commits = await Promise.all(
          names(RIVALS).map((name) => store.commit([put(name, name)])),
        );
        const revisions = commits.map(({ revision }) => revision).toSorted((a, b) => a - b);

        expectSame(
          revisions,
          [...Array(RIVALS).keys()].map((index) => index + 1),
          'revisions',
        );
        expectSame((await store.scan('')).length, RIVALS, 'how many there are');
      },
    },
    {
      name: 'never shows half a commit',
      async run(store) {
        const seen: Promise<string[]>[] = [];
        const written: Promise<unknown>[] = [];
        for (const value of names(RIVALS)) {
          written.push(store.commit([put('a', value), put('b', value), put('c', value)]));
          seen.push(contentOf(store));
        }
        await Promise.all(written);

        for (const content of await Promise.all(seen)) {
          const [value] = content.map((entry) => entry.slice(2));
          const whole = content.length === 0 ? [] : [`a=${value}`, `b=${value}`, `c=${value}`];
          expectSame(content, whole, 'what a scan saw between commits');
        }
      },
    },
  ];
}

/** Distinct names: n0, n1 and so on. */
function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n${index}`);
}

/** The commits that were made; fails when one was refused for anything but a conflict. */
async function winners(commits: readonly Promise<Commit>[]): Promise<Commit[]> {
  const won: Commit[] = [];
  for (const outcome of await Promise.allSettled(commits)) {
    if (outcome.status === 'fulfilled') won.push(outcome.value);
    else if (!isTellaskError(outcome.reason, 'TELLASK_STORE_CONFLICT')) throw outcome.reason;
  }
  return won;
}

/** Adds 1 so many times, each time again until nobody came between. */
async function countTo(store: Store, times: number): Promise<void> {
  let done = 0;
  // Each round that loses lets another win, so that nobody needs more than all of theirs.
  for (let rounds = 0; done < times && rounds < COUNTERS * times; rounds += 1) {
    const found = await store.get('count');
    const next = `${Number(found?.value) + 1}`;
    done += (await winners([store.commit([put('count', next, found?.version ?? 0)])])).length;
  }
}
