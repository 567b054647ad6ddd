import assert from 'node:assert/strict';
import type { Agent, Store } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import type { ClassicBug } from './classic-bug.ts';

function makeEditor(agent: Agent, store: Store): void {
  agent.subscribe('typed', async ({ payload }) => {
    await store.commit([{ key: 'draft', value: String(payload) }]);
  });
}

/** `concurrency`: how many drafts are on their way to the store at a time. */
async function play(t: TestBus, concurrency: number): Promise<void> {
  const store = t.store();
  makeEditor(t.bus.register('editor', { concurrency }), store);

  for (const text of ['Dear', 'Dear Ann']) t.bus.publish('typed', text);
  await t.run();

  const kept = store.get('draft');
  await t.run();
  assert.equal((await kept)?.value, 'Dear Ann', 'the draft that was kept');
}

export const autosave: ClassicBug = {
  name: 'the store answers in another order',
  buggy: (t) => play(t, 2),
  mended: (t) => play(t, 1),
};
