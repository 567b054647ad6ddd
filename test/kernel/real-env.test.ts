import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Lane } from '../../src/kernel/env.ts';
import { RealEnv, realEnv } from '../../src/kernel/real-env.ts';
import { makeLane } from '../make-lane.ts';

afterEach(() => {
  // In this order: a mock of a fake timer would bring the fake back.
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const FAKED = ['setTimeout', 'clearTimeout', 'performance', 'Date'] as const;

function useFakeTimers(): void {
  vi.useFakeTimers({ toFake: [...FAKED] });
}

/** A lane that posts itself again until it took so many steps. */
function makeBusyLane(env: RealEnv, steps: number, step: () => void = () => {}): Lane {
  let left = steps;
  return makeLane('busy', 1, (lane) => {
    step();
    left -= 1;
    if (left > 0) env.post(lane);
  });
}

const microtasks = async (): Promise<void> => {
  for (let i = 0; i < 10; i += 1) await undefined;
};
const loopTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('the lanes of RealEnv', () => {
  it('run in a later microtask, never inside post', async () => {
    const env = new RealEnv();
    const log: string[] = [];

    env.post(makeLane('a', 1, () => log.push('a')));
    log.push('posted');
    await microtasks();

    expect(log).toEqual(['posted', 'a']);
  });

  it('run by ascending order, and at one order as they were posted', async () => {
    const env = new RealEnv();
    const log: string[] = [];
    for (const [label, order] of Object.entries({ c: 3, a1: 1, b: 2, a2: 1 })) {
      env.post(makeLane(label, order, () => log.push(label)));
    }

    await microtasks();

    expect(log).toEqual(['a1', 'a2', 'b', 'c']);
  });

  it('let a lane of lower order that becomes ready run before those that wait', async () => {
    const env = new RealEnv();
    const log: string[] = [];
    const urgent = makeLane('urgent', 0, () => log.push('urgent'));
    env.post(
      makeLane('a', 1, () => {
        log.push('a');
        env.post(urgent);
      }),
    );
    env.post(makeLane('b', 2, () => log.push('b')));

    await microtasks();

    expect(log).toEqual(['a', 'urgent', 'b']);
  });

  it('run once however often they were posted, and can be posted again while they run', async () => {
    const env = new RealEnv();
    let runs = 0;
    const lane = makeBusyLane(env, 3, () => (runs += 1));

    env.post(lane);
    env.post(lane);
    await microtasks();

    expect(runs).toBe(3);
    expect(lane.posted).toBe(false);
  });

  it('give the event loop a turn after 1 000 steps', async () => {
    const env = new RealEnv();
    let steps = 0;
    env.post(makeBusyLane(env, 2_500, () => (steps += 1)));

    await microtasks();
    const inOneTurn = steps;
    await loopTurn();
    await loopTurn();
    await loopTurn();

    expect(inOneTurn).toBeLessThanOrEqual(1_000);
    expect(steps).toBe(2_500);
  });

  it('give the event loop a turn after 5 ms of slow steps', async () => {
    let clock = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => clock);
    const env = new RealEnv();
    let steps = 0;
    const slowStep = (): void => {
      steps += 1;
      clock += 1;
    };
    env.post(makeBusyLane(env, 100, slowStep));

    await microtasks();
    const inOneTurn = steps;
    while (steps < 100) await loopTurn();

    expect(inOneTurn).toBeLessThanOrEqual(64);
  });

  it('give the event loop its turn also when they wake each other through promises', async () => {
    const env = new RealEnv();
    let steps = 0;
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    const lane = makeLane('ping', 1, () => {
      steps += 1;
      void Promise.resolve().then(() => {
        if (!turned && steps < 100_000) env.post(lane);
      });
    });

    env.post(lane);
    await loopTurn();

    expect(turned).toBe(true);
    expect(steps).toBeLessThanOrEqual(1_000);
  });

  it('ask for one turn of the event loop, however many are posted while they wait for it', async () => {
    const asked = vi.spyOn(globalThis, 'setImmediate');
    const env = new RealEnv();
    const log: string[] = [];
    env.post(makeBusyLane(env, 1_500));
    await microtasks();

    for (const label of ['a', 'b', 'c']) env.post(makeLane(label, 2, () => log.push(label)));
    await microtasks();
    const inOneTurn = [...log];
    await loopTurn();

    expect(inOneTurn).toEqual([]);
    expect(log).toEqual(['a', 'b', 'c']);
    // One by the lanes, one by this test.
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('wake again when fake timers took their turn of the event loop away', async () => {
    const env = new RealEnv();
    let steps = 0;
    vi.useFakeTimers({ toFake: ['setImmediate'] });
    const busy = makeBusyLane(env, 1_500, () => (steps += 1));
    env.post(busy);
    await microtasks();
    vi.useRealTimers();

    env.post(makeLane('new', 1, () => {}));
    // On a busy machine a share of time holds fewer steps, and more turns are needed.
    for (let turn = 0; steps < 1_500 && turn < 100; turn += 1) await loopTurn();

    expect(steps).toBe(1_500);
  });
});

describe('the timers of RealEnv', () => {
  // R:D2
  it('share one native timer, which is gone when none is pending', async () => {
    useFakeTimers();
    const env = new RealEnv();
    const timers = [30_000, 10, 500, 10].map((delayMs) => env.setTimer(delayMs, () => {}));
    expect(vi.getTimerCount()).toBe(1);

    for (const timer of timers) timer.cancel();
    await loopTurn(); // it is kept until the turn is over, for whoever comes next

    expect(vi.getTimerCount()).toBe(0);
  });

  it('run in order when the fake timers of a host advance', () => {
    useFakeTimers();
    const env = new RealEnv();
    const log: string[] = [];
    const start = env.now();
    for (const delayMs of [300, 0, 20, 5_000, 20]) {
      env.setTimer(delayMs, () => log.push(`${delayMs} at ${env.now() - start}`));
    }
    env.setTimer(25, () => log.push('cancelled')).cancel();

    vi.advanceTimersByTime(300);

    expect(log).toEqual(['0 at 0', '20 at 20', '20 at 20', '300 at 300']);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(5_000);
    expect(log.at(-1)).toBe('5000 at 5000');
    expect(vi.getTimerCount()).toBe(0);
  });

  // R:D3
  it('wait longer than 2^31-1 ms', () => {
    useFakeTimers();
    const native = vi.spyOn(globalThis, 'setTimeout');
    const env = new RealEnv();
    let ran = false;
    env.setTimer(2 ** 31 + 10, () => {
      ran = true;
    });

    vi.advanceTimersByTime(2 ** 31 + 9);
    expect(ran).toBe(false);
    vi.advanceTimersByTime(1);

    expect(ran).toBe(true);
    // Node runs a longer one at once.
    for (const [, delayMs] of native.mock.calls) expect(delayMs).toBeLessThan(2 ** 31);
  });

  // R:D3
  it('do not care for steps of the wall clock', () => {
    useFakeTimers();
    const env = new RealEnv();
    let ran = false;
    env.setTimer(100, () => {
      ran = true;
    });

    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(99);
    expect(ran).toBe(false);
    vi.setSystemTime(0);
    vi.advanceTimersByTime(1);

    expect(ran).toBe(true);
  });

  it('never run early, whatever part of a millisecond they begin at', async () => {
    const env = new RealEnv();
    const early: number[] = [];

    await new Promise<void>((resolve) => {
      let pending = 50;
      for (let i = 0; i < 50; i += 1) {
        const delayMs = 1 + (i % 7) * 0.3;
        const start = performance.now();
        env.setTimer(delayMs, () => {
          const lateMs = performance.now() - start - delayMs;
          if (lateMs < 0) early.push(lateMs);
          pending -= 1;
          if (pending === 0) resolve();
        });
      }
    });

    expect(early).toEqual([]);
  });

  it('run at once when their delay is none', () => {
    useFakeTimers();
    const env = new RealEnv();
    const log: number[] = [];
    for (const delayMs of [0, -5, Number.NaN]) env.setTimer(delayMs, () => log.push(delayMs));

    vi.advanceTimersByTime(0);

    expect(log).toEqual([0, -5, Number.NaN]);
  });

  it('wake the process once for a part of a millisecond', () => {
    useFakeTimers();
    const native = vi.spyOn(globalThis, 'setTimeout');
    const env = new RealEnv();
    env.setTimer(3.5, () => {});

    vi.advanceTimersByTime(4);

    expect(native.mock.calls.map(([, delayMs]) => delayMs)).toEqual([4]);
  });

  it('leave no real timer behind when fake timers come', () => {
    const countReal = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = countReal();
    const env = new RealEnv();
    env.setTimer(3_600_000, () => {}, { keepAlive: true });
    expect(countReal()).toBe(before + 1);

    useFakeTimers();
    env.setTimer(10, () => {});

    expect(countReal()).toBe(before);
  });

  it('go on when fake timers come and when they go', async () => {
    const env = new RealEnv();
    const log: string[] = [];
    const real = env.setTimer(3_600_000, () => {});
    useFakeTimers();
    env.setTimer(100, () => log.push('fake'));
    vi.advanceTimersByTime(100);
    env.setTimer(10, () => log.push('left behind'));
    vi.useRealTimers();

    await new Promise<void>((resolve) => {
      env.setTimer(1, resolve);
    });

    real.cancel();
    expect(log[0]).toBe('fake');
  });

  it('go on after one threw', () => {
    useFakeTimers();
    const env = new RealEnv();
    const log: string[] = [];
    env.setTimer(10, () => {
      throw new Error('broken timer');
    });
    env.setTimer(10, () => log.push('ran'));

    expect(() => vi.advanceTimersByTime(20)).toThrow('broken timer');
    vi.advanceTimersByTime(20);

    expect(log).toEqual(['ran']);
  });

  it('give the event loop a turn after 1 000 that were due together', () => {
    useFakeTimers();
    const env = new RealEnv();
    let ran = 0;
    for (let i = 0; i < 2_500; i += 1) env.setTimer(10, () => (ran += 1));

    vi.advanceTimersByTime(10);
    expect(ran).toBeLessThanOrEqual(1_000);
    vi.advanceTimersByTime(10);

    expect(ran).toBe(2_500);
  });
});

describe('realEnv', () => {
  it('is one for the process, with ids that differ for every bus', () => {
    expect(realEnv()).toBe(realEnv());
    expect(realEnv().idPrefix()).toMatch(/^[\w-]{8}-$/);
    expect(realEnv().idPrefix()).not.toBe(realEnv().idPrefix());
  });

  it('reads the clocks and chance of the process', () => {
    const env = realEnv();

    expect(env).toMatchObject({ direct: true, faults: undefined });
    expect(Math.abs(env.now() - performance.now())).toBeLessThan(1_000);
    expect(Math.abs(env.wall() - Date.now())).toBeLessThan(1_000);
    expect(env.random()).toBeLessThan(1);
  });
});

/** Runs `script` in a Node of its own and gives what it printed: the end of the process included. */
function runProcess(script: string): string[] {
  const module = new URL('../../src/kernel/real-env.ts', import.meta.url).href;
  const source = `
    process.on('exit', () => console.log('exit'));
    const { realEnv } = await import('${module}');
    ${script}`;
  const argv = ['--import', 'tsx', '--input-type=module', '--eval', source];
  const { stdout, stderr } = spawnSync(process.execPath, argv, {
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (stderr !== '') throw new Error(stderr);
  return stdout.trim().split('\n');
}

// R:D2 R:C1
describe('a process', () => {
  it('has nothing running when its last timer was cancelled', () => {
    const printed = runProcess(`
      realEnv().setTimer(50, () => {}, { keepAlive: true }).cancel();
      await new Promise((resolve) => setTimeout(resolve, 5));
      const running = process.getActiveResourcesInfo();
      console.log(running.includes('Timeout') || running.includes('Immediate'));`);

    expect(printed).toEqual(['false', 'exit']);
  });

  it('ends while only housekeeping waits, and stays while a request does', () => {
    const printed = runProcess(`
      realEnv().setTimer(3_600_000, () => console.log('housekeeping'));
      realEnv().setTimer(20, () => console.log('request'), { keepAlive: true });
      realEnv().setTimer(3_600_000, () => {}, { keepAlive: true }).cancel();`);

    expect(printed).toEqual(['request', 'exit']);
  });

  it('ends when its last request was answered', () => {
    const printed = runProcess(`
      realEnv().setTimer(3_600_000, () => console.log('housekeeping'));
      const request = realEnv().setTimer(3_600_000, () => {}, { keepAlive: true });
      setTimeout(() => request.cancel(), 5);`);

    expect(printed).toEqual(['exit']);
  });

  it('hears of a lane that broke its promise and threw, and the other lanes go on', () => {
    const printed = runProcess(`
      process.on('uncaughtException', (error) => console.log(error.message));
      realEnv().post({ order: 1, posted: false, run() { throw new Error('broken lane'); } });
      realEnv().post({ order: 2, posted: false, run() { console.log('good lane'); } });`);

    expect(printed).toEqual(['broken lane', 'good lane', 'exit']);
  });

  it('stays until its lanes have run', () => {
    const printed = runProcess(`
      let steps = 0;
      const lane = { order: 1, posted: false, run() { if (++steps < 5_000) realEnv().post(lane); else console.log(steps); } };
      realEnv().post(lane);`);

    expect(printed).toEqual(['5000', 'exit']);
  });
});
