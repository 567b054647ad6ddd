import { describe, expect, it } from 'vitest';
import { type LazyOptions, lazy } from '../../src/agents.ts';
import { RestartError } from '../../src/index.ts';
import { createTestBus, explore, type TestBus } from '../../src/testing.ts';
import { expectBalanced, gate, hang, outcomeOf } from '../flow/books.ts';
import { makeBus } from '../make-bus.ts';

/** Says what comes, what goes and what is heard; a second instance of a key would be seen. */
function makeCounting(log: string[], more: Partial<LazyOptions> = {}): LazyOptions {
  const there = new Set<string>();
  return {
    subscribe: ['add.{id}', 'note.{id}'],
    serve: ['ask.{id}'],
    key: ({ topic }) => topic.slice(topic.indexOf('.') + 1),
    start: async (key, { kept }) => {
      if (there.has(key)) log.push(`TWO OF ${key}`);
      there.add(key);
      await undefined;
      let count = Number(kept ?? 0);
      log.push(`${key} comes with ${count}`);
      return {
        handle: async ({ topic, payload }) => {
          await undefined;
          if (payload === 'salt') throw new RestartError('salt');
          log.push(`${topic} ${payload} (${++count})`);
          return count;
        },
        passivate: async () => {
          await undefined;
          there.delete(key);
          log.push(`${key} goes with ${count}`);
          return count;
        },
      };
    },
    ...more,
  };
}

describe.each(['real', 'simulated'] as const)('a lazy agent, on the %s Env', (env) => {
  // F:G8
  it('has one instance for each key, made by its first message', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const lazies = lazy(bus, 'counter', makeCounting(log));
    expect(lazies.instances()).toEqual([]);

    bus.publish('add.a', 1);
    bus.publish('add.b', 2);
    bus.publish('note.a', 3);
    await settle();
    const asked = bus.request('ask.a', 4);
    await settle();

    expect(await asked).toBe(3);
    expect(lazies.instances().toSorted()).toEqual(['a', 'b']);
    expect(log.filter((line) => line.includes('comes'))).toHaveLength(2);
    expect(log.filter((line) => line.includes('.a '))).toHaveLength(3);
    expect(bus.inspect()).toMatchObject({ agents: 1, handled: 4 });
    expectBalanced(bus);
  });

  // F:G8
  it('gives the next instance what the last has kept, and loses nothing that comes between', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const lazies = lazy(bus, 'counter', makeCounting(log));
    bus.publish('add.a', 1);
    await settle();

    const gone = lazies.passivate('a');
    bus.publish('add.a', 2);
    bus.publish('add.a', 3);
    await settle();
    await gone;

    expect(log).toEqual([
      'a comes with 0',
      'add.a 1 (1)',
      'a goes with 1',
      'a comes with 1',
      'add.a 2 (2)',
      'add.a 3 (3)',
    ]);
    expectBalanced(bus);
  });

  it('has no more instances than it may: the least recently used goes', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const lazies = lazy(bus, 'counter', makeCounting(log, { maxInstances: 2 }));
    for (const key of ['a', 'b', 'a', 'c']) {
      bus.publish(`add.${key}`, 1);
      await settle();
    }
    expect(lazies.instances().toSorted()).toEqual(['a', 'c']);
    for (const key of ['d', 'e', 'f', 'a', 'b']) bus.publish(`add.${key}`, 1);
    await settle();

    expect(lazies.instances()).toHaveLength(2);
    expect(log).toContain('add.a 1 (3)');
    expect(log).toContain('add.b 1 (2)');
    expect(log.join()).not.toContain('TWO');
    expectBalanced(bus);
  });

  it('puts all away when it leaves, and when the bus closes', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const lazies = lazy(bus, 'one', makeCounting(log));
    lazy(bus, 'two', makeCounting(log, { subscribe: ['other.{id}'], serve: [] }));
    bus.publish('add.a', 1);
    bus.publish('other.b', 1);
    await settle();
    const left = outcomeOf(lazies.leave());
    await settle();
    expect(left.now()).toEqual({ value: undefined });
    expect(log.at(-1)).toBe('a goes with 1');
    const closed = outcomeOf(bus.close());
    await settle();

    expect(closed.now()).toMatchObject({ value: { drained: true } });
    expect(log.at(-1)).toBe('b goes with 1');
  });

  it('fails a message whose instance cannot begin, and tries again with the next', async () => {
    const { bus, settle } = makeBus(env);
    let starts = 0;
    const lazies = lazy(bus, 'shaky', {
      serve: ['ask'],
      key: () => 'only',
      start: () => {
        if (++starts === 1) throw new Error('not yet');
        return { handle: () => starts };
      },
    });
    const asked = [bus.request('ask', 1), bus.request('ask', 2)].map(outcomeOf);
    await settle();

    expect(asked.map((one) => one.now())).toMatchObject([
      { error: { message: 'not yet' } },
      { value: 2 },
    ]);
    expect(lazies.instances()).toEqual(['only']);
  });

  it('forgets an instance that asks to begin anew, and restarts nobody else', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    lazy(bus, 'counter', makeCounting(log));
    bus.publish('add.a', 1);
    bus.publish('add.b', 1);
    const asked = outcomeOf(bus.request('ask.a', 'salt'));
    await settle();
    bus.publish('add.b', 1);
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_RESTARTED' } });
    expect(log).toContain('add.b 1 (2)');
    expect(log).not.toContain('a goes with 1');
    expect(bus.agents()).toHaveLength(1);
  });

  it('goes by conversation when no key is said', async () => {
    const { bus, settle } = makeBus(env);
    const lazies = lazy(bus, 'talk', { subscribe: ['x'], start: () => ({ handle: () => {} }) });
    bus.publish('x', 1, { correlationId: 'c-1' } as never);
    bus.publish('x', 1);
    await settle();

    expect(lazies.instances()).toHaveLength(2);
  });

  it.each([
    ['nothing', undefined],
    ['no start', { subscribe: ['x'] }],
    ['nothing to hear', { start: () => ({ handle: () => {} }) }],
    ['an unknown option', { subscribe: ['x'], start: () => {}, idle: 5 }],
    ['patterns that are none', { subscribe: [5], start: () => {} }],
    ['a count of nothing', { subscribe: ['x'], start: () => {}, maxInstances: 0 }],
    ['a time before now', { subscribe: ['x'], start: () => {}, idleMs: -1 }],
    ['a key that is no function', { subscribe: ['x'], start: () => {}, key: 'id' }],
  ])('is refused with %s', (_what, options) => {
    const { bus } = makeBus(env);

    expect(() => lazy(bus, 'x', options as never)).toThrow();
    expect(bus.agents()).toEqual([]);
  });
});

