import { describe, expect, it } from 'vitest';
import { MemoryStore, type SagaEvent, type Store, saga } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { gate, hang } from '../flow/books.ts';
import { elsewhere, story, turn, World, watched } from './world.ts';

/** a, b and c, where b is what a test makes of it. */
function trip(world: World, b = world.step('b')) {
  return saga('trip').step('a', world.step('a')).step('b', b).step('c', world.step('c'));
}

/** A store that dies at its nth commit: it takes it or not, and nobody hears of it. */
function dying(at: number, when: 'before' | 'after') {
  let commits = 0;
  return watched(async (writes, inner) => {
    commits += 1;
    if (commits < at) return inner.commit(writes);
    if (commits === at && when === 'after') await inner.commit(writes);
    return hang();
  });
}

/** What is left of a store when its process has gone. */
function left(store: { readonly inner: MemoryStore }): MemoryStore {
  return new MemoryStore({ json: JSON.parse(JSON.stringify(store.inner)) });
}

/** The simulated time of another process, when the leases of the first have ended. */
async function later(ms = 30_000): Promise<SimEnv> {
  const env = new SimEnv();
  await env.advance(ms);
  return env;
}

describe('a saga whose process has ended', () => {
  // R:I3
  it.each([
    [2, 'before', ['a', 'b', 'c'], []],
    [2, 'after', ['a', 'b', 'c'], ['a']],
    [3, 'before', ['a', 'b', 'c'], ['a']],
    [3, 'after', ['b', 'c'], ['b']],
    [5, 'before', ['c'], ['c']],
  ] as const)('goes on after commit %i, %s', async (at, when, again, repeated) => {
    const world = new World();
    const store = dying(at, when);
    void trip(world).run('1', {}, { store, env: new SimEnv() });
    await turn();
    const before = world.log.splice(0);

    const env = await later();
    const result = await trip(world).resume('1', { store: left(store), env });

    expect(result).toMatchObject({ status: 'completed', results: { a: 'a', b: 'b', c: 'c' } });
    expect(world.log).toEqual(again);
    expect(before.filter((name) => world.log.includes(name))).toEqual(
      repeated.filter((name) => before.includes(name)),
    );
  });

  // R:I3: also half-way through compensation.
  it('goes on undoing where it had stopped', async () => {
    const world = new World();
    const failing = trip(world).step('d', world.failing('d'));
    // 1 claim, 2 to 5 the steps, 6 undo c, 7 undo b.
    const store = dying(7, 'before');
    void failing.run('1', {}, { store, env: new SimEnv() });
    await turn();
    const before = world.log.splice(0);

    const result = await failing.resume('1', { store: left(store), env: await later() });

    expect(before).toEqual(['a', 'b', 'c', 'd', 'undo c c']);
    expect(world.log).toEqual(['undo c c', 'undo b b', 'undo a a']);
    expect(result).toMatchObject({ status: 'compensated', error: { message: 'd failed' } });
  });

  // R:I2: the crash makes the outcome unknown.
  it('undoes a step that fails when it is run again, for the first time may have worked', async () => {
    const world = new World();
    const store = dying(4, 'before');
    void trip(world).run('1', {}, { store, env: new SimEnv() });
    await turn();
    world.log.length = 0;

    const now = trip(world, world.failing('b', new Error('exists already')));
    const { status } = await now.resume('1', { store: left(store), env: await later() });

    expect([status, ...world.log]).toEqual(['compensated', 'b', 'undo b undefined', 'undo a a']);
  });

  it('is taken up by run, too', async () => {
    const world = new World();
    const store = dying(3, 'after');
    void trip(world).run('1', { to: 'Rome' }, { store, env: new SimEnv() });
    await turn();
    const events: SagaEvent[] = [];

    const { status } = await trip(world).run(
      '1',
      { to: 'Rome' },
      { store: left(store), env: await later(), onProgress: (event) => void events.push(event) },
    );

    expect([status, ...world.log]).toEqual(['completed', 'a', 'b', 'c']);
    expect(events[0]).toEqual({ type: 'recovered', recoveries: 1 });
  });

  it('is cancelled by a resume whose signal has aborted', async () => {
    const world = new World();
    const store = dying(4, 'after');
    void trip(world).run('1', {}, { store, env: new SimEnv() });
    await turn();
    world.log.length = 0;

    const { status } = await trip(world).resume('1', {
      store: left(store),
      env: await later(),
      signal: AbortSignal.abort(new Error('no more')),
    });

    // c had begun: nobody knows how far it came.
    expect([status, ...world.log]).toEqual([
      'cancelled',
      'undo c undefined',
      'undo b b',
      'undo a a',
    ]);
  });

  // R:I3: parks after a bounded number of recoveries.
  it('is parked when it was taken up too often without getting any further', async () => {
    const world = new World();
    const mortal = trip(world, world.step('b', { run: hang }));
    let store: MemoryStore & { inner?: never } = new MemoryStore();
    const terms = { maxRecoveries: 2 };
    void mortal.run('1', {}, { store, env: new SimEnv(), ...terms });
    await turn();
    for (const times of [1, 2]) {
      store = new MemoryStore({ json: JSON.parse(JSON.stringify(store)) });
      void mortal.resume('1', { store, env: await later(times * 30_000), ...terms });
      await turn();
    }
    store = new MemoryStore({ json: JSON.parse(JSON.stringify(store)) });

    const parked = await mortal.resume('1', { store, env: await later(90_000), ...terms });
    const again = await mortal.run('1', {}, { store, ...terms });

    expect(world.log).toEqual(['a', 'b', 'b', 'b']);
    expect(parked).toEqual({ status: 'parked', id: '1', results: { a: 'a' }, uncompensated: [] });
    expect(again).toEqual(parked);
    expect((await mortal.list({ store, status: 'parked' })).map(({ id }) => id)).toEqual(['1']);

    const { status } = await trip(world).resume('1', { store, force: true });

    expect(status).toBe('completed');
  });

  it('is never parked while it gets further', async () => {
    const world = new World();
    const terms = { maxRecoveries: 1 };
    let store = dying(2, 'after');
    void trip(world).run('1', {}, { store, env: new SimEnv(), ...terms });
    await turn();
    for (const times of [1, 2]) {
      // 1 takes it up, 2 says that the step is done and the next begins.
      const next = dying(3, 'before');
      await next.inner.commit([
        { key: 'saga/trip/1', value: store.inner.toJSON().entries[0]?.value },
      ]);
      void trip(world).resume('1', { store: next, env: await later(times * 30_000), ...terms });
      await turn();
      store = next;
    }

    const { status } = await trip(world).resume('1', {
      store: left(store),
      env: await later(90_000),
      ...terms,
    });

    expect(status).toBe('completed');
  });

  it('refuses a definition of other names, groups or pivot, and takes one that does other things', async () => {
    const world = new World();
    const store = dying(3, 'after');
    void trip(world).run('1', {}, { store, env: new SimEnv() });
    await turn();
    const env = await later();
    const other = saga('trip').step('a', world.step('a')).step('c', world.step('c'));
    const { compensate: _, ...pivot } = world.step('c', { pivot: true });
    const pivoted = saga('trip')
      .step('a', world.step('a'))
      .step('b', world.step('b'))
      .step('c', pivot);
    const kept = left(store);

    await expect(other.resume('1', { store: kept, env })).rejects.toMatchObject({
      code: 'TELLASK_SAGA_CHANGED',
      message: 'Saga trip 1 cannot go on: it was begun as a > b > c, and is now defined as a > c',
    });
    await expect(pivoted.resume('1', { store: kept, env })).rejects.toMatchObject({
      code: 'TELLASK_SAGA_CHANGED',
    });
    const { status } = await trip(world, world.step('b')).resume('1', { store: kept, env });

    expect(status).toBe('completed');
  });
});

