import assert from 'node:assert/strict';
import type { Agent } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import type { ClassicBug } from './classic-bug.ts';

/** Begins to listen once it is set up. */
function makeHastyDisplay(agent: Agent, shown: unknown[]): void {
  agent.subscribe('boot', async (_message, context) => {
    await context.request('screen.size', {});
    agent.subscribe('price', ({ payload }) => void shown.push(payload));
  });
}

/** What was said before it listened is kept for it. */
function makeDisplay(agent: Agent, shown: unknown[]): void {
  agent.subscribe('boot', async (_message, context) => {
    await context.request('screen.size', {});
    agent.subscribe('price', ({ payload }) => void shown.push(payload), { replay: true });
  });
}

function makeExchange(agent: Agent): void {
  agent.subscribe('open', async (_message, context) => {
    const price = await context.request('last.price', {});
    context.publish('price', price, { retain: true });
  });
}

async function play({ bus, run }: TestBus, makeOne: typeof makeDisplay): Promise<void> {
  const shown: unknown[] = [];
  makeOne(bus.register('display'), shown);
  makeExchange(bus.register('exchange'));
  bus.register('screen').serve('screen.size', () => 80);
  bus.register('archive').serve('last.price', () => 42);

  bus.publish('boot', {});
  bus.publish('open', {});
  await run();

  assert.deepEqual(shown, [42], 'the prices that were shown');
}

export const lateSubscriber: ClassicBug = {
  name: 'said before anybody listened',
  buggy: (t) => play(t, makeHastyDisplay),
  mended: (t) => play(t, makeDisplay),
};
