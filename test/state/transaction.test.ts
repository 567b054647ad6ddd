import { describe, expect, it } from 'vitest';
import { StateManager } from '../../src/state/state-manager.ts';
import { StateView } from '../../src/state/state-view.ts';
import type { StateTransaction } from '../../src/state/transaction.ts';
import { makeWorld, rejection } from './state-world.ts';

const plus = (by: number) => (n: unknown) => (n as number) + by;

describe.each(['real', 'simulated'] as const)('a transaction, on the %s Env', (env) => {
  // R:K2
  it('makes all that it wrote true in one revision, signed by its actor', async () => {
    const { state, as, ended } = makeWorld(env);
    state.set('purse.ann', 10);
    state.set('purse.bob', 0);

    const left = await ended(
      as('teller').transaction(async (tx) => {
        tx.update('purse.bob', plus(4));
        await null;
        return tx.update('purse.ann', plus(-4)).value;
      }),
    );

    expect(left).toBe(6);
    const entries = state.list('purse.*');
    expect(entries.map(({ value, version, revision }) => [value, version, revision])).toEqual([
      [6, 2, 3],
      [4, 2, 3],
    ]);
    expect(entries[0]?.actor).toBe('teller');
  });

  // R:K2
  it('sees its own writes, and nobody else sees them before the end', async () => {
    const { state, ended } = makeWorld(env);
    state.set('doc.1', 'one');
    const outside: unknown[] = [];

    const inside = await ended(
      state.transaction(async (tx) => {
        tx.create('doc.2', 'two');
        tx.delete('doc.1');
        tx.set('doc.3', 'three');
        await null;
        outside.push(state.list().map(({ key }) => key));
        return [tx.has('doc.1'), tx.get('doc.2')?.value, tx.list('doc.*').map(({ key }) => key)];
      }),
    );

    expect(inside).toEqual([false, 'two', ['doc.2', 'doc.3']]);
    expect(outside).toEqual([['doc.1']]);
    expect(state.list().map(({ key }) => key)).toEqual(['doc.2', 'doc.3']);
  });

  // R:K2
  it.each<[string, (tx: StateTransaction) => unknown, unknown]>([
    ['an update after a set', (tx) => [tx.set('a', 1), tx.update('a', plus(1))], ['2 updated', 2]],
    ['a set after a create', (tx) => [tx.create('b', 1), tx.set('b', 2)], ['1 created', 2]],
    ['a create after a delete', (tx) => [tx.delete('a'), tx.create('a', 5)], ['2 set', 5]],
    ['a delete after a set', (tx) => [tx.set('a', 1), tx.delete('a')], ['2 deleted', undefined]],
    [
      'a compare-and-set of what it wrote',
      (tx) => tx.compareAndSet('a', tx.set('a', 1).version, 3),
      ['2 set', 3],
    ],
    ['a create that it deletes', (tx) => [tx.create('b', 1), tx.delete('b')], undefined],
    ['an update to the same', (tx) => tx.update('a', (n) => n), ['1 set', 0]],
  ])('makes one version a key: %s', async (_, fn, expected) => {
    const { state, ended } = makeWorld(env);
    state.set('a', 0);

    await ended(state.transaction((tx) => void fn(tx)));

    const last = [...state.history('b'), ...state.history('a')][0];
    const newest = state.history(last?.key === 'b' ? 'b' : 'a').at(-1);
    const shown = newest && [`${newest.version} ${newest.action}`, newest.value];
    expect(expected === undefined ? state.history('b') : shown).toEqual(expected ?? []);
  });

  it('makes no revision when it writes nothing', async () => {
    const { state, ended } = makeWorld(env);
    state.set('a', 0);

    await ended(state.transaction((tx) => tx.get('a')));

    expect(state.set('a', 1).revision).toBe(2);
  });

  // R:K2
  it('gives back entries with the version that they will have', async () => {
    const { state, ended } = makeWorld(env);
    state.set('a', 0);

    const entry = await ended(state.transaction((tx) => tx.set('a', 1)));

    await entry.durable;
    expect([entry.version, entry.revision]).toEqual([2, 2]);
    expect(state.get('a')?.version).toBe(2);
  });

  // R:K2
  it('writes nothing when fn throws, and throws what it threw', async () => {
    const { state, ended } = makeWorld(env);
    const kept: unknown[] = [];

    const run = state.transaction(async (tx) => {
      kept.push(tx.set('a', 1));
      await null;
      throw new RangeError('no');
    });

    expect(await rejection(ended(run))).toBe('RangeError');
    expect(state.list()).toEqual([]);
    await expect((kept[0] as { durable: Promise<void> }).durable).rejects.toThrow('not committed');
  });

  // R:K2
  it.each<[string, (tx: StateTransaction) => unknown, (state: StateView) => unknown]>([
    ['a value it read', (tx) => tx.get('a'), (state) => state.set('a', 1)],
    ['a value it found missing', (tx) => tx.has('b'), (state) => state.create('b', 1)],
    ['a value it wrote', (tx) => tx.set('a', 5), (state) => state.delete('a')],
    ['a new key in what it listed', (tx) => tx.list('*'), (state) => state.create('b', 1)],
    ['a lost key in what it listed', (tx) => tx.list('*'), (state) => state.delete('a')],
    ['another value in what it listed', (tx) => tx.list('*'), (state) => state.set('a', 7)],
  ])('is run again when somebody else has changed %s', async (_, look, meddle) => {
    const { state, ended } = makeWorld(env);
    state.set('a', 0);
    let runs = 0;

    await ended(
      state.transaction(async (tx) => {
        look(tx);
        await null;
        if (++runs === 1) meddle(state);
        await null;
        tx.set('done', runs);
      }),
    );

    expect(runs).toBe(2);
    expect(state.get('done')?.value).toBe(2);
  });

  it('is not run again for what it never looked at', async () => {
    const { state, ended } = makeWorld(env);
    let runs = 0;

    await ended(
      state.transaction(async (tx) => {
        tx.list('doc.*');
        runs++;
        state.set('other', runs);
        await null;
        tx.set('doc.1', 1);
      }),
    );

    expect(runs).toBe(1);
  });

  // R:K2
  it('never sees two keys of two different times', async () => {
    const { state, ended } = makeWorld(env);
    state.set('a', 0);
    state.set('b', 0);
    const seen: unknown[] = [];
    let meddled = false;

    await ended(
      state.transaction(async (tx) => {
        const a = tx.get('a')?.value;
        await null;
        if (!meddled) {
          meddled = true;
          await state.transaction((other) => void [other.set('a', 1), other.set('b', 1)]);
        }
        seen.push([a, tx.get('b')?.value]);
      }),
    );

    expect(seen).toEqual([[1, 1]]);
  });

  // R:K2
  it('is run again although its function has caught the conflict', async () => {
    const { state, ended } = makeWorld(env);
    state.set('a', 0);
    let runs = 0;

    await ended(
      state.transaction(async (tx) => {
        tx.get('a');
        if (++runs === 1) state.set('a', 1);
        try {
          tx.set('b', runs);
        } catch {}
      }),
    );

    expect(runs).toBe(2);
    expect(state.get('b')?.value).toBe(2);
  });

  // R:K2
  it.each([0, 1, 3])('gives up after %i retries, with the conflict', async (retries) => {
    const { core, state, as, ended } = makeWorld(env);
    let runs = 0;

    const run = as('a').transaction(
      async (tx) => {
        tx.update('n', plus(1), { initial: 0 });
        runs++;
        state.set('n', runs);
      },
      { retries },
    );

    const error = await ended(run.catch((reason: unknown) => reason));
    expect(error).toMatchObject({ code: 'TELLASK_STATE_CONFLICT', key: 'n', lastActor: '$host' });
    expect(runs).toBe(retries + 1);
    expect(core.conflicts).toBe(runs);
    expect(state.get('n')?.value).toBe(runs);
  });

  it('throws a conflict that a retry would not mend at once', async () => {
    const { state, ended } = makeWorld(env);
    state.set('a', 0);
    let runs = 0;

    const run = state.transaction((tx) => {
      runs++;
      tx.compareAndSet('a', 7, 1);
    });

    expect(await rejection(ended(run))).toBe('TELLASK_STATE_CONFLICT');
    expect(runs).toBe(1);
  });

  it('refuses an update whose function writes the key itself', async () => {
    const { state, ended } = makeWorld(env);

    const run = state.transaction((tx) => {
      tx.set('a', 0);
      tx.update('a', () => tx.set('a', 1).value as number);
    });

    expect(await rejection(ended(run))).toBe('TELLASK_STATE_CONFLICT');
    expect(state.has('a')).toBe(false);
  });

  // R:K2
  it('throws when its tx is used after the end', async () => {
    const { state, ended } = makeWorld(env);
    const kept: StateTransaction[] = [];
    await ended(state.transaction((tx) => void kept.push(tx)));
    const tx = kept[0] as StateTransaction;

    for (const use of [
      () => tx.get('a'),
      () => tx.list(),
      () => tx.set('a', 1),
      () => tx.publish('t', 1),
    ]) {
      expect(use).toThrow('This transaction has ended');
    }
    expect(state.list()).toEqual([]);
  });

  it('is called off by its signal, with the reason', async () => {
    const { state, ended } = makeWorld(env);
    const controller = new AbortController();
    const signals: AbortSignal[] = [];

    const run = state.transaction(
      async (tx) => {
        tx.set('a', 1);
        signals.push(tx.signal);
        controller.abort(new RangeError('enough'));
        await new Promise(() => {});
      },
      { signal: controller.signal },
    );

    expect(await rejection(ended(run))).toBe('RangeError');
    expect(signals[0]?.aborted).toBe(true);
    expect(state.has('a')).toBe(false);
    const late = state.transaction(() => 1, { signal: controller.signal });
    expect(await rejection(ended(late))).toBe('RangeError');
  });

  it.each([
    ['no function', 1, {}],
    ['retries of -1', () => 1, { retries: -1 }],
    ['a time-out that is no number', () => 1, { timeoutMs: '1' }],
    ['an option that it does not have', () => 1, { retry: 1 }],
  ])('refuses %s', async (_, fn, options) => {
    const { state } = makeWorld(env);

    const refused = await rejection(state.transaction(fn as () => 1, options as object));

    expect(['TypeError', 'RangeError']).toContain(refused);
  });

  // R:K2
  it('says what it has to say when it has committed, once, and not in a run that failed', async () => {
    const { core, state, ended } = makeWorld(env);
    const said: string[] = [];
    const say = (line: string) => () =>
      void said.push(`${line}, a is ${state.get('a')?.value as number}`);
    const voice = {
      publish: (topic: string, payload: unknown) => say(`${topic} ${payload as string}`),
      send: (to: string, topic: string, payload: unknown) =>
        say(`${to} ${topic} ${payload as string}`),
    };
    const author = { actor: 'w', causationId: undefined };
    const view = new StateView(core, { actor: 'w', author: () => author, voice });
    let runs = 0;

    await ended(
      view.transaction(async (tx) => {
        tx.set('a', ++runs);
        tx.publish('changed', runs);
        tx.send('bob', 'look', runs);
        if (runs === 1) state.set('a', 0);
      }),
    );
    await rejection(
      ended(
        view.transaction((tx) => {
          tx.publish('changed', 9);
          throw new Error('no');
        }),
      ),
    );

    expect(said).toEqual(['changed 2, a is 2', 'bob look 2, a is 2']);
  });

  it('can say nothing where there is no bus', async () => {
    const { state, ended } = makeWorld(env);

    expect(await rejection(ended(state.transaction((tx) => tx.publish('a', 1))))).toBe('TypeError');
  });
});

