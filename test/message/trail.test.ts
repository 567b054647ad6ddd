import { describe, expect, it } from 'vitest';
import { follow, pathOf, type Trail } from '../../src/message/trail.ts';

const edge = (from: string, to: string, topic = 'x') => ({ from, to, topic });

/** A chain of edges, each `stepMs` after the one before. */
function chain(edges: readonly { from: string; to: string; topic: string }[], stepMs = 1): Trail {
  let trail: Trail | undefined;
  edges.forEach((one, i) => {
    trail = follow(trail, one, i * stepMs, 60_000);
  });
  return trail as Trail;
}

// R:G1
describe('a chain of causes', () => {
  const round = [edge('a', 'b'), edge('b', 'c'), edge('c', 'a')];

  it.each([
    ['a first edge', [edge('a', 'b')], 1],
    ['another topic', [edge('a', 'b', 'x'), edge('a', 'b', 'y')], 1],
    ['another hearer', [edge('a', 'b'), edge('a', 'c')], 1],
    ['another speaker', [edge('a', 'c'), edge('b', 'c')], 1],
    ['the same twice', [edge('a', 'b'), edge('a', 'b')], 2],
    ['three rounds of three', [...round, ...round, ...round], 3],
  ])('counts %s', (_what, edges, count) => {
    expect(chain(edges).count).toBe(count);
  });

  it('does not count siblings', () => {
    const cause = chain([edge('a', 'b')]);

    const siblings = Array.from({ length: 5 }, () => follow(cause, edge('b', 'c'), 1, 60_000));

    expect(siblings.map(({ count }) => count)).toEqual([1, 1, 1, 1, 1]);
  });

  it('counts what was said within the window that ends now', () => {
    const ticks = (n: number) => Array.from({ length: n }, () => edge('a', 'a'));

    expect(chain(ticks(61), 1_000).count).toBe(61);
    expect(chain(ticks(62), 1_000).count).toBe(61);
    expect(chain(ticks(5), 60_001).count).toBe(1);
  });

  it('counts a burst as one, wherever in time it begins', () => {
    let trail: Trail | undefined;
    for (const at of [0, 59_998, 59_999, 60_000, 60_001, 60_002]) {
      trail = follow(trail, edge('a', 'b'), at, 60_000);
    }

    expect(trail?.count).toBe(5);
  });

  it('names the cycle, whatever came before it', () => {
    const lead = [edge('x', 'y'), edge('y', 'a')];

    expect(pathOf(chain([...lead, ...round, ...round]))).toEqual([
      'a -x-> b',
      'b -x-> c',
      'c -x-> a',
    ]);
    expect(pathOf(chain([...lead, ...round, edge('a', 'b')]))).toEqual([
      'b -x-> c',
      'c -x-> a',
      'a -x-> b',
    ]);
  });

  it('names who heard what was published by what he said then', () => {
    const loud = [edge('a', '*'), edge('b', '*'), edge('a', '*')];

    expect(pathOf(chain(loud))).toEqual(['b -x-> a', 'a -x-> b']);
    expect(pathOf(chain(loud.slice(0, 2)))).toEqual(['a -x-> b', 'b -x-> *']);
  });

  it('names the last few edges of what is no cycle', () => {
    const line = Array.from({ length: 40 }, (_, i) => edge(`a${i}`, `a${i + 1}`));

    expect(pathOf(chain(line))).toHaveLength(16);
    expect(pathOf(chain(line), 1)).toEqual(['a39 -x-> a40']);
  });

  it('does not grow for ever', () => {
    const trail = chain(
      Array.from({ length: 25_000 }, () => edge('a', 'a')),
      30,
    );

    expect(trail.links).toBeLessThanOrEqual(10_000);
  });
});
