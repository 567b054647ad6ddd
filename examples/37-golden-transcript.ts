// 37 A golden transcript: what happened, as text that is the same to the byte for a seed. Keep it as
// a snapshot, and compare two runs by their structure where ids and places may change.
import type { Agent } from 'tellask';
import { createTestBus, diffRuns, readCassette, replayRun, writeCassette } from 'tellask/testing';

function makeWriter(agent: Agent): void {
  agent.subscribe(
    'report.*.due',
    async (message, context) => {
      const facts = await context.request('search', message.payload);
      context.publish(message.topic.replace('due', 'drafted'), facts);
    },
    { retry: { maxAttempts: 2, baseMs: 100, jitter: 'none' } },
  );
}

/** A later version: it tells its readers, and it gives up at once. */
function makeNewWriter(agent: Agent): void {
  agent.subscribe('report.*.due', async (message, context) => {
    context.publish('report.begun', {});
    const facts = await context.request('search', message.payload);
    context.publish(message.topic.replace('due', 'drafted'), facts);
  });
}

function makeTest(make: (agent: Agent) => void) {
  const t = createTestBus({ seed: 7 });
  make(t.bus.register('writer'));
  let calls = 0;
  t.bus.register('searcher').serve('search', () => {
    calls += 1;
    if (calls === 1) throw new TypeError('this text is never shown: it could be anything');
    return ['a fact'];
  });
  return t;
}

// In a test: expect(t.transcript()).toMatchSnapshot()
const first = makeTest(makeWriter);
first.bus.publish('report.7.due', 'tea');
await first.run();
console.log(first.transcript());

// A cassette is the run as JSON lines: what came from outside can be said again to a later version.
const cassette = writeCassette(first.recorded());
const second = makeTest(makeNewWriter);
await replayRun(readCassette(cassette), second);
console.log(diffRuns(readCassette(cassette), second.recorded()).text);
await Promise.all([first.close(), second.close()]);
