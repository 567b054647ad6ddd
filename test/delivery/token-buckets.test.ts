import { describe, expect, it } from 'vitest';
import { TokenBuckets } from '../../src/delivery/token-buckets.ts';

// R:G4
describe('token buckets', () => {
  it('give each name its own tokens, and back with time', () => {
    const buckets = new TokenBuckets({ limit: 2, perMs: 100 });
    const at = (now: number, name: string): string =>
      buckets.take(name, now) === undefined ? 'ok' : 'no';

    expect([at(0, 'a'), at(0, 'a'), at(0, 'a'), at(0, 'b')]).toEqual(['ok', 'ok', 'no', 'ok']);
    expect([at(49, 'a'), at(50, 'a'), at(50, 'a'), at(1_000, 'a')]).toEqual([
      'no',
      'ok',
      'no',
      'ok',
    ]);
  });

  it('say when there will be a token, and once in a while that it is news', () => {
    const buckets = new TokenBuckets({ limit: 1, perMs: 100 });
    buckets.take('a', 0);

    expect(buckets.take('a', 30)).toEqual({ retryAfterMs: 70, isNews: true });
    expect(buckets.take('a', 40)).toEqual({ retryAfterMs: 60, isNews: false });
  });

  it('forget who was silent, and then the longest idle, beyond 10 000 names', () => {
    const buckets = new TokenBuckets({ limit: 1, perMs: 1_000 });
    for (let n = 0; n < 10_000; n++) buckets.take(`n${n}`, n / 100);
    buckets.take('n0', 500);
    buckets.take('new', 600);

    expect(buckets.size).toBe(9_001);
    expect(buckets.take('n9999', 600)).toBeDefined();
    expect(buckets.take('n0', 600)).toBeDefined();
    expect(buckets.take('n1', 600)).toBeUndefined();

    for (let n = 0; n < 1_000; n++) buckets.take(`late${n}`, 5_000);
    expect(buckets.size).toBe(1_000);
  });
});