describe('the same id', () => {
  // R:I3
  it('gives the first result and runs nothing, also when the definition has changed since', async () => {
    const world = new World();
    const store = new MemoryStore();
    const first = await trip(world).run('1', { b: 2, a: [1] }, { store });

    const second = await trip(world).run('1', { a: [1], b: 2 }, { store });
    const third = await trip(world).resume('1', { store });

    expect(world.log).toEqual(['a', 'b', 'c']);
    expect(second).toEqual(first);
    expect(third).toEqual(first);
  });

  it('gives the first result within the process, also without a store', async () => {
    const world = new World();
    const booking = trip(world);

    const both = await Promise.all([booking.run('1', {}), booking.run('1', {})]);
    await booking.run('1', {});

    expect(both[0]).toEqual(both[1]);
    expect(world.log).toEqual(['a', 'b', 'c']);
  });

  it('keeps the last 250 that ended when there is no store', async () => {
    let runs = 0;
    const counting = saga('count').step('a', { run: () => ++runs });
    for (let n = 0; n <= 250; n += 1) await counting.run(`${n}`, 0);

    await counting.run('1', 0);
    const kept = runs;
    await counting.run('0', 0);

    expect([kept, runs]).toEqual([251, 252]);
    expect((await counting.list()).length).toBe(250);
  });

  it.each([
    ['when it has ended', false],
    ['while it runs', true],
  ])('with another input is refused, %s', async (_name, runs) => {
    const world = new World();
    const store = new MemoryStore();
    const open = gate();
    const booking = trip(world, world.step('b', { run: () => open.opened }));
    const running = booking.run('1', { to: 'Rome' }, { store });
    if (!runs) {
      open.open();
      await running;
    }

    await expect(booking.run('1', { to: 'Oslo' }, { store })).rejects.toMatchObject({
      code: 'TELLASK_SAGA_INPUT',
      saga: 'trip',
      id: '1',
    });

    open.open();
    expect((await running).status).toBe('completed');
  });

  it('may stop waiting for the one that runs, which goes on', async () => {
    const world = new World();
    const open = gate();
    const booking = trip(world, world.step('b', { run: () => open.opened }));
    const controller = new AbortController();
    const first = booking.run('1', {});
    const second = booking.run('1', {}, { signal: controller.signal });
    const third = booking.resume('1', { signal: new AbortController().signal });

    controller.abort(new Error('not now'));
    await expect(second).rejects.toThrow('not now');
    open.open();

    expect((await first).status).toBe('completed');
    expect((await third).status).toBe('completed');
  });

  it('with another input or definition is refused by the one that has taken it up, too', async () => {
    const world = new World();
    const store = dying(3, 'after');
    void trip(world).run('1', { to: 'Rome' }, { store, env: new SimEnv() });
    await turn();
    const kept = left(store);
    const open = gate();
    const resumed = trip(world, world.step('b', { run: () => open.opened })).resume('1', {
      store: kept,
      env: await later(),
    });

    const oslo = trip(world).run('1', { to: 'Oslo' }, { store: kept });
    const other = saga('trip').step('a', world.step('a')).resume('1', { store: kept });

    await expect(other).rejects.toMatchObject({ code: 'TELLASK_SAGA_CHANGED' });
    open.open();
    await expect(oslo).rejects.toMatchObject({ code: 'TELLASK_SAGA_INPUT' });
    expect((await resumed).status).toBe('completed');
  });

  it('fails for all who joined when it stands still', async () => {
    const store = watched(() => Promise.reject(new Error('disk')));
    const booking = trip(new World());
    const { signal } = new AbortController();

    const both = [booking.run('1', {}, { store }), booking.run('1', {}, { store, signal })];
    const outcomes = await Promise.allSettled(both);

    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ reason: { code: 'TELLASK_SAGA_STOPPED' } });
    }
  });

  it('is refused while another process works on it, and says for how long', async () => {
    const world = new World();
    const env = new SimEnv();
    const store = new MemoryStore();
    const open = gate();
    const running = trip(world, world.step('b', { run: () => open.opened })).run(
      '1',
      {},
      { store, env },
    );
    await env.advance(25_000);

    await expect(trip(world).resume('1', { store: elsewhere(store), env })).rejects.toMatchObject({
      code: 'TELLASK_SAGA_RUNNING',
      owner: 'm',
      // It was renewed at 20 s.
      retryAfterMs: 25_000,
    });

    open.open();
    expect((await running).status).toBe('completed');
    expect(env.pendingTimers()).toEqual([]);
  });

  it('of a saga that never was is not found', async () => {
    await expect(trip(new World()).resume('9', { store: new MemoryStore() })).rejects.toMatchObject(
      {
        code: 'TELLASK_SAGA_NOT_FOUND',
        id: '9',
      },
    );
  });
});

