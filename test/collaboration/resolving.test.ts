import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Arbiter,
  byArbiter,
  byMerge,
  byPriority,
  byVote,
  type Position,
  type Resolution,
} from '../../src/agents.ts';

/** `ann: 1` for each entry. */
function positions(of: Readonly<Record<string, unknown>>): Position[] {
  return Object.entries(of).map(([by, value]) => ({ by, value }));
}

/** What came of it, in a form to read in a table. */
function inWords(resolution: Resolution): string {
  if (!resolution.settled) return `${resolution.why}: ${JSON.stringify(resolution.between)}`;
  const { how, value, by, conflicts } = resolution;
  const at = conflicts.length === 0 ? '' : ` (${conflicts})`;
  return `${how} ${JSON.stringify(value)} by ${by}${at}`;
}

const NOBODY = 'nobody said anything: []';

// F:F12
describe('a vote', () => {
  it.each([
    ['of nobody', {}, {}, NOBODY],
    ['of one', { ann: 1 }, {}, 'agreed 1 by ann'],
    ['of all for the same', { ann: 1, bob: 1 }, {}, 'agreed 1 by ann,bob'],
    ['is won by the most', { ann: 1, bob: 2, cat: 2 }, {}, 'vote 2 by bob,cat'],
    ['may be a tie', { ann: 1, bob: 2 }, {}, 'a tie: [1,2]'],
    ['names only those who tie', { ann: 1, bob: 2, cat: 2, dan: 3, eve: 3 }, {}, 'a tie: [2,3]'],
    ['lets the first win a tie', { ann: 1, bob: 2 }, { tie: 'first' }, 'vote 1 by ann'],
    ['weighs', { ann: 1, bob: 2, cat: 2 }, { weights: { ann: 3 } }, 'vote 1 by ann'],
    ['weighs nothing', { ann: 1, bob: 2 }, { weights: { ann: 0 } }, 'vote 2 by bob'],
    [
      'of weight 0 decides nothing',
      { ann: 1, bob: 2 },
      { weights: { ann: 0, bob: 0 }, tie: 'first' },
      'no vote weighs anything: [1,2]',
    ],
    [
      'does not tie by rounding',
      { ann: 1, bob: 1, cat: 2 },
      { weights: { ann: 0.1, bob: 0.2, cat: 0.3 } },
      'a tie: [1,2]',
    ],
    ['has its quorum', { ann: 1, bob: 1, cat: 2 }, { quorum: 2 }, 'vote 1 by ann,bob'],
    [
      'misses its quorum',
      { ann: 1, bob: 1, cat: 2 },
      { quorum: 3 },
      'the most weigh 2, and 3 were needed: [1,2]',
    ],
    [
      'misses it when all agree',
      { ann: 1 },
      { quorum: 2 },
      'the most weigh 1, and 2 were needed: [1]',
    ],
    ['has a quorum by weight', { ann: 1 }, { quorum: 2, weights: { ann: 2 } }, 'agreed 1 by ann'],
    ['has no quorum of nobody', {}, { quorum: 1 }, NOBODY],
    [
      'takes equal data for the same',
      { ann: { a: 1, b: [2] }, bob: { b: [2], a: 1 }, cat: { a: 1 } },
      {},
      'vote {"a":1,"b":[2]} by ann,bob',
    ],
    ['keeps null and 0 apart', { ann: null, bob: 0, cat: null }, {}, 'vote null by ann,cat'],
  ] as const)('%s', (_, of, options, words) => {
    expect(inWords(byVote(options)(positions(of)))).toBe(words);
  });

  it('does not depend on who speaks first, unless a tie does', () => {
    const voters = fc.array(fc.nat(3), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(voters, fc.nat(), (values, by) => {
        const list = values.map((value, i) => ({ by: `${i}`, value }));
        const turned = [...list.slice(by % list.length), ...list.slice(0, by % list.length)];

        const [one, other] = [byVote()(list), byVote()(turned)];

        expect(one.settled && one.value).toBe(other.settled && other.value);
      }),
    );
  });
});

// F:F12
describe('priority', () => {
  it.each([
    ['of nobody', {}, ['ann'], NOBODY],
    ['is not needed', { ann: 1, bob: 1 }, ['bob'], 'agreed 1 by ann,bob'],
    ['is that of the first in the list', { ann: 1, bob: 2 }, ['bob', 'ann'], 'priority 2 by bob'],
    ['passes over who is silent', { ann: 1, bob: 2 }, ['cat', 'bob'], 'priority 2 by bob'],
    [
      'of none in the list is that of the first to speak',
      { ann: 1, bob: 2 },
      [],
      'priority 1 by ann',
    ],
    ['names all who stand for it', { ann: 1, bob: 2, cat: 2 }, ['cat'], 'priority 2 by bob,cat'],
  ] as const)('%s', (_, of, names, words) => {
    expect(inWords(byPriority(names)(positions(of)))).toBe(words);
  });
});

