// 09 A first test: the real bus on simulated time. Nothing sleeps, and every run is the same.
import assert from 'node:assert/strict';
import type { Agent } from 'tellask';
import { createTestBus } from 'tellask/testing';

// What is tested: an agent that reminds the editor until the editor has answered.
function makeReminder(agent: Agent): void {
  agent.subscribe('report.*.drafted', async (message, context) => {
    const answer = await context
      .request('approve', message.topic, { timeoutMs: 60_000 })
      .catch(() => 'no answer');
    context.publish('reminder.done', { topic: message.topic, answer });
  });
}

// In a project this is a test function of vitest, jest or node:test.
async function test(sentence: string, body: () => Promise<void>): Promise<void> {
  await body();
  console.log(`ok - ${sentence}`);
}

await test('it passes on what the editor answers', async () => {
  const t = createTestBus();
  makeReminder(t.bus.register('reminder'));
  t.bus.register('editor').serve('approve', () => 'fine');
  const done = t.bus.once('reminder.done');

  t.bus.publish('report.7.drafted', {});
  await t.settle();

  assert.deepEqual((await done).payload, { topic: 'report.7.drafted', answer: 'fine' });
});

await test('it gives up after a minute, which takes no time here', async () => {
  const t = createTestBus();
  const log: unknown[] = [];
  makeReminder(t.bus.register('reminder'));
  t.bus.register('editor').serve('approve', () => new Promise(() => {}));
  t.bus.subscribe('reminder.done', (message) => log.push(message.payload));

  t.bus.publish('report.7.drafted', {});
  await t.clock.advance(59_999);
  assert.deepEqual(log, []);
  await t.clock.advance(1);

  assert.deepEqual(log, [{ topic: 'report.7.drafted', answer: 'no answer' }]);
});
