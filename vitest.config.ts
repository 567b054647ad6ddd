import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest come first: begun last, one of them would run on alone. */
const LONGEST = ['conservation', 'property/mutants', 'ring', 'demo/main', 'bounds', 'doc-examples'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.findIndex((name) => moduleId.includes(`${name}.test`));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).toSorted((one, other) => place(one) - place(other));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    typecheck: { enabled: true, include: ['test/**/*.test-d.ts'], tsconfig: 'tsconfig.json' },
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text', 'json-summary'],
      thresholds: { lines: 95, functions: 95, branches: 90, statements: 95 },
    },
    // By default one is left out, which on two processors is half of them.
    maxWorkers: '100%',
    // The tests share nothing, and to load every module for every file took a third of the time.
    isolate: false,
    sequence: { shuffle: { tests: true, files: false }, seed: 1, sequencer: LongestFirst },
    setupFiles: ['test/shuffle.ts', 'test/fixed-seeds.ts', 'test/setup.ts'],
    // Generous, because a loaded machine is slow and not wrong.
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
