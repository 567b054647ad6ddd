import { describe, expect, it } from 'vitest';
import { KeyedOrder } from '../../src/delivery/keyed-order.ts';

const item = (name: string, key: unknown) => ({ name, key });

// R:B5
describe('KeyedOrder', () => {
  it('lets the first of a key in and hands the key on in order', () => {
    const order = new KeyedOrder<{ name: string; key: unknown }>();
    const [a, b, c] = [item('a', 'k'), item('b', 'k'), item('c', 'k')];

    expect([a, b, c].map((one) => order.enter(one))).toEqual([true, false, false]);

    expect(order.leave(a)).toBe(b);
    expect(order.leave(b)).toBe(c);
    expect(order.leave(c)).toBeUndefined();
    expect(order.size).toBe(0);
    expect(order.enter(a)).toBe(true);
  });

  it('holds nothing for items without a key, and takes null and NaN for keys', () => {
    const order = new KeyedOrder();

    expect(order.enter({ key: undefined })).toBe(true);
    expect(order.enter({ key: undefined })).toBe(true);
    expect(order.leave({ key: undefined })).toBeUndefined();
    expect(order.enter({ key: null })).toBe(true);
    expect(order.enter({ key: null })).toBe(false);
    expect(order.enter({ key: Number.NaN })).toBe(true);
    expect(order.enter({ key: Number.NaN })).toBe(false);
  });

  it('takes out who waits behind a key, and leaves the others in their order', () => {
    const order = new KeyedOrder<{ name: string; key: unknown }>();
    const [a, b, c, d] = [item('a', 'k'), item('b', 'k'), item('c', 'k'), item('d', 'k')];
    const items = [a, b, c, d];
    for (const one of items) order.enter(one);

    expect(order.remove(c)).toBe(true);
    expect(order.remove(a)).toBe(false);

    expect(order.leave(a)).toBe(b);
    expect(order.leave(b)).toBe(d);
  });
});
