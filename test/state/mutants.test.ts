import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildMutant } from '../property/mutate.ts';
import { tryLocks } from './lock-program.ts';
import { STATE_MUTANTS } from './mutants.ts';
import { type StateLibrary, StateProgram } from './state-program.ts';
import { tryTransactions } from './transfers.ts';

const ENTRY = `
  export { StateManager } from './state/state-manager.ts';
  export { SimEnv } from './testing/sim-env.ts';
`;

/** A mutant may break promises anywhere, also in promises that nobody holds. */
const ignore = (): void => {};

/** What the proofs have against a copy of the library. */
async function whatIsWrong(library: StateLibrary): Promise<unknown> {
  for (let seed = 0; seed < 200; seed++) {
    const wrong =
      (await new StateProgram(library, seed).run(4, 12)) ??
      (await tryTransactions(library, seed)) ??
      (seed < 60 ? await tryLocks(library, seed) : undefined);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

// R:K2 R:K5 R:K6
describe('the proofs of the state', () => {
  beforeAll(() => void process.on('unhandledRejection', ignore));
  afterAll(() => void process.off('unhandledRejection', ignore));

  it.each(STATE_MUTANTS)('see when $name', async (mutant) => {
    const library = await buildMutant<StateLibrary>(mutant, ENTRY);

    const wrong = await whatIsWrong(library).catch((error: unknown) => error);

    expect(wrong).toBeDefined();
  });
});
