import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFailure } from './find-failure.ts';
import { MUTANTS } from './mutants.ts';
import { buildMutant } from './mutate.ts';

/** A mutant may break promises anywhere, also in promises that nobody holds. */
const ignore = (): void => {};

describe('the property test', () => {
  beforeAll(() => void process.on('unhandledRejection', ignore));
  afterAll(() => void process.off('unhandledRejection', ignore));

  it.each(MUTANTS)(
    'sees when $name',
    async (mutant) => {
      const library = await buildMutant(mutant);
      const direct = mutant.ring ?? false;

      const failure = await findFailure(library, { from: 0, count: 6_000, direct, shrinks: false });

      expect(failure).toBeDefined();
    },
    60_000,
  );
});
