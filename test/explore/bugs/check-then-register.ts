import assert from 'node:assert/strict';
import { type Agent, isTellaskError } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';
import type { ClassicBug } from './classic-bug.ts';

type Bus = TestBus['bus'];
type Hire = (bus: Bus, prepare: () => Promise<unknown>) => Promise<void>;

/** Looks whether the translator is there, prepares the desk, and then hires one. */
const hireHastily: Hire = async (bus, prepare) => {
  if (bus.agents({ name: 'translator' }).length > 0) return;
  await prepare();
  bus.register('translator');
};

/** The name itself says who was first. */
const hire: Hire = async (bus, prepare) => {
  try {
    bus.register('translator');
  } catch (error) {
    if (isTellaskError(error, 'TELLASK_NAME_TAKEN')) return;
    throw error;
  }
  await prepare();
};

function makeManager(agent: Agent, bus: Bus, how: Hire): void {
  agent.serve('letter', async (_request, context) => {
    await how(bus, () => context.request('desk.free', {}));
    return 'translated';
  });
}

/** Opens what comes by parcel before it manages it. */
function makeOpener(agent: Agent, bus: Bus, how: Hire): void {
  agent.serve('parcel', async (_request, context) => {
    await context.request('knife', {});
    await how(bus, () => context.request('desk.free', {}));
    return 'translated';
  });
}

async function play({ bus, run }: TestBus, how: Hire): Promise<void> {
  makeManager(bus.register('manager'), bus, how);
  makeOpener(bus.register('opener'), bus, how);
  bus.register('carpenter').serve('desk.free', () => 'a desk');
  bus.register('kitchen').serve('knife', () => 'a knife');

  const asked = [bus.request('letter', {}), bus.request('parcel', {})];
  const answers = Promise.allSettled(asked);
  await run();

  const failed = (await answers).filter(({ status }) => status === 'rejected');
  assert.deepEqual(failed, [], 'who could not be served');
}

export const checkThenRegister: ClassicBug = {
  name: 'check then act on the registry',
  buggy: (t) => play(t, hireHastily),
  mended: (t) => play(t, hire),
};
