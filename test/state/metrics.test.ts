import { describe, expect, it } from 'vitest';
import { documents, StateManager, workflows } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { thrownBy } from './make-state.ts';

const makeState = (history = {}) => new StateManager({ env: new SimEnv(), history });

describe('the metrics of the state', () => {
  // R:K9
  it('count documents and workflows, however they come and go', async () => {
    const state = makeState();
    documents(state).createDocument('7', { topic: 'Tea' });
    documents(state).createDocument('a/b', { topic: 'Tea' });
    workflows(state).createWorkflow('7', ['research', 'writing']);
    state.set('document.7.notes', 'no document');
    state.set('document', 'neither');
    const snapshot = state.snapshot();
    const there = state.metrics();
    state.delete('document.7');
    state.delete('workflow.7');
    const gone = state.metrics();
    state.restore(snapshot);

    expect(there).toMatchObject({ keys: 5, documents: 2, workflows: 1 });
    expect(gone).toMatchObject({ keys: 3, documents: 1, workflows: 0 });
    expect(state.metrics()).toMatchObject({ keys: 5, documents: 2, workflows: 1 });
  });

  // R:K9
  it('count who watches, who was too slow, and who was too late', async () => {
    const state = makeState();
    const [slow, quick] = [state.watch('**', { buffer: 1 }), state.watch('a')];
    for (let n = 0; n < 2; n++) state.set('a', { n });
    const before = state.metrics();
    const late = thrownBy(() => state.compareAndSet('a', 1, 'late'));
    thrownBy(() => state.delete('a', { expectedVersion: 1 }));
    state.compareAndSet('a', 1, { m: 0, n: 0 }, { onConflict: ({ theirs }) => theirs });
    await quick.return();
    await slow.return();

    expect(before).toMatchObject({ watchers: 1, overflows: 1, conflicts: 0 });
    expect(late).toMatchObject({ code: 'TELLASK_STATE_CONFLICT' });
    expect(state.metrics()).toMatchObject({ watchers: 0, overflows: 1, conflicts: 3 });
  });

  // R:K4 R:K9
  it('are what counting would give, whatever is written', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seededRandom(seed);
      const state = makeState({ maxVersions: 1 + (seed % 4), maxBytes: 400 * (seed % 3) });
      for (let step = 0; step < 150; step++) {
        const key = `${['document', 'workflow', 'x'][step % 3]}.${Math.floor(random() * 3)}`;
        if (random() < 0.3) state.delete(key);
        else state.set(key, { step, text: 'x'.repeat(Math.floor(random() * 50)) });
        expect(state.metrics(), `seed ${seed}, step ${step}`).toMatchObject(counted(state));
      }
      expect(state.metrics().historyBytes).toBeLessThanOrEqual(400 * (seed % 3));
    }
  });

  it('say that nothing is kept of what was, where only the current versions are', () => {
    const state = makeState({ maxVersions: 1 });
    for (let n = 0; n < 50; n++) state.set(`k.${n % 5}`, 'x'.repeat(n));
    for (let n = 0; n < 5; n++) state.delete(`k.${n}`);

    expect(state.metrics()).toMatchObject({ keys: 0, versions: 5, bytes: 0, historyBytes: 0 });
  });
});

function counted(state: StateManager) {
  const entries = state.list();
  const fresh = makeState();
  for (const { key, value } of entries) fresh.set(key, value);
  const keys = ['document', 'workflow', 'x'].flatMap((kind) =>
    [0, 1, 2].map((n) => `${kind}.${n}`),
  );
  return {
    keys: entries.length,
    documents: entries.filter(({ key }) => key.startsWith('document.')).length,
    workflows: entries.filter(({ key }) => key.startsWith('workflow.')).length,
    versions: keys.reduce((sum, key) => sum + state.history(key).length, 0),
    bytes: fresh.metrics().bytes,
  };
}
