// 34 Virtual time: an hour passes in no time, with a person who thinks and a model that is slow.
import type { Agent } from 'tellask';
import { createTestBus, fakeModel, scripted } from 'tellask/testing';

// What is tested: a writer that waits for a model, and then for a person, up to an hour.
function makeWriter(agent: Agent): void {
  agent.subscribe(
    'report.due',
    async (message, context) => {
      const text = await context.request('model.complete', `Write about ${message.payload}.`);
      const verdict = await context
        .request('review', text, { timeoutMs: 3_600_000 })
        .catch(() => 'no answer within the hour');
      context.publish('report.ended', { verdict, tokens: context.budget.spent.tokens });
    },
    { timeoutMs: 7_200_000 },
  );
}

async function story(name: string, thinksMs: number): Promise<void> {
  const t = createTestBus();
  makeWriter(t.bus.register('writer', { concurrency: 4 }));
  // A model that costs nothing: its words, its latency, its speed and its prices are the test's.
  const model = fakeModel(t.bus.register('model'), {
    rules: [{ when: 'tea', reply: 'Tea is best when it is hot, and someone else has made it.' }],
    latencyMs: 800,
    tokensPerSecond: 30,
    costPerToken: 0.001,
  });
  // A person, step by step. A step that does not come fails the test with its number.
  const person = scripted(t.bus.register('person'), [
    { publish: 'report.due', payload: 'tea', options: { budget: { tokens: 1_000 } } },
    { expectRequest: 'review' },
    { waitMs: thinksMs },
    { reply: 'good enough' },
    { expect: 'report.ended' },
  ]);
  t.bus.subscribe('report.ended', ({ payload }) => {
    console.log(`${name}: ${JSON.stringify(payload)} after ${t.clock.nowMs.toFixed(0)} ms`);
  });

  await person.done();
  await t.close();

  const [call] = model.calls;
  console.log(`  the model said ${call?.outputTokens} tokens for ${call?.cost.toFixed(3)}`);
}

await story('a quick person', 60_000);
await story('a slow person', 4_000_000);
