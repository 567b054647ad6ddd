import { expect, it } from 'vitest';
import { StateCore } from '../../src/state/core.ts';
import { Journal } from '../../src/state/journal.ts';
import { StateAccess } from '../../src/state/state-access.ts';
import { MemoryStore } from '../../src/stores/memory-store.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const AUTHOR = { actor: 'x', causationId: undefined };

async function load(store: MemoryStore) {
  const env = new SimEnv();
  const core = new StateCore({
    env,
    contract: undefined,
    open: true,
    values: { maxDepth: 10, maxBytes: 1_000 },
    history: { maxVersions: 10, maxBytes: 1_000 },
    maxTombstones: 1,
    access: new StateAccess(undefined),
  });
  const journal = new Journal({ core, store, prefix: 'state/', onFault: () => {} });
  await journal.load();
  const set = (key: string) => core.commit(AUTHOR, [core.draft(key, 'set', 1, undefined)])[0];
  const remove = (key: string) => core.commit(AUTHOR, [core.removal(key, 'deleted')])[0];
  return { env, core, set, remove };
}

// R:K2
it('forgets deleted keys in the store, too, and never uses one of their versions again', async () => {
  const store = new MemoryStore();
  const { env, set, remove } = await load(store);
  for (let i = 0; i < 3; i++) set('old');
  remove('old');
  await env.settle();
  set('new');
  remove('new');
  await env.settle();

  const later = await load(store);

  const keys = (await store.scan('')).map(({ key }) => key);
  expect(keys).toEqual(['state/', 'state/new']);
  expect(later.core.forgottenAt).toBe(4);
  expect(later.set('old')).toMatchObject({ version: 5, revision: 7 });
});
