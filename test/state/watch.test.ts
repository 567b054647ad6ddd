import { describe, expect, it } from 'vitest';
import { StateGapError, StateOverflowError, StateVersionError } from '../../src/state/errors.ts';
import { StateAccess } from '../../src/state/state-access.ts';
import { StateManager } from '../../src/state/state-manager.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { commitAll, makeCore, makeState, readOn, thrownBy } from './make-state.ts';

describe.each(['real', 'simulated'] as const)('a watch, on the %s Env', (env) => {
  // R:K5
  it('sees what is written from the call on, in order, deletes included', async () => {
    const { state, settle } = makeState(env);
    state.set('doc.1', 'before');
    const log: string[] = [];
    const read = readOn(state.watch('doc.*'), log);

    state.set('doc.1', 'a');
    state.set('other', 'unseen');
    state.as('ann').create('doc.2', 'b');
    state.delete('doc.1');
    await settle();
    expect(log).toEqual(['2 doc.1@2 set', '4 doc.2@1 created', '5 doc.1@3 deleted']);

    state.set('doc.1', 'late');
    await state.close();
    await settle();
    await read;
    expect(log.slice(3)).toEqual(['6 doc.1@4 set', 'end']);
  });

  it('replays from a revision and goes on without a gap or a repeat', async () => {
    const { state, settle } = makeState(env);
    for (const key of ['a', 'b', 'a', 'c']) state.set(key, 1);
    const log: string[] = [];

    const watch = state.watch('{a,b}', { fromRevision: 2 });
    state.set('a', 2);
    void readOn(watch, log);
    await settle();
    state.set('b', 2);
    await settle();

    expect(log).toEqual(['2 b@1 set', '3 a@2 set', '5 a@3 set', '6 b@2 set']);
    expect(watch.startRevision).toBe(4);
    await watch.return();
  });

  it('begins with what is there', async () => {
    const { state, settle } = makeState(env);
    for (const key of ['a', 'b', 'a', 'c']) state.set(key, 1);
    state.delete('c');
    const log: string[] = [];

    void readOn(state.watch('**', { initial: true }), log);
    state.set('b', 2);
    await settle();

    expect(log).toEqual(['2 b@1 set', '3 a@2 set', '6 b@2 set']);
    await state.close();
  });

  it('ends with an error when it is read too slowly, and says where to go on', async () => {
    const { state, settle } = makeState(env);
    const slow = state.watch('**', { buffer: 2 });
    for (let n = 1; n <= 5; n++) state.set('a', n);
    const log: string[] = [];
    await readOn(slow, log);
    expect(log).toEqual(['1 a@1 set', '2 a@2 set', 'TELLASK_STATE_OVERFLOW']);
    expect(slow.resumeFrom).toBe(3);
    expect(state.metrics()).toMatchObject({ watchers: 0, overflows: 1 });

    void readOn(state.watch('**', { buffer: 2, fromRevision: slow.resumeFrom }), log);
    await settle();

    expect(log.slice(3)).toEqual(['3 a@3 set', '4 a@4 set', '5 a@5 set']);
    await state.close();
  });

  it('keeps the newest of each key only, when it is told to', async () => {
    const { state, settle } = makeState(env);
    state.set('a', 0);
    const log: string[] = [];
    const watch = state.watch('**', { latest: true, buffer: 2, fromRevision: 1 });
    for (let n = 1; n <= 5; n++) {
      state.set('a', n);
      state.set('b', n);
    }
    state.set('c', 1);
    void readOn(watch, log);
    await settle();
    expect(log).toEqual(['10 a@6 set', '11 b@5 set', '12 c@1 set']);
    await watch.return();

    const tight = state.watch('**', { latest: true, buffer: 2 });
    for (const key of ['a', 'b', 'a', 'c', 'a']) state.set(key, 9);
    const told: string[] = [];
    await readOn(tight, told);
    expect(told).toEqual(['14 b@6 set', '15 a@8 set', 'TELLASK_STATE_OVERFLOW']);
    expect(tight.resumeFrom).toBe(16);
  });

  it('throws the reason of its signal, and is over when the loop is left', async () => {
    const { state, settle } = makeState(env);
    const stop = new AbortController();
    const log: string[] = [];
    const read = readOn(state.watch('**', { signal: stop.signal }), log);
    state.set('a', 1);
    await settle();
    stop.abort('enough');
    await settle();
    await read;
    expect(log).toEqual(['1 a@1 set', 'enough']);
    const over = state.watch('**', { signal: stop.signal });
    await expect(over.next()).rejects.toBe('enough');

    const watch = state.watch('**');
    for (const n of [1, 2]) state.set('b', n);
    for await (const { version } of watch) if (version === 1) break;

    expect(watch.resumeFrom).toBe(3);
    expect(await watch.next()).toEqual({ done: true, value: undefined });
    expect(state.metrics().watchers).toBe(0);
  });

  it('answers calls of next in the order in which they came, and all of them in the end', async () => {
    const { state, settle } = makeState(env);
    const watch = state.watch('a');
    const told: unknown[] = [];
    for (const name of ['one', 'two', 'three', 'four']) {
      void watch.next().then(({ value, done }) => told.push([name, done ?? value, value?.value]));
    }
    state.set('a', 'x');
    state.set('a', 'y');
    await settle();
    expect(told.map((one) => (one as unknown[])[2])).toEqual(['x', 'y']);

    await watch.return();
    await settle();

    expect(told.slice(2)).toEqual([
      ['three', true, undefined],
      ['four', true, undefined],
    ]);
  });

  it('leaves no rejection alone when nobody reads the error', async () => {
    const { state, settle } = makeState(env);
    const stop = new AbortController();
    void state.watch('a', { signal: stop.signal }).next();
    state.watch('a', { buffer: 1 });

    state.set('a', 1);
    state.set('a', 2);
    stop.abort(new Error('gone'));
    await settle();

    expect(state.metrics().watchers).toBe(0);
  });
});

