// 33 A first test with probes: agents that a test plays. It says what it expects; nothing is mocked.
import assert from 'node:assert/strict';
import type { Agent } from 'tellask';
import { createTestBus } from 'tellask/testing';

// What is tested: a buyer that asks before it spends much.
function makeBuyer(agent: Agent): void {
  agent.subscribe('offer.made', async (message, context) => {
    const { item, euros } = message.payload as { item: string; euros: number };
    const verdict = euros > 100 ? await context.request('approve', { item, euros }) : 'cheap';
    if (verdict === 'no') throw new Error(`nobody wants ${item}`);
    context.publish('order.placed', { item, verdict });
  });
}

const t = createTestBus();
makeBuyer(t.bus.register('buyer'));
const boss = t.probe('boss', { pattern: [], serve: 'approve' });
const shop = t.probe('shop', { pattern: 'order.**' });

// What is cheap is bought, and the boss hears nothing of it.
t.bus.publish('offer.made', { item: 'tea', euros: 4 });
await shop.expect({ topic: 'order.placed', payload: { item: 'tea' } });
await boss.expectNone();
console.log('ok - it buys what is cheap without a word');

// What is dear waits for the boss. `expectNone` is exact: everything has come to rest by then.
t.bus.publish('offer.made', { item: 'sofa', euros: 900 });
await boss.expect({ topic: 'approve', payload: { euros: 900 } });
await shop.expectNone();
boss.reply('yes');
await shop.expect({ payload: { item: 'sofa', verdict: 'yes' } });
console.log('ok - it asks before it spends much');

// A refusal is a dead letter: the test says so, and that there is no other.
t.bus.publish('offer.made', { item: 'boat', euros: 90_000 });
await boss.expect('approve');
boss.reply('no');
await t.deadLetters.expect({ topic: 'offer.made', reason: 'handler-error' });
await t.deadLetters.expectNone();
console.log('ok - it gives up what the boss does not want');

// An expectation that is not met says what came instead.
t.bus.publish('offer.made', { item: 'pen', euros: 1 });
const failure = await shop.expect({ payload: { item: 'car' } }).catch((error: Error) => error);
assert(failure instanceof Error);
console.log(`\n${failure.message}`);

await t.close(); // fails if anything were left over, or a promise of the library broken
