import { describe, expect, it } from 'vitest';
import { MessageBus, RejectedError } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { findFailure, runOn } from './find-failure.ts';
import { makeProgram } from './make-program.ts';
import type { Program } from './program.ts';
import { print } from './run-program.ts';
import type { Library } from './world.ts';

const LIBRARY: Library = { MessageBus, RejectedError, SimEnv };
const SEED = 1_000_000;

describe('the ring', () => {
  it('keeps every promise that the mailboxes keep', async () => {
    const failure = await findFailure(LIBRARY, { from: SEED, count: 3_000, direct: true });

    expect(failure).toBeUndefined();
  }, 120_000);

  it('gives the same books and the same order in every mailbox', async () => {
    for (let seed = SEED; seed < SEED + 2_000; seed++) {
      const program = comparable(makeProgram(seed));
      const through = await runOn(LIBRARY, program, true);
      const without = await runOn(LIBRARY, program, false);

      const what = `seed ${seed}\n${print(program)}`;
      expect(through.books, what).toEqual(without.books);
      expect([...through.starts].sort(), what).toEqual([...without.starts].sort());
    }
  }, 120_000);
});

/**
 * One step of the ring is many of the mailboxes, so steps cannot be counted. And what lies in the
 * ring is not outstanding yet for the choice between responders, so there is one a topic.
 */
function comparable(program: Program): Program {
  const served = new Set<number>();
  return program.filter((step) => {
    if (step.do !== 'serve') return step.do !== 'steps';
    const isFirst = !served.has(step.topic);
    served.add(step.topic);
    return isFirst;
  });
}
