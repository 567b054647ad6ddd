import assert from 'node:assert/strict';
import type { Agent, Context } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import type { ClassicBug } from './classic-bug.ts';

/** What the two share. */
interface Bench {
  readonly jobs: string[];
  readonly done: string[];
  asleep: boolean;
}

function makeForeman(agent: Agent, bench: Bench): void {
  agent.subscribe('job', ({ payload }, context) => {
    bench.jobs.push(String(payload));
    if (bench.asleep) context.send('smith', 'wake', {});
  });
}

/** Works until there is nothing left, then says good night and sleeps. */
async function workHastily(bench: Bench, context: Context): Promise<void> {
  bench.asleep = false;
  bench.done.push(...bench.jobs.splice(0));
  await context.request('good.night', {});
  bench.asleep = true;
}

/** Looks once more when it is already known that it sleeps. */
async function work(bench: Bench, context: Context): Promise<void> {
  do await workHastily(bench, context);
  while (bench.jobs.length > 0);
}

async function play({ bus, run }: TestBus, how: typeof work): Promise<void> {
  const bench: Bench = { jobs: [], done: [], asleep: true };
  makeForeman(bus.register('foreman'), bench);
  bus.register('smith').subscribe('wake', (_message, context) => how(bench, context));
  bus.register('watchman').serve('good.night', () => 'good night');

  bus.publish('job', 'hinge');
  bus.publish('job', 'nail');
  await run();

  assert.deepEqual(bench.done.toSorted(), ['hinge', 'nail'], 'what the smith has made');
}

export const lostWakeUp: ClassicBug = {
  name: 'lost wake-up',
  buggy: (t) => play(t, workHastily),
  mended: (t) => play(t, work),
};
