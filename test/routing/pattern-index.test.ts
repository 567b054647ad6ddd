import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../src/message/pattern.ts';
import { PatternIndex, type Routable } from '../../src/routing/pattern-index.ts';
import { PatternMaker } from '../message/pattern-maker.ts';

interface Item extends Routable {
  readonly label: string;
}

function item(pattern: string, order: number): Item {
  return { pattern: compilePattern(pattern), order, label: `${order} ${pattern}` };
}

function filled(patterns: readonly string[]): PatternIndex<Item> {
  const index = new PatternIndex<Item>();
  for (const [order, pattern] of patterns.entries()) index.add(item(pattern, order));
  return index;
}

function labels(index: PatternIndex<Item>, topic: string): string[] {
  return index.matches(topic).map(({ label }) => label);
}

describe('the index of patterns', () => {
  it('gives what matches in the order of registration', () => {
    const index = filled(['**', 'a.b', 'a.*', 'b.*', 'a.b', '*.b']);

    expect(labels(index, 'a.b')).toEqual(['0 **', '1 a.b', '2 a.*', '4 a.b', '5 *.b']);
  });

  it('gives an item once, however many of its alternatives match', () => {
    const index = filled(['{a.*,*.b,a.b,**}', '**.b.**']);

    expect(labels(index, 'a.b')).toEqual(['0 {a.*,*.b,a.b,**}', '1 **.b.**']);
  });

  it('keeps the order of registration when an older item comes later', () => {
    const index = new PatternIndex<Item>();

    for (const order of [2, 0, 1]) index.add(item('a.b', order));
    const exact = index.matches('a.b').map(({ order }) => order);
    for (const order of [5, 3, 4]) index.add(item('a.*', order));

    expect(exact).toEqual([0, 1, 2]);
    expect(index.matches('a.b').map(({ order }) => order)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('keeps the list that it gave away as it was', () => {
    const index = filled(['a.b', 'a.b']);
    const before = index.matches('a.b');

    index.add(item('a.b', 9));

    expect(before).toHaveLength(2);
  });

  it('looks at no topic that is longer than a topic can be', () => {
    const index = filled(['**']);

    expect(index.matches('a'.repeat(256))).toHaveLength(1);
    expect(index.matches('a'.repeat(257))).toEqual([]);
  });

  it('counts items, and takes out only what is in', () => {
    const index = filled(['a.b', '{a,b}.*']);
    const stranger = item('a.b', 0);

    expect(index.remove(stranger)).toBe(false);
    expect(index.remove(item('x.*', 7))).toBe(false);
    expect(index.remove(item('x', 7))).toBe(false);
    expect(index.size).toBe(2);
  });

  // R:E2
  it('takes names of the language for ordinary names', () => {
    const index = filled(['__proto__.*', 'constructor', 'toString.**']);

    expect(labels(index, '__proto__.x')).toEqual(['0 __proto__.*']);
    expect(labels(index, 'constructor')).toEqual(['1 constructor']);
    expect(labels(index, 'hasOwnProperty')).toEqual([]);
  });

  // F:A1 F:A2 F:A3 F:A17
  it('agrees with a plain list while items come and go at random', () => {
    const maker = new PatternMaker(99);
    const index = new PatternIndex<Item>();
    const list: Item[] = [];
    let found = 0;

    for (let order = 0; order < 6_000; order += 1) {
      const added = itemOf(maker, order);
      if (added !== undefined) {
        list.push(added);
        index.add(added);
      }
      while (list.length > 60) {
        const [removed] = list.splice(maker.below(list.length), 1);
        if (removed !== undefined) expect(index.remove(removed)).toBe(true);
      }
      const topic = maker.topic();
      const expected = list.filter(({ pattern }) => pattern.matches(topic));
      found += expected.length;
      expect(index.matches(topic)).toEqual(expected);
    }

    expect(found).toBeGreaterThan(10_000);
    for (const removed of list) index.remove(removed);
    expect([index.size, index.nodes()]).toEqual([0, 1]);
  });

  // R:D5
  it('is as small as before when 200 000 patterns came and went', () => {
    const index = filled(['a.*']);
    const before = index.nodes();

    for (let order = 1; order <= 200_000; order += 1) {
      const passing = item(
        [`b.${order}.*`, `${order}.*.**.c*`, `b.${order}`][order % 3] as string,
        order,
      );
      index.add(passing);
      index.remove(passing);
    }

    expect([index.size, index.nodes(), index.topics()]).toEqual([1, before, 0]);
  });

  it('keeps a node that others still go through', () => {
    const index = filled(['a.*', 'a.*.b', 'a.**']);
    const [first] = index.matches('a.x');

    index.remove(first as Item);

    expect(index.nodes()).toBe(5);
    expect(labels(index, 'a.x.b')).toEqual(['1 a.*.b', '2 a.**']);
  });

  it('shares the nodes of equal patterns', () => {
    const index = filled(Array.from({ length: 500 }, () => 'a.*.b'));

    expect(index.nodes()).toBe(4);
    expect(index.matches('a.x.b')).toHaveLength(500);
  });

  it('holds more equal patterns than a call takes arguments', () => {
    const index = filled(Array.from({ length: 200_000 }, () => 'a.*'));

    expect(index.matches('a.x')).toHaveLength(200_000);
  });
});

function itemOf(maker: PatternMaker, order: number): Item | undefined {
  const source = maker.below(3) === 0 ? maker.topic() : maker.pattern().ours;
  try {
    return item(source, order);
  } catch {
    return undefined;
  }
}
