import assert from 'node:assert/strict';
import type { Agent } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import type { ClassicBug } from './classic-bug.ts';

/** What became of the order, as the buyer has it in the books. */
interface Books {
  order: 'open' | 'bought' | 'cancelled';
}

const isOpen = ({ order }: Books): boolean => order === 'open';

/** Believes that what was cancelled has not happened. */
function makeHastyBuyer(agent: Agent, books: Books): void {
  const calledOff = new AbortController();
  agent.subscribe('buy', async (_message, context) => {
    const bought = context.request('sell', 'tea', { signal: calledOff.signal });
    await bought.catch(() => {});
    if (isOpen(books)) books.order = 'bought';
  });
  agent.subscribe('cancel', () => {
    calledOff.abort();
    books.order = 'cancelled';
  });
}

/** Asks the shop whether there was still something to be cancelled. */
function makeBuyer(agent: Agent, books: Books): void {
  agent.subscribe('buy', async (_message, context) => {
    const sold = await context.request('sell', 'tea', { idempotencyKey: 'tea' });
    books.order = sold ? 'bought' : 'cancelled';
  });
  agent.subscribe('cancel', (_message, context) => {
    context.send('shop', 'withdraw', 'tea');
  });
}

function makeShop(agent: Agent, sold: Set<unknown>): void {
  const withdrawn = new Set<unknown>();
  agent.serve('sell', ({ payload }) => {
    if (!withdrawn.has(payload)) sold.add(payload);
    return sold.has(payload);
  });
  agent.subscribe('withdraw', ({ payload }) => void withdrawn.add(payload));
}

async function play({ bus, run }: TestBus, makeOne: typeof makeBuyer): Promise<void> {
  const books: Books = { order: 'open' };
  const sold = new Set<unknown>();
  makeOne(bus.register('buyer', { concurrency: 2 }), books);
  makeShop(bus.register('shop'), sold);

  bus.publish('buy', {});
  bus.publish('cancel', {});
  await run();

  const told = books.order === 'bought' ? ['tea'] : [];
  assert.deepEqual([...sold], told, `what the shop has sold when the order is ${books.order}`);
}

export const cancelAgainstComplete: ClassicBug = {
  name: 'cancel against complete',
  buggy: (t) => play(t, makeHastyBuyer),
  mended: (t) => play(t, makeBuyer),
};
