import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { everyCrash } from '../../src/testing.ts';
import { buildMutant } from '../property/mutate.ts';
import { SAGA_MUTANTS } from './mutants.ts';
import { PROOFS } from './one-winner.ts';
import { type SagaMaker, SHAPES } from './shapes.ts';

/** A mutant may break promises anywhere, also in promises that nobody holds. */
const ignore = (): void => {};

/** What the proofs have against a copy of the library. */
async function whatIsWrong(library: SagaMaker): Promise<unknown> {
  try {
    for (const { make, status, ...options } of SHAPES) {
      const makeLife: Parameters<typeof everyCrash<string>>[0] = (world) => ({
        saga: make(library, world),
      });
      const proof = await everyCrash(makeLife, 'Rome', { ...options, crashes: 1 });
      expect(proof.status).toBe(status);
    }
    for (const { prove } of PROOFS) await prove(library);
    return undefined;
  } catch (error) {
    return error;
  }
}

// R:I5
describe('the proofs of sagas', () => {
  beforeAll(() => void process.on('unhandledRejection', ignore));
  afterAll(() => void process.off('unhandledRejection', ignore));

  it.each(SAGA_MUTANTS)('see when $name', async (mutant) => {
    const library = await buildMutant<SagaMaker>(mutant, `export { saga } from './index.ts';`);

    const wrong = await whatIsWrong(library);

    expect(wrong).toBeInstanceOf(Error);
  });
});
