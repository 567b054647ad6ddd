import { test } from 'node:test';
import { assertDelivered, createTestBus } from '../../src/testing.ts';

// Run by matchers.test.ts in a process of its own: the second and the third are to fail.

test('delivers', async () => {
  await using t = createTestBus();
  t.bus.register('editor').subscribe('draft', () => {});
  t.bus.publish('draft', 1);
  await t.settle();
  assertDelivered(t, { topic: 'draft', payload: 1 });
});

test('says what there was', async () => {
  const t = createTestBus();
  t.bus.register('editor').subscribe('draft', () => {});
  t.bus.publish('draft', 1);
  await t.settle();
  assertDelivered(t, 'other');
});

test('names what is left', async () => {
  await using t = createTestBus();
  t.bus.publish('later', 1, { delayMs: 5 });
});
