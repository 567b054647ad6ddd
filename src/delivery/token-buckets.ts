import type { RateLimit } from './rate-gate.ts';

/** How many names are known at a time. */
const MAX_NAMES = 10_000;
/** So many of the longest idle make room when all are in use. */
const ROOM = 1_000;

interface Bucket {
  tokens: number;
  /** Monotonic instant of the last look. */
  at: number;
  /** Monotonic instant at which a refusal was last told. */
  toldAt: number;
}

/** That a name has no token left. */
export interface Emptied {
  /** Milliseconds until there is one. */
  readonly retryAfterMs: number;
  /** It was not told within the last `perMs`. */
  readonly isNews: boolean;
}

/** One token bucket (Turner 1986) for each name; who comes too often is turned away. */
export class TokenBuckets {
  readonly #limit: RateLimit;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token; tells when there will be one if there is none. */
  take(name: string, now: number): Emptied | undefined {
    const { limit, perMs } = this.#limit;
    const bucket = this.#buckets.get(name) ?? this.#add(name, now);
    const elapsedMs = now - bucket.at;
    if (elapsedMs > 0) {
      bucket.tokens = Math.min(limit, bucket.tokens + (elapsedMs * limit) / perMs);
      bucket.at = now;
    }
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return undefined;
    }
    const isNews = now - bucket.toldAt >= perMs;
    if (isNews) bucket.toldAt = now;
    return { retryAfterMs: Math.ceil(((1 - bucket.tokens) * perMs) / limit), isNews };
  }

  #add(name: string, now: number): Bucket {
    if (this.#buckets.size >= MAX_NAMES) this.#makeRoom(now);
    const bucket = { tokens: this.#limit.limit, at: now, toldAt: -Infinity };
    this.#buckets.set(name, bucket);
    return bucket;
  }

  /** Who was silent for `perMs` has a full bucket, as if he were new. */
  #makeRoom(now: number): void {
    for (const [name, { at }] of this.#buckets) {
      if (now - at >= this.#limit.perMs) this.#buckets.delete(name);
    }
    if (this.#buckets.size < MAX_NAMES) return;
    const oldest = [...this.#buckets].sort(([, a], [, b]) => a.at - b.at).slice(0, ROOM);
    for (const [name] of oldest) this.#buckets.delete(name);
  }
}
