import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StateManager } from '../../src/state/state-manager.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import type { Mutant } from '../property/mutants.ts';
import { buildMutant } from '../property/mutate.ts';
import { makeState } from './make-state.ts';
import { tryWatches, type WatchedWorld } from './watch-program.ts';

interface Library {
  readonly StateManager: typeof StateManager;
  readonly SimEnv: typeof SimEnv;
}

const ENTRY = `
  export { StateManager } from './state/state-manager.ts';
  export { SimEnv } from './testing/sim-env.ts';
`;

/** Short histories, so that there are gaps, and lanes that run in an order of chance. */
function simulated(library: Library, seed: number): WatchedWorld {
  const random = seededRandom(seed);
  const choose = (lanes: readonly unknown[]) => Math.floor(random() * lanes.length);
  const env = new library.SimEnv({ choose });
  const state = new library.StateManager({ env, history: { maxVersions: 2 + (seed % 5) } });
  return { state, settle: () => env.settle(), advance: (ms) => env.advance(ms) };
}

async function firstWrong(library: Library, seeds: number): Promise<unknown> {
  for (let seed = 0; seed < seeds; seed++) {
    const wrong = await tryWatches(simulated(library, seed), seed).catch((error) => error);
    if (wrong !== undefined) return `seed ${seed}: ${wrong}`;
  }
  return undefined;
}

/** Faults that a watch could really have; what leaves out or doubles a version is elsewhere. */
const MUTANTS: readonly Mutant[] = [
  {
    name: 'a replay begins behind the revision it was asked for',
    file: 'state/history.ts',
    text: 'version.revision >= revision && found.length < most',
    replacement: 'version.revision > revision && found.length < most',
  },
  {
    name: 'a gap goes unsaid',
    file: 'state/watchers.ts',
    text: 'if (!latest) for (const { trimmedAt } of records)',
    replacement: 'if (latest) for (const { trimmedAt } of records)',
  },
  {
    name: 'a gap is said where there is none',
    file: 'state/watchers.ts',
    text: 'if (lost >= Math.max(1, fromRevision))',
    replacement: 'if (lost + 1 >= Math.max(2, fromRevision))',
  },
  {
    name: 'what does not fit into the buffer is dropped',
    file: 'state/watcher.ts',
    text: '      this.#overflow(first.revision);',
    replacement: '      return;',
  },
  {
    name: 'an overflow goes on behind the commit that did not fit',
    file: 'state/watcher.ts',
    text: 'this.#end({ error }, revision, true);',
    replacement: 'this.#end({ error }, revision, true); error.resumeFrom++;',
  },
  {
    name: 'a commit comes in part',
    file: 'state/watch-backlog.ts',
    text: 'return this.size - this.#past + versions.length <= this.#capacity;',
    replacement:
      'if (this.size - this.#past >= this.#capacity) return false; versions.length = 1; return true;',
  },
  {
    name: 'the newest of a key stays where the oldest was',
    file: 'state/watch-backlog.ts',
    text: 'if (before !== undefined) this.#drop(before);',
    replacement: 'if (before !== undefined) { before.version = version; return; }',
  },
  {
    name: 'who leaves forgets what he has not read',
    file: 'state/watcher.ts',
    text: 'const { resumeFrom } = this;',
    replacement: 'const resumeFrom = this.#home.revision + 1;',
  },
];

// R:K5
describe('readers that pause, fall behind and come back', () => {
  it('see every version once, in order, or hear of a gap', async () => {
    expect(await firstWrong({ StateManager, SimEnv }, 80)).toBeUndefined();
  });

  it('see it on the real Env, too', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { state, settle } = makeState('real', { history: { maxVersions: 2 + (seed % 5) } });
      expect(await tryWatches({ state, settle, advance: undefined }, seed)).toBeUndefined();
    }
  });
});

describe('the proof of watches', () => {
  const ignore = (): void => {};
  beforeAll(() => void process.on('unhandledRejection', ignore));
  afterAll(() => void process.off('unhandledRejection', ignore));

  it.each(MUTANTS)('sees when $name', async (mutant) => {
    const library = await buildMutant<Library>(mutant, ENTRY);

    expect(await firstWrong(library, 150)).toBeDefined();
  });
});
