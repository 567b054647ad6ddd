import { describe, expect, it } from 'vitest';
import { randomChoice } from '../../src/testing/random-choice.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { createTestBus } from '../../src/testing/test-bus.ts';
import { makeLane } from '../make-lane.ts';

/** The order in which three lanes of two steps each run. */
function orderOf(env: SimEnv): string {
  const log: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    let steps = 0;
    const lane = makeLane(name, 1, () => {
      log.push(`${name}${++steps}`);
      if (steps < 2) env.post(lane);
    });
    env.post(lane);
  }
  while (env.step());
  return log.join(' ');
}

const seeds = Array.from({ length: 200 }, (_, seed) => seed);

describe('a choice by chance', () => {
  it('is the same for the same seed, and finds every order between the lanes', () => {
    const orders = seeds.map((seed) => orderOf(new SimEnv({ choose: randomChoice(seed) })));
    const again = seeds.map((seed) => orderOf(new SimEnv({ choose: randomChoice(seed) })));

    expect(again).toEqual(orders);
    // Of three times two steps in their order there are 6! / (2! 2! 2!) = 90.
    expect(new Set(orders).size).toBeGreaterThan(60);
    for (const order of orders) expect(order).toMatch(/a1.*a2/);
  });

  it.each([
    [false, 1],
    [true, 6],
  ])('mixes the handlers of a test bus with shuffle: %s', async (shuffle, count) => {
    const orders = new Set<string>();
    for (const seed of seeds.slice(0, 60)) {
      const { bus, settle } = createTestBus({ seed, shuffle });
      const log: string[] = [];
      for (const name of ['a', 'b', 'c']) bus.subscribe('t', () => void log.push(name));
      bus.publish('t', 1);
      await settle();
      orders.add(log.join(''));
    }

    expect(orders.size).toBe(count);
  });
});
