import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ticketed, TicketHeap } from '../../src/mailbox/ticket-heap.ts';

describe('TicketHeap', () => {
  it('hands out the lowest ticket, whatever was taken out of the middle', () => {
    const tickets = fc.uniqueArray(fc.nat({ max: 200 }), { maxLength: 40, size: 'max' });
    fc.assert(
      fc.property(tickets, fc.array(fc.nat({ max: 40 }), { maxLength: 20 }), (order, removals) => {
        const heap = new TicketHeap<Ticketed>();
        const items = order.map((ticket) => ({ ticket }));
        for (const item of items) heap.push(item);
        for (const index of removals) {
          const [item] = items.splice(index % Math.max(1, items.length), 1);
          if (item !== undefined)
            expect([heap.remove(item), heap.remove(item)]).toEqual([true, false]);
        }
        items.sort((a, b) => a.ticket - b.ticket);

        expect(heap.size).toBe(items.length);
        expect(heap.sorted()).toEqual(items);
        for (const item of items) expect([heap.peek(), heap.pop()]).toEqual([item, item]);
        expect([heap.peek(), heap.pop(), heap.size]).toEqual([undefined, undefined, 0]);
      }),
      { seed: 5, numRuns: 500 },
    );
  });
});