describe('two that want the same saga', () => {
  // R:I3: one winner.
  it('race for it: one runs it, the other is refused', async () => {
    const world = new World();
    const store = dying(3, 'after');
    void trip(world).run('1', {}, { store, env: new SimEnv() });
    await turn();
    world.log.length = 0;
    const kept = left(store);
    const env = await later();

    const outcomes = await Promise.allSettled(
      [1, 2, 3].map(() => trip(world).resume('1', { store: elsewhere(kept), env })),
    );

    expect(outcomes.map(({ status }) => status).toSorted()).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('TELLASK_SAGA_RUNNING');
    }
    expect(world.log).toEqual(['b', 'c']);
  });

  // R:I3: a stale owner's save fails.
  it('when one takes it over, the other saves and undoes nothing more, and aborts what runs', async () => {
    const world = new World();
    const env = new SimEnv();
    const store = new MemoryStore();
    const aborted: unknown[] = [];
    const open = gate();
    const slow = world.step('b', {
      run: async ({ signal }) => {
        signal.addEventListener('abort', () => aborted.push(signal.reason.code));
        await open.opened;
      },
    });
    const stale = trip(world, slow).run('1', {}, { store, env });
    await env.settle();

    const second = await trip(world).resume('1', { store: elsewhere(store), env, takeOver: true });
    const commits = store.toJSON().revision;
    const failed = expect(stale).rejects.toMatchObject({
      code: 'TELLASK_SAGA_LEASE_LOST',
      id: '1',
    });
    // Its next heartbeat finds out.
    await env.advance(10_000);
    expect(aborted).toEqual(['TELLASK_SAGA_LEASE_LOST']);
    open.open();
    await failed;

    expect(second.status).toBe('completed');
    expect(world.log).toEqual(['a', 'b', 'b', 'c']);
    expect(store.toJSON().revision).toBe(commits);
    expect(env.pendingTimers()).toEqual([]);
  });
});

