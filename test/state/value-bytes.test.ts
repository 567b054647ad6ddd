import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StateManager } from '../../src/state/state-manager.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const bytesAfter = (...values: unknown[]): number => {
  const state = new StateManager({ env: new SimEnv() });
  for (const value of values) state.set('doc', value);
  return state.metrics().bytes;
};

const leaf = fc.oneof(fc.string({ maxLength: 3 }), fc.integer(), fc.constantFrom(null, true));
// Few lengths and names, so that the same places often hold something else.
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b'), tie('value')),
  ),
}));

describe('the size of a value', () => {
  // R:K4
  it('is the same whatever was there before, although only what changed is looked at', () => {
    fc.assert(
      fc.property(json, json, json, (first, second, last) => {
        expect(bytesAfter(first, second, last)).toBe(bytesAfter(last));
      }),
    );
  });

  it('is refused in a list of the same length as in any other', () => {
    const state = new StateManager({ env: new SimEnv(), maxValueBytes: 60 });
    state.set('doc', ['a', 'b', 'c']);

    expect(() => state.set('doc', ['a', 'b'.repeat(60), 'c'])).toThrow(/more than 60/);
    expect(() => state.set('doc', ['a', undefined, 'c'])).toThrow('at /1 is undefined');
    expect(state.get('doc')?.value).toEqual(['a', 'b', 'c']);
  });
});
