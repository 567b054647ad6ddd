import { describe, expect, it } from 'vitest';
import { MessageBus, RejectedError } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { findFailure, runOn } from './find-failure.ts';
import { makeProgram } from './make-program.ts';
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
      // One step of the ring is many of the mailboxes, so steps cannot be counted.
      const program = makeProgram(seed).filter((step) => step.do !== 'steps');
      const through = await runOn(LIBRARY, program, true);
      const without = await runOn(LIBRARY, program, false);

      const what = `seed ${seed}\n${print(program)}`;
      expect(through.books, what).toEqual(without.books);
      expect([...through.starts].sort(), what).toEqual([...without.starts].sort());
    }
  }, 120_000);
});
