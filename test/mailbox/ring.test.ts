import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ring } from '../../src/mailbox/ring.ts';

const drain = <T>(ring: Ring<T>): T[] => {
  const items: T[] = [];
  while (ring.size > 0) items.push(ring.shift() as T);
  return items;
};

describe('Ring', () => {
  it('hands out in the order of arrival, whatever is pushed and shifted in between', () => {
    const steps = fc.array(fc.integer({ min: -40, max: 40 }), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (bursts) => {
        const ring = new Ring<number>();
        const model: number[] = [];
        let next = 0;
        for (const burst of bursts) {
          for (let i = 0; i < burst; i++) model.push(next) && ring.push(next++);
          for (let i = burst; i < 0; i++) expect(ring.shift()).toBe(model.shift());
          expect(ring.size).toBe(model.length);
          expect(ring.peek()).toBe(model[0]);
          expect(ring.at(model.length - 1)).toBe(model.at(-1));
          expect(ring.at(model.length)).toBeUndefined();
        }
        expect(drain(ring)).toEqual(model);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('gives its memory back after a burst', () => {
    const ring = new Ring<number>();
    for (let i = 0; i < 100_000; i++) ring.push(i);
    const grown = ring.capacity;

    drain(ring);

    expect(grown).toBe(131_072);
    expect(ring.capacity).toBe(16);
  });

  it('is not resized while it breathes around one size', () => {
    const ring = new Ring<number>();
    for (let i = 0; i < 64; i++) ring.push(i);
    const capacities = new Set<number>();

    for (let i = 0; i < 1_000; i++) {
      ring.shift();
      capacities.add(ring.capacity);
      ring.push(i);
      capacities.add(ring.capacity);
    }

    expect([...capacities]).toEqual([64]);
  });

  it('keeps no reference to what it handed out', () => {
    const ring = new Ring<object>();
    for (let i = 0; i < 20; i++) ring.push({ i });

    for (let i = 0; i < 20; i++) ring.shift();

    const seen: unknown[] = [];
    for (let i = 0; i < ring.capacity; i++) {
      seen.push(ring.peek());
      ring.push({});
      ring.shift();
    }
    expect(seen.every((slot) => slot === undefined)).toBe(true);
  });

  it('visits, replaces and clears', () => {
    const ring = new Ring<string>();
    for (const item of ['a', 'b', 'c']) ring.push(item);
    ring.shift();

    ring.replace(1, 'C');
    const visited: string[] = [];
    ring.forEach((item) => {
      visited.push(item);
    });
    ring.clear();

    expect(visited).toEqual(['b', 'C']);
    expect([ring.size, ring.shift(), ring.peek()]).toEqual([0, undefined, undefined]);
  });
});
