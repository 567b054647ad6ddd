import { describe, expect, it } from 'vitest';
import type { StateVersion } from '../../src/state/entry.ts';
import { StateManager } from '../../src/state/state-manager.ts';
import { MemoryStore } from '../../src/stores/memory-store.ts';
import { faultyStore, type StoreFault } from '../../src/testing/faulty-store.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const KEYS = ['a', 'b', 'c'];
const STEPS = 24;

interface Run {
  readonly inner: MemoryStore;
  readonly state: StateManager;
  readonly env: SimEnv;
  readonly seen: StateVersion[];
  readonly written: StateVersion[];
}

/** Writes by chance, one or two keys at a time, while the store comes on by chance. */
async function run(seed: number, faults: readonly StoreFault[]): Promise<Run> {
  const random = seededRandom(seed);
  const pick = (most: number) => Math.floor(random() * most);
  const env = new SimEnv({ choose: (lanes) => pick(lanes.length) });
  const inner = new MemoryStore();
  const state = await StateManager.open({ store: faultyStore(inner, faults), env });
  const seen: StateVersion[] = [];
  void (async () => {
    for await (const version of state.watch('**')) seen.push(version);
  })();
  const written: StateVersion[] = [];
  for (let i = 0; i < STEPS; i++) {
    const [key, other] = [KEYS[pick(3)] as string, KEYS[pick(3)] as string];
    const what = pick(6);
    if (what === 0) state.delete(key);
    else if (what === 1) {
      void state.transaction((tx) => {
        tx.set(key, i);
        if (other !== key) tx.set(other, i);
      });
    } else written.push(state.set(key, i));
    if (pick(2) === 0) for (let turn = pick(8); turn > 0; turn--) await Promise.resolve();
    if (pick(3) === 0) await env.settle();
  }
  await env.settle();
  return { inner, state, env, seen, written };
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
  const { seen, state, env, inner, written } = done;
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
  const later = await StateManager.open({ store: inner, env: new SimEnv() });
  expect(JSON.stringify(later.list()), `seed ${seed}`).toBe(JSON.stringify(state.list()));
  for (const key of KEYS) {
    expect(later.set(key, 'next').version).toBe((state.history(key).at(-1)?.version ?? 0) + 1);
  }
  const safe = await Promise.all(written.map(isSafe));
  // Whatever is said to be safe was never rolled back by a version that follows it.
  for (const [i, version] of written.entries()) {
    const next = seen.find((one) => one.key === version.key && one.version === version.version + 1);
    if (safe[i]) expect(next?.action === 'rolled-back' && next.value !== version.value).toBe(false);
  }
  return { failed: safe.filter((one) => !one).length };
}

describe('a state whose store fails at any commit', () => {
  // R:K8
  it.each([1, 2, 3, 4, 5, 6])('keeps its word, program %i', async (seed) => {
    const good = await run(seed, []);
    const commits = good.inner.toJSON().commits.length;
    expect(await check(good, seed)).toEqual({ failed: 0 });
    let failed = 0;

    for (let nth = 1; nth <= commits; nth++) {
      const before = await run(seed, [{ on: 'commit', nth, when: 'before', fault: 'fail' }]);
      failed += (await check(before, seed)).failed;
      const after = await run(seed, [{ on: 'commit', nth, when: 'after', fault: 'fail' }]);
      expect(await check(after, seed)).toEqual({ failed: 0 });
      const unsure = await run(seed, [
        { on: 'commit', nth, when: 'after', fault: 'fail' },
        { on: 'get', nth: 1, when: 'before', fault: 'fail' },
      ]);
      failed += (await check(unsure, seed)).failed;
    }

    expect(commits).toBeGreaterThan(3);
    expect(failed).toBeGreaterThan(0);
  });
});
