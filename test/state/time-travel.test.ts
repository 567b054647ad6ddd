import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeniedError } from '../../src/access/errors.ts';
import { StateVersionError } from '../../src/state/errors.ts';
import { StateManager, type StateOptions } from '../../src/state/state-manager.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { commitAll, makeCore, thrownBy } from './make-state.ts';

const makeState = (options: StateOptions = {}) =>
  new StateManager({ env: new SimEnv(), ...options });

const valuesOf = (entries: readonly { key: string; value: unknown }[]) =>
  Object.fromEntries(entries.map(({ key, value }) => [key, value]));

describe('the state as it was', () => {
  // R:K4
  it('shows what was there after a commit', () => {
    const state = makeState();
    state.set('a', 1);
    state.set('b', 1);
    state.set('a', 2);
    state.delete('b');
    state.set('b', 3);

    const lists = [0, 1, 2, 3, 4, 5].map((revision) => valuesOf(state.at(revision).list()));

    expect(lists).toEqual([{}, { a: 1 }, { a: 1, b: 1 }, { a: 2, b: 1 }, { a: 2 }, { a: 2, b: 3 }]);
    expect(state.at(4).has('b')).toBe(false);
    expect(state.at(3).get('b')).toMatchObject({ value: 1, version: 1, revision: 2 });
    expect(state.at(3).get('never')).toBeUndefined();
  });

  it('stays as it was while others write', () => {
    const state = makeState();
    state.set('a', 1);
    const then = state.at(1);

    state.set('a', 2);
    state.set('b', 2);

    expect(valuesOf(then.list())).toEqual({ a: 1 });
    expect(then.revision).toBe(1);
  });

  it('shows all of a commit or nothing of it', () => {
    const { core, view } = makeCore();
    commitAll(core, ['a', 'b'], 1);
    commitAll(core, ['b', 'c'], 2);

    expect(valuesOf(view.at(1).list())).toEqual({ a: 1, b: 1 });
    expect(valuesOf(view.at(2).list())).toEqual({ a: 1, b: 2, c: 2 });
  });

  it('lists what fits, in order, with limit and after', () => {
    const state = makeState();
    for (const key of ['doc.c', 'doc.a', 'task.a', 'doc.b']) state.set(key, key);
    const then = state.at(4);

    const keys = (...args: Parameters<typeof then.list>) =>
      then.list(...args).map(({ key }) => key);

    expect(keys('doc.*')).toEqual(['doc.a', 'doc.b', 'doc.c']);
    expect(keys('doc.*', { limit: 1, after: 'doc.a' })).toEqual(['doc.b']);
  });

  it('tells what is trimmed from what is still to come, and never guesses', () => {
    const state = makeState({ history: { maxVersions: 2 } });
    state.set('b', 1);
    for (let n = 2; n <= 5; n++) state.set('a', n);

    const facts = [() => state.at(6), () => state.at(3).get('a'), () => state.at(1).list()].map(
      (read) => {
        const { why, wanted, oldest, newest } = thrownBy(read) as StateVersionError;
        return { why, wanted, oldest, newest };
      },
    );

    expect(facts).toEqual([
      { why: 'future', wanted: 6, oldest: 0, newest: 5 },
      { why: 'trimmed', wanted: 3, oldest: 4, newest: 5 },
      { why: 'trimmed', wanted: 1, oldest: 4, newest: 5 },
    ]);
    expect(valuesOf(state.at(4).list())).toEqual({ a: 4, b: 1 });
    // What can be told is told, also beside what cannot.
    expect(state.at(1).get('b')?.value).toBe(1);
    expect(valuesOf(state.at(1).list('b'))).toEqual({ b: 1 });
    expect(state.at(0).list()).toEqual([]);
  });

  it('says of a key that was deleted and forgotten that nobody knows', () => {
    const { core, view } = makeCore();
    for (const key of ['a', 'b', 'c']) {
      commitAll(core, [key]);
      view.delete(key);
    }

    // Two deleted keys are remembered, and the first of the three was gone at revision 2.
    expect(thrownBy(() => view.at(1).get('a'))).toMatchObject({ why: 'trimmed', oldest: 2 });
    expect(thrownBy(() => view.at(1).list())).toMatchObject({ why: 'trimmed', oldest: 2 });
    expect(view.at(2).get('a')).toBeUndefined();
    expect(valuesOf(view.at(3).list())).toEqual({ b: 1 });
  });

  it('shows what has expired since', async () => {
    const env = new SimEnv();
    const state = new StateManager({ env });
    state.set('a', 1, { ttlMs: 10 });

    await env.advance(10);

    expect(state.at(2).has('a')).toBe(false);
    expect(state.at(1).get('a')?.value).toBe(1);
  });

  it('refuses what is no revision', () => {
    const state = makeState();

    for (const wrong of [-1, 0.5, Number.NaN, '0' as never]) {
      expect(thrownBy(() => state.at(wrong))).toBeInstanceOf(TypeError);
    }
  });

  it('shows nobody what he may not read', () => {
    const rules = [{ effect: 'deny', agents: 'guest', actions: 'read', on: 'secret.*' }] as const;
    const state = makeState({ access: { default: 'allow', rules } });
    state.set('secret.a', 1);
    state.set('open.a', 1);
    const then = state.as('guest').at(2);

    expect(thrownBy(() => then.get('secret.a'))).toBeInstanceOf(DeniedError);
    expect(thrownBy(() => state.as('guest').explain('secret.a'))).toBeInstanceOf(DeniedError);
    expect(valuesOf(then.list())).toEqual({ 'open.a': 1 });
  });

  it('is what a copy taken then would be, whatever is trimmed: or it throws', () => {
    const write = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      removes: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(write, { maxLength: 40 }),
        fc.constantFrom(1, 2, 3, 100),
        (writes, maxVersions) => {
          const state = makeState({ history: { maxVersions } });
          const copies: Record<string, unknown>[] = [{}];
          writes.forEach(({ key, removes }, n) => {
            if (removes) state.delete(key);
            else state.set(key, n);
            copies[state.metrics().revision] = valuesOf(state.list());
          });

          let told = 0;
          copies.forEach((copy, revision) => {
            const then = state.at(revision);
            const error = thrownBy(() => expect(valuesOf(then.list())).toEqual(copy));
            if (error === undefined) told++;
            else expect(error).toBeInstanceOf(StateVersionError);
          });
          // The last one always is there, and with a long history all are.
          expect(told).toBeGreaterThanOrEqual(maxVersions === 100 ? copies.length : 1);
        },
      ),
    );
  });
});