describe('a store', () => {
  it.each([
    ['fails', () => Promise.reject(new Error('disk'))],
    [
      'throws',
      () => {
        throw new Error('disk');
      },
    ],
  ] as const)(
    'that %s stops the saga where it is; it can be resumed at once',
    async (_name, fail) => {
      const world = new World();
      let broken = false;
      const store = watched((writes, inner) => (broken ? fail() : inner.commit(writes)));
      const run = (): void => {
        broken = true;
      };

      const stopped = trip(world, world.step('b', { run })).run('1', {}, { store });

      await expect(stopped).rejects.toMatchObject({
        code: 'TELLASK_SAGA_STOPPED',
        cause: expect.objectContaining({ message: 'disk' }),
      });
      // Nothing of the next step, and nothing is undone.
      expect(world.log).toEqual(['a', 'b']);
      broken = false;
      const result = await trip(world).resume('1', { store });
      expect([result.status, ...world.log]).toEqual(['completed', 'a', 'b', 'b', 'c']);
    },
  );

  it('that does not answer stops the saga after a while', async () => {
    const world = new World();
    const env = new SimEnv();
    const stopped = trip(world).run(
      '1',
      {},
      { store: dying(3, 'after'), env, storeTimeoutMs: 500 },
    );
    const failed = expect(stopped).rejects.toMatchObject({
      code: 'TELLASK_SAGA_STOPPED',
      cause: expect.objectContaining({ message: 'The store has not answered within 500 ms' }),
    });

    await env.advance(500);
    await failed;

    expect(world.log).toEqual(['a']);
    expect(env.pendingTimers()).toEqual([]);
  });

  it('that fails at the very first commit lets nothing begin', async () => {
    const world = new World();
    const store = watched(() => Promise.reject(new Error('disk')));

    await expect(trip(world).run('1', {}, { store })).rejects.toMatchObject({
      code: 'TELLASK_SAGA_STOPPED',
    });

    expect(world.log).toEqual([]);
  });

  it('may answer without a promise, and stops the saga when its answer is none', async () => {
    const inner = new MemoryStore();
    const written = await inner.commit([{ key: 'other', value: '1' }]);
    const silent = { ...elsewhere(inner), get: () => undefined, commit: () => undefined };
    const deaf = { ...elsewhere(inner), commit: async () => undefined };
    const plain = {
      ...elsewhere(inner),
      get: () => null,
      commit: ([write]: readonly { readonly key: string }[]) => {
        return { ...written, writes: [{ ...write, version: written.revision }] };
      },
    };
    const run = (store: unknown) => trip(new World()).run('1', {}, { store: store as Store });

    await expect(run(silent)).rejects.toMatchObject({ code: 'TELLASK_SAGA_STOPPED' });
    await expect(run(deaf)).rejects.toMatchObject({ code: 'TELLASK_SAGA_STOPPED' });
    expect((await run(plain)).status).toBe('completed');
  });

  it('that fails while others of a group run aborts them and waits for them', async () => {
    const world = new World();
    let broken = false;
    const store = watched((writes, inner) =>
      broken ? Promise.reject(new Error('disk')) : inner.commit(writes),
    );
    const group = saga('trip').parallel('both', {
      a: world.step('a', {
        run: () => {
          broken = true;
        },
      }),
      b: world.step('b', {
        run: ({ signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              world.log.push('b stops');
              reject(signal.reason);
            });
          }),
      }),
    });

    await expect(group.run('1', {}, { store })).rejects.toMatchObject({
      code: 'TELLASK_SAGA_STOPPED',
    });

    expect(world.log).toEqual(['a', 'b', 'b stops']);
  });

  it('that holds something else under the key is refused', async () => {
    const store: Store = new MemoryStore();
    await store.commit([{ key: 'saga/trip/1', value: 'no json' }]);
    await store.commit([{ key: 'saga/trip/2', value: '{"format":2}' }]);
    const torn = ['{"steps":null}', '{"steps":{"a":null}}', '{"steps":[]}', '{"status":"late"}'];
    for (const [at, text] of torn.entries()) {
      const journal = { format: 1, status: 'running', steps: {}, ...JSON.parse(text) };
      await store.commit([{ key: `saga/trip/${at + 3}`, value: JSON.stringify(journal) }]);
    }

    for (const id of ['1', '2', '3', '4', '5', '6']) {
      await expect(trip(new World()).resume(id, { store })).rejects.toMatchObject({
        code: 'TELLASK_SAGA_CHANGED',
      });
    }
  });
});

