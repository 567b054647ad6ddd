import assert from 'node:assert/strict';
import type { Agent, Context } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import { type ClassicBug, withState } from './classic-bug.ts';

const CALL = 300;
type Think = (context: Context) => Promise<void>;

/** Looks whether there is enough, and pays when the bill comes. */
const thinkHastily: Think = async (context) => {
  if (Number(context.state.get('tokens.left')?.value) < CALL) return;
  await context.request('model.ask', {});
  context.state.update('tokens.left', (left) => Number(left) - CALL);
};

/** Puts aside what it will cost. */
const think: Think = async (context) => {
  if (Number(context.state.get('tokens.left')?.value) < CALL) return;
  context.state.update('tokens.left', (left) => Number(left) - CALL);
  await context.request('model.ask', {});
};

function makeWriter(agent: Agent, how: Think): void {
  agent.subscribe('write', (_message, context) => how(context));
}

/** Reads before it thinks. */
function makeCritic(agent: Agent, how: Think): void {
  agent.subscribe('review', async (_message, context) => {
    await context.request('library.read', {});
    await how(context);
  });
}

async function play({ bus, run }: TestBus, how: Think): Promise<void> {
  bus.state.set('tokens.left', 500);
  makeWriter(bus.register('writer'), how);
  makeCritic(bus.register('critic'), how);
  bus.register('model').serve('model.ask', () => 'a thought');
  bus.register('library').serve('library.read', () => 'a book');

  bus.publish('write', {});
  bus.publish('review', {});
  await run();

  assert.equal(bus.state.get('tokens.left')?.value, 200, 'the tokens that are left of 500');
}

export const budgetOverspend: ClassicBug = {
  name: 'budget overspend',
  setup: withState,
  buggy: (t) => play(t, thinkHastily),
  mended: (t) => play(t, think),
};
