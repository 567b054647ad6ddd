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

it.each([-1, Number.NaN, Infinity, undefined, '5'])(
  'does not let its clock advance by %s',
  async (ms) => {
    const t = createTestBus();

    await expect(t.clock.advance(ms as never)).rejects.toThrow(
      'advance must be a number of milliseconds from 0 (run() skips all waiting)',
    );

    await t.clock.advance(10);
    expect(t.clock.nowMs).toBe(10);
  },
);

it('names its own options where one is mistyped', () => {
  expect(() => createTestBus({ sead: 3 } as never)).toThrow(
    /^createTestBus has no option sead; it has contract, .*leaks.*, seed, shuffle$/,
  );
});