describe('a watch', () => {
  const make = () => new StateManager({ env: new SimEnv(), history: { maxVersions: 2 } });

  it('refuses to begin where something is missing', () => {
    const state = make();
    for (const key of ['a', 'a', 'b', 'a', 'a']) state.set(key, 1);

    const gap = thrownBy(() => state.watch('**', { fromRevision: 2 })) as StateGapError;
    expect(gap).toBeInstanceOf(StateGapError);
    expect([gap.fromRevision, gap.oldestRevision]).toEqual([2, 3]);
    expect(thrownBy(() => state.watch('**', { fromRevision: 3 }))).toBeUndefined();
    // Neither a key that is not watched, nor one of which the newest will do, leaves a gap.
    expect(thrownBy(() => state.watch('b', { fromRevision: 1 }))).toBeUndefined();
    expect(thrownBy(() => state.watch('**', { fromRevision: 0, latest: true }))).toBeUndefined();
    expect(thrownBy(() => state.watch('**', { fromRevision: 6 }))).toBeUndefined();
    expect(thrownBy(() => state.watch('**', { fromRevision: 7 }))).toBeInstanceOf(
      StateVersionError,
    );
  });

  it('refuses options that make no sense, at once', () => {
    const state = make();
    const bad: [string, unknown][] = [
      ['from -1', { fromRevision: -1 }],
      ['from NaN', { fromRevision: Number.NaN }],
      ['no room', { buffer: 0 }],
      ['half a place', { buffer: 1.5 }],
      ['two beginnings', { fromRevision: 1, initial: true }],
      ['a text for a flag', { latest: 'yes' }],
      ['mistyped', { from: 1 }],
    ];

    const names = bad.map(
      ([, options]) => (thrownBy(() => state.watch('**', options as object)) as Error)?.name,
    );

    expect(names).toEqual(bad.map(() => 'TypeError'));
    expect(state.metrics().watchers).toBe(0);
  });

  it('sees a commit of several keys whole, or not at all', async () => {
    const { core, view } = makeCore();
    const watch = view.watch('**', { buffer: 3 });
    commitAll(core, ['a', 'b']);
    commitAll(core, ['c', 'd']);

    const seen = [await watch.next(), await watch.next()].map(({ value }) => value?.key);
    expect(seen).toEqual(['a', 'b']);
    expect(watch.resumeFrom).toBe(2);
    await expect(watch.next()).rejects.toBeInstanceOf(StateOverflowError);

    const again = view.watch('**', { fromRevision: watch.resumeFrom });
    await again.next();
    expect(again.resumeFrom).toBe(2);
    await again.next();
    expect(again.resumeFrom).toBe(3);
  });

  it('shows only what its holder may read', async () => {
    const access = new StateAccess({
      default: 'allow',
      rules: [{ effect: 'deny', agents: 'ann', on: 'secret.*' }],
    });
    const { core, view } = makeCore(new SimEnv(), access);
    commitAll(core, ['a', 'secret.a']);

    const watch = view.watch('**', { fromRevision: 1 });
    commitAll(core, ['secret.b']);
    commitAll(core, ['secret.c', 'b']);

    const seen = [await watch.next(), await watch.next()].map(({ value }) => value?.key);
    expect(seen).toEqual(['a', 'b']);
    expect(watch.resumeFrom).toBe(4);
  });

  // R:E5
  it('no longer shows what its holder may not read any more, though it was written before', async () => {
    const access = new StateAccess(undefined);
    const { core, view } = makeCore(new SimEnv(), access);
    const watch = view.watch('**', {});
    commitAll(core, ['secret.a']);

    access.set({ default: 'allow', rules: [{ effect: 'deny', on: 'secret.*' }] });
    const next = watch.next();
    commitAll(core, ['a']);
    await (core.env as SimEnv).settle();

    expect((await next).value?.key).toBe('a');
  });
});
