import assert from 'node:assert/strict';
import type { Context } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import { type ClassicBug, withState } from './classic-bug.ts';

type Follow = (context: Context) => Promise<unknown>;

/** Waits until the door is open: looks, and if it is not, watches. */
const followHastily: Follow = async (context) => {
  if (context.state.get('door')?.value === 'open') return 'open';
  await context.request('chair', {});
  for await (const { value } of context.state.watch('door')) if (value === 'open') return value;
  return undefined;
};

/** The watch begins with what is there: nothing can happen in between. */
const follow: Follow = async (context) => {
  await context.request('chair', {});
  for await (const { value } of context.state.watch('door', { initial: true })) {
    if (value === 'open') return value;
  }
  return undefined;
};

async function play({ bus, run }: TestBus, how: Follow): Promise<void> {
  const came: unknown[] = [];
  bus.state.set('door', 'shut');
  bus.register('visitor').subscribe('visit', async (_message, context) => {
    came.push(await how(context));
  });
  bus.register('host').subscribe('bell', async (_message, context) => {
    await context.request('key', {});
    context.state.set('door', 'open');
  });
  bus.register('porter').serve('chair', () => 'a chair');
  bus.register('cupboard').serve('key', () => 'a key');

  bus.publish('visit', {});
  bus.publish('bell', {});
  await run();

  assert.deepEqual(came, ['open'], 'the visitor who has seen that the door is open');
}

export const readThenWatch: ClassicBug = {
  name: 'read, then watch',
  setup: withState,
  buggy: (t) => play(t, followHastily),
  mended: (t) => play(t, follow),
};
