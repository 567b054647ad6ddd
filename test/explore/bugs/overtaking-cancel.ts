import assert from 'node:assert/strict';
import type { Agent } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import type { ClassicBug } from './classic-bug.ts';

/** Cancels what it has begun; a cancellation of what it does not know says nothing to it. */
function makeHastyPrinter(agent: Agent, printed: Set<unknown>): void {
  agent.subscribe('page', ({ payload }) => void printed.add(payload));
  agent.subscribe('page.cancel', ({ payload }) => void printed.delete(payload));
}

/** Remembers what is cancelled: an urgent message may be there before what it is about. */
function makePrinter(agent: Agent, printed: Set<unknown>): void {
  const cancelled = new Set<unknown>();
  agent.subscribe('page', ({ payload }) => {
    if (!cancelled.has(payload)) printed.add(payload);
  });
  agent.subscribe('page.cancel', ({ payload }) => {
    cancelled.add(payload);
    printed.delete(payload);
  });
}

async function play({ bus, run }: TestBus, makeOne: typeof makePrinter): Promise<void> {
  const printed = new Set<unknown>();
  makeOne(bus.register('printer'), printed);
  bus.register('office').subscribe('mistake', ({ payload }, context) => {
    context.publish('page.cancel', payload, { priority: 'high' });
  });

  bus.publish('page', 'page 7');
  bus.publish('mistake', 'page 7');
  await run();

  assert.deepEqual([...printed], [], 'pages of cancelled jobs');
}

export const overtakingCancel: ClassicBug = {
  name: 'urgent message overtakes what it is about',
  buggy: (t) => play(t, makeHastyPrinter),
  mended: (t) => play(t, makePrinter),
};
