import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { MemoryStore, retry } from '../../src/index.ts';
import { policyConformance, storeConformance } from '../../src/testing.ts';

// F:M, F:N4. What was built is run: `npm run build` comes before the tests.
describe('the kit', () => {
  it('runs under node:test, with both conformance suites', () => {
    const argv = ['--test', '--test-reporter=tap', 'test/testing/node-test/suite.mjs'];

    const { stdout, status } = spawnSync(process.execPath, argv, { encoding: 'utf8' });

    expect(stdout).toMatch(/^# fail 0$/m);
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(90);
    expect(status).toBe(0);
  });

  it('runs where `it` is a global that a runner has put there, as jest does', async () => {
    const cases: [name: string, run: () => Promise<void>][] = [];
    const jest = { it: (name: string, run: () => Promise<void>) => void cases.push([name, run]) };

    for (const { name, run } of storeConformance(() => new MemoryStore(), { seeds: 1 }))
      jest.it(name, run);
    for (const { name, run } of policyConformance(() => retry({ maxAttempts: 1 })))
      jest.it(name, run);
    const results = await Promise.all(cases.map(([, run]) => run()));

    expect(new Set(results)).toEqual(new Set([undefined]));
    expect(new Set(cases.map(([name]) => name)).size).toBe(cases.length);
  });
});
