import { onAbort } from '../kernel/abort.ts';
import { Cancellation } from '../kernel/cancellation.ts';
import { Deferred } from '../kernel/deferred.ts';
import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { type Linked, LinkedList } from '../kernel/linked-list.ts';
import { readCount } from '../kernel/read-count.ts';
import { realEnv } from '../kernel/real-env.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';

/** Options of `cached`. */
export interface CachedOptions {
  /** Milliseconds that a value is fresh: from 0, which keeps nothing, to Infinity. */
  readonly ttlMs: number;
  /** How many keys are kept; the one that was asked for longest ago goes first. @default 1_000 */
  readonly maxKeys?: number;
  /** Milliseconds behind its `ttlMs` that a value still is given when the source fails. @default 0 */
  readonly staleWhileErrorMs?: number;
  /** Milliseconds that the source is not asked again for a key that has failed. @default 0 */
  readonly errorTtlMs?: number;
  /** Time. @default the real one */
  readonly env?: Env;
}

/** What a cache counts. */
export interface CachedMetrics {
  /** Keys that are kept. */
  readonly keys: number;
  /** Keys that the source is asked for now. */
  readonly loading: number;
  /** Answered with a fresh value. */
  readonly hits: number;
  /** Times that the source was asked. */
  readonly loads: number;
  /** Answered by what somebody else had asked for already. */
  readonly joined: number;
  /** Answered with an old value because the source has failed. */
  readonly stale: number;
  /** Times that the source has failed. */
  readonly failures: number;
  /** Keys that had to go for others. */
  readonly evictions: number;
}

/** A slow source with a memory: what `cached` makes. */
export interface Cached<K, V> {
  /**
   * The value of a key: what is kept while it is fresh, else what the source gives. Rejects with
   * what the source throws, or with the reason of `signal`, which calls off this caller alone.
   */
  get(key: K, options?: { readonly signal?: AbortSignal }): Promise<V>;
  /** Forgets a key. What the source is being asked for it is given to those who wait, and not kept. */
  invalidate(key: K): void;
  /** Forgets all keys. */
  clear(): void;
  /** Hits, misses, and what is kept. */
  metrics(): CachedMetrics;
}

/** Asks the source; `signal` aborts when nobody waits for the answer any more. */
export type CacheSource<K, V> = (
  key: K,
  call: { readonly signal: AbortSignal },
) => V | PromiseLike<V>;

/**
 * A read cache in front of a slow source: however many ask for a key at once, the source is asked
 * once. Errors are not kept unless `errorTtlMs` says so. Values are handed out as they are, so
 * freeze what may be changed.
 *
 * @example
 * ```ts
 * import { cached } from 'tellask';
 * let asked = 0;
 * const pages = cached(async (id: string) => `page ${id}, ${++asked}`, { ttlMs: 60_000 });
 * await Promise.all([pages.get('a'), pages.get('a')]); // => ['page a, 1', 'page a, 1']
 * pages.invalidate('a');
 * await pages.get('a'); // => 'page a, 2'
 * ```
 */
export function cached<K, V>(source: CacheSource<K, V>, options: CachedOptions): Cached<K, V> {
  if (typeof source !== 'function')
    throw misuse('The first argument of cached', 'a function', source);
  return new ReadCache(source, readOptions(options));
}

const KNOWN: ReadonlySet<string> = new Set<keyof CachedOptions>([
  'ttlMs',
  'maxKeys',
  'staleWhileErrorMs',
  'errorTtlMs',
  'env',
]);

function readOptions(options: CachedOptions): Required<CachedOptions> {
  if (typeof options !== 'object' || options === null)
    throw misuse('options', 'an object', options);
  refuseUnknown(options, KNOWN, 'cached');
  const { ttlMs, maxKeys = 1_000, staleWhileErrorMs = 0, errorTtlMs = 0, env } = options;
  checkMs('ttlMs', ttlMs);
  checkMs('staleWhileErrorMs', staleWhileErrorMs);
  checkMs('errorTtlMs', errorTtlMs);
  readCount('maxKeys', maxKeys, 1);
  return { ttlMs, maxKeys, staleWhileErrorMs, errorTtlMs, env: env ?? realEnv() };
}

function checkMs(option: string, ms: number): void {
  if (typeof ms !== 'number' || !(ms >= 0)) {
    throw misuse(option, 'a number of milliseconds from 0, or Infinity', ms);
  }
}

/** What is known of a key. */
interface Known<K, V> extends Linked<Known<K, V>> {
  readonly key: K;
  /** What the source gave last; `undefined` when it has only failed. */
  readonly loaded: { readonly value: V; readonly at: number } | undefined;
  /** What the source threw since, and when. */
  readonly failed: { readonly error: unknown; readonly at: number } | undefined;
}

/** The source is asked for a key. */
interface Flight<V> {
  readonly waiters: Set<Deferred<V>>;
  readonly cancellation: Cancellation;
}

class ReadCache<K, V> implements Cached<K, V> {
  readonly #source: CacheSource<K, V>;
  readonly #options: Required<CachedOptions>;
  readonly #known = new Map<K, Known<K, V>>();
  /** Asked for longest ago first. */
  readonly #order = new LinkedList<Known<K, V>>();
  readonly #flights = new Map<K, Flight<V>>();
  readonly #counts = { hits: 0, loads: 0, joined: 0, stale: 0, failures: 0, evictions: 0 };

