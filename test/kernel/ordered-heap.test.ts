import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderedHeap } from '../../src/kernel/ordered-heap.ts';

describe('OrderedHeap', () => {
  it('gives values by key, and those of one key as they went in', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 })), (keys) => {
        const heap = new OrderedHeap<string>();
        const values = keys.map((key, i) => ({ key, name: `${key}.${i}` }));
        for (const { key, name } of values) heap.push(key, name);
        const expected = values.toSorted((a, b) => a.key - b.key).map(({ name }) => name);

        expect(heap.toSorted()).toEqual(expected);
        expect(heap.peek()).toBe(expected[0]);
        expect(keys.map(() => heap.pop())).toEqual(expected);
        expect([heap.size, heap.pop(), heap.peek()]).toEqual([0, undefined, undefined]);
      }),
      { seed: 20262 },
    );
  });

  it('keeps the order while values come and go', () => {
    const heap = new OrderedHeap<string>();
    heap.push(2, 'b');
    heap.push(1, 'a');

    expect(heap.pop()).toBe('a');
    heap.push(2, 'c');
    heap.push(1, 'd');

    expect([heap.pop(), heap.pop(), heap.pop()]).toEqual(['d', 'b', 'c']);
  });
});
