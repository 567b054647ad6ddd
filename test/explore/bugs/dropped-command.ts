import assert from 'node:assert/strict';
import type { Agent, SendOptions } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import type { ClassicBug } from './classic-bug.ts';

/** Only the newest readings matter to it, so it forgets old ones: and commands with them. */
function makeMachine(agent: Agent, log: string[]): void {
  agent.subscribe('reading.*', () => {});
  agent.subscribe('stop', () => void log.push('stopped'));
}

/** Stops the machine, and wants to know how hot it is. */
function makeGuard(agent: Agent, options: SendOptions): void {
  agent.subscribe('smoke', (_message, context) => {
    context.send('machine', 'stop', {}, options);
    context.publish('measure', {});
  });
}

function makeSensor(agent: Agent, at: string): void {
  agent.subscribe('measure', (_message, context) => {
    context.publish(`reading.${at}`, 90);
  });
}

async function play({ bus, run }: TestBus, options: SendOptions): Promise<void> {
  const log: string[] = [];
  makeMachine(bus.register('machine', { capacity: 2, overflow: 'drop-oldest' }), log);
  makeGuard(bus.register('guard'), options);
  for (const at of ['front', 'back', 'roof']) makeSensor(bus.register(`${at}-sensor`), at);

  bus.publish('smoke', {});
  await run();

  assert.deepEqual(log, ['stopped'], 'what the machine was told');
}

export const droppedCommand: ClassicBug = {
  name: 'overflow drops a command',
  buggy: (t) => play(t, {}),
  // The oldest of the lowest priority goes first.
  mended: (t) => play(t, { priority: 'high' }),
};
