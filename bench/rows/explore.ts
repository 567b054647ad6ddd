import { ability, type Explorer, type Seam } from '../contender.ts';
import type { Row } from '../row.ts';
import { summarize } from '../statistics.ts';
import { timed } from '../timed.ts';

const WARM = 2_000;
const SEEDS = 200;
const MESSAGES = 5_000;
const PAIRS = 41;

async function msOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function warm(explore: Explorer): Promise<Explorer> {
  await explore(WARM);
  return explore;
}

/**
 * What one more Env costs a message: short runs take turns, so that both are in the same weather, and
 * the median of their differences leaves out those in which something else was going on.
 */
async function nsBetween({ bare, wrapped }: Seam): Promise<number> {
  const differences: number[] = [];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const without = await msOf(() => bare(MESSAGES));
    const withOneMore = await msOf(() => wrapped(MESSAGES));
    differences.push(((withOneMore - without) * 1e6) / MESSAGES);
  }
  return summarize(differences).median;
}

export const rows: readonly Row[] = [
  {
    name: 'explore-20-steps',
    title: 'explore: a schedule of 20 steps, bus included',
    unit: 'ns',
    needs: 'explorer',
    goals: [{ kind: 'limit', atMost: 100_000 }],
    prepare: async (contender) => timed(await warm(await ability(contender, 'explorer'))),
  },
  {
    name: 'explore-200-seeds',
    title: 'explore: a unit test of 20 steps with 200 seeds',
    unit: 'ms',
    needs: 'explorer',
    goals: [{ kind: 'limit', atMost: 50 }],
    prepare: async (contender) => {
      const explore = await warm(await ability(contender, 'explorer'));
      return { sample: () => msOf(() => explore(SEEDS)) };
    },
  },
  {
    name: 'seam',
    title: 'publish to handled: what one more Env in between adds to a message',
    unit: 'ns',
    needs: 'seam',
    goals: [{ kind: 'limit', atMost: 10 }],
    prepare: async (contender) => {
      const seam = await ability(contender, 'seam');
      for (let round = 0; round < 5; round += 1) await nsBetween(seam);
      return { sample: () => nsBetween(seam) };
    },
  },
];
