import fc from 'fast-check';
import jsonPatch from 'fast-json-patch';
import { applyPatch } from 'rfc6902';
import { describe, expect, it } from 'vitest';
import { diff } from '../../src/state/diff.ts';

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)));
/** Unlike structuredClone it shares nothing inside of the copy. */
const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value));
/** Two values that have much in common, as two versions of a document have. */
const versions = fc.tuple(json, json, json).map(([a, b, c]) => [
  { title: a, list: [a, b, c], 'a/b~c': { x: b } },
  { title: a, list: [c, a, c], 'a/b~c': { x: c, y: b } },
]);

describe('diff', () => {
  // R:K4
  it.each([
    ['nothing for the same', { a: 1 }, { a: 1 }, []],
    ['a new value', undefined, 1, [{ op: 'add', path: '', value: 1 }]],
    ['a value that is gone', 1, undefined, [{ op: 'remove', path: '' }]],
    ['another value', 1, [1], [{ op: 'replace', path: '', value: [1] }]],
    ['a field', { a: 1 }, { a: 2 }, [{ op: 'replace', path: '/a', value: 2 }]],
    [
      'keys with slashes and tildes',
      { 'a/b': 1 },
      { '~': 1 },
      [
        { op: 'remove', path: '/a~1b' },
        { op: 'add', path: '/~0', value: 1 },
      ],
    ],
    ['one item that came', [1, 2, 3], [1, 9, 2, 3], [{ op: 'add', path: '/1', value: 9 }]],
    ['one item that went', [1, 2, 3], [1, 3], [{ op: 'remove', path: '/1' }]],
    [
      'a field called __proto__',
      {},
      JSON.parse('{"__proto__":1}'),
      [{ op: 'add', path: '/__proto__', value: 1 }],
    ],
  ])('is %s', (_what, before, after, expected) => {
    expect(diff(before, after)).toEqual(expected);
  });

  it('leads from one value to the other, as two other libraries apply it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.tuple(json, json), versions), ([before, after]) => {
        const patch = diff({ root: before }, { root: after });
        const first = copy({ root: before });
        const second = copy({ root: before });

        const errors = applyPatch(first, copy(patch) as never);
        jsonPatch.applyPatch(second, copy(patch) as never, false, true, false);

        expect(errors.every((error) => error === null)).toBe(true);
        expect(first).toEqual({ root: after });
        expect(second).toEqual({ root: after });
      }),
      { numRuns: 300 },
    );
  });

  it('does not look into what both share', () => {
    const shared = new Proxy({}, { ownKeys: () => expect.unreachable() });

    expect(diff({ shared, n: 1 }, { shared, n: 2 })).toEqual([
      { op: 'replace', path: '/n', value: 2 },
    ]);
  });
});
