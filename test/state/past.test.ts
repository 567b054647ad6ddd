import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StateConflictError, StateVersionError } from '../../src/state/errors.ts';
import { StateManager, type StateOptions } from '../../src/state/state-manager.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const makeState = (history: StateOptions['history'] = {}) =>
  new StateManager({ env: new SimEnv(), history });

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('the past of a key', () => {
  // R:K4
  it('keeps who wrote what', () => {
    const state = makeState();
    state.as('ann').create('doc', { n: 1 });
    state.as('bob').update('doc', (doc) => ({ ...(doc as object), n: 2 }));
    state.as('ann').delete('doc');

    const told = state
      .history('doc')
      .map(({ version, action, actor, value }) => ({ version, action, actor, value }));

    expect(told).toEqual([
      { version: 1, action: 'created', actor: 'ann', value: { n: 1 } },
      { version: 2, action: 'updated', actor: 'bob', value: { n: 2 } },
      { version: 3, action: 'deleted', actor: 'ann', value: undefined },
    ]);
    expect(state.history('nothing')).toEqual([]);
  });

  it('tells what was trimmed from what was not written yet', () => {
    const state = makeState({ maxVersions: 2 });
    for (let n = 1; n <= 5; n++) state.set('doc', n);

    expect(state.getVersion('doc', 4).value).toBe(4);
    const facts = [0, 3, 6].map((version) => {
      const error = thrownBy(() => state.getVersion('doc', version)) as StateVersionError;
      return [error.why, error.oldest, error.newest];
    });
    expect(facts).toEqual([
      ['trimmed', 4, 5],
      ['trimmed', 4, 5],
      ['future', 4, 5],
    ]);
    expect(thrownBy(() => state.getVersion('doc', 1.5))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => state.getVersion('nothing', 1))).toBeInstanceOf(StateVersionError);
  });

  it('says what changed between two versions', () => {
    const state = makeState();
    state.set('doc', { a: 1, b: [1, 2] });
    state.set('doc', { a: 1, b: [1, 2, 3] });

    expect(state.diff('doc', 1, 2)).toEqual([{ op: 'add', path: '/b/2', value: 3 }]);
    expect(state.diff('doc', 2, 1)).toEqual([{ op: 'remove', path: '/b/2' }]);
  });

  it('comes back as a new version', () => {
    const state = makeState();
    state.set('doc', 'a');
    state.set('doc', 'b');
    state.delete('doc');

    expect(state.revert('doc', 1)).toMatchObject({ version: 4, value: 'a', action: 'reverted' });
    expect(state.revert('doc', 3)).toMatchObject({ version: 5, value: undefined });
    expect(state.has('doc')).toBe(false);
  });

  it('stays within its bounds, without gaps, and never loses what is there', () => {
    const write = fc.tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.string({ maxLength: 60 }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(
        fc.array(write, { maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 300 }),
        (writes, maxVersions, maxBytes) => {
          const state = makeState({ maxVersions, maxBytes });
          const last = new Map<string, unknown>();
          for (const [key, text, removes] of writes) {
            if (removes) state.delete(key);
            else state.set(key, { text });
            last.set(key, removes ? undefined : { text });
          }

          for (const [key, value] of last) {
            const versions = state.history(key);
            expect(state.get(key)?.value).toEqual(value);
            expect(versions.length).toBeLessThanOrEqual(maxVersions);
            versions.forEach((one, i) => {
              expect(one.version).toBe((versions[0]?.version ?? 0) + i);
            });
          }
          // What is past, and nothing but strings of a few bytes, is what the bound is about.
          const past = [...last.keys()].flatMap((key) => state.history(key).slice(0, -1));
          const bytes = past.map(({ value }) => JSON.stringify(value ?? '').length - 2);
          expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(
            maxBytes + 20 * past.length,
          );
        },
      ),
    );
  });

  it('costs what a changed leaf costs, and not the document', () => {
    const state = makeState({ maxBytes: 1_000_000 });
    const items = Array.from({ length: 1_000 }, (_, id) => ({ id, text: 'x'.repeat(900) }));
    state.set('doc', { items, n: 0 });

    for (let n = 1; n < 100; n++) state.set('doc', { items, n });

    expect(state.history('doc')).toHaveLength(100);
    const [first, second] = state.history('doc').map(({ value }) => value as { items: unknown });
    expect(second?.items).toBe(first?.items);
  });
});

describe('a conflict', () => {
  const makeConflict = (base: unknown, theirs: unknown) => {
    const state = makeState();
    state.as('ann').set('doc', base);
    state.as('bob').set('doc', theirs);
    return state;
  };

  // R:K3
  it('names both sides', () => {
    const state = makeConflict({ a: 1 }, { a: 2 });

    const error = thrownBy(() => state.compareAndSet('doc', 1, { a: 3 })) as StateConflictError;

    expect(error).toBeInstanceOf(StateConflictError);
    expect(error).toMatchObject({
      key: 'doc',
      expectedVersion: 1,
      actualVersion: 2,
      proposed: { a: 3 },
      lastActor: 'bob',
      unmerged: [],
    });
    expect(error.current?.value).toEqual({ a: 2 });
  });

  it('is merged by choice', () => {
    const state = makeConflict({ a: 1, b: 1 }, { a: 2, b: 1 });

    const entry = state.compareAndSet('doc', 1, { a: 1, b: 2 }, { onConflict: 'merge' });

    expect(entry).toMatchObject({ value: { a: 2, b: 2 }, version: 3, action: 'merged' });
  });

  it('names what could not be merged', () => {
    const state = makeConflict({ log: [1], n: 1 }, { log: [1, 2], n: 2 });
    const ours = { log: [1, 3], n: 3 };
    const onConflict = { append: ['/log'] };

    const error = thrownBy(() => state.compareAndSet('doc', 1, ours, { onConflict }));

    expect((error as StateConflictError).unmerged).toEqual(['/n']);
    expect(state.compareAndSet('doc', 1, { log: [1, 3], n: 1 }, { onConflict }).value).toEqual({
      log: [1, 2, 3],
      n: 2,
    });
  });

  it('is decided by a function that sees all three', () => {
    const state = makeConflict(1, 5);

    const entry = state.compareAndSet('doc', 1, 3, {
      onConflict: ({ base, theirs, ours }) =>
        (theirs as number) + (ours as number) - (base as number),
    });

    expect(entry.value).toBe(7);
    const undecided = { onConflict: () => undefined };
    expect(thrownBy(() => state.compareAndSet('doc', 1, 3, undecided))).toBeInstanceOf(TypeError);
  });

  it('cannot be merged when the version that both began with is gone', () => {
    const state = makeState({ maxVersions: 1 });
    state.set('doc', { a: 1 });
    state.set('doc', { a: 1, b: 1 });

    const error = thrownBy(() => state.compareAndSet('doc', 1, { a: 2 }, { onConflict: 'merge' }));

    expect(error).toBeInstanceOf(StateConflictError);
    expect(state.get('doc')?.version).toBe(2);
  });
});