describe('a transaction of who may not see everything', () => {
  it('does not show in its conflict what it may not read', async () => {
    const state = new StateManager({
      access: { default: 'deny', rules: [{ effect: 'allow', agents: 'blind', actions: 'write' }] },
    });
    const blind = state.as('blind');

    const run = blind.transaction(
      async (tx) => {
        tx.set('secret', 'mine');
        state.set('secret', 'yours');
      },
      { retries: 0 },
    );

    const error = await run.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'TELLASK_STATE_CONFLICT', key: 'secret' });
    expect(error).toMatchObject({ current: undefined, lastActor: undefined, proposed: 'mine' });
  });
});

describe('a transaction that is always in its own way', () => {
  it('lets others run, and its time-out end it', async () => {
    const { state } = makeWorld('real');
    const own = async (tx: StateTransaction) => {
      tx.get('k');
      state.set('k', 1);
    };

    const run = state.transaction(own, { retries: Infinity, timeoutMs: 5 });

    expect(await rejection(run)).toBe('TELLASK_STATE_TIMEOUT');
  });
});

describe('a transaction of who may write no more when it would commit', () => {
  it('throws why, and has written and said nothing', async () => {
    const { core } = makeWorld('real');
    let fenced = false;
    const author = () => {
      if (fenced) throw new RangeError('fenced');
      return { actor: 'a', causationId: undefined };
    };
    const said: string[] = [];
    const voice = { publish: () => () => void said.push('said'), send: () => () => {} };
    const view = new StateView(core, { actor: 'a', author, voice });

    const run = view.transaction((tx) => {
      tx.set('k', 1);
      tx.publish('t', 1);
      fenced = true;
    });

    expect(await rejection(run)).toBe('RangeError');
    expect(core.revision).toBe(0);
    expect(said).toEqual([]);
  });
});

