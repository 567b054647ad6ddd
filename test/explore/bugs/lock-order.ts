import assert from 'node:assert/strict';
import type { Agent, Context } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import { type ClassicBug, withState } from './classic-bug.ts';

type Hold = (keys: readonly string[], context: Context) => Promise<void>;

/** One fork after the other, as they lie. */
const holdHastily: Hold = async ([first = '', second = ''], { state }) => {
  await state.withLock(first, () => state.withLock(second, () => {}));
};

/** Both, always in the same order. */
const hold: Hold = async (keys, { state }) => {
  const forks = await state.lockAll(keys);
  forks.release();
};

function makePlato(agent: Agent, how: Hold): void {
  agent.serve('eat.early', (_request, context) => how(['fork.left', 'fork.right'], context));
}

/** Has the table laid before he eats. */
function makeZeno(agent: Agent, how: Hold): void {
  agent.serve('eat.late', async (_request, context) => {
    await context.request('napkin', {});
    await context.request('wine', {});
    await how(['fork.right', 'fork.left'], context);
  });
}

async function play({ bus, run }: TestBus, how: Hold): Promise<void> {
  makePlato(bus.register('plato'), how);
  makeZeno(bus.register('zeno'), how);
  const waiter = bus.register('waiter');
  waiter.serve('napkin', () => 'a napkin');
  waiter.serve('wine', () => 'wine');

  const asked = [bus.request('eat.early', {}), bus.request('eat.late', {})];
  const meals = Promise.allSettled(asked);
  await run();

  const hungry = (await meals).filter(({ status }) => status === 'rejected');
  assert.deepEqual(hungry, [], 'those who could not eat');
}

export const lockOrder: ClassicBug = {
  name: 'locks in opposite order',
  setup: withState,
  buggy: (t) => play(t, holdHastily),
  mended: (t) => play(t, hold),
};
