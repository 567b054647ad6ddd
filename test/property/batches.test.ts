// F:B16 R:A3 R:A7 R:B5
import { describe, expect, it } from 'vitest';
import { runBatches } from './batch-program.ts';

const PROGRAMS = 400;

describe('random batches', () => {
  it(`end each message once, keep the order of keys and the books (${PROGRAMS} programs)`, async () => {
    const failures: string[] = [];
    for (let seed = 1; seed <= PROGRAMS && failures.length < 3; seed++) {
      await runBatches(seed).catch((error: Error) =>
        failures.push(`seed ${seed}: ${error.message}`),
      );
    }

    expect(failures).toEqual([]);
  });
});
