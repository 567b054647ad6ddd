import vm from 'node:vm';
import { describe, expect, it } from 'vitest';
import { isTellaskError } from '../../src/kernel/errors.ts';
import { clonePayload, isOwned, own, PayloadError } from '../../src/message/payload.ts';

function refusal(value: unknown): PayloadError {
  try {
    own(value);
  } catch (error) {
    return error as PayloadError;
  }
  throw new Error('it was accepted');
}

function nested(levels: number): unknown {
  let value: unknown[] = [];
  for (let i = 1; i < levels; i++) value = [value];
  return value;
}

describe('own', () => {
  // R:E1
  it('copies and freezes plain data to the bottom, and leaves the original alone', () => {
    const original = { list: [{ n: 1 }], inner: { text: 'x' } };

    const copy = own(original);

    expect(copy).toEqual(original);
    expect(copy).not.toBe(original);
    for (const part of [copy, copy.list, copy.list[0], copy.inner]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    for (const part of [original, original.list, original.list[0], original.inner]) {
      expect(Object.isFrozen(part)).toBe(false);
    }
  });

  // R:E1
  it('takes a growing history twice', () => {
    const history: string[] = [];

    history.push('one');
    const first = own({ history });
    history.push('two');
    const second = own({ history });

    expect([first.history, second.history]).toEqual([['one'], ['one', 'two']]);
  });

  // R:E1
  it('gives back what it owns, also a part of it and also inside something new', () => {
    const owned = own({ doc: { text: 'x' } });

    expect(own(owned)).toBe(owned);
    expect(own(owned.doc)).toBe(owned.doc);
    expect(own({ again: owned.doc }).again).toBe(owned.doc);
    expect(isOwned(owned.doc)).toBe(true);
  });

  // R:E1
  it('does not take a frozen object for an owned one', () => {
    const frozen = Object.freeze({ child: { n: 1 } });

    const copy = own(frozen);
    frozen.child.n = 2;

    expect(copy.child.n).toBe(1);
    expect(isOwned(frozen)).toBe(false);
  });

  it.each([undefined, null, true, 0, Number.NaN, 'text', 10n, Symbol.iterator])(
    'gives back the primitive %s',
    (value) => {
      expect(own(value)).toBe(value);
    },
  );

  // R:E1
  it('clones the built-in kinds', () => {
    const original = {
      date: new Date(5),
      map: new Map<unknown, unknown>([[{ key: 1 }, { value: [1] }]]),
      set: new Set<unknown>([{ n: 1 }]),
      pattern: Object.assign(/a+/gi, { lastIndex: 3 }),
      bytes: new Uint8Array([1, 2, 3]).subarray(1),
      floats: new Float64Array([0.5]),
      raw: new Uint8Array([7, 8]).buffer,
      view: new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2),
      buffer: Buffer.from('hello'),
    };

    const copy = own(original);

    expect(copy).toEqual(original);
    for (const key of Object.keys(original) as (keyof typeof original)[]) {
      expect(copy[key], key).not.toBe(original[key]);
      expect(Object.getPrototypeOf(copy[key]), key).toBe(Object.getPrototypeOf(original[key]));
    }
    expect([...copy.map].flat().every((part) => Object.isFrozen(part))).toBe(true);
    expect([...copy.set].every((part) => Object.isFrozen(part))).toBe(true);
    expect(copy.pattern.lastIndex).toBe(3);
    expect([copy.view.byteLength, copy.view.getUint8(0)]).toEqual([2, 2]);
    expect(copy.buffer.buffer.byteLength).toBe(5);
  });

  it('clones an owned Map again, because nothing can freeze one', () => {
    const first = own(new Map([['a', { n: 1 }]]));

    const second = own(first);
    first.clear();

    expect(second).toEqual(new Map([['a', { n: 1 }]]));
  });

  // R:E1
  it('clones an error with its class, fields, cause and stack', () => {
    class OrderError extends RangeError {
      order = { id: 7 };
    }
    const original = new OrderError('too many', { cause: new Error('inner') });

    const copy = own(original);
    original.order.id = 8;

    expect(copy).not.toBe(original);
    expect(copy).toBeInstanceOf(OrderError);
    expect([copy.message, copy.order, copy.stack]).toEqual(['too many', { id: 7 }, original.stack]);
    expect((copy.cause as Error).message).toBe('inner');
    expect(copy.cause).not.toBe(original.cause);
    expect(Object.keys(copy)).toEqual(['order']);
    expect(Object.isFrozen(copy)).toBe(true);
  });

  // R:E1
  it('passes functions and class instances by reference and tells of each', () => {
    class Model {
      weights = [1];
    }
    const [model, callback] = [new Model(), () => 1];
    const told: unknown[] = [];
    const options = { onReference: (reference: object) => void told.push(reference) };

    const copy = own({ model, deep: [callback, new Promise(() => {})] }, options);
    own(callback, options);

    expect([copy.model, copy.deep[0]]).toEqual([model, callback]);
    expect(Object.isFrozen(model)).toBe(false);
    expect(told).toEqual([model, callback, copy.deep[1], callback]);
  });

  // R:E1
  it('keeps cycles and shared parts', () => {
    const shared = { n: 1 };
    const original: Record<string, unknown> = { shared, again: [shared], map: new Map() };
    original['self'] = original;
    (original['map'] as Map<string, unknown>).set('root', original);

    const copy = own(original);

    expect(copy['self']).toBe(copy);
    expect((copy['again'] as unknown[])[0]).toBe(copy['shared']);
    expect((copy['map'] as Map<string, unknown>).get('root')).toBe(copy);
    expect(copy['shared']).not.toBe(shared);
  });

  it('takes time for the objects, not for the ways that lead to them', () => {
    let doubled: unknown[] = [];
    for (let i = 0; i < 90; i++) doubled = [doubled, doubled];

    const copy = own(doubled);

    expect(copy[0]).toBe(copy[1]);
  });

  // R:E1
  it('refuses accessors with the path and does not run them', () => {
    let ran = false;
    const hostile = {
      get secret() {
        ran = true;
        return 1;
      },
    };

    const error = refusal({ 'a/b': [{ '~': hostile }] });

    expect(error).toBeInstanceOf(PayloadError);
    expect(isTellaskError(error, 'TELLASK_PAYLOAD')).toBe(true);
    expect([error.path, error.problem]).toEqual(['/a~1b/0/~0/secret', 'is an accessor']);
    expect(error.message).toBe('The payload at /a~1b/0/~0/secret is an accessor');
    expect(refusal(Object.defineProperty({}, 'x', { set() {}, enumerable: true })).path).toBe('/x');
    expect(ran).toBe(false);
  });

  it('names the place of a part that comes after others', () => {
    const bad = Object.defineProperty({}, 'x', { get: () => 1, enumerable: true });

    const error = refusal({ a: { b: [1, [2]] }, m: new Map([['k', new Set([1, bad])]]) });

    expect(error.path).toBe('/m/0/1/x');
  });

  // R:E1 R:E8
  it('refuses what is deeper than 100 levels, cycles apart', () => {
    expect(own(nested(100))).toEqual(nested(100));
    expect(refusal(nested(101)).problem).toBe('is deeper than 100 levels');
    expect(refusal(nested(101)).path).toBe('/0'.repeat(100));
    expect(refusal(nested(50_000)).path).toBe('/0'.repeat(100));
    expect(() => own([[]], { maxDepth: 1 })).toThrow(PayloadError);
  });

  // R:E2
  it('copies inherited names as ordinary keys', () => {
    const original = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"toString":2}');
    const before = Object.getOwnPropertyNames(Object.prototype);

    const copy = own(original);

    expect(Object.keys(copy)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(copy.polluted).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  });

  it('keeps an object without prototype without one', () => {
    const copy = own(Object.assign(Object.create(null), { a: { b: 1 } }));

    expect(Object.getPrototypeOf(copy)).toBeNull();
    expect(copy.a).toEqual({ b: 1 });
  });

  it('leaves out keys that are symbols or not enumerable', () => {
    const original = Object.defineProperty({ a: 1, [Symbol('s')]: {} }, 'hidden', { value: {} });

    expect(Reflect.ownKeys(own(original))).toEqual(['a']);
  });

  it('copies sparse arrays in time for their items, with their holes', () => {
    const sparse: unknown[] = [];
    sparse[4_000_000_000] = { n: 1 };
    Object.assign(sparse, { extra: {}, '1.5': {}, '': {} });

    const copy = own(sparse);

    expect(copy.length).toBe(4_000_000_001);
    expect(Object.keys(copy)).toEqual(['4000000000']);
    expect(copy[4_000_000_000]).toEqual({ n: 1 });
    expect(0 in own(new Array(2))).toBe(false);
    expect(own([undefined, 1])).toEqual([undefined, 1]);
  });

  it('tells once of each reference in a sparse array', () => {
    const told: unknown[] = [];
    const sparse: unknown[] = [() => 1];
    sparse[3] = () => 2;

    own(sparse, { onReference: (reference) => void told.push(reference) });

    expect(told).toEqual([sparse[0], sparse[3]]);
  });

  it('says with path and cause what cannot be read', () => {
    const cause = new Error('trap');
    const proxy = new Proxy(
      {},
      {
        ownKeys: () => {
          throw cause;
        },
      },
    );

    const error = refusal({ list: [1, proxy] });

    expect([error.path, error.problem, error.cause]).toEqual(['/list/1', 'cannot be read', cause]);
    expect(refusal(Object.create(Date.prototype)).problem).toBe('cannot be read');
  });

  it('copies plain data of another realm', () => {
    const foreign = vm.runInNewContext('({ list: [{ n: 1 }] })');

    const copy = own(foreign);
    foreign.list[0].n = 2;

    expect(copy).toEqual({ list: [{ n: 1 }] });
    expect(Object.isFrozen(copy.list[0])).toBe(true);
  });
});

describe('clonePayload', () => {
  // R:E1
  it('makes a fresh copy that can be changed, also of what is owned', () => {
    const owned = own({ list: [1], date: new Date(1) });

    const [one, two] = [clonePayload(owned), clonePayload(owned)];
    one.list.push(2);

    expect([one.list, two.list, owned.list]).toEqual([[1, 2], [1], [1]]);
    expect([isOwned(one), isOwned(one.list)]).toEqual([false, false]);
    expect(one.date).not.toBe(two.date);
  });

  it('gives back primitives and functions', () => {
    const call = () => 1;

    expect([clonePayload(1), clonePayload(null), clonePayload(call)]).toEqual([1, null, call]);
  });
});