// F:F12
describe('an arbiter', () => {
  it.each([
    ['is not asked about nothing', {}, () => 7, NOBODY],
    ['is not asked where all agree', { ann: 1, bob: 1 }, () => 7, 'agreed 1 by ann,bob'],
    ['chooses', { ann: 1, bob: 2, cat: 2 }, () => 2, 'arbiter 2 by bob,cat'],
    ['chooses what is equal', { ann: [1], bob: 2 }, () => [1], 'arbiter [1] by ann'],
    ['finds something else', { ann: 1, bob: 2 }, () => 3, 'arbiter 3 by '],
    ['takes its time', { ann: 1, bob: 2 }, async () => 1, 'arbiter 1 by ann'],
    ['cannot decide', { ann: 1, bob: 2 }, () => undefined, 'the arbiter did not decide: [1,2]'],
  ] as readonly [string, object, Arbiter, string][])('%s', async (_, of, arbiter, words) => {
    expect(inWords(await byArbiter(arbiter)(positions({ ...of })))).toBe(words);
  });

  it('may throw', () => {
    const wrong = byArbiter(() => {
      throw new RangeError('asleep');
    });

    expect(() => wrong(positions({ ann: 1, bob: 2 }))).toThrow('asleep');
  });
});

// F:F12
describe('a merge', () => {
  it.each([
    ['of nobody', {}, NOBODY],
    ['of the same', { ann: { a: 1 }, bob: { a: 1 } }, 'agreed {"a":1} by ann,bob'],
    ['of different fields', { ann: { a: 1 }, bob: { b: 2 } }, 'merge {"a":1,"b":2} by '],
    [
      'inside of fields',
      { ann: { a: { x: 1 } }, bob: { a: { y: 2 } } },
      'merge {"a":{"x":1,"y":2}} by ',
    ],
    ['of equal lists', { ann: { a: [1] }, bob: { a: [1], b: 2 } }, 'merge {"a":[1],"b":2} by '],
    ['of other lists', { ann: { a: [1] }, bob: { a: [2] } }, 'they differ at /a: [[1],[2]]'],
    ['of no objects', { ann: 1, bob: 2 }, 'they differ: [1,2]'],
    ['of an object and none', { ann: { a: 1 }, bob: 2 }, 'they differ: [{"a":1},2]'],
    ['of odd names', { ann: { 'a/b': 1 }, bob: { 'a/b': 2 } }, 'they differ at /a~1b: [1,2]'],
  ] as const)('%s', (_, of, words) => {
    expect(inWords(byMerge()(positions(of)))).toBe(words);
  });

  it.each([
    ['a vote', byVote(), 'merge {"a":2,"b":1} by  (/a)'],
    ['priority', byPriority(['ann']), 'merge {"a":1,"b":1} by  (/a)'],
    [
      'a vote without an end',
      byVote({ quorum: 3 }),
      'they differ at /a: the most weigh 2, and 3 were needed: [1,2]',
    ],
  ])('settles what differs by %s', (_, conflict, words) => {
    const of = { ann: { a: 1, b: 1 }, bob: { a: 2 }, cat: { a: 2 } };

    expect(inWords(byMerge({ conflict })(positions(of)))).toBe(words);
  });

  it('makes no prototype of a field', () => {
    const hostile = JSON.parse('{"__proto__":{"admin":true}}') as object;

    const resolution = byMerge()(positions({ ann: hostile, bob: { b: 1 } }));

    expect(Object.keys((resolution as { value: object }).value)).toEqual(['__proto__', 'b']);
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
    expect((resolution as { value: { admin?: unknown } }).value.admin).toBeUndefined();
  });
});

describe('ways to resolve', () => {
  it.each([
    ['byVote', () => byVote({ quorum: 0 })],
    ['byVote', () => byVote({ quorom: 1 } as never)],
    ['byVote', () => byVote({ tie: 'last' as never })],
    ['byVote', () => byVote({ weights: { ann: -1 } })],
    ['byVote', () => byVote({ weights: { ann: Number.NaN } })],
    ['byPriority', () => byPriority('ann' as never)],
    ['byArbiter', () => byArbiter('ann' as never)],
    ['byMerge', () => byMerge({ conflict: 'vote' as never })],
    ['byMerge', () => byMerge({ conflicts: byVote() } as never)],
  ])('%s refuses what makes no sense', (_, make) => {
    expect(make).toThrow(TypeError);
  });

  it('leave what they are given as it is', () => {
    const given = Object.freeze(positions({ ann: { a: 1 }, bob: { a: 2 } }).map(Object.freeze));

    for (const resolve of [byVote(), byPriority([]), byMerge({ conflict: byVote() })]) {
      expect(() => resolve(given as Position[])).not.toThrow();
    }
  });
});
