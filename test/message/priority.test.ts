import { describe, expect, it } from 'vitest';
import { type PriorityInput, toPriority } from '../../src/message/priority.ts';

describe('toPriority', () => {
  it.each([
    ['low', 2],
    ['normal', 5],
    ['high', 8],
    ['critical', 10],
    [0, 0],
    [-0, 0],
    [10, 10],
  ] as const)('gives %s as %i', (value, priority) => {
    expect(toPriority(value)).toBe(priority);
  });

  it.each([11, -1, 2.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses the number %s', (value) => {
    expect(() => toPriority(value)).toThrow(RangeError);
  });

  // R:E2
  it.each(['urgent', '__proto__', 'constructor', '', null, true, {}])('refuses %o', (value) => {
    expect(() => toPriority(value as PriorityInput)).toThrow(TypeError);
  });

  it('says what it expects and what came', () => {
    expect(() => toPriority('urgent' as PriorityInput)).toThrow(
      "priority must be an integer from 0 to 10 or 'low', 'normal', 'high', 'critical', but it is \"urgent\"",
    );
  });
});
