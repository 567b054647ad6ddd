import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEqual } from '../../src/state/equal.ts';
import { type MergeRules, merge } from '../../src/state/merge.ts';

const leaf = fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constantFrom('a', 'b'), fc.constant(null));
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.dictionary(fc.constantFrom('x', 'y', 'z'), tie('value'), { maxKeys: 3 }),
    fc.array(tie('value'), { maxLength: 2 }),
  ),
}));

describe('merge', () => {
  // R:K3
  it.each<[string, unknown, unknown, unknown, unknown, string[]]>([
    ['theirs where ours is unchanged', { a: 1 }, { a: 2 }, { a: 1 }, { a: 2 }, []],
    ['ours where theirs is unchanged', { a: 1 }, { a: 1 }, { a: 2 }, { a: 2 }, []],
    ['both fields', { a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1, b: 2 }, { a: 2, b: 2 }, []],
    ['what both changed alike', { a: 1 }, { a: 2 }, { a: 2 }, { a: 2 }, []],
    ['new fields of both', {}, { a: 1 }, { b: 2 }, { a: 1, b: 2 }, []],
    ['a field that one removed', { a: 1, b: 1 }, { b: 1 }, { a: 1, b: 2 }, { b: 2 }, []],
    ['a value that both removed', { a: 1 }, undefined, undefined, undefined, []],
    [
      'deep fields',
      { d: { a: 1, b: 1 } },
      { d: { a: 2, b: 1 } },
      { d: { a: 1, b: 3 } },
      { d: { a: 2, b: 3 } },
      [],
    ],
    ['no two numbers', { a: 1 }, { a: 2 }, { a: 3 }, { a: 3 }, ['/a']],
    ['no two arrays', { l: [1] }, { l: [1, 2] }, { l: [1, 3] }, { l: [1, 3] }, ['/l']],
    ['no change with a removal', { a: { b: 1 } }, {}, { a: { b: 2 } }, { a: { b: 2 } }, ['/a']],
    ['keys with slashes', { 'a/b': 1 }, { 'a/b': 2 }, { 'a/b': 3 }, { 'a/b': 3 }, ['/a~1b']],
  ])('takes %s', (_what, base, theirs, ours, value, conflicts) => {
    expect(merge(base, theirs, ours)).toEqual({ value, conflicts });
  });

  it.each<[string, unknown, unknown, unknown, unknown, string[]]>([
    ['keeps what both appended, theirs first', [1], [1, 2], [1, 3, 4], [1, 2, 3, 4], []],
    ['begins with nothing', undefined, [2], [3], [2, 3], []],
    ['does not append to what was rewritten', [1], [9, 2], [1, 3], [1, 3], ['/log']],
    ['does not append what is no list', [1], 'x', [1, 3], [1, 3], ['/log']],
  ])('with append %s', (_what, base, theirs, ours, value, conflicts) => {
    const wrap = (log: unknown) => (log === undefined ? {} : { log });

    expect(merge(wrap(base), wrap(theirs), wrap(ours), { append: ['/log'] })).toEqual({
      value: wrap(value),
      conflicts,
    });
  });

  it('changes nothing that nobody changed, and takes the only change there is', () => {
    fc.assert(
      fc.property(json, json, (base, other) => {
        expect(merge(base, other, base)).toEqual({ value: other, conflicts: [] });
        expect(merge(base, base, other)).toEqual({ value: other, conflicts: [] });
        expect(merge(base, other, other)).toEqual({ value: other, conflicts: [] });
      }),
    );
  });

  it.each<[string, unknown]>([
    ['apend', { apend: ['/log'] }],
    ['array', { append: '/log' }],
    ['/ in front', { append: ['log'] }],
    ['/ in front', { append: ['/a~2'] }],
    ['object', 'append'],
  ])('refuses rules that would have no effect: %s', (why, rules) => {
    expect(() => merge(1, 1, 1, rules as MergeRules)).toThrow(why);
  });

  it('finds the same whichever side is called ours, unless there are conflicts', () => {
    const seen = { clean: 0, conflicting: 0 };
    fc.assert(
      fc.property(json, json, json, (base, one, other) => {
        const there = merge(base, one, other);
        const back = merge(base, other, one);

        expect([...there.conflicts].sort()).toEqual([...back.conflicts].sort());
        if (there.conflicts.length > 0) seen.conflicting++;
        else {
          seen.clean++;
          expect(isEqual(there.value, back.value)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
    expect(Math.min(seen.clean, seen.conflicting)).toBeGreaterThan(50);
  });
});
