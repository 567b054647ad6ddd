import { defineConfig } from 'vitest/config';

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
    sequence: { shuffle: true, seed: 1 },
    setupFiles: ['test/fixed-seeds.ts', 'test/setup.ts'],
    // Generous, because a loaded machine is slow and not wrong.
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
