import { expect, it } from 'vitest';
import { load } from '../../scripts/load/society.ts';

// R:L3, R:A4: what `npm run load` does with a thousand agents and a million messages.
it('balances the books of agents that come and go, and asks equal ones evenly', async () => {
  const run = await load({ agents: 100, messages: 10_000, seed: 1 });

  expect(run.faults).toEqual([]);
  expect(run.left).toBeGreaterThan(10);
  expect(run.came).toBe(run.left);
  expect(run.answered + run.failed + run.told).toBe(run.messages);
  expect(run.books.handled + run.books.deadLettered).toBe(run.books.admitted);
});
