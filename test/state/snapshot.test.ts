import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/message/contract.ts';
import { canonical, checksumOf } from '../../src/state/checksum.ts';
import type { RestoreOptions, StateSnapshot } from '../../src/state/snapshot.ts';
import { StateManager, type StateOptions } from '../../src/state/state-manager.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const makeState = (options: StateOptions = {}) =>
  new StateManager({ env: new SimEnv(), ...options });
const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value));
const values = (state: StateManager) => state.list().map(({ key, value }) => [key, value]);

function why(state: StateManager, snapshot: unknown, options?: RestoreOptions): unknown {
  const before = state.metrics();
  try {
    state.restore(snapshot as StateSnapshot, options);
  } catch (error) {
    expect(state.metrics()).toEqual(before);
    return (error as { why?: string }).why ?? (error as { code?: string }).code;
  }
  return 'restored';
}

describe('a snapshot', () => {
  // R:K7
  it('is restored in one revision that appends, and deletes what it does not have', () => {
    const state = makeState();
    state.set('doc.1', { n: 1 });
    state.set('doc.2', { n: 2 });
    state.set('other', 1);
    const snapshot = copy(state.snapshot('doc.*'));
    state.set('doc.1', { n: 9 });
    state.set('doc.3', 3);
    state.set('other', 2);

    const made = state.restore(snapshot);

    expect(made.map(({ key, version, action }) => `${key} ${version} ${action}`)).toEqual([
      'doc.1 3 restored',
      'doc.3 2 restored',
    ]);
    expect(new Set(made.map(({ revision }) => revision)).size).toBe(1);
    expect(values(state)).toEqual([
      ['doc.1', { n: 1 }],
      ['doc.2', { n: 2 }],
      ['other', 2],
    ]);
  });

  // R:K4
  it('gives another state versions that were not used yet', () => {
    const state = makeState();
    for (let i = 1; i <= 5; i++) state.set('a', i);
    const other = makeState();

    other.restore(state.snapshot());

    expect(other.get('a')).toMatchObject({ value: 5, version: 6, action: 'restored' });
    expect(state.restore(state.snapshot())).toEqual([]);
  });

  it('leaves out what has expired since', async () => {
    const env = new SimEnv();
    const state = makeState({ env });
    state.set('a', 1, { ttlMs: 10 });
    const snapshot = state.snapshot();
    await env.advance(10);

    state.restore(snapshot);

    expect(state.has('a')).toBe(false);
  });

  it('is refused when anything was changed, and nothing is restored', () => {
    const state = makeState();
    state.set('a', { n: 1 });
    state.set('b', 2);
    const good = state.snapshot();
    const signed = state.snapshot('**', { key: 'secret' });
    const [first] = good.entries;
    state.set('a', 3);

    expect({
      nothing: why(state, undefined),
      text: why(state, JSON.stringify(good)),
      'another format': why(state, { ...good, format: 2 }),
      'no checksum': why(state, { ...good, checksum: undefined }),
      truncated: why(state, { ...good, entries: [first] }),
      'no entries': why(state, { ...good, entries: undefined }),
      'another value': why(state, { ...good, entries: [{ ...first, value: 4 }] }),
      'another pattern': why(state, { ...good, pattern: 'a' }),
      'another revision': why(state, { ...good, revision: 1 }),
      'no key': why(state, signed),
      'a wrong key': why(state, signed, { key: 'guess' }),
      'not signed': why(state, good, { key: 'secret' }),
      'signed and changed': why(state, { ...signed, revision: 1 }, { key: 'secret' }),
    }).toEqual({
      nothing: 'malformed',
      text: 'malformed',
      'another format': 'format',
      'no checksum': 'malformed',
      truncated: 'checksum',
      'no entries': 'checksum',
      'another value': 'checksum',
      'another pattern': 'checksum',
      'another revision': 'checksum',
      'no key': 'key',
      'a wrong key': 'checksum',
      'not signed': 'key',
      'signed and changed': 'checksum',
    });
    expect(why(state, copy(signed), { key: 'secret' })).toBe('restored');
    expect(state.get('a')?.value).toEqual({ n: 1 });
  });

  it.each<[string, object]>([
    ['an entry that is none', { entries: [null] }],
    ['an entry without a value', { entries: [{ key: 'a', version: 1 }] }],
    ['a key that is none', { entries: [{ key: 'a b', value: 1 }] }],
    ['a key outside of its pattern', { pattern: 'b' }],
    ['a key twice', { twice: true }],
  ])('is refused with %s, although the checksum is right', (_what, change) => {
    const state = makeState();
    state.set('a', 1);
    const { checksum: _, ...body } = state.snapshot();
    const entries = 'twice' in change ? [...body.entries, ...body.entries] : body.entries;
    const bad = { ...body, entries, ...change };

    expect(why(makeState(), { ...bad, checksum: checksumOf(bad, undefined) })).toBe('malformed');
  });

  it('is checked by the contract, and can be migrated to it', () => {
    const old = makeState();
    old.set('doc.1', { text: 'hello' });
    old.set('left.over', 1);
    const contract = defineContract({ state: { 'doc.{id}': z.object({ content: z.string() }) } });
    const state = new StateManager({ contract, env: new SimEnv() });
    const snapshot = old.snapshot();

    expect(why(state as never, snapshot)).toBe('TELLASK_VALIDATION');
    state.restore(snapshot, {
      migrate: ({ key, value }) =>
        key.startsWith('doc.') ? { content: (value as { text: string }).text } : undefined,
    });

    expect(state.get('doc.1')?.value).toEqual({ content: 'hello' });
    expect(state.list()).toHaveLength(1);
  });

  it('is not made unsigned because an option is mistyped', () => {
    expect(() => makeState().snapshot('**', { kye: 'secret' } as never)).toThrow('kye');
  });

  it('has a checksum that does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const turned = JSON.parse(JSON.stringify({ a: 1, value }), (_key, part) =>
          typeof part === 'object' && part !== null && !Array.isArray(part)
            ? Object.fromEntries(Object.entries(part).reverse())
            : part,
        );

        expect(canonical(turned)).toBe(canonical(copy({ a: 1, value })));
        expect(JSON.parse(canonical(value))).toEqual(copy(value));
      }),
    );
  });
});
