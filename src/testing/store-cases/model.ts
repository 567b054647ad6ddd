import type { Store, Write } from '../../stores/store.ts';
import { seededRandom } from '../seeded-random.ts';
import type { StoreCase } from '../store-conformance.ts';
import { contentOf, expectConflict, expectSame, put, remove } from './expect.ts';

const KEYS = ['a', 'a/1', 'a/2', 'b', 'b/1'];
const CALLS = 40;

/** What must be there: value and version of each key. */
type Model = Map<string, { readonly value: string; readonly version: number }>;

/** Random programs, compared with a map after every call. */
export function modelCases(seeds: number): readonly StoreCase[] {
  return Array.from({ length: seeds }, (_, index) => ({
    name: `does what a map would do, with the program of seed ${index + 1}`,
    run: (store: Store) => runProgram(store, index + 1),
  }));
}

async function runProgram(store: Store, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const model: Model = new Map();
  for (let call = 1; call <= CALLS; call += 1) {
    const writes = makeWrites(random, model, call);
    await commitBoth(store, model, writes, `call ${call} of seed ${seed}`);
    const prefix = ['', 'a', 'a/', 'b/'][Math.floor(random() * 4)] as string;
    expectSame(
      await contentOf(store, prefix),
      contentOfModel(model, prefix),
      `${JSON.stringify(prefix)} after call ${call} of seed ${seed}`,
    );
  }
}

/** One to three keys; one write in three expects something, and one of those in three wrongly. */
function makeWrites(random: () => number, model: Model, call: number): Write[] {
  const first = Math.floor(random() * KEYS.length);
  return Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index) => {
    const key = KEYS[(first + index * 2) % KEYS.length] as string;
    const version = model.get(key)?.version ?? 0;
    const expected = random() < 0.33 ? version + (random() < 0.33 ? 1 : 0) : undefined;
    return random() < 0.3 ? remove(key, expected) : put(key, `${call}.${index}`, expected);
  });
}

async function commitBoth(
  store: Store,
  model: Model,
  writes: readonly Write[],
  what: string,
): Promise<void> {
  const stale = writes.some(
    ({ key, expectedVersion = model.get(key)?.version ?? 0 }) =>
      expectedVersion !== (model.get(key)?.version ?? 0),
  );
  if (stale) return expectConflict(store.commit(writes), what);
  const commit = await store.commit(writes);
  for (const { key, value, version } of commit.writes) {
    if (value === undefined) model.delete(key);
    else model.set(key, { value, version });
  }
  expectSame(
    commit.writes.map(({ key, value }) => ({ key, value })),
    writes.map(({ key, value }) => ({ key, value })),
    what,
  );
}

function contentOfModel(model: Model, prefix: string): string[] {
  const keys = [...model.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  return keys.map((key) => `${key}=${model.get(key)?.value}`);
}