  constructor(source: CacheSource<K, V>, options: Required<CachedOptions>) {
    this.#source = source;
    this.#options = options;
  }

  async get(key: K, { signal }: { readonly signal?: AbortSignal } = {}): Promise<V> {
    signal?.throwIfAborted();
    const known = this.#known.get(key);
    if (known !== undefined) {
      const answer = this.#answer(known);
      if (answer !== undefined) return answer.value;
    }
    return this.#wait(key, this.#join(key), signal);
  }

  invalidate(key: K): void {
    this.#forget(this.#known.get(key));
    // Whoever asks from now on must not get what was read before.
    this.#flights.delete(key);
  }

  clear(): void {
    while (this.#order.shift() !== undefined);
    this.#known.clear();
    this.#flights.clear();
  }

  metrics(): CachedMetrics {
    return { keys: this.#known.size, loading: this.#flights.size, ...this.#counts };
  }

  /** What can be said without asking; throws what the source threw a moment ago. */
  #answer(known: Known<K, V>): { readonly value: V } | undefined {
    const { ttlMs, errorTtlMs, env } = this.#options;
    const { loaded, failed } = known;
    const now = env.now();
    if (loaded !== undefined && now < loaded.at + ttlMs) {
      this.#counts.hits++;
      this.#order.remove(known);
      this.#order.add(known);
      return loaded;
    }
    if (failed === undefined || now >= failed.at + errorTtlMs) return undefined;
    const stale = this.#stale(known);
    if (stale === undefined) throw failed.error;
    return stale;
  }

  /** A value that will do when the source fails. */
  #stale(known: Known<K, V> | undefined): { readonly value: V } | undefined {
    const { ttlMs, staleWhileErrorMs, env } = this.#options;
    const loaded = known?.loaded;
    if (loaded === undefined || env.now() >= loaded.at + ttlMs + staleWhileErrorMs)
      return undefined;
    this.#counts.stale++;
    return loaded;
  }

  #join(key: K): Flight<V> {
    const there = this.#flights.get(key);
    if (there !== undefined) {
      this.#counts.joined++;
      return there;
    }
    const flight: Flight<V> = { waiters: new Set(), cancellation: new Cancellation() };
    this.#flights.set(key, flight);
    this.#counts.loads++;
    void this.#load(key, flight);
    return flight;
  }

  async #load(key: K, flight: Flight<V>): Promise<void> {
    try {
      // What it throws at once comes later, too: nobody waits yet.
      const value = await (async () => this.#source(key, flight.cancellation))();
      if (this.#land(key, flight))
        this.#keep({ key, loaded: this.#now({ value }), failed: undefined });
      for (const waiter of flight.waiters) waiter.resolve(value);
    } catch (error) {
      this.#fail(key, flight, error);
    }
  }

  #fail(key: K, flight: Flight<V>, error: unknown): void {
    if (flight.cancellation.aborted) return;
    this.#counts.failures++;
    const known = this.#known.get(key);
    const stale = this.#flights.get(key) === flight ? this.#stale(known) : undefined;
    if (this.#land(key, flight)) {
      this.#forget(known);
      const failed = this.#now({ error });
      if (stale !== undefined || this.#options.errorTtlMs > 0) {
        this.#keep({ key, loaded: stale === undefined ? undefined : known?.loaded, failed });
      }
    }
    for (const waiter of flight.waiters) {
      if (stale === undefined) waiter.reject(error);
      else waiter.resolve(stale.value);
    }
  }

  /** Takes a flight off; false when its key was invalidated or nobody waited for it any more. */
  #land(key: K, flight: Flight<V>): boolean {
    return this.#flights.get(key) === flight && this.#flights.delete(key);
  }

  #now<T extends object>(fact: T): T & { readonly at: number } {
    return { ...fact, at: this.#options.env.now() };
  }

  #keep(fact: Omit<Known<K, V>, 'previous' | 'next'>): void {
    this.#forget(this.#known.get(fact.key));
    if (fact.failed === undefined && this.#options.ttlMs === 0) {
      if (this.#options.staleWhileErrorMs === 0) return;
    }
    const known = { ...fact, previous: undefined, next: undefined };
    this.#known.set(fact.key, known);
    this.#order.add(known);
    if (this.#known.size <= this.#options.maxKeys) return;
    this.#forget(this.#order.first);
    this.#counts.evictions++;
  }

  #forget(known: Known<K, V> | undefined): void {
    if (known === undefined) return;
    this.#order.remove(known);
    this.#known.delete(known.key);
  }

  async #wait(key: K, flight: Flight<V>, signal: AbortSignal | undefined): Promise<V> {
    const waiter = new Deferred<V>();
    flight.waiters.add(waiter);
    if (signal === undefined) return waiter.promise;
    const stop = onAbort(signal, (reason) => {
      waiter.reject(reason);
      this.#leave(key, flight, waiter, reason);
    });
    try {
      return await waiter.promise;
    } finally {
      stop();
    }
  }

  /** One who waited has gone; when it was the last, nobody needs the answer. */
  #leave(key: K, flight: Flight<V>, waiter: Deferred<V>, reason: unknown): void {
    flight.waiters.delete(waiter);
    if (flight.waiters.size > 0) return;
    this.#land(key, flight);
    flight.cancellation.abort(reason);
  }
}
