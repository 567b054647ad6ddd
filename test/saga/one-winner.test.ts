import { describe, expect, it } from 'vitest';
import { saga } from '../../src/index.ts';
import { PROOFS } from './one-winner.ts';

const LIBRARY = { saga };

// R:I3, F:F9
describe('of several who take a saga up', () => {
  it.each(PROOFS)('$name', ({ prove }) => prove(LIBRARY));

  it('proves it of something', () => {
    expect(PROOFS.length).toBe(5);
  });
});
