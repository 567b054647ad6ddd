import { describe, expect, it } from 'vitest';
import { Lanes, type Queued } from '../../src/mailbox/lanes.ts';

interface Item extends Queued {
  readonly name: string;
}

let tickets = 0;
const item = (name: string, priority = 5): Item => ({ name, priority, ticket: ++tickets });

function lanesOf(items: readonly Item[], ageingLimit?: number): Lanes<Item> {
  const lanes = new Lanes<Item>(ageingLimit === undefined ? {} : { ageingLimit });
  for (const each of items) lanes.push(each);
  return lanes;
}

function takeAll(lanes: Lanes<Item>): string {
  const names: string[] = [];
  for (let next = lanes.take(); next !== undefined; next = lanes.take()) names.push(next.name);
  return names.join(' ');
}

describe('Lanes', () => {
  // R:B3
  it('takes the highest priority first and the oldest first inside a priority', () => {
    const lanes = lanesOf([item('a'), item('b', 10), item('c', 0), item('d'), item('e', 10)]);

    expect(takeAll(lanes)).toBe('b e a d c');
    expect(lanes.size).toBe(0);
  });

  // R:B3
  it('lets at most ageingLimit takes in a row pass over the oldest', () => {
    const lanes = lanesOf([item('old', 0), ...'abcdefgh'.split('').map((name) => item(name))], 3);

    expect(takeAll(lanes)).toBe('a b c old d e f g h');
  });

  it('passes over the oldest 16 times when nothing else is said', () => {
    const lanes = lanesOf([item('old', 0), ...Array.from({ length: 20 }, () => item('new'))]);

    expect(takeAll(lanes).split(' ').indexOf('old')).toBe(16);
  });

  it.each([
    [Number.POSITIVE_INFINITY, 'never', 40],
    [0, 'first', 0],
  ])('with a limit of %s takes the oldest %s', (ageingLimit, _when, place) => {
    const items = [item('old', 0), ...Array.from({ length: 40 }, () => item('new'))];
    const lanes = lanesOf(items, ageingLimit);

    expect(takeAll(lanes).split(' ').indexOf('old')).toBe(place);
  });

  it('begins to count again when the oldest was taken', () => {
    const lanes = lanesOf(
      [item('x', 0), item('y', 0), ...'abcdef'.split('').map((n) => item(n))],
      2,
    );

    expect(takeAll(lanes)).toBe('a b x c d y e f');
  });

  it('shows what take would hand out without counting it', () => {
    const lanes = lanesOf([item('old', 0), item('a'), item('b'), item('c')], 1);
    for (let i = 0; i < 10; i++) lanes.peek();

    const shown: unknown[] = [];
    for (let i = 0; i < 4; i++) shown.push(lanes.peek()?.name, lanes.take()?.name);

    expect(shown).toEqual(['a', 'a', 'old', 'old', 'b', 'b', 'c', 'c']);
    expect([lanes.peek(), lanes.take()]).toEqual([undefined, undefined]);
  });

  it('restores items to the place of their ticket', () => {
    const [a, b, c, d] = [item('a'), item('b'), item('c'), item('d')];
    const lanes = lanesOf([b, d]);

    for (const held of [c, a]) lanes.restore(held);

    expect(takeAll(lanes)).toBe('a b c d');
  });

  it('counts a restored item as the oldest', () => {
    const old = item('old', 0);
    const lanes = lanesOf([item('young', 0), item('a'), item('b'), item('c')], 1);
    lanes.take();

    lanes.restore(old);

    expect(takeAll(lanes)).toBe('old b young c');
  });

  it('discards one item, and says whether it was inside', () => {
    const [a, b, c] = [item('a'), item('b'), item('c')];
    const lanes = lanesOf([a, b, c]);
    const held = item('held');
    lanes.restore(held);

    const answers = [b, b, held, held, item('stranger'), item('alone', 9)].map((each) =>
      lanes.discard(each),
    );

    expect(answers).toEqual([true, false, true, false, false, false]);
    expect(lanes.size).toBe(2);
    expect(takeAll(lanes)).toBe('a c');
    expect(lanes.discard(a)).toBe(false);
  });

  it('removes by condition, in order, across priorities and restored items', () => {
    const [back, ...rest] = [item('back'), item('a'), item('b', 9), item('c'), item('d', 9)];
    const lanes = lanesOf(rest);
    lanes.restore(back as Item);

    const removed = lanes.removeWhere(({ name }) => name !== 'a' && name !== 'd');

    expect(removed.map(({ name }) => name)).toEqual(['b', 'back', 'c']);
    expect(takeAll(lanes)).toBe('d a');
  });

  it('drops the oldest of the lowest priority', () => {
    const lanes = lanesOf([item('a', 7), item('b', 2), item('c', 2), item('d', 9)]);

    expect(lanes.lowestPriority()).toBe(2);
    expect(lanes.dropOldestOfLowest()?.name).toBe('b');
    expect(takeAll(lanes)).toBe('d a c');
    expect([lanes.lowestPriority(), lanes.dropOldestOfLowest()]).toEqual([undefined, undefined]);
  });

  it('visits and clears everything in order', () => {
    const lanes = lanesOf([item('a'), item('b', 0), item('c', 10)]);
    const visited: string[] = [];

    lanes.forEach(({ name }) => {
      visited.push(name);
    });
    const cleared = lanes.clear();

    expect(visited).toEqual(['c', 'a', 'b']);
    expect(cleared.map(({ name }) => name)).toEqual(visited);
    expect([lanes.size, lanes.take()]).toEqual([0, undefined]);
  });

  it('looks at a number of tickets that does not grow with the depth', () => {
    let looks = 0;
    const watched = (priority: number, ticket: number): Queued => ({
      priority,
      get ticket() {
        looks++;
        return ticket;
      },
    });
    const looksAt = (depth: number, step: (lanes: Lanes<Queued>, items: Queued[]) => void) => {
      const lanes = new Lanes<Queued>();
      const items = Array.from({ length: depth }, (_, i) => watched(i % 11, i));
      for (const each of items) lanes.push(each);
      looks = 0;
      for (let i = 0; i < 100; i++) step(lanes, items);
      return looks / 100;
    };

    const take = (lanes: Lanes<Queued>) => void lanes.take();
    const discard = (lanes: Lanes<Queued>, items: Queued[]) =>
      void lanes.discard(items.pop() as Queued);

    expect(looksAt(100_000, take)).toBeLessThanOrEqual(11);
    expect(looksAt(100_000, discard)).toBeLessThan(40);
  });

  it('keeps no more dead places than living ones behind a head that stays', () => {
    const lanes = lanesOf([item('head'), item('second')]);
    let looks = 0;
    for (let i = 0; i < 100_000; i++) {
      const ticket = ++tickets;
      looks = 0;
      const passing: Item = {
        name: 'passing',
        priority: 5,
        get ticket() {
          looks++;
          return ticket;
        },
      };
      lanes.push(passing);
      lanes.discard(passing);
    }

    // One look for each halving of the places, and one for the tombstone.
    expect(looks).toBeLessThanOrEqual(4);
    expect(takeAll(lanes)).toBe('head second');
  });
});
