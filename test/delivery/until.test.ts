import { describe, expect, it } from 'vitest';
import { checkUntil, first, judge, quorum } from '../../src/delivery/until.ts';

const NOTHING = { ok: [], failed: [], pending: [], cancelled: [] };

// R:F4 F:C9
describe('judge', () => {
  it.each([
    // until, ok, left, verdict
    ['all', undefined, 0, 2, 'go-on'],
    ['all', undefined, 2, 1, 'go-on'],
    ['all', undefined, 2, 0, 'all'],
    ['all', undefined, 0, 0, 'all'],
    ['first(1)', first(), 0, 1, 'go-on'],
    ['first(1)', first(), 1, 1, 'enough'],
    ['first(1)', first(1), 0, 0, 'impossible'],
    ['quorum(2)', quorum(2), 1, 1, 'go-on'],
    ['quorum(2)', quorum(2), 1, 0, 'impossible'],
    ['quorum(2)', quorum(2), 0, 1, 'impossible'],
    ['quorum(2)', quorum(2), 2, 0, 'enough'],
    ['quorum(2)', quorum(2), 3, 5, 'enough'],
    ['a predicate that says yes', () => true, 0, 3, 'enough'],
    ['a predicate that says yes', () => true, 0, 0, 'enough'],
    ['a predicate that says no', () => false, 3, 1, 'go-on'],
    ['a predicate that says no', () => false, 3, 0, 'all'],
    ['a predicate that says something else', (() => 1) as never, 3, 1, 'go-on'],
  ])('with %s: %#', (_name, until, ok, left, verdict) => {
    expect(judge(until, { ok, left }, () => NOTHING)).toBe(verdict);
  });

  it('looks at what has come only for a predicate', () => {
    const look = (): never => {
      throw new Error('looked');
    };

    expect(judge(quorum(1), { ok: 0, left: 1 }, look)).toBe('go-on');
    expect(() => judge(() => true, { ok: 0, left: 1 }, look)).toThrow('looked');
  });

  it('refuses a predicate that returns a promise, and hears its rejection', () => {
    const promised = (() => Promise.reject(new Error('unheard'))) as never;

    expect(() => judge(promised, { ok: 0, left: 1 }, () => NOTHING)).toThrow(/synchronous/);
  });
});

describe('first and quorum', () => {
  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuse %d answers', (answers) => {
    expect(() => first(answers)).toThrow(RangeError);
    expect(() => quorum(answers)).toThrow(RangeError);
    expect(() => checkUntil({ answers })).toThrow(RangeError);
  });

  it.each(['2', null, {}])('refuse %j', (answers) => {
    expect(() => quorum(answers as never)).toThrow(TypeError);
  });

  it.each(['all', 2, null, {}])('are what until takes, not %j', (until) => {
    expect(() => checkUntil(until)).toThrow(TypeError);
  });

  it('are taken, as predicates and nothing are', () => {
    expect(() => [first(), quorum(2), () => true, undefined].map(checkUntil)).not.toThrow();
  });
});
