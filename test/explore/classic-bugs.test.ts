import { describe, expect, it } from 'vitest';
import { createTestBus } from '../../src/testing.ts';
import { CLASSIC_BUGS } from './bugs/all.ts';

describe.each(CLASSIC_BUGS.map((bug) => [bug.name, bug] as const))('%s', (_name, bug) => {
  it.each(['buggy', 'mended'] as const)('passes a plain test: %s', async (program) => {
    await using t = createTestBus(bug.options?.());

    await expect(bug[program](t)).resolves.toBeUndefined();
  });
});

it('names each bug once', () => {
  const names = CLASSIC_BUGS.map(({ name }) => name);

  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(15);
});