describe('force', () => {
  it('runs compensations that failed once more', async () => {
    const world = new World();
    const store = new MemoryStore();
    let refunds = false;
    const undo = (): void => {
      if (!refunds) throw new Error('no refund');
    };
    const booking = saga('trip')
      .step('a', world.step('a', { undo, compensation: { retry: false } }))
      .step('b', world.failing('b'));
    await booking.run('1', {}, { store });
    refunds = true;

    const plain = await booking.resume('1', { store });
    const forced = await booking.resume('1', { store, force: true });

    expect(plain.status).toBe('compensation-failed');
    expect(forced).toMatchObject({
      status: 'compensated',
      uncompensated: [],
      error: { message: 'b failed' },
    });
    expect(world.standing.size).toBe(0);
  });

  it('is not forgotten while it is tried, however many others end without a store', async () => {
    const open = gate();
    let refunds = false;
    const undo = async (): Promise<void> => {
      if (!refunds) throw new Error('no refund');
      await open.opened;
    };
    const world = new World();
    const booking = saga<boolean>('trip')
      .step('a', world.step('a', { undo, compensation: { retry: false } }))
      .step('b', {
        run: (fails) => {
          if (fails) throw new Error('b failed');
        },
      });
    await booking.run('1', true);
    refunds = true;

    const forced = booking.resume('1', { force: true });
    for (let other = 0; other < 251; other += 1) await booking.run(`other ${other}`, false);
    open.open();

    expect((await forced).status).toBe('compensated');
    expect((await booking.list()).length).toBe(250);
  });

  it('runs the steps behind the pivot that failed once more', async () => {
    const world = new World();
    const store = new MemoryStore();
    const { compensate: _, ...p } = world.step('p', { pivot: true });
    const { compensate: __, ...broken } = world.failing('c');
    const { compensate: ___, ...mended } = world.step('c');
    await saga('trip').step('p', p).step('c', broken).run('1', {}, { store });

    const forced = await saga('trip')
      .step('p', p)
      .step('c', mended)
      .resume('1', { store, force: true });

    expect(forced).toEqual({
      status: 'completed',
      id: '1',
      results: { p: 'p', c: 'c' },
      uncompensated: [],
    });
    expect(world.log).toEqual(['p', 'c', 'c']);
  });
});

