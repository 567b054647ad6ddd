import { describe, expect, it } from 'vitest';
import { MessageBus, RejectedError } from '../../src/index.ts';
import { SeededFaults } from '../../src/testing/faults/seeded-faults.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import type { FaultRule } from '../../src/testing.ts';
import { makeProgram } from './make-program.ts';
import { MAX_STEPS, print, type RunOptions, runProgram } from './run-program.ts';
import type { Library } from './world.ts';

const LIBRARY: Library = { MessageBus, RejectedError, SimEnv };
const { TELLASK_PROGRAMS = '20000', TELLASK_SEED = '0' } = process.env;
const FROM = Number(TELLASK_SEED);
/** Of each world: what is legal and rare gets more, for nothing at all may break there. */
const COUNT = Math.ceil(Number(TELLASK_PROGRAMS) / 800);

const probability = 0.4;
/** A message that comes twice has one id, and is kept account of by its id here. */
const TWICE =
  /outcomes told of|which was read already|was read twice|heard that was over|a fenced handler was heard|held left in another|^\d+ (duplicates|foreign)/;
/** Three timers in a row may each be late. */
const BUGGIFY = { fault: 'buggify', probability, maxMs: 50 } as const;
const BUSY = { lateMs: 150 } as const;

const ALL: readonly FaultRule[] = [
  { fault: 'drop', probability: 0.1 },
  { fault: 'delay', probability: 0.1, maxMs: 200 },
  { fault: 'duplicate', probability: 0.1 },
  { fault: 'crash', probability: 0.1 },
  { fault: 'crash', probability: 0.1, when: 'after' },
  { fault: 'hang', probability: 0.1 },
  { fault: 'slow', probability: 0.1 },
  { fault: 'clock-jump', byMs: -3_600_000, withinMs: 500 },
  BUGGIFY,
];

interface World {
  readonly name: string;
  readonly rules: readonly FaultRule[];
  readonly options?: RunOptions;
  readonly count?: number;
}

const WORLDS: readonly World[] = [
  { name: 'drop', rules: [{ fault: 'drop', probability }] },
  { name: 'delay', rules: [{ fault: 'delay', probability }] },
  {
    name: 'duplicate',
    rules: [{ fault: 'duplicate', probability }],
    options: { excused: TWICE },
  },
  {
    name: 'duplicate, later',
    rules: [{ fault: 'duplicate', probability, minMs: 1, maxMs: 100 }],
    options: { excused: new RegExp(`${TWICE.source}|out of order`) },
  },
  { name: 'crash', rules: [{ fault: 'crash', probability }] },
  { name: 'crash after', rules: [{ fault: 'crash', probability, when: 'after' }] },
  { name: 'hang', rules: [{ fault: 'hang', probability }] },
  { name: 'slow', rules: [{ fault: 'slow', probability }] },
  { name: 'clock-jump', rules: [{ fault: 'clock-jump', byMs: 86_400_000, withinMs: 500 }] },
  { name: 'buggify', rules: [BUGGIFY], options: BUSY, count: 8 * COUNT },
  { name: 'all faults', rules: ALL, options: { ...BUSY, excused: TWICE }, count: 4 * COUNT },
];

// R:A3 R:A7
describe('random programs in a faulty world', () => {
  it.each(WORLDS)('balance, keep order and end: $name', async (world) => {
    const { rules, options, count = COUNT } = world;
    let injected = 0;
    for (let seed = FROM; seed < FROM + count; seed++) {
      const faults = new SeededFaults(rules, { seed });
      const env = new SimEnv({ maxSteps: MAX_STEPS, faults });
      const program = makeProgram(seed);

      const { violation } = await runProgram(LIBRARY, program, { ...options, env });

      injected += faults.injected.length;
      expect(violation && `seed ${seed}: ${violation}\n${print(program)}`).toBeUndefined();
    }
    expect(injected).toBeGreaterThan(0);
  });
});
