import { afterEach, describe, expect, it, vi } from 'vitest';
import { explore, type ScenarioBus, type Strategy } from '../../../src/testing.ts';
import { failureOf, lostUpdate } from './planted.ts';

afterEach(() => vi.unstubAllEnvs());

describe('explore', () => {
  it('runs a scenario that holds under each of its seeds, on a bus of its own', async () => {
    const buses = new Set<ScenarioBus['bus']>();

    const { schedules, finished } = await explore(({ bus }) => void buses.add(bus), { seeds: 10 });

    expect([schedules, finished, buses.size]).toEqual([10, false, 10]);
  });

  it.each<Strategy>(['mix', 'random', 'pct', { pct: 2 }, 'exhaustive'])(
    'finds a lost update with %j, and the one choice that it takes',
    async (strategy) => {
      const failure = await failureOf(explore(lostUpdate, { strategy }));

      expect(failure.code).toBe('TELLASK_EXPLORE_FAILED');
      expect((failure.cause as Error).message).toBe('counted 1');
      expect(failure.choices).toBe('5:1');
      expect(failure.message).toContain('at step 5: `bob` (m4) ran before `keeper` (m3)');
      expect(failure.message).toContain(failure.replay);
      expect(failure.message).toContain(failure.transcript.trimEnd());
      expect(failure.message).toContain(failure.diagram.trimEnd());
    },
  );

  it('replays one schedule while TELLASK_SEED names it', async () => {
    const failure = await failureOf(explore(lostUpdate));
    vi.stubEnv('TELLASK_SEED', failure.replay.replace('TELLASK_SEED=', ''));

    const again = await failureOf(explore(lostUpdate));

    expect(again.schedules).toBe(1);
    expect({ ...again, schedules: 0 }).toEqual({ ...failure, schedules: 0 });
  });

  it('fails a scenario that waits for what never comes, and says what is open', async () => {
    const failure = await failureOf(
      explore(async ({ bus }) => {
        const mute = bus.register('mute');
        mute.serve('answer', () => new Promise(() => {}), { timeoutMs: Infinity });
        await bus.request('answer', {}, { timeoutMs: Infinity });
      }),
    );

    expect(failure.cause).toMatchObject({
      code: 'TELLASK_SCENARIO_STUCK',
      open: ['$host asked mute for answer, which is running', 'mute runs 1 handler'],
    });
  });

  it('names the step at which a scenario did something else the second time', async () => {
    let runs = 0;
    const exploring = explore(async ({ bus, settle }) => {
      runs += 1;
      for (let index = 0; index < runs; index += 1) bus.subscribe('t', () => {});
      bus.publish('t', {});
      await settle();
      throw new Error('always');
    });

    await expect(exploring).rejects.toMatchObject({ code: 'TELLASK_NONDETERMINISTIC', step: 1 });
  });
});