describe('explain', () => {
  // R:K8
  it('says who wrote what when, what is kept, and what ends it', async () => {
    const env = new SimEnv();
    const state = new StateManager({ env, history: { maxVersions: 2 } });
    const at = (version: number) => new Date(state.getVersion('doc', version).at).toISOString();
    state.as('ann').create('doc', 'secret');
    state.as('bob').update('doc', () => 'secrets');
    state.as('eve').set('doc', 'none', { ttlMs: 500 });
    const held = state.as('ann').lock('doc', { leaseMs: 1_000 });
    const waiting = state.as('bob').lock('doc');
    await env.settle();
    const lock = await held;

    const told = state.explain('doc');

    expect(told).toMatchObject({ key: 'doc', exists: true, kept: 2, oldestVersion: 2 });
    expect(told).toMatchObject({ last: { actor: 'eve', version: 3 }, expiresInMs: 500 });
    expect(told.lock).toMatchObject({ heldBy: 'ann', waiting: ['bob'] });
    expect(told.text.split('\n')).toEqual([
      "'doc' has a value. Versions 2 to 3 are kept.",
      `Version 3: set by eve at ${at(3)} (revision 3, about 6 bytes).`,
      `Version 2: updated by bob at ${at(2)} (revision 2, about 9 bytes).`,
      'It expires in 500 ms.',
      `Locked by ann (token ${lock.token}, 1000 ms left); waiting: bob.`,
    ]);
    expect(told.text).not.toContain('secret');
    lock.release();
    await env.settle();
    (await waiting).release();
  });

  it('names the message because of which it was written', () => {
    const { core, view } = makeCore();
    const draft = core.draft('doc', 'set', 1, undefined);

    core.commit({ actor: 'ann', causationId: 'm-7' }, [draft]);

    expect(view.explain('doc').text).toMatch(
      /Version 1: set by ann at \S+ because of message m-7 /,
    );
    expect(view.explain('doc').last?.causationId).toBe('m-7');
  });

  it('knows what was deleted, and what was never there', () => {
    const state = makeState();
    state.set('doc', 1);
    state.delete('doc');

    expect(state.explain('doc')).toMatchObject({ exists: false, last: { action: 'deleted' } });
    expect(state.explain('doc').text).toContain("'doc' has no value. Versions 1 to 2 are kept.");
    expect(state.explain('nothing')).toEqual({
      key: 'nothing',
      exists: false,
      last: undefined,
      kept: 0,
      oldestVersion: 0,
      expiresInMs: undefined,
      lock: undefined,
      text: "'nothing' was never written.",
    });
  });

  it('tells of the last five versions only', () => {
    const state = makeState();
    for (let n = 1; n <= 9; n++) state.set('doc', n);

    const lines = state.explain('doc').text.split('\n');

    expect(lines).toHaveLength(6);
    expect(lines[0]).toBe("'doc' has a value. Versions 1 to 9 are kept.");
    expect(lines[5]).toMatch(/^Version 5: /);
  });
});
