import { expect, it } from 'vitest';
import { createTestBus } from '../../src/testing.ts';

it('closes the bus, and lets pass the time that this takes', async () => {
  const t = createTestBus({ leaks: 'allow' });
  t.bus.subscribe('alarm', () => new Promise(() => {}));
  t.bus.publish('alarm', {});
  await t.settle();

  await t.close();
  await t.close();

  expect(t.clock.nowMs).toBeGreaterThan(0);
  expect(() => t.bus.publish('alarm', {})).toThrow(/closed/);
});
