import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../src/observe/histogram.ts';

describe('Histogram', () => {
  it('is empty at first', () => {
    expect(new Histogram().snapshot()).toEqual({
      count: 0,
      meanMs: 0,
      maxMs: 0,
      p50Ms: 0,
      p90Ms: 0,
      p99Ms: 0,
    });
  });

  it('gives percentiles that are at most 7 % off the real ones', () => {
    const durations = fc.array(fc.double({ min: 0.001, max: 1e9, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(durations, fc.integer({ min: 0, max: 100 }), (values, percent) => {
        const histogram = new Histogram();
        for (const value of values) histogram.record(value);
        const sorted = values.toSorted((a, b) => a - b);
        const real = sorted[Math.max(0, Math.ceil((percent / 100) * values.length) - 1)] as number;

        const found = histogram.percentile(percent);

        expect(Math.abs(found - real) / real).toBeLessThan(0.07);
        expect(histogram.maxMs).toBe(sorted.at(-1));
      }),
      { seed: 4, numRuns: 1_000 },
    );
  });

  it('is right at the edges of its buckets', () => {
    for (let power = -9; power < 31; power++) {
      for (const edge of [2 ** power, 2 ** power * (1 - 2 ** -52), 2 ** power * 1.125]) {
        const histogram = new Histogram();
        histogram.record(edge);
        histogram.record(1e12);
        expect(Math.abs(histogram.percentile(50) - edge) / edge).toBeLessThan(0.07);
      }
    }
  });

  it('counts what is too small or no number as 0, and keeps what is too great', () => {
    const histogram = new Histogram();

    for (const ms of [0, -1, Number.NaN, 0.0001, 1e15]) histogram.record(ms);

    expect(histogram.count).toBe(5);
    expect([histogram.percentile(50), histogram.percentile(100)]).toEqual([0, 1e15]);
    expect(histogram.meanMs).toBeCloseTo(2e14);
  });
});
