import { describe, expect, it } from 'vitest';
import type { Lock } from '../../src/state/lock.ts';
import { StateView } from '../../src/state/state-view.ts';
import type { SimEnv } from '../../src/testing/sim-env.ts';
import { makeWorld, rejection } from './state-world.ts';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A simulated state, its clock, and a log. */
function makeSim() {
  const world = makeWorld('simulated');
  const log: string[] = [];
  const sim = world.sim as SimEnv;
  const told = (name: string) => (error: unknown) =>
    void log.push(`${name}: ${(error as { code?: string }).code ?? (error as Error).name}`);
  return { ...world, sim, log, told };
}

describe.each(['real', 'simulated'] as const)('a lock, on the %s Env', (env) => {
  // R:K6
  it('is held by one at a time, in the order of the requests', async () => {
    const { as, core, ended } = makeWorld(env);
    const log: string[] = [];
    const work = (name: string) =>
      as(name).withLock('doc.1', async () => {
        log.push(`${name} in`);
        await null;
        log.push(`${name} out`);
        return name;
      });

    const results = await ended(Promise.all(['a', 'b', 'c'].map(work)));

    expect(results).toEqual(['a', 'b', 'c']);
    expect(log).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
    expect(core.locks.inspect()).toEqual([]);
  });

  // R:K6
  it('waits for its turn when its actor or the host holds it already', async () => {
    const { as, state, ended } = makeWorld(env);
    let most = 0;
    let now = 0;
    const work = (view: StateView) =>
      view.withLock('k', async () => {
        most = Math.max(most, ++now);
        await null;
        now--;
      });

    await ended(Promise.all([as('a'), as('a'), state, state].map(work)));

    expect(most).toBe(1);
  });

  it('keeps nobody from another key', async () => {
    const { state, ended } = makeWorld(env);

    const both = await ended(
      state.withLock('a', (one) => state.withLock('b', (other) => [one.held, other.held])),
    );

    expect(both).toEqual([true, true]);
  });

  // R:K6
  it('is let go of when its work throws, and gives the next a higher token', async () => {
    const { state, ended } = makeWorld(env);
    const tokens: number[] = [];
    const fails = state.withLock('k', ({ token }) => {
      tokens.push(token);
      throw new RangeError('no');
    });
    const next = state.withLock('k', ({ token }) => tokens.push(token));

    expect(await rejection(ended(fails))).toBe('RangeError');
    await ended(next);

    expect(tokens[1]).toBeGreaterThan(tokens[0] as number);
  });

  // R:K6
  it('is not overtaken by a newcomer while it is handed on', async () => {
    const { as, ended } = makeWorld(env);
    const log: string[] = [];
    const take = async (name: string) => {
      const lock = await as(name).lock('k');
      log.push(name);
      return lock;
    };
    const first = await ended(take('first'));
    const second = take('second');
    first.release();
    const third = take('third');

    (await ended(second)).release();
    await ended(third);

    expect(log).toEqual(['first', 'second', 'third']);
  });

  // R:K6
  it('is taken now or never with a time-out of 0', async () => {
    const { as, ended } = makeWorld(env);
    const lock = await ended(as('a').lock('k', { timeoutMs: 0 }));

    const refused = await ended(
      as('b')
        .lock('k', { timeoutMs: 0 })
        .catch((error: unknown) => error),
    );

    expect(refused).toMatchObject({ code: 'TELLASK_LOCK_TIMEOUT', heldBy: 'a', key: 'k' });
    lock.release();
    expect((await ended(as('b').lock('k', { timeoutMs: 0 }))).held).toBe(true);
  });

  // R:K6
  it('calls its waiting off by a signal, and those behind move up', async () => {
    const { as, core, ended } = makeWorld(env);
    const controller = new AbortController();
    const lock = await ended(as('a').lock('k'));
    const gone = as('b').lock('k', { signal: controller.signal });
    const next = as('c').lock('k');
    gone.catch(() => {});
    await tick();

    controller.abort(new RangeError('enough'));
    expect(core.locks.find('k')?.waiting).toEqual(['c']);
    lock.release();

    expect(await rejection(ended(gone))).toBe('RangeError');
    expect((await ended(next)).actor).toBe('c');
    const late = as('b').lock('k', { signal: controller.signal });
    expect(await rejection(ended(late))).toBe('RangeError');
  });

  // R:K6
  it('refuses the request that would close a cycle, and names it', async () => {
    const { as, ended } = makeWorld(env);
    const [a, b, c] = [as('a'), as('b'), as('c')];
    const locks = [await ended(a.lock('x')), await ended(b.lock('y')), await ended(c.lock('z'))];
    const waits = [a.lock('y'), b.lock('z')];
    for (const wait of waits) wait.catch(() => {});
    await tick();

    const refused = await ended(c.lock('x').catch((error: unknown) => error));

    expect(refused).toMatchObject({
      code: 'TELLASK_LOCK_DEADLOCK',
      message:
        "c would wait for 'x', which a holds, who waits for 'y', which b holds, who waits for " +
        "'z', which c holds",
      cycle: [
        { actor: 'c', waitsFor: 'x', heldBy: 'a' },
        { actor: 'a', waitsFor: 'y', heldBy: 'b' },
        { actor: 'b', waitsFor: 'z', heldBy: 'c' },
      ],
    });
    locks[2]?.release();
    expect((await ended(waits[1] as Promise<Lock>)).key).toBe('z');
  });

  // R:K6
  it('lets work inside each other deadlock only once: one goes on, one is refused', async () => {
    const { as, ended } = makeWorld(env);
    const nested = (name: string, outer: string, inner: string) =>
      as(name).withLock(outer, async () => {
        await null;
        return as(name).withLock(inner, () => name);
      });

    const done = await ended(Promise.allSettled([nested('a', 'x', 'y'), nested('b', 'y', 'x')]));

    expect(done.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  // R:K6
  it('takes several in the order of their keys, all or none', async () => {
    const { as, core, ended } = makeWorld(env);
    const held = await ended(as('a').lock('m'));

    const none = as('b').lockAll(['z', 'm', 'a', 'm'], { timeoutMs: 0 });
    expect(await rejection(ended(none))).toBe('TELLASK_LOCK_TIMEOUT');
    expect(core.locks.inspect().map(({ key }) => key)).toEqual(['m']);
    held.release();
    const all = await ended(as('b').lockAll(['z', 'm', 'a', 'm']));

    expect(all.locks.map(({ key }) => key)).toEqual(['a', 'm', 'z']);
    expect(all.held).toBe(true);
    all.release();
    expect(core.locks.inspect()).toEqual([]);
  });

  // R:K6
  it('fences the writes of who does not hold it any more', async () => {
    const { state, ended } = makeWorld(env);
    state.set('doc', 1);
    const lock = await ended(state.lock('doc'));

    state.set('doc', 2, { lock });
    lock.release();
    lock.release();

    for (const write of [
      () => state.set('doc', 3, { lock }),
      () => state.create('new', 3, { lock }),
      () => state.update('doc', () => 3, { lock }),
      () => state.compareAndSet('doc', 2, 3, { lock }),
      () => state.delete('doc', { lock }),
      () => lock.extend(),
    ]) {
      expect(write).toThrow("The lock of 'doc' is not held any more: it was released");
    }
    expect(state.get('doc')?.value).toBe(2);
  });

  // R:K6
  it('fences a transaction that began while it was held', async () => {
    const { state, ended } = makeWorld(env);
    const lock = await ended(state.lock('doc'));

    const run = state.transaction(async (tx) => {
      tx.set('doc', 1, { lock });
      await null;
      lock.release();
    });

    expect(await rejection(ended(run))).toBe('TELLASK_LOCK_LOST');
    expect(state.has('doc')).toBe(false);
  });

  // R:K6
  it('is released with all others when its holder leaves, who waits no more', async () => {
    const { core, as, ended } = makeWorld(env);
    const registration = {};
    const author = { actor: 'gone', causationId: undefined };
    const gone = new StateView(core, { actor: author.actor, author: () => author, registration });
    const lock = await ended(gone.lock('k'));
    const other = await ended(as('b').lock('j'));
    const waits = gone.lock('j');
    waits.catch(() => {});
    const next = as('c').lock('k');
    await tick();

    core.locks.leave(registration, new RangeError('left'));

    expect(lock.signal.reason).toMatchObject({ code: 'TELLASK_LOCK_LOST', why: 'left' });
    expect(await rejection(ended(waits))).toBe('RangeError');
    expect((await ended(next)).held).toBe(true);
    expect(other.held).toBe(true);
  });

  // R:K6
  it('is lost when the state is closed, and nobody waits for it or asks for it any more', async () => {
    const { core, as, ended } = makeWorld(env);
    const lock = await ended(as('a').lock('k'));
    const waits = as('b').lock('k');
    waits.catch(() => {});
    await tick();

    core.close();

    expect(lock.signal.reason).toMatchObject({ code: 'TELLASK_LOCK_LOST', why: 'closed' });
    expect(await rejection(ended(waits))).toBe('TELLASK_STATE_CLOSED');
    expect(await rejection(ended(as('c').lock('k')))).toBe('TELLASK_STATE_CLOSED');
    expect(await rejection(ended(as('c').lockAll(['k'])))).toBe('TELLASK_STATE_CLOSED');
    expect(core.locks.inspect()).toEqual([]);
  });

  it.each([
    ['a key that is none', (state: StateView) => state.lock('a..b')],
    ['a time-out below 0', (state: StateView) => state.lock('a', { timeoutMs: -1 })],
    ['a lease of 0', (state: StateView) => state.lock('a', { leaseMs: 0 })],
    ['an unknown option', (state: StateView) => state.lock('a', { lease: 1 } as object)],
    ['keys that are no array', (state: StateView) => state.lockAll('a' as never)],
    ['work that is no function', (state: StateView) => state.withLock('a', 1 as never)],
  ])('refuses %s by a rejection', async (_, call) => {
    const { state, core, ended } = makeWorld(env);

    const refused = await rejection(ended(call(state)));

    expect(['TypeError', 'TELLASK_INVALID_TOPIC']).toContain(refused);
    expect(core.locks.inspect()).toEqual([]);
  });
});

describe('the time of a lock', () => {
  // R:K6
  it('ends a waiting at its time-out, and says who holds it', async () => {
    const { as, sim, log, told } = makeSim();
    const a = as('a');
    const nested = a.withLock('k', () => a.withLock('k', () => 1, { timeoutMs: 50 }));
    nested.catch((error: Error) => log.push(error.message));
    as('b').lock('k', { timeoutMs: 20 }).catch(told('b'));

    await sim.advance(19);
    expect(log).toEqual([]);
    await sim.advance(1);
    expect(log).toEqual(['b: TELLASK_LOCK_TIMEOUT']);
    await sim.advance(30);

    expect(log[1]).toBe(
      "The lock of 'k' was not free within 50 ms: it is held by a, who asks for it",
    );
    expect(sim.pendingTimers()).toEqual([]);
  });

  // R:K6
  it('takes a lock away when its lease is over, and gives it to the next', async () => {
    const { as, state, sim, log, told } = makeSim();
    const locks: Lock[] = [];
    as('a')
      .withLock(
        'k',
        (lock) => {
          locks.push(lock);
          return new Promise(() => {});
        },
        { leaseMs: 100 },
      )
      .catch(told('a'));
    as('b')
      .withLock('k', (lock) => {
        log.push(`b with ${lock.token > (locks[0]?.token ?? 0) ? 'a higher' : 'a lower'} token`);
        state.set('k', 'of b', { lock });
      })
      .catch(told('b'));

    await sim.advance(99);
    expect(log).toEqual([]);
    expect(locks[0]?.remainingMs).toBe(1);
    await sim.advance(1);

    expect(log.toSorted()).toEqual(['a: TELLASK_LOCK_LOST', 'b with a higher token']);
    expect(() => state.set('k', 'of a', { lock: locks[0] as Lock })).toThrow('its lease is over');
    expect(state.get('k')?.value).toBe('of b');
    expect(sim.pendingTimers()).toEqual([]);
  });

  // R:K6
  it('begins anew when it is extended', async () => {
    const { state, sim } = makeSim();
    const asked = state.lock('k', { leaseMs: 100 });
    await sim.settle();
    const lock = await asked;
    await sim.advance(90);

    lock.extend();
    await sim.advance(99);
    expect(lock.held).toBe(true);
    lock.extend(Infinity);
    await sim.advance(1_000_000);

    expect(lock.held).toBe(true);
    expect(sim.pendingTimers()).toEqual([]);
  });

  it('counts for several locks together', async () => {
    const { as, sim, log, told } = makeSim();
    const held = [as('a').lock('x', { leaseMs: 30 }), as('a').lock('y', { leaseMs: 60 })];
    as('b').lockAll(['x', 'y'], { timeoutMs: 50 }).catch(told('b'));

    await sim.advance(50);

    expect(log).toEqual(['b: TELLASK_LOCK_TIMEOUT']);
    expect(held.length).toBe(2);
  });

  it('ends a set of locks when one of them is lost', async () => {
    const { state, sim } = makeSim();
    const asked = state.lockAll(['x', 'y'], { leaseMs: 30 });
    await sim.settle();
    const locks = await asked;
    locks.locks[0]?.extend(100);

    await sim.advance(30);

    expect(locks.held).toBe(false);
    expect(locks.signal.reason).toMatchObject({ key: 'y', why: 'expired' });
    expect(() => locks.extend()).toThrow('not held');
  });

  it('leaves nothing behind when nobody holds a lock or waits', async () => {
    const { state, core, sim } = makeSim();
    await Promise.all([state.withLock('k', () => 1), state.withLock('k', () => 2), sim.settle()]);

    expect(core.locks.inspect()).toEqual([]);
    expect(sim.pendingTimers()).toEqual([]);
    expect(sim.readyLanes()).toEqual([]);
  });
});
