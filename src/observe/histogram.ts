/** Buckets for each doubling of the value: neighbours differ by at most an eighth. */
const STEPS = 8;
/** The first bucket ends here: 1 microsecond. */
const SMALLEST_MS = 0.001;
/** Doublings covered: from 1 microsecond to about 25 days. */
const DOUBLINGS = 41;
const BUCKETS = STEPS * DOUBLINGS + 2;
const EXPONENT_BIAS = 1023;

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);
/** Where a double has its sign and exponent: in the second half on little-endian machines. */
const HIGH = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;

/** Of a set of durations, in milliseconds. */
export interface Latency {
  readonly count: number;
  readonly meanMs: number;
  readonly maxMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
}

/**
 * Durations in logarithmic buckets: constant memory, no allocation a record, and percentiles that
 * are at most 7 % off. Each power of two is cut into eight equal parts.
 *
 * Source: the bucket layout of HdrHistogram, Gil Tene, 2012.
 */
export class Histogram {
  readonly #buckets: Uint32Array = new Uint32Array(BUCKETS);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** 0 as long as nothing was recorded. */
  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count;
  }

  /** Counts a duration, `times` over; what is below 0 or no number counts as 0. */
  record(ms: number, times: number = 1): void {
    const value = ms > 0 ? ms : 0;
    this.recordIn(bucketOf(value), value, times);
  }

  /** The same for who knows the bucket already, because many durations are one. */
  recordIn(bucket: number, ms: number, times: number = 1): void {
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + times;
    this.#count += times;
    this.#sumMs += ms * times;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  /** The duration that `percent` (0 to 100) of the recorded ones do not exceed; 0 for none. */
  percentile(percent: number): number {
    const rank = Math.max(1, Math.ceil((percent / 100) * this.#count));
    let seen = 0;
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.#buckets[index] as number;
      if (seen >= rank) return Math.min(middleOf(index), this.#maxMs);
    }
    return this.#maxMs;
  }

  snapshot(): Latency {
    return {
      count: this.#count,
      meanMs: this.meanMs,
      maxMs: this.#maxMs,
      p50Ms: this.percentile(50),
      p90Ms: this.percentile(90),
      p99Ms: this.percentile(99),
    };
  }
}

/** The bucket of a duration: below 1 microsecond the first, above the greatest value the last. */
export function bucketOf(ms: number): number {
  double[0] = ms / SMALLEST_MS;
  // A float is its own logarithm: eleven bits of exponent, then the eighth of the doubling.
  const index = ((halves[HIGH] as number) >>> 17) - EXPONENT_BIAS * STEPS + 1;
  if (index <= 0) return 0;
  return index < BUCKETS ? index : BUCKETS - 1;
}

function middleOf(index: number): number {
  if (index === 0) return 0;
  if (index === BUCKETS - 1) return Number.POSITIVE_INFINITY;
  const doubling = Math.floor((index - 1) / STEPS);
  const step = (index - 1) % STEPS;
  return SMALLEST_MS * 2 ** doubling * (1 + (step + 0.5) / STEPS);
}
