import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StateManager } from '../../src/state/state-manager.ts';
import type { Mutant } from '../property/mutants.ts';
import { buildMutant } from '../property/mutate.ts';
import { type DurableLibrary, proveDurable } from './durable-program.ts';

const SEEDS = [1, 2, 3, 4, 5, 6];

describe('a state whose store fails at any commit', () => {
  // R:K8
  it.each(SEEDS)('keeps its word, program %i', async (seed) => {
    const { commits, failed } = await proveDurable({ StateManager }, seed);

    expect(commits).toBeGreaterThan(3);
    expect(failed).toBeGreaterThan(0);
  });
});

/** Faults that a state with a store could really have. */
const MUTANTS: readonly Mutant[] = [
  {
    name: 'a rollback leaks: what was written since stays',
    file: 'state/journal.ts',
    text: 'const keys = [...new Set([...group.keys, ...later.keys])];',
    replacement: 'const keys = [...group.keys];',
  },
  {
    name: 'a rollback uses the version again that it takes back',
    file: 'state/core.ts',
    text: 'Math.max(this.numberAfter(before), 1 + (draft.beyond ?? 0)),',
    replacement: "this.numberAfter(before) - Number(action === 'rolled-back'),",
  },
  {
    name: 'a rollback is not told to those who watch',
    file: 'state/watchers.ts',
    text: 'const [first] = versions;',
    replacement: "const [first] = versions; if (first?.action === 'rolled-back') return;",
  },
  {
    name: 'what was rolled back is said to be safe',
    file: 'state/journal.ts',
    text: 'later.fate.failed(error);',
    replacement: 'later.fate.safe();',
  },
  {
    name: 'a commit whose answer was lost is rolled back',
    file: 'state/journal.ts',
    text: 'if (isThere && !isConflict) {',
    replacement: 'if (isThere && isConflict) {',
  },
  {
    name: 'what may be in the store is forgotten',
    file: 'state/journal.ts',
    text: 'for (const [key, text] of group.texts) this.#unsure.set(key, text);',
    replacement: '',
  },
  {
    name: 'a commit goes to the store in part',
    file: 'state/journal.ts',
    text: 'for (const key of group.keys) {\n      const version',
    replacement:
      'if (group.keys.size > 1) { const last = [...group.keys].at(-1); group.keys.delete(last); this.#open.keys.add(last); this.#open.isWanted = true; }\n    for (const key of group.keys) {\n      const version',
  },
  {
    name: 'a value goes to the store as it is when the store answers',
    file: 'state/journal.ts',
    text: 'for (const [key, version] of group.versions) {',
    replacement:
      'for (const key of group.versions.keys()) { const version = this.#core.newest(key);',
  },
];

/** What the proof has against a copy of the library. */
async function whatIsWrong(library: DurableLibrary): Promise<unknown> {
  for (const seed of SEEDS) {
    const wrong = await proveDurable(library, seed).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

// R:K8
describe('the proof of durability', () => {
  const ignore = (): void => {};
  beforeAll(() => void process.on('unhandledRejection', ignore));
  afterAll(() => void process.off('unhandledRejection', ignore));

  it.each(MUTANTS)('sees when $name', async (mutant) => {
    const library = await buildMutant<DurableLibrary>(
      mutant,
      "export { StateManager } from './state/state-manager.ts';",
    );

    expect(await whatIsWrong(library)).toBeDefined();
  });
});
