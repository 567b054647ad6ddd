import { describe, expect, it } from 'vitest';
import { type Env, retry } from '../../src/index.ts';
import { SeededFaults } from '../../src/testing/faults/seeded-faults.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { createTestBus, type FaultRule } from '../../src/testing.ts';

const texts = ({ injected }: { injected: readonly { text: string }[] }) =>
  injected.map(({ text }) => text);

describe('buggify', () => {
  const ALWAYS = { fault: 'buggify', probability: 1, minMs: 7, maxMs: 7 } as const;

  it('lets a retry of a handler wait longer', async () => {
    const t = createTestBus({ faults: [{ ...ALWAYS, points: ['retry'] }] });
    const at: number[] = [];
    const flaky = () => {
      at.push(t.clock.nowMs);
      if (at.length === 1) throw new Error('at first');
    };
    t.bus.subscribe('work', flaky, { retry: { maxAttempts: 2, baseMs: 5, jitter: 'none' } });

    t.bus.publish('work', {});
    await t.run();

    expect(at).toEqual([0, 12]);
    expect(texts(t.faults)).toEqual([
      'buggify a longer wait before a retry: m1 work $host -> $host by 7 ms',
    ]);
    await t.close();
  });

  it('lets no retry wait beyond the life of its message', async () => {
    const t = createTestBus({ faults: [{ ...ALWAYS, points: ['retry'] }] });
    let attempts = 0;
    const flaky = () => {
      attempts++;
      if (attempts === 1) throw new Error('at first');
    };
    t.bus.subscribe('work', flaky, { retry: { maxAttempts: 2, baseMs: 5, jitter: 'none' } });

    t.bus.publish('work', {}, { ttlMs: 10 });
    await t.run();

    expect(t.bus.inspect()).toMatchObject({ handled: 1, expired: 0 });
    await t.close();
  });

  it('lets a retry of a policy wait longer', async () => {
    const faults = new SeededFaults([{ ...ALWAYS, points: ['retry'] }], { seed: 1 });
    const env = new SimEnv({ faults });
    const policy = retry({ maxAttempts: 2, baseMs: 5, jitter: 'none', env: env as Env });
    const at: number[] = [];

    const done = policy.execute(() => {
      at.push(env.now());
      if (at.length === 1) throw new Error('at first');
    });
    await env.run();
    await done;

    expect(at).toEqual([0, 12]);
  });

  it.each([
    ['reject', 'TELLASK_MAILBOX_FULL'],
    ['drop-newest', undefined],
    ['drop-oldest', undefined],
  ] as const)('lets a mailbox be full that holds something (%s)', (overflow, code) => {
    const t = createTestBus({ faults: [{ ...ALWAYS, points: ['overflow'] }] });
    t.bus.register('editor', { capacity: 3, overflow }).subscribe('edit', () => {});
    t.bus.send('editor', 'edit', 1);

    const thrown = (() => {
      try {
        t.bus.send('editor', 'edit', 2);
        return undefined;
      } catch (error) {
        return (error as { code: string }).code;
      }
    })();

    expect(thrown).toBe(code);
    const { queued, deadLettered } = t.bus.inspect();
    expect({ queued, deadLettered }).toEqual({ queued: 1, deadLettered: code ? 0 : 1 });
  });

  it('lets nobody wait outside while there is a place', () => {
    const t = createTestBus({ faults: [{ ...ALWAYS, points: ['overflow'] }] });
    t.bus.register('editor', { capacity: 3, overflow: 'wait' }).subscribe('edit', () => {});

    for (const n of [1, 2, 3]) t.bus.send('editor', 'edit', n);

    expect(t.bus.inspect()).toMatchObject({ queued: 3, waiting: 0 });
  });

  it('lets timers be late, and lets none overtake another', async () => {
    const env = new SimEnv({
      choose: (lanes) => lanes.length - 1,
      faults: new SeededFaults([{ ...ALWAYS, points: ['timer'] }], { seed: 1 }),
    });
    const log: string[] = [];
    for (const ms of [12, 10, 30]) env.setTimer(ms, () => log.push(`${ms} at ${env.now()}`));

    await env.run();

    expect(log).toEqual(['10 at 17', '12 at 17', '30 at 37']);
  });

  it('moves the clock not beyond where a test lets it go', async () => {
    const t = createTestBus({ faults: [{ ...ALWAYS, points: ['timer'] }] });
    t.bus.publish('alarm', {}, { delayMs: 10 });

    await t.clock.advance(12);

    expect(t.clock.nowMs).toBe(12);
    await t.close();
  });
});

