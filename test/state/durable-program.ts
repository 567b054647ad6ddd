import { expect } from 'vitest';
import type { StateVersion } from '../../src/state/entry.ts';
import type * as manager from '../../src/state/state-manager.ts';
import { MemoryStore } from '../../src/stores/memory-store.ts';
import { faultyStore, intercepted, type StoreFault } from '../../src/testing/faulty-store.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const KEYS = ['a', 'b', 'c'];
const STEPS = 12;

/** The library, or a copy of it with something wrong in it. */
export interface DurableLibrary {
  readonly StateManager: typeof manager.StateManager;
}

interface Run {
  readonly library: DurableLibrary;
  readonly inner: MemoryStore;
  readonly state: manager.StateManager;
  readonly env: SimEnv;
  readonly seen: StateVersion[];
}

/** Two who write by chance, one or two keys at a time, while the store goes on by chance. */
async function run(
  library: DurableLibrary,
  seed: number,
  faults: readonly StoreFault[],
): Promise<Run> {
  const random = seededRandom(seed);
  const pick = (most: number) => Math.floor(random() * most);
  const env = new SimEnv({ choose: (lanes) => pick(lanes.length) });
  const turn = (): Promise<void> =>
    new Promise((go) =>
      env.post({ kind: 'state', label: 'step', order: 0, posted: false, run: go }),
    );
  const inner = new MemoryStore();
  const slow = intercepted(inner, async (_call, _writes, work) => {
    await turn();
    const answer = await work();
    await turn();
    return answer;
  });
  const opening = library.StateManager.open({ store: faultyStore(slow, faults), env });
  await env.settle();
  const state = await opening;
  const seen: StateVersion[] = [];
  void (async () => {
    for await (const version of state.watch('**')) seen.push(version);
  })();
  const write = async (client: number): Promise<void> => {
    for (let i = 0; i < STEPS; i++) {
      const [key, other] = [KEYS[pick(3)] as string, KEYS[pick(3)] as string];
      const what = pick(6);
      const value = 100 * client + i;
      if (what === 0) state.delete(key);
      else if (what > 1) state.set(key, value);
      else {
        // Another may have been faster every time.
        const moved = state.transaction((tx) => {
          tx.set(key, value);
          if (other !== key) tx.set(other, value);
        });
        moved.catch(() => {});
      }
      for (let turns = pick(4); turns > 0; turns--) await turn();
    }
  };
  const writing = Promise.all([write(1), write(2)]);
  await env.settle();
  await writing;
  return { library, inner, state, env, seen };
}

/** What is there after all versions up to a revision. */
function at(seen: readonly StateVersion[], revision: number): string {
  const now = new Map<string, string>();
  for (const one of seen) {
    if (one.revision <= revision) now.set(one.key, `${one.version} ${JSON.stringify(one.value)}`);
  }
  return JSON.stringify([...now].sort());
}

/** What the store has had after each commit, and the newest revision in it. */
function lives({ inner }: Run): { revision: number; content: string }[] {
  const now = new Map<string, string>();
  let revision = 0;
  return inner.toJSON().commits.map(({ writes }) => {
    for (const { key, value } of writes) {
      const json = JSON.parse(value ?? '');
      revision = Math.max(revision, json.revision);
      now.set(key.slice('state/'.length), `${json.version} ${JSON.stringify(json.value)}`);
    }
    return { revision, content: JSON.stringify([...now].sort()) };
  });
}

const isSafe = (version: StateVersion) =>
  version.durable.then(
    () => true,
    () => false,
  );

/** What must be true of every run, whatever fails. */
async function check(done: Run, seed: number): Promise<{ failed: number }> {
  const { seen, state, env, inner } = done;
  for (const key of KEYS) {
    const numbers = seen.filter((one) => one.key === key).map(({ version }) => version);
    // Every version was seen, once, in order: none is left out and none is used twice.
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    expect(state.history(key).at(-1)?.version ?? 0).toBe(numbers.length);
  }
  // At any time the store has what the state was at one revision.
  for (const { revision, content } of lives(done)) expect(content).toBe(at(seen, revision));
  const flush = state.flushed();
  await env.settle();
  await flush;
  const later = await done.library.StateManager.open({ store: inner, env: new SimEnv() });
  expect(JSON.stringify(later.list()), `seed ${seed}`).toBe(JSON.stringify(state.list()));
  for (const key of KEYS) {
    expect(later.set(key, 'next').version).toBe((state.history(key).at(-1)?.version ?? 0) + 1);
  }
  return { failed: await checkSafe(done, seed) };
}

/** Whatever is said to be safe stays, and what is rolled back becomes the last that is safe. */
async function checkSafe({ seen, env }: Run, seed: number): Promise<number> {
  const flags = Promise.all(seen.map(isSafe));
  await env.settle();
  const safe = await flags;
  const last = new Map<string, unknown>();
  let failed = 0;
  for (const [i, { key, version, value, action }] of seen.entries()) {
    const what = `seed ${seed}: ${key}@${version}`;
    if (action === 'rolled-back') expect(value, what).toBe(last.get(key));
    if (safe[i]) last.set(key, value);
    else failed++;
    const next = seen.find((one) => one.key === key && one.version === version + 1);
    if (safe[i] && next?.action === 'rolled-back') expect(next.value, what).toBe(value);
  }
  return failed;
}

/** Lets every commit of a program fail, in every way, and throws what is wrong then. */
export async function proveDurable(
  library: DurableLibrary,
  seed: number,
): Promise<{ commits: number; failed: number }> {
  const good = await run(library, seed, []);
  const commits = good.inner.toJSON().commits.length;
  expect(await check(good, seed)).toEqual({ failed: 0 });
  let failed = 0;
  for (let nth = 1; nth <= commits; nth++) {
    const before = await run(library, seed, [{ on: 'commit', nth, when: 'before', fault: 'fail' }]);
    failed += (await check(before, seed)).failed;
    const after = await run(library, seed, [{ on: 'commit', nth, when: 'after', fault: 'fail' }]);
    expect(await check(after, seed)).toEqual({ failed: 0 });
    const unsure = await run(library, seed, [
      { on: 'commit', nth, when: 'after', fault: 'fail' },
      { on: 'get', nth: 1, when: 'before', fault: 'fail' },
    ]);
    failed += (await check(unsure, seed)).failed;
  }
  return { commits, failed };
}
