import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../src/resilience/token-bucket.ts';

describe('a token bucket', () => {
  it('is full at first, and says how long each of those who come would wait', () => {
    const bucket = new TokenBucket({ limit: 2, perMs: 100 });

    expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([true, true, false]);
    expect([0, 1, 2].map((ahead) => bucket.waitMs(ahead))).toEqual([50, 100, 150]);
    bucket.refill(30);
    expect([bucket.waitMs(), bucket.take(49), bucket.take(50)]).toEqual([20, false, true]);
  });

  it('lets who comes first wait for nothing when there is a token', () => {
    const bucket = new TokenBucket({ limit: 2, perMs: 100 });

    expect([bucket.waitMs(), bucket.waitMs(1), bucket.waitMs(2)]).toEqual([0, 0, 50]);
  });

  it('takes nothing when the clock is set back', () => {
    const bucket = new TokenBucket({ limit: 1, perMs: 100 });
    bucket.take(1_000);

    bucket.refill(500);

    expect([bucket.take(599), bucket.take(600)]).toEqual([false, true]);
  });
});
