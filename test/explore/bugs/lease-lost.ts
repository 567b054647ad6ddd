import assert from 'node:assert/strict';
import type { Agent, Lock } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import { type ClassicBug, withState } from './classic-bug.ts';
import { makeClock } from './clock-agent.ts';

/** What a write knows of the lock under which it happens. */
type Under = (lock: Lock) => { readonly lock?: Lock };

/** Works on one thing at a time, 700 ms each: who comes second waits for 1 400. */
function makeModel(agent: Agent): void {
  agent.serve('model.ask', async ({ payload }, context) => {
    await context.request('sleep', 700);
    return `about ${payload}`;
  });
}

function makeWriter(agent: Agent, under: Under): void {
  agent.subscribe('write', async ({ payload }, context) => {
    const write = async (lock: Lock): Promise<void> => {
      const text = await context.request('model.ask', payload);
      context.state.set('page', [text], under(lock));
    };
    await context.state.withLock('page', write, { leaseMs: 1_000 });
  });
}

/** Adds a note to the page when nobody writes it. */
function makeEditor(agent: Agent): void {
  agent.subscribe('annotate', async ({ payload }, { state }) => {
    await state.withLock('page', (lock) =>
      state.update('page', (page) => [...(page as string[]), String(payload)], { lock }),
    );
  });
}

async function play({ bus, run }: TestBus, under: Under): Promise<void> {
  bus.state.set('page', []);
  makeClock(bus.register('clock'));
  makeModel(bus.register('model'));
  bus.register('heart').serve('mood', () => 'good');
  makeWriter(bus.register('writer'), under);
  makeEditor(bus.register('editor'));
  bus.register('chatter').subscribe('chat', async ({ payload }, context) => {
    await context.request('mood', {});
    await context.request('mood', {});
    await context.request('model.ask', payload);
  });
  bus.register('director').subscribe('begin', (_message, context) => {
    context.publish('write', 'tea');
    context.publish('chat', 'cups');
    context.publish('annotate', 'checked', { delayMs: 500 });
  });

  bus.publish('begin', {});
  await run();

  const page = bus.state.get('page')?.value as string[];
  assert.ok(page.includes('checked'), 'the note of the editor is on the page');
}

export const leaseLost: ClassicBug = {
  name: 'lease lost',
  setup: withState,
  buggy: (t) => play(t, () => ({})),
  mended: (t) => play(t, (lock) => ({ lock })),
};
