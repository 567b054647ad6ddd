import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Linked, LinkedList } from '../../src/kernel/linked-list.ts';

class Item implements Linked<Item> {
  previous: Item | undefined = undefined;
  next: Item | undefined = undefined;
}

describe('LinkedList', () => {
  it('holds what a Set would hold, in the same order, whatever is added and taken out', () => {
    const step = fc.record({ adds: fc.boolean(), at: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const items = Array.from({ length: 10 }, () => new Item());
        const list = new LinkedList<Item>();
        const model = new Set<Item>();
        for (const { adds, at } of steps) {
          const item = items[at] as Item;
          if (!adds) {
            list.remove(item);
            model.delete(item);
          } else if (!model.has(item)) {
            list.add(item);
            model.add(item);
          }
          expect(list.size).toBe(model.size);
          expect(list.toArray().map((one) => items.indexOf(one))).toEqual(
            [...model].map((one) => items.indexOf(one)),
          );
        }
      }),
    );
  });

  it('leaves no trace in what it held', () => {
    const [a, b] = [new Item(), new Item()];
    const list = new LinkedList<Item>();
    list.add(a);
    list.add(b);

    list.remove(a);

    expect([a.previous, a.next, b.previous, b.next]).toEqual(Array(4).fill(undefined));
  });
});
