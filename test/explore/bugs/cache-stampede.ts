import assert from 'node:assert/strict';
import type { Agent, Context } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import type { ClassicBug } from './classic-bug.ts';

type Load = (context: Context) => Promise<unknown>;

/** Keeps the answer when it is there. */
function hastyCache(): Load {
  let kept: unknown;
  return async (context) => {
    kept ??= await context.request('model.embed', 'tea');
    return kept;
  };
}

/** Keeps the question: who comes while it is open waits for the same answer. */
function cache(): Load {
  let kept: Promise<unknown> | undefined;
  return (context) => {
    kept ??= context.request('model.embed', 'tea', { detached: true });
    return kept;
  };
}

/** Warms up, then answers. */
function makeService(agent: Agent, load: Load): void {
  agent.serve('embed', async ({ payload }, context) => {
    if (payload === 'first time') await context.request('licence', {});
    return load(context);
  });
}

async function play({ bus, run }: TestBus, load: Load): Promise<void> {
  let calls = 0;
  makeService(bus.register('service', { concurrency: 2 }), load);
  bus.register('model').serve('model.embed', () => ++calls);
  bus.register('lawyer').serve('licence', () => 'a licence');

  const asked = [bus.request('embed', 'again'), bus.request('embed', 'first time')];
  await run();
  await Promise.all(asked);

  assert.equal(calls, 1, 'how often the model was asked for the same');
}

export const cacheStampede: ClassicBug = {
  name: 'cache stampede',
  buggy: (t) => play(t, hastyCache()),
  mended: (t) => play(t, cache()),
};
