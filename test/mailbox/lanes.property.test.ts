import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lanes, type Queued } from '../../src/mailbox/lanes.ts';

/** The rules of `Lanes` as a reader would say them: one list, sorted whenever it is asked. */
class NaiveLanes {
  items: Queued[] = [];
  passedOver = 0;
  readonly ageingLimit: number;

  constructor(ageingLimit: number) {
    this.ageingLimit = ageingLimit;
  }

  next(): Queued | undefined {
    return this.passedOver >= this.ageingLimit ? this.oldest() : this.inOrder()[0];
  }

  oldest(): Queued | undefined {
    return this.items.toSorted((a, b) => a.ticket - b.ticket)[0];
  }

  inOrder(): Queued[] {
    return this.items.toSorted((a, b) => b.priority - a.priority || a.ticket - b.ticket);
  }

  take(): Queued | undefined {
    const item = this.next();
    if (item === undefined) return undefined;
    this.passedOver = item === this.oldest() ? 0 : this.passedOver + 1;
    return this.remove(item);
  }

  remove(item: Queued | undefined): Queued | undefined {
    this.items = this.items.filter((other) => other !== item);
    return item;
  }
}

const priority = fc.oneof(fc.constant(5), fc.integer({ min: 0, max: 10 }));
const nth = fc.nat({ max: 1_000 });
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('push' as const), priority }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('discard' as const), nth }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hold' as const), nth }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restore' as const), nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), priority }) },
);

describe('Lanes', () => {
  // R:B3
  it('does what a sorted list would do, whatever happens to it', () => {
    const limits = fc.constantFrom(0, 1, 2, 3, 16, Number.POSITIVE_INFINITY);
    const programs = fc.array(step, { minLength: 1, maxLength: 120, size: 'max' });
    fc.assert(
      fc.property(limits, programs, (ageingLimit, program) => {
        const lanes = new Lanes<Queued>({ ageingLimit });
        const naive = new NaiveLanes(ageingLimit);
        const held: Queued[] = [];
        let tickets = 0;
        const pick = (items: Queued[], index: number) => items[index % items.length];
        for (const each of program) {
          if (each.do === 'push') {
            const item = { priority: each.priority, ticket: ++tickets };
            lanes.push(item);
            naive.items.push(item);
          } else if (each.do === 'take') {
            expect(lanes.take()).toBe(naive.take());
          } else if (each.do === 'discard' || each.do === 'hold') {
            const item = pick(naive.items, each.nth);
            if (item === undefined) continue;
            expect(lanes.discard(item)).toBe(true);
            expect(lanes.discard(item)).toBe(false);
            naive.remove(item);
            if (each.do === 'hold') held.push(item);
          } else if (each.do === 'restore') {
            const item = held.splice(each.nth % Math.max(1, held.length), 1)[0];
            if (item === undefined) continue;
            lanes.restore(item);
            naive.items.push(item);
          } else if (each.do === 'drop') {
            const lowest = Math.min(...naive.items.map((item) => item.priority));
            const victim = naive.inOrder().find((item) => item.priority === lowest);
            expect(lanes.dropOldestOfLowest()).toBe(naive.remove(victim));
          } else {
            const fits = (item: Queued) => item.priority === each.priority && item.ticket % 2 === 0;
            const expected = naive.inOrder().filter(fits);
            expect(lanes.removeWhere(fits)).toEqual(expected);
            for (const item of expected) naive.remove(item);
          }
          expect(lanes.size).toBe(naive.items.length);
          expect(lanes.peek()).toBe(naive.next());
        }
        const visited: Queued[] = [];
        lanes.forEach((item) => {
          visited.push(item);
        });
        expect(visited).toEqual(naive.inOrder());
        expect(lanes.clear()).toEqual(naive.inOrder());
        expect(lanes.size).toBe(0);
      }),
      { seed: 2, numRuns: 1_000 },
    );
  });
});
