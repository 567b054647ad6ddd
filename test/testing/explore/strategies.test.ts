import { describe, expect, it } from 'vitest';
import { explore, fakeModel, type Scenario, type Strategy } from '../../../src/testing.ts';
import { failureOf, lostUpdate } from './planted.ts';

/** Agents that have nothing to do with each other, each with so many messages; tells their order. */
function independent(lanes: number, messages: number, told: (order: string) => void): Scenario {
  return async ({ bus, settle }) => {
    const log: string[] = [];
    for (let lane = 0; lane < lanes; lane += 1) {
      const name = String.fromCharCode(97 + lane);
      bus.register(name).subscribe('work', () => void log.push(name));
    }
    for (let message = 0; message < messages; message += 1) bus.publish('work', message);
    await settle();
    told(log.join(''));
  };
}

/** `second` has to come behind `first`, and nothing says so but the order in which they are sent. */
const wrongOrder: Scenario = async ({ bus, settle }) => {
  const log: string[] = [];
  for (const name of ['first', 'second', 'third', 'fourth']) {
    bus.register(name).subscribe(name, () => void log.push(name));
    bus.publish(name, {});
  }
  await settle();
  if (log.indexOf('second') < log.indexOf('first')) throw new Error('second came first');
};

/** How many of the seeds find it, each alone. */
async function hits(scenario: Scenario, strategy: Strategy, seeds: number): Promise<number> {
  let count = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    await explore(scenario, { strategy, seeds: [seed], maxShrinks: 0 }).catch(() => (count += 1));
  }
  return count;
}

describe('an exhaustive exploration', () => {
  it.each([
    [2, 1, 2],
    [3, 1, 6],
    [2, 3, 20],
    [3, 2, 90],
    [4, 1, 24],
  ])('of %i lanes of %i steps tries each of the %i orders once', async (lanes, steps, count) => {
    const orders: string[] = [];
    const scenario = independent(lanes, steps, (order) => orders.push(order));

    const explored = await explore(scenario, { strategy: 'exhaustive' });

    expect(explored).toMatchObject({ schedules: count, finished: true, steps: lanes * steps });
    expect(orders).toHaveLength(count);
    expect(new Set(orders).size).toBe(count);
  });

  // What a handler without a promise does may be what another handler, or the scenario, waits for.
  it.each([
    ['a handler', ['how', 'hwo', 'ohw']],
    ['the scenario', ['how', 'hwo', 'ohw']],
  ])('lets %s that waits go on between two handlers that return no promise', async (who, all) => {
    const orders = new Set<string>();
    const scenario: Scenario = async ({ bus, settle }) => {
      const log: string[] = [];
      const gate = new Promise<void>((open) => {
        bus.register('helper').subscribe('go', () => {
          log.push('h');
          open();
        });
      });
      const wait = async (): Promise<void> => {
        await gate;
        log.push('w');
      };
      bus.register('other').subscribe('go', () => void log.push('o'));
      bus.register('waiter').subscribe('begin', who === 'a handler' ? wait : () => {});
      bus.publish('begin', {});
      await settle();
      bus.publish('go', {});
      if (who === 'the scenario') await wait();
      await settle();
      orders.add(log.join(''));
    };

    const { finished } = await explore(scenario, { strategy: 'exhaustive' });

    expect(finished).toBe(true);
    expect([...orders].toSorted()).toEqual(all);
  });

  it('says that it is not finished when it was not let', async () => {
    const scenario = independent(3, 2, () => {});

    const explored = await explore(scenario, { strategy: 'exhaustive', maxSchedules: 89 });

    expect(explored).toMatchObject({ schedules: 89, finished: false });
  });

  it('runs all schedules of each seed that it is given, up to maxSchedules', async () => {
    const scenario = independent(3, 1, () => {});
    const strategy = 'exhaustive';

    const all = await explore(scenario, { strategy, seeds: 4 });
    const some = await explore(scenario, { strategy, seeds: [5, 7], maxSchedules: 11 });

    expect(all).toMatchObject({ schedules: 24, finished: true });
    expect(some).toMatchObject({ schedules: 11, finished: false });
  });

  it('finds what only the chance of a later seed brings about, when it is given that seed', async () => {
    const slow: Scenario = async (t) => {
      fakeModel(t.bus.register('model'), { replies: ['late'], latencyMs: [300, 900] });
      const asked = t.bus.request('model.complete', '', { timeoutMs: 850 });
      await asked;
    };

    const one = await explore(slow, { strategy: 'exhaustive' });
    const failure = await failureOf(explore(slow, { strategy: 'exhaustive', seeds: 40 }));

    expect(one.finished).toBe(true);
    expect(failure.seed).toBeGreaterThan(1);
    const { seed } = await failureOf(
      explore(slow, { strategy: 'replay', replay: `${failure.seed}/` }),
    );
    expect(seed).toBe(failure.seed);
  });

  it('proves that a mended program cannot fail', async () => {
    const mended: Scenario = async ({ bus, run }) => {
      let count = 0;
      const archive = bus.register('archive');
      archive.serve('add', () => {
        count += 1;
      });
      for (const name of ['ann', 'bob']) {
        bus.register(name).subscribe('visit', (_, context) => context.request('add', {}));
      }
      bus.publish('visit', {});
      await run();
      if (count !== 2) throw new Error(`counted ${count}`);
    };

    const explored = await explore(mended, { strategy: 'exhaustive' });

    expect(explored.finished).toBe(true);
    expect(explored.schedules).toBeGreaterThan(10);
  });

  it('names a scenario that is not the same the second time', async () => {
    let runs = 0;
    const scenario: Scenario = async ({ bus, settle }) => {
      runs += 1;
      const names = runs === 1 ? ['a', 'b'] : ['a', 'b', 'c'];
      for (const name of names) bus.register(name).subscribe('t', () => {});
      bus.publish('t', {});
      await settle();
    };

    const exploring = explore(scenario, { strategy: 'exhaustive' });

    await expect(exploring).rejects.toMatchObject({ code: 'TELLASK_NONDETERMINISTIC', step: 1 });
    await expect(exploring).rejects.toThrow('2 lanes were ready in one and 3 in the other');
  });
});

