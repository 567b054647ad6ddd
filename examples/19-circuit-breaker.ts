// 19 Circuit breaker: who fails too often is not asked for a while, and then asked again with care.
import { type Agent, circuitBreaker, isTellaskError } from 'tellask';
import { createTestBus } from 'tellask/testing';

function makeTranslator(agent: Agent, model: { readonly down: boolean }): void {
  agent.serve('translate', (request) => {
    if (model.down) throw new Error('503 Service Unavailable');
    return `${agent.name} translated ${request.payload}`;
  });
}

// One breaker, and a circuit for each responder: whoever fails three times in a row gets a rest.
const breaker = circuitBreaker({
  failures: 3,
  openMs: 10_000,
  onChange: ({ key, from, to, why }) => console.log(`  [${key}: ${from} -> ${to}, ${why}]`),
});

function makeAuthor(agent: Agent) {
  return async (text: string): Promise<string> => {
    try {
      return String(await agent.request('translate', text, { to: 'ada', policy: breaker }));
    } catch (error) {
      if (!isTellaskError(error, 'TELLASK_CIRCUIT_OPEN')) return `failed: ${String(error)}`;
      return `not even asked: ${breaker.for('ada').explain().next}`;
    }
  };
}

const t = createTestBus(); // its clock moves only when it is told to
const model = { down: true };
makeTranslator(t.bus.register('ada'), model);
const translate = makeAuthor(t.bus.register('author'));

async function show(text: string): Promise<void> {
  const answer = translate(text);
  await t.settle();
  console.log(`${t.clock.nowMs} ms, ${await answer}`);
}

for (const text of ['one', 'two', 'three', 'four']) await show(text);

await t.clock.advance(10_000);
await show('five'); // lets one call through as a probe, which fails
await t.clock.advance(4_000);
await show('six');

model.down = false;
await t.clock.advance(6_000);
await show('seven');

// A person may take it out of service by hand, for as long as he holds it.
const maintenance = breaker.for('ada').isolate();
await show('eight');
maintenance[Symbol.dispose]();
await show('nine');

await t.bus.close();
