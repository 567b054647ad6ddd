// Run by node:test, as a user of the package would: no vitest, no global, no TypeScript.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemoryStore, retry } from 'tellask';
import {
  createTestBus,
  diffRuns,
  fakeModel,
  policyConformance,
  scripted,
  storeConformance,
} from 'tellask/testing';

describe('a memory store', () => {
  for (const { name, run } of storeConformance(() => new MemoryStore(), { seeds: 2 }))
    it(name, run);
});

describe('retry', () => {
  const features = { attempts: 3 };
  const makePolicy = () => retry({ maxAttempts: 3, baseMs: 0 });
  for (const { name, run } of policyConformance(makePolicy, { features })) it(name, run);
});

async function story() {
  const t = createTestBus({ seed: 7 });
  fakeModel(t.bus.register('model'), { rules: [{ reply: 'Tea.' }], latencyMs: [100, 900] });
  t.bus.register('writer').subscribe('report.due', async (_, context) => {
    context.publish('report.drafted', await context.request('model.complete', 'A drink?'));
  });
  const user = scripted(t.bus.register('user'), [
    { publish: 'report.due' },
    { expect: { topic: 'report.drafted', payload: 'Tea.' } },
  ]);
  await user.done();
  await t.close();
  return t;
}

// At the same time, as a runner may do it: no test bus knows of another.
describe('the test bus', { concurrency: true }, () => {
  it('plays a script', async () => {
    const t = await story();
    assert.match(t.transcript(), /user -> writer {2}report\.due {2}admitted event/);
  });

  it('tells the same twice', async () => {
    const [one, other] = await Promise.all([story(), story()]);
    assert.equal(one.transcript({ payloads: true }), other.transcript({ payloads: true }));
    assert.equal(diffRuns(one.recorded(), other.recorded()).same, true);
  });
});
