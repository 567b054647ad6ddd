import { describe, expect, it } from 'vitest';
import type { DeadLetterReason } from '../../src/delivery/dead-letters.ts';
import { LetterBox } from '../../src/delivery/letter-box.ts';

const letter = (id: string, payload: unknown = 1, reason: DeadLetterReason = 'rejected') => {
  return {
    id,
    reason,
    quarantined: false,
    lastFailedAt: 0,
    message: { payload },
    error: undefined,
  };
};
type Letter = ReturnType<typeof letter>;
const ids = (box: LetterBox<Letter>): string[] => box.list(() => true).map(({ id }) => id);

// R:D6 R:J2
describe('LetterBox', () => {
  it('keeps the newest letters and counts those that made room', () => {
    const box = new LetterBox<Letter>({
      maxLetters: 2,
      maxBytes: Infinity,
      maxPerReason: 2,
      retentionMs: Infinity,
    });
    for (const id of ['a', 'b', 'c']) box.add(letter(id));

    expect(ids(box)).toEqual(['b', 'c']);
    expect([box.size, box.evicted]).toEqual([2, 1]);
  });

  it('lets no reason push out the others', () => {
    const box = new LetterBox<Letter>({
      maxLetters: 10,
      maxBytes: Infinity,
      maxPerReason: 2,
      retentionMs: Infinity,
    });
    box.add(letter('rare', 1, 'expired'));
    for (const id of ['a', 'b', 'c']) box.add(letter(id));

    expect(ids(box)).toEqual(['rare', 'b', 'c']);
  });

  it('keeps within its bytes and gives them back', () => {
    const box = new LetterBox<Letter>({
      maxLetters: 10,
      maxBytes: 3_000,
      maxPerReason: 10,
      retentionMs: Infinity,
    });
    const big = 'x'.repeat(600);
    for (const id of ['a', 'b', 'c']) box.add(letter(id, big));

    expect(ids(box)).toEqual(['b', 'c']);
    expect(box.bytes).toBeLessThanOrEqual(3_000);
    for (const one of box.list(() => true)) box.remove(one);
    expect([box.bytes, box.size]).toEqual([0, 0]);
    expect(box.remove(letter('a'))).toBe(false);
  });

  it('keeps nothing when it may keep nothing', () => {
    const box = new LetterBox<Letter>({
      maxLetters: 0,
      maxBytes: Infinity,
      maxPerReason: 0,
      retentionMs: Infinity,
    });
    box.add(letter('a'));
    expect(box.size).toBe(0);
  });

  it('estimates bytes of anything without running an accessor or going on for ever', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    class Foreign {
      get secret(): never {
        throw new Error('not for us');
      }
    }

    const bytesOf = (payload: unknown): number => {
      const box = new LetterBox<Letter>({
        maxLetters: 9,
        maxBytes: Infinity,
        maxPerReason: 9,
        retentionMs: Infinity,
      });
      box.add(letter('a', payload));
      return box.bytes;
    };
    const none = bytesOf('');

    expect(bytesOf('abcd') - none).toBe(8);
    expect(bytesOf(new Uint8Array(1_000)) - none).toBe(1_000);
    expect(bytesOf(new Map([['key', 'value']])) - none).toBeGreaterThan(10);
    expect(bytesOf(new Set([1, 2])) - none).toBeGreaterThan(16);
    expect(bytesOf(cycle)).toBeGreaterThan(none);
    expect(bytesOf(new Foreign()) - none).toBe(16);
    expect(bytesOf(Array.from({ length: 100_000 }, () => 1)) - none).toBeGreaterThan(10_000);
  });
});
