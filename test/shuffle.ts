import { vi } from 'vitest';

/**
 * `TELLASK_SHUFFLE=<seed>` runs what is ready on a simulated Env in an order of chance, and not in
 * that of production: `npm run test:shuffled`. A test that holds in every order promises none.
 */
const seed = process.env['TELLASK_SHUFFLE'];

if (seed !== undefined) {
  vi.doMock('../src/testing/sim-env.ts', async (importActual) => {
    const actual = await importActual<typeof import('../src/testing/sim-env.ts')>();
    const { randomChoice } = await import('../src/testing/random-choice.ts');
    class ShuffledEnv extends actual.SimEnv {
      constructor(options: import('../src/testing/sim-env.ts').SimEnvOptions = {}) {
        super({ choose: randomChoice(Number(seed)), ...options });
      }
    }
    return { ...actual, SimEnv: ShuffledEnv };
  });
}
