import assert from 'node:assert/strict';
import type { Agent, Context } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import { type ClassicBug, withState } from './classic-bug.ts';

type Count = (context: Context) => Promise<number>;

/** Looks into one purse after the other. */
const countHastily: Count = async (context) => {
  const ann = Number(context.state.get('purse.ann')?.value);
  await context.request('rate.of', 'euro');
  return ann + Number(context.state.get('purse.bob')?.value);
};

/** Looks into all purses at one instant. */
const count: Count = async (context) => {
  await context.request('rate.of', 'euro');
  return context.state.list('purse.*').reduce((sum, { value }) => sum + Number(value), 0);
};

function makeBanker(agent: Agent): void {
  agent.subscribe('pay', async ({ payload }, context) => {
    await context.request('limit.of', payload);
    await context.state.transaction((tx) => {
      tx.update('purse.ann', (euros) => Number(euros) - Number(payload));
      tx.update('purse.bob', (euros) => Number(euros) + Number(payload));
    });
  });
}

async function play({ bus, run }: TestBus, how: Count): Promise<void> {
  const sums: number[] = [];
  bus.state.set('purse.ann', 10);
  bus.state.set('purse.bob', 10);
  bus.register('auditor').subscribe('audit', async (_message, context) => {
    sums.push(await how(context));
  });
  makeBanker(bus.register('banker'));
  bus.register('exchange').serve('rate.of', () => 1);
  bus.register('office').serve('limit.of', () => 100);

  bus.publish('audit', {});
  bus.publish('pay', 4);
  await run();

  assert.deepEqual(sums, [20], 'what is in both purses together');
}

export const staleSnapshot: ClassicBug = {
  name: 'stale snapshot',
  setup: withState,
  buggy: (t) => play(t, countHastily),
  mended: (t) => play(t, count),
};