describe('a transaction and time', () => {
  it('writes what expires, and is run again when something has expired meanwhile', async () => {
    const { state, sim } = makeWorld('simulated');
    state.set('old', 1, { ttlMs: 10 });
    const seen: unknown[] = [];
    const run = state.transaction(async (tx) => {
      seen.push(tx.get('old')?.value);
      await new Promise<void>((resolve) => sim?.setTimer(20, resolve));
      tx.set('new', 1, { ttlMs: 30 });
    });

    await sim?.advance(45);
    await run;
    expect(seen).toEqual([1, undefined]);
    expect(state.get('new')?.value).toBe(1);
    await sim?.advance(30);

    expect(state.has('new')).toBe(false);
  });
});

describe('a transaction with a time-out', () => {
  it('ends when its time is over, and leaves no timer when it is done before', async () => {
    const { state, sim } = makeWorld('simulated');
    const hangs = state.transaction(() => new Promise(() => {}), { timeoutMs: 50 });
    const quick = state.transaction(() => 1, { timeoutMs: 1_000 });
    hangs.catch(() => {});

    await sim?.advance(49);
    expect(sim?.pendingTimers()).toEqual([{ label: 'transaction time-out', at: 50 }]);
    expect(await quick).toBe(1);
    await sim?.advance(1);

    expect(await rejection(hangs)).toBe('TELLASK_STATE_TIMEOUT');
    expect(sim?.pendingTimers()).toEqual([]);
  });
});