describe('pct', () => {
  it('finds a bug of depth 1 at least as often as its bound says', async () => {
    // Two lanes in the wrong order: any priorities will do, and half of them are.
    const found = await hits(wrongOrder, { pct: 1 }, 60);

    expect(found).toBeGreaterThan(60 / 4);
  });

  it('finds a bug of depth 2 at least as often as 1 / (n k) says', async () => {
    const [lanes, steps] = [6, 20];

    const found = await hits(lostUpdate, { pct: 2 }, 120);

    expect(found).toBeGreaterThan(120 / (lanes * steps));
  });
});

describe('a mixed exploration', () => {
  it('begins with the order of production', async () => {
    const orders: string[] = [];

    await explore(
      independent(3, 2, (order) => orders.push(order)),
      { seeds: 60 },
    );

    expect(orders[0]).toBe('abcabc');
    expect(new Set(orders).size).toBeGreaterThan(25);
  });

  it('tells of a program that fails in production order that no choice matters', async () => {
    const failure = await failureOf(
      explore(() => {
        throw new Error('always');
      }),
    );

    expect([failure.schedules, failure.choices, failure.replay]).toEqual([
      1,
      '',
      'TELLASK_SEED=1/',
    ]);
    expect(failure.message).toContain('in production order: no choice matters');
  });
});

describe('what a handler does behind an await', () => {
  /** Between check and act there is nothing but a promise that is settled. */
  const checkThenAct: Scenario = async ({ bus, settle }) => {
    let free = 1;
    let sold = 0;
    for (const name of ['ann', 'bob']) {
      bus.register(name).subscribe('buy', async () => {
        if (free === 0) return;
        await null;
        free -= 1;
        sold += 1;
      });
    }
    bus.publish('buy', {});
    await settle();
    if (sold !== 1) throw new Error(`sold ${sold}`);
  };
  /** It is wrong only if Bob begins when Ann is done. */
  const needsBoth: Scenario = async ({ bus, settle }) => {
    const log: string[] = [];
    for (const name of ['ann', 'bob']) {
      bus.register(name).subscribe('meet', async () => {
        log.push(`${name} comes`);
        await null;
        log.push(`${name} goes`);
      });
    }
    bus.publish('meet', {});
    await settle();
    if (log.slice(0, 2).join() === 'ann comes,ann goes') throw new Error('they never met');
  };

  it('goes on behind the other lanes that are ready, as in production', async () => {
    const failure = await failureOf(explore(checkThenAct));

    expect(failure.choices).toBe('');
  });

  it('goes on before them in other schedules', async () => {
    const failure = await failureOf(explore(needsBoth));

    expect(failure.choices).toBe('2:1');
    expect(failure.message).toContain('at step 2: `promises` ran before `bob` (m1)');
  });
});