describe('a wall clock that jumps', () => {
  it('is off from an instant on, and durations are not', async () => {
    const faults = new SeededFaults([{ fault: 'clock-jump', byMs: -3_600_000, atMs: 100 }], {
      seed: 1,
    });
    const env = new SimEnv({ faults });
    const start = env.wall();

    await env.advance(99);
    expect(env.wall() - start).toBe(99);
    await env.advance(1);
    expect(env.wall() - start).toBe(100 - 3_600_000);
    expect(env.now()).toBe(100);
    await env.advance(1);
    expect(env.wall() - start).toBe(101 - 3_600_000);
    expect(texts(faults)).toEqual(['clock-jump of -3600000 ms']);
  });

  it('jumps at an instant that the seed says', () => {
    const jumpOf = (seed: number): number => {
      const rule = { fault: 'clock-jump', byMs: 1, withinMs: 1_000 } as const;
      const faults = new SeededFaults([rule], { seed });
      let now = 0;
      faults.attach(() => now);
      while (faults.wallShift() === 0) now += 1;
      return now;
    };

    expect(jumpOf(1)).toBe(jumpOf(1));
    expect(new Set([1, 2, 3, 4].map(jumpOf)).size).toBe(4);
  });
});

describe('a store of a test', () => {
  const WRITE = [{ key: 'a', value: '1' }];

  it.each([
    [{ when: 'before' }, 'TELLASK_INJECTED_FAULT', undefined],
    [{ when: 'after' }, 'TELLASK_INJECTED_FAULT', '1'],
    [{ when: 'before', hangs: true }, 'no answer', undefined],
    [{ when: 'after', hangs: true }, 'no answer', '1'],
  ] as const)('fails as a rule says: %j', async (how, told, holds) => {
    const t = createTestBus({ faults: [{ fault: 'store-failure', on: 'commit', nth: 1, ...how }] });
    const store = t.store({ name: 'ledger' });
    let answer = 'no answer';
    store.commit(WRITE).catch((error) => {
      answer = error.code;
    });
    await t.settle();

    expect(answer).toBe(told);
    expect(store.toJSON().entries.map(({ value }) => value)).toEqual(holds ? [holds] : []);
    expect(texts(t.faults)[0]).toMatch(/^store-failure commit 1 of ledger/);
    expect(t.transcript()).toContain('store-failure commit 1 of ledger');
    await t.close();
  });

  it('fails by the name of the store, and goes on where another one stopped', async () => {
    const t = createTestBus({ faults: [{ fault: 'store-failure', store: 'b' }] });
    const first = t.store({ name: 'a' });
    const done = first.commit(WRITE);
    await t.settle();
    await done;

    const next = t.store({ name: 'c', json: first.toJSON() });
    const read = next.get('a');
    const failed = t.store({ name: 'b' }).get('a');
    failed.catch(() => {});
    await t.settle();

    expect((await read)?.value).toBe('1');
    await expect(failed).rejects.toMatchObject({
      code: 'TELLASK_INJECTED_FAULT',
      message: 'get 1 of b failed before it was done, as a fault of the test',
    });
    await t.close();
  });

  it('answers in no turn of its own, but when the scheduler says', async () => {
    const t = createTestBus();
    const log: string[] = [];
    void t
      .store()
      .commit(WRITE)
      .then(() => log.push('stored'));
    t.bus.subscribe('b', () => log.push('heard'));
    t.bus.publish('b', {});

    await Promise.resolve();
    expect(log).toEqual([]);
    await t.settle();

    expect(log).toEqual(['heard', 'stored']);
    await t.close();
  });
});

describe('which messages a rule fits', () => {
  const dropped = async (rule: object): Promise<string[]> => {
    const t = createTestBus({
      faults: [{ fault: 'drop', ...rule } as FaultRule],
      unheard: 'count',
    });
    const heard: string[] = [];
    for (const name of ['ann', 'bob']) {
      t.bus.register(name).subscribe('**', ({ topic }) => heard.push(`${topic} ${name}`));
    }
    for (const topic of ['a', 'a.b', 'c']) t.bus.publish(topic, {});
    await t.run();
    await t.close();
    const all = ['a', 'a.b', 'c'].flatMap((topic) => [`${topic} ann`, `${topic} bob`]);
    return all.filter((one) => !heard.includes(one));
  };

  it.each([
    [{ topic: 'a.*' }, ['a.b ann', 'a.b bob']],
    [{ topic: 'a.**', agent: 'bob' }, ['a bob', 'a.b bob']],
    [{ agent: 'a*', max: 2 }, ['a ann', 'a.b ann']],
    [{ agent: 'ann', nth: 3 }, ['c ann']],
    [{ probability: 0 }, []],
    [{ max: 0 }, []],
  ])('%j', async (rule, lost) => {
    expect(await dropped(rule)).toEqual(lost);
  });

  it('leaves the topics of the library alone unless they are named', async () => {
    const count = async (topic: string): Promise<number> => {
      const t = createTestBus({ faults: [{ fault: 'drop', topic }] });
      let heard = 0;
      t.bus.subscribe('$bus.guard.**', () => heard++);
      t.bus.register('mirror').serve('look', (_, context) => context.request('look', {}));
      const looked = t.bus.request('look', {}, { timeoutMs: 50 }).catch(() => {});
      await t.run();
      await looked;
      await t.close();
      return heard;
    };

    expect(await count('**.guard.**')).toBe(1);
    expect(await count('$bus.**')).toBe(0);
  });
});

