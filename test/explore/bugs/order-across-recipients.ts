import assert from 'node:assert/strict';
import type { Agent } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import type { ClassicBug } from './classic-bug.ts';

function makeIndexer(agent: Agent, index: Map<string, string>): void {
  agent.subscribe('page.written', ({ payload }, context) => {
    const title = String(payload);
    index.set(title, `/pages/${title}`);
    context.publish('page.indexed', title);
  });
}

/** `after`: what tells it that the page is in the index. */
function makeAnnouncer(agent: Agent, index: Map<string, string>, after: string): string[] {
  const announced: string[] = [];
  agent.subscribe(after, ({ payload }) => {
    announced.push(`read ${index.get(String(payload))}`);
  });
  return announced;
}

async function play({ bus, run }: TestBus, after: string): Promise<void> {
  const index = new Map<string, string>();
  makeIndexer(bus.register('indexer'), index);
  const announced = makeAnnouncer(bus.register('announcer'), index, after);

  bus.publish('page.written', 'tea');
  await run();

  assert.deepEqual(announced, ['read /pages/tea'], 'what was announced');
}

export const orderAcrossRecipients: ClassicBug = {
  name: 'order assumption across recipients',
  // The indexer was registered first: that says nothing of who runs first.
  buggy: (t) => play(t, 'page.written'),
  mended: (t) => play(t, 'page.indexed'),
};
