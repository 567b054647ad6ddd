import { afterEach, describe, expect, it, vi } from 'vitest';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { makeLane } from '../make-lane.ts';

function postAll(env: SimEnv, log: string[], lanes: Readonly<Record<string, number>>): void {
  for (const [label, order] of Object.entries(lanes)) {
    env.post(makeLane(label, order, () => log.push(label)));
  }
}

describe('the lanes of SimEnv', () => {
  it('run one step at a time when driven, in production order', () => {
    const env = new SimEnv();
    const log: string[] = [];
    postAll(env, log, { c: 3, a1: 1, b: 2, a2: 1 });

    expect(log).toEqual([]);
    expect(env.readyLanes()).toEqual(['a1', 'a2', 'b', 'c']);
    expect(env.step()).toBe(true);
    expect(log).toEqual(['a1']);
    while (env.step());
    expect(log).toEqual(['a1', 'a2', 'b', 'c']);
    expect(env.step()).toBe(false);
  });

  it('run once however often they were posted, and can be posted again while they run', async () => {
    const env = new SimEnv();
    let runs = 0;
    const lane = makeLane('a', 1, () => {
      runs += 1;
      if (runs < 3) env.post(lane);
    });

    env.post(lane);
    env.post(lane);
    await env.settle();

    expect(runs).toBe(3);
  });

  it('run as the chooser says', async () => {
    const asked: string[] = [];
    const env = new SimEnv({
      choose: (lanes) => {
        asked.push(lanes.map((lane) => lane.label).join());
        return lanes.length - 1;
      },
    });
    const log: string[] = [];
    postAll(env, log, { a: 1, b: 2, c: 3 });

    await env.settle();

    expect(log).toEqual(['c', 'b', 'a']);
    expect(asked).toEqual(['a,b,c', 'a,b']);
  });

  it('refuse a choice that is none', () => {
    const env = new SimEnv({ choose: () => 2 });
    postAll(env, [], { a: 1, b: 2 });

    expect(() => env.step()).toThrow('choose() must give 0 to 1, but gave 2');
  });
});

describe('the clock of SimEnv', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('starts at 0, in the first moment of 2026', () => {
    const env = new SimEnv();

    expect(env.now()).toBe(0);
    expect(new Date(env.wall()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
  });

  it('moves only when it is driven, and both clocks together', async () => {
    const env = new SimEnv();
    const wall = env.wall();

    await env.settle();
    expect(env.now()).toBe(0);
    await env.advance(1_500);

    expect([env.now(), env.wall() - wall]).toEqual([1_500, 1_500]);
  });

  it('never goes back, however it is driven', async () => {
    const env = new SimEnv();

    await Promise.all([env.advance(20), env.advance(10)]);

    expect(env.now()).toBe(20);
  });

  it('runs timers at their instant, and at one instant as they were set', async () => {
    const env = new SimEnv();
    const log: string[] = [];
    for (const [label, delayMs] of Object.entries({ b: 20, c: 20, late: 21, a: 10 })) {
      env.setTimer(delayMs, () => log.push(`${label} at ${env.now()}`));
    }

    await env.advance(20);

    expect(log).toEqual(['a at 10', 'b at 20', 'c at 20']);
  });

  it('runs all that an instant brings before the next instant', async () => {
    const env = new SimEnv();
    const log: string[] = [];
    env.setTimer(10, async () => {
      log.push('timer');
      await undefined;
      env.post(makeLane('lane', 1, () => log.push('lane')));
      env.setTimer(5, () => log.push(`nested at ${env.now()}`));
    });
    env.setTimer(11, () => log.push('next'));

    await env.advance(100);

    expect(log).toEqual(['timer', 'lane', 'next', 'nested at 15']);
  });

  it('runs due timers before the lanes that they make ready', async () => {
    const env = new SimEnv();
    const log: string[] = [];
    env.setTimer(10, () => postAll(env, log, { lane: 1 }));
    env.setTimer(10, () => log.push('timer'));

    await env.advance(10);

    expect(log).toEqual(['timer', 'lane']);
  });

  it('runs a timer without delay in a later turn, without time passing', async () => {
    const env = new SimEnv();
    const log: string[] = [];
    env.setTimer(0, () => log.push('timer'));
    postAll(env, log, { lane: 1 });
    log.push('set');

    await env.settle();

    expect(log).toEqual(['set', 'lane', 'timer']);
    expect(env.now()).toBe(0);
  });

  it('does not run a cancelled timer, not even at its instant', async () => {
    const env = new SimEnv();
    const log: string[] = [];
    const far = env.setTimer(5, () => log.push('far'));
    env.setTimer(10, () => near.cancel());
    const near = env.setTimer(10, () => log.push('near'), { label: 'near' });
    expect(env.pendingTimers()).toEqual([
      { label: 'timer', at: 5 },
      { label: 'timer', at: 10 },
      { label: 'near', at: 10 },
    ]);

    far.cancel();
    env.setTimer(50, () => {}).cancel();
    await env.run();

    expect(log).toEqual([]);
    expect([env.now(), env.pendingTimers()]).toEqual([10, []]);
  });

  it('runs to the end of everything, however far away, in no time', async () => {
    const env = new SimEnv();
    const log: number[] = [];
    env.setTimer(2 ** 40, () => {
      log.push(env.now());
      env.setTimer(60_000, () => log.push(env.now()));
    });

    await env.run();

    expect(log).toEqual([2 ** 40, 2 ** 40 + 60_000]);
  });

  it('waits for the promises of a handler, also under the fake timers of a host', async () => {
    vi.useFakeTimers();
    const env = new SimEnv();
    const log: string[] = [];
    env.post(
      makeLane('a', 1, async () => {
        for (let i = 0; i < 100; i += 1) await undefined;
        postAll(env, log, { b: 2 });
      }),
    );

    await env.settle();

    expect(log).toEqual(['b']);
  });

  it('gives up with the names of what goes on when it never comes to rest', async () => {
    const env = new SimEnv({ maxSteps: 100 });
    const tick = (): void => void env.setTimer(10, tick, { label: 'heartbeat' });
    tick();
    const lane = makeLane('spinner', 1, () => env.post(lane));

    await expect(env.run()).rejects.toThrow('heartbeat at 1010 ms');
    env.post(lane);
    await expect(env.settle()).rejects.toThrow('took 100 steps without coming to rest');
    await expect(env.settle()).rejects.toThrow('ready lanes: spinner');
  });
});

describe('chance and names of SimEnv', () => {
  it('are the same for the same seed, and others for another', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, new SimEnv({ seed }).random);

    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it('give every bus its own prefix', () => {
    const env = new SimEnv();

    expect([env.idPrefix(), env.idPrefix(), env.idPrefix()]).toEqual(['m', 'b2.m', 'b3.m']);
    expect(env).toMatchObject({ direct: false, faults: undefined });
  });

  it('spread numbers evenly from 0 to 1', () => {
    const random = seededRandom(42);
    const buckets = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i += 1) {
      const bucket = Math.floor(random() * 10);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }

    expect(buckets).toHaveLength(10);
    for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });
});
