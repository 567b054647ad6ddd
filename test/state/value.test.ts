import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StateValueError } from '../../src/state/errors.ts';
import { takeValue } from '../../src/state/value.ts';

const LIMITS = { maxDepth: 5, maxBytes: 1_000 };
const take = (value: unknown, previous?: unknown) => takeValue('k', value, previous, LIMITS);

/** Where a value is refused, and what for. */
function refusal(value: unknown): string {
  try {
    take(value);
  } catch (error) {
    if (error instanceof StateValueError) return `${error.path || '(all)'} ${error.problem}`;
    return `threw ${String(error)}`;
  }
  return 'taken';
}

class Point {
  readonly x = 1;
}

const cycle: Record<string, unknown> = { a: {} };
(cycle['a'] as Record<string, unknown>)['back'] = cycle;
const shared = { s: 1 };
const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
const hidden = Object.defineProperty({ a: 1 }, 'secret', { value: () => {}, enumerable: false });
const sparse = [1, 2, 3];
delete sparse[1];
const named = Object.assign([1], { name: 'list' });

describe('the values of the state', () => {
  // R:K1
  it.each<[string, unknown, unknown]>([
    ['0', 0, 0],
    ['-0, as JSON has one zero', -0, 0],
    ['an empty string', '', ''],
    ['null', null, null],
    ['false', false, false],
    ['nested data', { a: [1, { b: null }] }, { a: [1, { b: null }] }],
    [
      'keys like those of every object',
      { constructor: 1, toString: 2 },
      { constructor: 1, toString: 2 },
    ],
    ['parts that come twice', { a: shared, b: shared }, { a: { s: 1 }, b: { s: 1 } }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['an object of another realm', runInNewContext('({ a: [1] })'), { a: [1] }],
    ['what has fields that JSON does not see', hidden, { a: 1 }],
    ['symbols as keys, which JSON does not see', { a: 1, [Symbol('s')]: 2 }, { a: 1 }],
    ['an array with a name, which JSON does not see', named, [1]],
    ['five levels', nested(5), nested(5)],
  ])('may be %s', (_what, value, expected) => {
    const taken = take(value).value;

    expect(taken).toEqual(expected);
    expect(Object.is(taken, -0)).toBe(false);
    expect(JSON.stringify(taken)).toBe(JSON.stringify(expected));
  });

  it.each<[string, unknown, string]>([
    ['undefined', undefined, '(all) is undefined'],
    ['undefined in a list', [1, undefined], '/1 is undefined'],
    ['undefined in a field', { a: { b: undefined } }, '/a/b is undefined'],
    ['NaN', [Number.NaN], '/0 is NaN'],
    ['Infinity', { n: -Infinity }, '/n is -Infinity'],
    ['a bigint', { n: 1n }, '/n is a bigint'],
    ['a symbol', [Symbol('s')], '/0 is a symbol'],
    ['a function', { f: () => {} }, '/f is a function'],
    ['a Date', { at: new Date(0) }, '/at is an instance of a class'],
    ['a Map', new Map(), '(all) is an instance of a class'],
    ['an instance', { p: new Point() }, '/p is an instance of a class'],
    ['a promise', Promise.resolve(1), '(all) is an instance of a class'],
    [
      'an array of a subclass',
      new (class List extends Array {})(),
      '(all) is an instance of a class',
    ],
    ['a place without an item', sparse, '/1 is undefined'],
    [
      'an accessor',
      {
        get a() {
          return 1;
        },
      },
      '/a is an accessor',
    ],
    ['a cycle', cycle, '/a/back leads back to itself'],
    ['__proto__ as a key', JSON.parse('{"a":{"__proto__":{"x":1}}}'), '/a/__proto__ is a name'],
    ['six levels', nested(6), '/0/0/0/0/0 is deeper than 5 levels'],
    ['too many bytes', 'x'.repeat(999), '(all) has about 1001 bytes'],
    ['many bytes in few characters', '€'.repeat(400), '(all) has about 1202 bytes'],
    ['keys with slashes and tildes', { 'a/b': { '~': undefined } }, '/a~1b/~0 is undefined'],
  ])('may not be %s', (_what, value, expected) => {
    expect(refusal(value)).toContain(expected);
  });

  it('are refused, and nothing is thrown at the caller’s expense, where a proxy throws', () => {
    const hostile = new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('boom');
        },
      },
    );

    expect(refusal({ a: hostile })).toBe('/a cannot be read');
  });

  it('are copied and frozen to the bottom', () => {
    const given = { list: [{ n: 1 }] };
    const taken = take(given).value as typeof given;
    given.list[0] = { n: 2 };

    expect(taken).toEqual({ list: [{ n: 1 }] });
    expect([taken, taken.list, taken.list[0]].every(Object.isFrozen)).toBe(true);
    expect(Object.isFrozen(given)).toBe(false);
  });

  // R:K4
  it('share with the value before whatever is equal', () => {
    const before = take({ a: { deep: [1, 2] }, b: [{ n: 1 }, { n: 2 }], c: 'x' }).value as Fields;

    const after = take({ a: { deep: [1, 2] }, b: [{ n: 1 }, { n: 3 }], c: 'x' }, before)
      .value as Fields;

    expect(after['a']).toBe(before['a']);
    expect((after['b'] as unknown[])[0]).toBe((before['b'] as unknown[])[0]);
    expect(take(structuredClone(before), before).value).toBe(before);
  });

  it('share the items of a list into which something came, or from which something went', () => {
    const items = Array.from({ length: 5 }, (_, n) => ({ n }));
    const before = take(items).value as unknown[];
    const copy = structuredClone(items);

    const longer = take([...copy.slice(0, 2), { n: 9 }, ...copy.slice(2)], before)
      .value as unknown[];
    const shorter = take([...copy.slice(0, 1), ...copy.slice(2)], before).value as unknown[];

    expect(longer.filter((item) => before.includes(item))).toHaveLength(5);
    expect(shorter.filter((item) => before.includes(item))).toHaveLength(4);
  });

  it('have one zero, also in a list or a field where there was one', () => {
    const before = take({ list: [0, 1], n: 0 }).value;

    const after = take({ list: [-0, 2], n: -0 }, before).value as { list: unknown[]; n: unknown };

    expect([after.list[0], after.n].map((zero) => Object.is(zero, 0))).toEqual([true, true]);
  });

  it('are read by index, whatever the list says of itself', () => {
    const before = take([1, 2, 3]).value;
    const iterated = Object.assign([1, 2, 4], { [Symbol.iterator]: () => [8, 9, 9].values() });
    const lengths = [3, 4];
    const lying = new Proxy([1, 2, 4, { mine: true }], {
      get: (target, key) => (key === 'length' ? (lengths.shift() ?? 4) : Reflect.get(target, key)),
    });

    expect(take(iterated, before).value).toEqual([1, 2, 4]);
    expect(take(lying, before).value).toEqual([1, 2, 4]);
  });

  it('may not have an accessor where data was, not even one that gives the same', () => {
    const before = take({ n: 1 }).value;
    const sly = {
      get n() {
        return 1;
      },
    };

    expect(() => take(sly, before)).toThrow('/n is an accessor');
  });

  it('count the bytes that are new', () => {
    const before = take({ text: 'x'.repeat(500), n: 1 });

    const after = takeValue('k', { text: 'x'.repeat(500), n: 2 }, before.value, LIMITS);

    expect(before.fresh).toBe(before.bytes);
    expect(after.bytes).toBe(before.bytes);
    expect(after.fresh).toBeLessThan(50);
  });

  it('are what JSON makes of them, whatever was there before', () => {
    const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)));
    const limits = { maxDepth: 100, maxBytes: Infinity };

    fc.assert(
      fc.property(json, json, (previous, value) => {
        const before = takeValue('k', previous, undefined, limits).value;

        const taken = takeValue('k', value, before, limits);

        expect(taken.value).toEqual(value);
        expect(taken.bytes).toBe(takeValue('k', value, undefined, limits).bytes);
        expect(takeValue('k', structuredClone(previous), before, limits).value).toBe(before);
      }),
    );
  });
});

type Fields = Record<string, unknown>;