describe('list', () => {
  it('shows the sagas of its name in the order of their ids, by status and page by page', async () => {
    const world = new World();
    const store = new MemoryStore();
    const booking = saga<number>('trip').step('a', {
      run: (n) => {
        if (n % 2 === 1) throw new Error('odd');
      },
    });
    for (let n = 0; n < 120; n += 1) await booking.run(String(n).padStart(3, '0'), n, { store });
    await saga('trip2').step('a', world.step('a')).run('x', {}, { store });
    await booking.run('with/slash', 2, { store });

    const all = await booking.list({ store });
    const odd = await booking.list({ store, status: 'compensated' });
    const few = await booking.list({ store, after: '117', limit: 3 });

    expect(all.length).toBe(121);
    expect(odd.length).toBe(60);
    expect(odd[0]).toMatchObject({ id: '001', error: { message: 'odd' }, owner: undefined });
    expect(few.map(({ id }) => id)).toEqual(['118', '119', 'with/slash']);
  });

  it('shows the others beside one that cannot be read, and says which one that is', async () => {
    const store = new MemoryStore();
    const trip = saga<number>('trip').step('a', { run: () => 1 });
    for (const id of ['1', '2', '3']) await trip.run(id, 0, { store });
    await store.commit([{ key: 'saga/trip/2', value: '{"format":2}' }]);

    const all = await trip.list({ store });
    const broken = await trip.list({ store, status: 'unreadable' });

    expect(all.map(({ id, status }) => `${id} ${status}`)).toEqual([
      '1 completed',
      '2 unreadable',
      '3 completed',
    ]);
    expect(broken).toMatchObject([{ id: '2', error: { code: 'TELLASK_SAGA_CHANGED' } }]);
  });
});

it('says commit by commit what it does', async () => {
  const store = new MemoryStore();
  const world = new World();

  await saga('trip')
    .step('a', world.step('a'))
    .parallel('g', { b: world.step('b'), c: world.step('c') })
    .run('1', {}, { store });

  expect(story(store)).toEqual([
    'running',
    'running a:started',
    'running a:completed g/b:started g/c:started',
    'running a:completed g/b:completed g/c:completed',
    'completed a:completed g/b:completed g/c:completed',
  ]);
});
