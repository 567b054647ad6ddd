import { type RateLimit, TokenBucket } from '../resilience/token-bucket.ts';

/** How many names are known at a time. */
const MAX_NAMES = 10_000;
/** So many of the longest idle make room when all are in use. */
const ROOM = 1_000;

class Bucket extends TokenBucket {
  /** Monotonic instant at which a refusal was last told. */
  toldAt = -Infinity;
}

/** That a name has no token left. */
export interface Emptied {
  /** Milliseconds until there is one. */
  readonly retryAfterMs: number;
  /** It was not told within the last `perMs`. */
  readonly isNews: boolean;
}

/** One token bucket for each name; who comes too often is turned away. */
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
    const bucket = this.#buckets.get(name) ?? this.#add(name, now);
    if (bucket.take(now)) return undefined;
    const isNews = now - bucket.toldAt >= this.#limit.perMs;
    if (isNews) bucket.toldAt = now;
    return { retryAfterMs: bucket.waitMs(), isNews };
  }

  #add(name: string, now: number): Bucket {
    if (this.#buckets.size >= MAX_NAMES) this.#makeRoom(now);
    const bucket = new Bucket(this.#limit);
    this.#buckets.set(name, bucket);
    return bucket;
  }

  /** Who was silent for `perMs` has a full bucket, as if he were new. */
  #makeRoom(now: number): void {
    for (const [name, { lookedAt }] of this.#buckets) {
      if (now - lookedAt >= this.#limit.perMs) this.#buckets.delete(name);
    }
    if (this.#buckets.size < MAX_NAMES) return;
    const oldest = [...this.#buckets]
      .sort(([, a], [, b]) => a.lookedAt - b.lookedAt)
      .slice(0, ROOM);
    for (const [name] of oldest) this.#buckets.delete(name);
  }
}
