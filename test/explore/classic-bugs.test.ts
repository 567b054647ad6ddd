import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTestBus, type ExplorationError, explore } from '../../src/testing.ts';
import { CLASSIC_BUGS } from './bugs/all.ts';
import type { ClassicBug } from './bugs/classic-bug.ts';

/** Explores a program of a bug, with the defaults of `explore`. */
function exploring(bug: ClassicBug, program: 'buggy' | 'mended', options: object = {}) {
  return explore((t) => bug[program](t), { ...(bug.setup && { setup: bug.setup }), ...options });
}

async function failureOf(bug: ClassicBug): Promise<ExplorationError> {
  const done = await exploring(bug, 'buggy').catch((error: unknown) => error);
  expect(done).toMatchObject({ code: 'TELLASK_EXPLORE_FAILED' });
  return done as ExplorationError;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

// F:M `npm run classics` runs the mended programs 10 000 times, and says who finds which bug.
describe.each(CLASSIC_BUGS.map((bug) => [bug.name, bug] as const))('%s', (_name, bug) => {
  it.each(['buggy', 'mended'] as const)('passes a plain test: %s', async (program) => {
    await using t = createTestBus(bug.setup?.());

    await expect(bug[program](t)).resolves.toBeUndefined();
  });

  it('is found, told with a handful of choices, and replayed by the line that is printed', async () => {
    const failure = await failureOf(bug);
    const [name = '', token = ''] = failure.replay.split('=');
    vi.stubEnv(name, token);
    const again = await failureOf(bug);

    const choices = failure.choices.split(',').filter((choice) => choice !== '');
    expect(choices.length).toBeGreaterThanOrEqual(1);
    expect(choices.length).toBeLessThanOrEqual(5);
    expect(failure.message).toContain(failure.replay);
    expect(again.schedules).toBe(1);
    expect(again.replay).toBe(failure.replay);
    expect(again.transcript).toBe(failure.transcript);
    expect(again.cause).toMatchObject({ message: (failure.cause as Error).message });
  });

  it('is not there once it is mended', async () => {
    const every = await exploring(bug, 'mended', { strategy: 'exhaustive', maxSchedules: 100 });
    const some = every.finished || (await exploring(bug, 'mended', { seeds: 100 }));

    expect(some).toBeTruthy();
  });
});

it('names each bug once', () => {
  const names = CLASSIC_BUGS.map(({ name }) => name);

  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThanOrEqual(15);
});