describe('the time of a lazy agent', () => {
  const count = (t: TestBus, log: string[], more: Partial<LazyOptions> = {}) =>
    lazy(t.bus, 'counter', makeCounting(log, { idleMs: 1_000, ...more }));

  // F:G8
  it('ends for an instance that is idle, and no timer is left', async () => {
    const t = createTestBus();
    const log: string[] = [];
    const lazies = count(t, log);
    t.bus.publish('add.a', 1);
    await t.clock.advance(600);
    t.bus.publish('add.b', 1);
    t.bus.publish('add.a', 1);
    await t.clock.advance(999);
    expect(lazies.instances().toSorted()).toEqual(['a', 'b']);
    await t.clock.advance(1);
    await t.settle();

    expect(lazies.instances()).toEqual([]);
    expect(log).toContain('a goes with 2');
    expect(t.pendingWork()).toEqual([]);
  });

  it('forgets what was kept longest ago, when it may not keep more', async () => {
    const t = createTestBus();
    const log: string[] = [];
    count(t, log, { maxKept: 1 });
    for (const key of ['a', 'b']) {
      t.bus.publish(`add.${key}`, 1);
      await t.clock.advance(2_000);
    }
    t.bus.publish('add.b', 1);
    t.bus.publish('add.a', 1);
    await t.settle();

    expect(
      log
        .filter((line) => line.includes('comes'))
        .slice(2)
        .toSorted(),
    ).toEqual(['a comes with 0', 'b comes with 1']);
  });

  it.each([
    ['works', { start: () => ({ handle: hang }) }],
    ['begins', { start: hang }],
  ] as const)(
    'is bounded for one that hangs while it %s: the next gets another',
    async (_, how) => {
      const t = createTestBus({ leaks: 'allow' });
      let starts = 0;
      const lazies = lazy(t.bus, 'x', {
        serve: ['ask'],
        key: () => 'only',
        maxInstances: 1,
        timeoutMs: 1_000,
        start: (key, given) => {
          if (++starts === 1) return how.start() as never;
          return makeCounting([]).start(key, given);
        },
      });
      const hung = outcomeOf(t.bus.request('ask', 1));
      const next = outcomeOf(t.bus.request('ask', 2));
      await t.clock.advance(2_500);
      await t.settle();

      expect(hung.now()).toMatchObject({ error: { code: 'TELLASK_HANDLER_TIMEOUT' } });
      expect(next.now()).toEqual({ value: 1 });
      expect(lazies.instances()).toEqual(['only']);
    },
  );

  it('is bounded for one that does not go: its key goes on without what it kept', async () => {
    const t = createTestBus({ leaks: 'allow' });
    const opened = gate();
    let starts = 0;
    lazy(t.bus, 'x', {
      serve: ['ask'],
      key: () => 'only',
      idleMs: 100,
      start: (_key, { kept }) => {
        starts++;
        return { handle: () => `${starts} with ${kept}`, passivate: () => opened.opened };
      },
    });
    const first = outcomeOf(t.bus.request('ask', 1));
    await t.clock.advance(100);
    const next = outcomeOf(t.bus.request('ask', 2));
    await t.clock.advance(1_000);
    await t.settle();

    expect(first.now()).toEqual({ value: '1 with undefined' });
    expect(next.now()).toEqual({ value: '2 with undefined' });
    opened.open();
  });
});

describe('in every order of things', () => {
  // F:G8
  it('there is one instance of a key, nothing is lost and the order of a key is kept', async () => {
    const { schedules } = await explore(
      async (t) => {
        const log: string[] = [];
        const lazies = lazy(t.bus, 'c', makeCounting(log, { idleMs: 0, maxInstances: 1 }));
        for (const n of [1, 2, 3]) t.bus.publish('add.a', n);
        t.bus.publish('add.b', 9);
        const gone = lazies.passivate('a');
        await t.run();
        await gone;
        t.sometimes('a second coming', log.filter((line) => line === 'a comes with 1').length > 0);
        expect(log.join()).not.toContain('TWO');
        expect(log.filter((line) => line.startsWith('add.a'))).toEqual([
          'add.a 1 (1)',
          'add.a 2 (2)',
          'add.a 3 (3)',
        ]);
        expect(log.filter((line) => line.startsWith('add.b'))).toEqual(['add.b 9 (1)']);
      },
      { seeds: 60 },
    );
    expect(schedules).toBe(60);
  });
});
