import assert from 'node:assert/strict';
import { type Agent, retry } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import type { ClassicBug } from './classic-bug.ts';

/** Keeps its own list of who is there, and sends a job to the first. */
function makeHastyForeman(agent: Agent): void {
  const there = new Set(['ann', 'bob']);
  agent.subscribe('gone', ({ from }) => void there.delete(from));
  agent.subscribe('job', ({ payload }, context) => {
    const [first] = there;
    context.send(first as string, 'work', payload);
  });
}

/** Asks whoever serves it now, and another one when that one leaves. */
function makeForeman(agent: Agent): void {
  agent.subscribe('job', async ({ payload }, context) => {
    await context.request('work', payload, { policy: retry({ maxAttempts: 2 }) });
  });
}

function makeWorker(agent: Agent, done: unknown[]): void {
  const work = ({ payload }: { readonly payload: unknown }) => void done.push(payload);
  agent.serve('work', work);
  agent.subscribe('work', work, { type: 'task' });
  agent.subscribe(`evening.${agent.name}`, async (_message, context) => {
    context.publish('gone', {});
    await context.close();
  });
}

async function play({ bus, run }: TestBus, makeOne: typeof makeForeman): Promise<void> {
  const done: unknown[] = [];
  for (const name of ['ann', 'bob']) makeWorker(bus.register(name), done);
  makeOne(bus.register('foreman'));
  bus.register('customer').subscribe('wish', ({ payload }, context) => {
    context.publish('job', payload);
  });

  bus.publish('evening.ann', {});
  bus.publish('wish', 'a hinge');
  await run();

  assert.deepEqual(done, ['a hinge'], 'what the workers have made');
}

export const deadAgentChosen: ClassicBug = {
  name: 'dead agent still chosen',
  buggy: (t) => play(t, makeHastyForeman),
  mended: (t) => play(t, makeForeman),
};
