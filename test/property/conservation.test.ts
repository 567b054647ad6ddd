// R:A3 R:A4 R:A5 R:A6 R:A7 R:A8 R:B1 R:B2 R:B3 R:B4 R:B5 R:B7 R:D1 R:F1 R:F2 R:J1 R:J2
import { describe, expect, it } from 'vitest';
import { MessageBus, RejectedError } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { findFailure } from './find-failure.ts';
import type { Library } from './world.ts';

const LIBRARY: Library = { MessageBus, RejectedError, SimEnv };
const { TELLASK_PROGRAMS = '20000', TELLASK_SEED = '0' } = process.env;
const PROGRAMS = Number(TELLASK_PROGRAMS);
const SEED = Number(TELLASK_SEED);
const CHUNKS = 4;

describe('random programs', () => {
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    const count = Math.ceil(PROGRAMS / CHUNKS);
    const from = SEED + chunk * count;

    it(`balance, keep order and end (${count} of them, from seed ${from})`, async () => {
      const failure = await findFailure(LIBRARY, { from, count });

      expect(failure).toBeUndefined();
    }, 600_000);
  }
});
