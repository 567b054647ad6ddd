import { describe, expect, it } from 'vitest';
import { describeFilter, testOf } from '../../src/testing/message-filter.ts';

const MESSAGE = {
  topic: 'report.7.drafted',
  type: 'event',
  from: 'writer',
  payload: { id: 7, tags: ['a', { b: 1 }], at: new Date(5), none: undefined },
} as const;

describe('a filter of messages', () => {
  it.each([
    ['report.*.drafted', true],
    ['report.*', false],
    [{}, true],
    [{ type: 'event', from: 'writer' }, true],
    [{ type: 'task' }, false],
    [{ from: 'critic' }, false],
    [{ topic: 'report.**', from: 'critic' }, false],
    [{ payload: { id: 7 } }, true],
    [{ payload: { id: 8 } }, false],
    [{ payload: { idea: 7 } }, false],
    [{ payload: { none: undefined } }, true],
    [{ payload: { missing: undefined } }, false],
    [{ payload: { tags: ['a', {}] } }, true],
    [{ payload: { tags: ['a'] } }, false],
    [{ payload: { tags: ['a', { b: 2 }] } }, false],
    [{ payload: { at: new Date(5) } }, true],
    [{ payload: { at: new Date(6) } }, false],
    [{ payload: null }, false],
    [{ payload: 7 }, false],
  ])('%j fits: %s', (filter, fits) => {
    expect(testOf(filter)(MESSAGE)).toBe(fits);
  });

  it.each([
    ['report.*', 'report.*'],
    [{}, 'anything'],
    [
      { type: 'task', topic: 'a.b', from: 'ann', payload: { n: 1 } },
      'task a.b from ann with {"n":1}',
    ],
    [{ payload: 10n }, 'anything with what JSON cannot show'],
  ])('%# is described as %s', (filter, text) => {
    expect(describeFilter(filter)).toBe(text);
  });

  it('is refused where its pattern is', () => {
    expect(() => testOf('a..b')).toThrow(/segment/);
  });
});
