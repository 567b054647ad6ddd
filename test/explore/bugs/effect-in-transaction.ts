import assert from 'node:assert/strict';
import type { Agent, Context } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import { type ClassicBug, withState } from './classic-bug.ts';

type Order = (context: Context) => Promise<void>;

/** Orders inside the transaction, which may have to run again. */
const orderHastily: Order = (context) =>
  context.state.transaction((tx) => {
    tx.update('shelf', (bags) => Number(bags) + 1);
    context.send('wholesaler', 'order', 'a bag of tea');
  });

/** Says it with the commit, and only then. */
const order: Order = ({ state }) =>
  state.transaction((tx) => {
    tx.update('shelf', (bags) => Number(bags) + 1);
    tx.send('wholesaler', 'order', 'a bag of tea');
  });

function makeCustomer(agent: Agent): void {
  agent.subscribe('thirst', async (_message, context) => {
    await context.request('water', {});
    await context.request('cup', {});
    context.state.update('shelf', (bags) => Number(bags) - 1);
  });
}

async function play({ bus, run }: TestBus, how: Order): Promise<void> {
  const orders: unknown[] = [];
  bus.state.set('shelf', 5);
  bus.register('grocer').subscribe('monday', (_message, context) => how(context));
  makeCustomer(bus.register('customer'));
  const kitchen = bus.register('kitchen');
  kitchen.serve('water', () => 'water');
  kitchen.serve('cup', () => 'a cup');
  bus.register('wholesaler').subscribe('order', ({ payload }) => void orders.push(payload));

  bus.publish('monday', {});
  bus.publish('thirst', {});
  await run();

  assert.deepEqual(orders, ['a bag of tea'], 'what was ordered');
  assert.equal(bus.state.get('shelf')?.value, 5, 'the bags on the shelf');
}

export const effectInTransaction: ClassicBug = {
  name: 'side effect in a transaction',
  setup: withState,
  buggy: (t) => play(t, orderHastily),
  mended: (t) => play(t, order),
};
