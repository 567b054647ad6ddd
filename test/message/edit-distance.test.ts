import fc from 'fast-check';
import { expect, it } from 'vitest';
import { editDistance } from '../../src/message/edit-distance.ts';

/** The definition, word for word. */
function naive(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  const replace = naive(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1);
  return Math.min(replace, naive(a.slice(1), b) + 1, naive(a, b.slice(1)) + 1);
}

it('counts what has to be changed, up to the limit', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 6 });
  fc.assert(
    fc.property(word, word, fc.nat(6), (a, b, limit) => {
      const distance = naive(a, b);
      expect(Math.min(editDistance(a, b, limit), limit + 1)).toBe(Math.min(distance, limit + 1));
    }),
    { seed: 3, numRuns: 2_000 },
  );
});
