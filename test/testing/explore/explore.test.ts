import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type ExploreOptions,
  explore,
  type ScenarioBus,
  type Strategy,
} from '../../../src/testing.ts';
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
      open: [
        'the handler of mute for answer (m1), running for 0 ms, awaits something outside of the bus',
        '$host waits for answer (m1) of mute: running for 0.0 s',
      ],
    });
  });

  it('fails a scenario that leaves a handler behind which waits for something outside', async () => {
    const failure = await failureOf(
      explore(({ bus }) => {
        bus.register('ann').subscribe('job', () => new Promise(() => {}));
        bus.publish('job', {});
      }),
    );

    expect(failure.cause).toMatchObject({ code: 'TELLASK_LEFT_OVER' });
    expect(failure.choices).toBe('');
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

  it('drives the bus while the scenario waits for it', async () => {
    const { schedules } = await explore(
      async ({ bus, clock }) => {
        bus.register('clerk').serve('double', ({ payload }) => Number(payload) * 2);
        bus.publish('later', {}, { delayMs: 5_000 });
        const later = bus.once('later');
        expect(await bus.request('double', 21)).toBe(42);
        await later;
        expect(clock.nowMs).toBe(5_000);
      },
      { seeds: 5 },
    );

    expect(schedules).toBe(5);
  });

  it('skips no time behind the back of a scenario that moves its clock', async () => {
    await explore(
      async ({ bus, clock }) => {
        const heard: number[] = [];
        bus.subscribe('tick', () => void heard.push(clock.nowMs));
        bus.publish('tick', {}, { delayMs: 1_000 });
        bus.publish('tick', {}, { delayMs: 3_000 });
        await clock.advance(2_000);
        expect(heard).toEqual([1_000]);
        await clock.advance(2_000);
        expect(heard).toEqual([1_000, 3_000]);
      },
      { seeds: 5 },
    );
  });

  it('gives up a schedule that comes to no end', async () => {
    const failure = await failureOf(
      explore(
        async ({ bus, settle }) => {
          bus.subscribe('ping', () => void bus.publish('ping', {}));
          bus.publish('ping', {});
          await settle();
        },
        { maxSteps: 200, maxShrinks: 0, guard: { maxRepeats: 1_000_000 } },
      ),
    );

    expect((failure.cause as Error).message).toContain('200 steps');
  });

  it('shows the beginning and the end of a run that comes to no end, and the error has it all', async () => {
    const failure = await failureOf(
      explore(
        async ({ bus, settle }) => {
          bus.subscribe('ping', () => void bus.publish('ping', {}));
          bus.publish('ping', {});
          await settle();
        },
        { maxSteps: 1_000, lostContext: 'allow', guard: { maxRepeats: 1_000_000 } },
      ),
    );

    expect(failure.message.split('\n').length).toBeLessThan(900);
    expect(failure.message).toMatch(/\n… \d+ more lines …\n/);
    expect(failure.transcript.split('\n').length).toBeGreaterThan(1_000);
  });

  it.each<[string, () => unknown, string]>([
    ['nothing', () => undefined, 'undefined'],
    ['a symbol', () => Symbol('s'), 'Symbol(s)'],
    ['an object without a prototype', () => Object.create(null), 'an object that cannot be shown'],
    ['a message that is no text', () => Object.assign(new Error(), { message: 5 }), 'Error: 5'],
    [
      'an error that cannot be read',
      () => Object.defineProperty(new Error(), 'message', { get: () => JSON.parse('') }),
      'Error: an error that cannot be read',
    ],
  ])('tells of %s that was thrown', async (_, make, told) => {
    const thrown = make();

    const failure = await failureOf(
      explore(() => {
        throw thrown;
      }),
    );

    expect(failure.code).toBe('TELLASK_EXPLORE_FAILED');
    expect(failure.message.split('\n')[0]).toBe(`The scenario failed: ${told}`);
  });

  it('tells a failure in the same words every time, from the same seed', async () => {
    const texts = new Set<string>();

    for (let time = 0; time < 20; time += 1) {
      texts.add((await failureOf(explore(lostUpdate, { seeds: 30 }))).message);
    }

    expect(texts.size).toBe(1);
  });

  it('counts in how many schedules something was true, and names what never was', async () => {
    const watched = explore(
      async ({ bus, settle, sometimes }) => {
        const log: string[] = [];
        for (const name of ['a', 'b']) bus.register(name).subscribe('t', () => void log.push(name));
        bus.publish('t', {});
        await settle();
        sometimes('b is first', log[0] === 'b');
        sometimes('settled');
        sometimes('c is first', log[0] === 'c');
      },
      { strategy: 'exhaustive' },
    );

    expect(await watched).toMatchObject({
      sometimes: { 'b is first': 1, settled: 2, 'c is first': 0 },
      never: ['c is first'],
    });
  });

  it('fails, when it is asked to, if something never was true', async () => {
    const exploring = explore(({ sometimes }) => sometimes('pigs fly', false), {
      seeds: 3,
      requireSometimes: true,
    });

    await expect(exploring).rejects.toMatchObject({
      code: 'TELLASK_NEVER_REACHED',
      names: ['pigs fly'],
      message: 'None of 3 schedules ever reached: pigs fly.',
    });
  });

  it('injects the faults of each seed', async () => {
    const failure = await failureOf(
      explore(
        async ({ bus, settle, faults }) => {
          let handled = 0;
          bus.register('ann').subscribe('job', () => void handled++);
          bus.publish('job', {});
          await settle();
          if (handled !== 1) throw new Error(`lost by ${faults.injected.length} fault`);
        },
        { faults: [{ fault: 'drop', probability: 0.2 }] },
      ),
    );

    expect((failure.cause as Error).message).toBe('lost by 1 fault');
    expect(failure.seed).toBeGreaterThan(1);
    expect(failure.transcript).toContain('drop');
  });

  it.each<[ExploreOptions, string]>([
    [{ seeds: 0 }, 'seeds must be an integer from 1'],
    [{ seeds: [] }, 'seeds must be a number from 1 or a list of integers'],
    [{ seeds: [1.5] }, 'seeds must be a number from 1 or a list of integers'],
    [{ strategy: { pct: 0 } }, 'strategy.pct must be an integer from 1'],
    [{ strategy: 'dfs' as never }, 'strategy must be'],
    [{ strategy: 'exhaustive', maxSchedules: 0 }, 'maxSchedules must be an integer from 1'],
    [{ state: {} } as never, 'needs a state of its own: setup: () => ({ state: new'],
    [{ seed: 3 } as never, 'explore has no option seed; it has seeds, strategy, setup'],
    [{ strategy: 'replay' }, "replay must be a schedule such as '42/4:1,9:2'"],
    [{ replay: 'x' }, "TELLASK_SEED must be a seed and choices such as '42/4:1,9:2'"],
  ])('refuses %j', async (options, message) => {
    await expect(explore(() => {}, options)).rejects.toThrow(message);
  });

  it('refuses a scenario that is no function', async () => {
    await expect(explore({} as never)).rejects.toThrow('The scenario must be a function');
  });
});
