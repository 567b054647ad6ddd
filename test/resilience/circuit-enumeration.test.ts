import { describe, expect, it } from 'vitest';
import { circuitBreaker } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import type { Mutant } from '../property/mutants.ts';
import { buildMutant } from '../property/mutate.ts';
import type { SpecOptions } from './circuit-spec.ts';
import { type CircuitLibrary, findDifference, type Happening } from './enumerate-circuits.ts';

const library: CircuitLibrary = { circuitBreaker, SimEnv };

const TIMES = { openMs: 10, probeLeaseMs: 25, forgetMs: 100 };
const OPTIONS: readonly SpecOptions[] = [
  { ...TIMES, failures: 1, permits: 1, successes: 1 },
  { ...TIMES, failures: 2, permits: 1, successes: 1 },
  { ...TIMES, failures: 1, permits: 2, successes: 2 },
];

/** From here on every sequence is tried: closed, open, half open, and half open for a second time. */
const fails: readonly Happening[] = ['call', 'first fails'];
const opens: readonly Happening[] = [...fails, ...fails];
const probes: readonly Happening[] = ['almost the open time', 'a millisecond', 'call'];
const BEGINNINGS: readonly (readonly Happening[])[] = [
  [],
  opens,
  [...opens, ...probes],
  [...opens, ...probes, 'reset', 'call', 'last fails', ...probes],
];

const RUNS = OPTIONS.flatMap((options) => BEGINNINGS.map((beginning) => ({ options, beginning })));

describe('every sequence of happenings', () => {
  // R:H1
  it.each(OPTIONS.map((options, index) => [options, index === 0 ? 6 : 5] as const))(
    'leads where the specification says, with %o',
    (options, length) => {
      const { sequences, difference } = findDifference(library, options, { beginning: [], length });

      expect(difference).toBeUndefined();
      expect(sequences).toBeGreaterThan(15_000);
    },
  );

  // R:H1
  it.each(RUNS)(
    'leads where the specification says, with $options after $beginning',
    ({ options, beginning }) => {
      const { sequences, difference } = findDifference(library, options, { beginning, length: 4 });

      expect(difference).toBeUndefined();
      expect(sequences).toBeGreaterThan(1_500);
    },
  );
});

const FILE = 'resilience/circuit-transition.ts';
const mutant = (name: string, text: string, replacement: string, file = FILE): Mutant => {
  return { name, file, text, replacement };
};

const MUTANTS: readonly Mutant[] = [
  mutant(
    'the end of the open time is exclusive',
    'Math.max(0, state.since + state.openMs - now)',
    'Math.max(0, state.since + state.openMs - now + 1)',
  ),
  mutant(
    'one probe more than there are permits is let through',
    'if (probes.length < rules.permits) return 0;',
    'if (probes.length <= rules.permits) return 0;',
  ),
  mutant('a hung probe keeps its permit', 'now < leaseEndsAt);', 'leaseEndsAt > 0 && now > -1);'),
  mutant(
    'a lease ends a moment too late',
    'leaseEndsAt }) => now < leaseEndsAt',
    'leaseEndsAt }) => now <= leaseEndsAt',
  ),
  mutant(
    'a call of before a reset counts',
    'else if (permit.generation === this.#state.generation) this.#counted',
    'else this.#counted',
    'resilience/circuit.ts',
  ),
  mutant(
    'a probe of an earlier half-open time decides',
    "if (state.status !== 'half-open' || state.generation !== event.generation) return state;",
    "if (state.status !== 'half-open') return state;",
  ),
  mutant(
    'a probe that has lost its permit decides',
    'if (probes.length === state.probes.length) return state;',
    '',
  ),
  mutant(
    'a neutral probe keeps its permit',
    "if (event.outcome === 'neutral') return { ...state, probes };",
    "if (event.outcome === 'neutral') return state;",
  ),
  mutant(
    'the first probe that succeeds closes it',
    'if (successes >= rules.successes)',
    'if (successes >= 1)',
  ),
  mutant(
    'one release is enough for two isolations',
    'if (state.holds > 1) return { ...state, holds: state.holds - 1 };',
    '',
  ),
  mutant(
    'a handle of before a reset releases',
    "if (state.status !== 'isolated' || state.generation !== generation) return state;",
    "if (state.status !== 'isolated') return state;",
  ),
  mutant(
    'the second who isolates begins another generation',
    "if (state.status === 'isolated') return { ...state, holds: state.holds + 1 };",
    '',
  ),
  mutant(
    'a reset keeps the generation',
    "return { state: closed(state, 'reset', now) };",
    "return { state: { ...closed(state, 'reset', now), generation: state.generation } };",
  ),
];

describe('the enumeration', () => {
  it.each(MUTANTS)('sees when $name', async (one) => {
    const entry = `
      export { circuitBreaker } from './resilience/circuit-breaker.ts';
      export { SimEnv } from './testing/sim-env.ts';
    `;
    const mutated = await buildMutant<CircuitLibrary>(one, entry);

    const seen = RUNS.toReversed().some(
      ({ options, beginning }) =>
        findDifference(mutated, options, { beginning, length: 4 }).difference !== undefined,
    );

    expect(seen).toBe(true);
  });
});