describe('a lost request', () => {
  it('is heard of when its time is over', async () => {
    const t = createTestBus({ faults: [{ fault: 'drop', topic: 'sum' }] });
    t.bus.register('adder').serve('sum', () => 3);
    const asked = t.bus.request('sum', [1, 2], { timeoutMs: 50 }).catch((error) => error.code);
    await t.run();

    expect(await asked).toBe('TELLASK_TIMEOUT');
    expect(t.clock.nowMs).toBe(50);
    expect(t.bus.inspect()).toMatchObject({ cancelled: 1, pendingRequests: 0 });
    await t.close();
  });
});

describe('a delay', () => {
  it('lets nothing of the same speaker overtake, and others pass', async () => {
    const t = createTestBus({ faults: [{ fault: 'delay', nth: 1, minMs: 9, maxMs: 9 }] });
    const log: unknown[] = [];
    t.bus.register('editor').subscribe('edit', ({ payload }) => log.push(payload));
    const ann = t.bus.register('ann');
    const bob = t.bus.register('bob');
    ann.publish('edit', 'ann 1');
    ann.publish('edit', 'ann 2');
    bob.publish('edit', 'bob 1');
    await t.run();

    expect(log).toEqual(['bob 1', 'ann 1', 'ann 2']);
    await t.close();
  });

  it.each(['unsubscribe', 'leave', 'close'] as const)('ends with %s', async (how) => {
    const t = createTestBus({ faults: [{ fault: 'delay', minMs: 60_000, maxMs: 60_000 }] });
    const editor = t.bus.register('editor', { capacity: 1 });
    const handle = editor.subscribe('edit', () => {});
    t.bus.publish('edit', 1);
    expect(t.bus.inspect()).toMatchObject({ queued: 1 });

    if (how === 'unsubscribe') handle.unsubscribe();
    else if (how === 'leave') void editor.leave();
    await t.settle();
    if (how === 'close') await t.bus.close({ mode: 'abort' });

    const { queued, cancelled, deadLettered, admitted } = t.bus.inspect();
    expect({ queued, ended: cancelled + deadLettered, admitted }).toEqual({
      queued: 0,
      ended: 1,
      admitted: 1,
    });
    await t.close();
    expect(t.clock.nowMs).toBeLessThan(60_000);
  });
});

describe('a rule', () => {
  it.each([
    [{ fault: 'dropp' }, /faults\[0\].fault must be one of drop, delay/],
    [null, /faults\[0\].fault must be/],
    [{ fault: 'drop', probabilty: 1 }, /faults\[0\] \(drop\) has no option probabilty/],
    [{ fault: 'drop', when: 'after' }, /has no option when/],
    [{ fault: 'drop', probability: 2 }, /faults\[0\].probability must be 0 to 1/],
    [{ fault: 'drop', probability: 0.5, nth: 1 }, /either is chance or none/],
    [{ fault: 'drop', nth: 0 }, /faults\[0\].nth must be a whole number from 1/],
    [{ fault: 'drop', max: -1 }, /faults\[0\].max must be a whole number from 0/],
    [{ fault: 'delay', minMs: -1 }, /faults\[0\].minMs must be milliseconds from 0/],
    [{ fault: 'delay', minMs: 2, maxMs: 1 }, /maxMs is below minMs/],
    [{ fault: 'crash', when: 'soon' }, /faults\[0\].when must be one of before, after/],
    [{ fault: 'store-failure', on: 'put' }, /faults\[0\].on must be one of get, scan/],
    [{ fault: 'clock-jump' }, /faults\[0\].byMs must be milliseconds/],
    [{ fault: 'buggify', points: ['disk'] }, /points must be one of retry, overflow, timer/],
    [{ fault: 'drop', topic: 'a..b' }, /a\.\.b/],
  ])('that could not strike is refused: %j', (rule, message) => {
    expect(() => createTestBus({ faults: [rule as never] })).toThrow(message);
  });

  it('stands in an array', () => {
    expect(() => createTestBus({ faults: { fault: 'drop' } as never })).toThrow(
      'faults must be an array of rules, but it is an object',
    );
  });
});
