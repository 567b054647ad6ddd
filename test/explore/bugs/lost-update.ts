import assert from 'node:assert/strict';
import type { Agent } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import { type ClassicBug, withState } from './classic-bug.ts';

/** Books what is sold, once the tax office has answered. */
function makeHastyTill(agent: Agent): void {
  agent.subscribe('sold', async ({ payload }, context) => {
    const stock = Number(context.state.get('stock')?.value);
    await context.request('tax.of', payload);
    context.state.set('stock', stock - Number(payload));
  });
}

function makeTill(agent: Agent): void {
  agent.subscribe('sold', async ({ payload }, context) => {
    await context.request('tax.of', payload);
    context.state.update('stock', (stock) => Number(stock) - Number(payload));
  });
}

/** Books what is delivered, once the quality has been looked at. */
function makeStore(agent: Agent): void {
  agent.subscribe('delivered', async ({ payload }, context) => {
    await context.request('quality.of', payload);
    context.state.update('stock', (stock) => Number(stock) + Number(payload));
  });
}

async function play({ bus, run }: TestBus, makeTheTill: (agent: Agent) => void): Promise<void> {
  bus.state.set('stock', 10);
  makeTheTill(bus.register('till'));
  makeStore(bus.register('store'));
  bus.register('tax-office').serve('tax.of', ({ payload }) => Number(payload) / 5);
  bus.register('laboratory').serve('quality.of', () => 'good');

  bus.publish('sold', 3);
  bus.publish('delivered', 5);
  await run();

  assert.equal(bus.state.get('stock')?.value, 12, 'the stock after one sale and one delivery');
}

export const lostUpdate: ClassicBug = {
  name: 'lost update',
  setup: withState,
  buggy: (t) => play(t, makeHastyTill),
  mended: (t) => play(t, makeTill),
};
