import { PatternIndex, type Routable } from './pattern-index.ts';
import { hashOf, SecondSight } from './second-sight.ts';

/** Options of {@link Router}. */
export interface RouterOptions<T extends Routable, R> {
  /** Makes what the caller wants of all that match a topic. Throws when the topic is invalid. */
  readonly build: (topic: string, matches: readonly T[]) => R;
  /** How many topics are kept ready. @default 10_000 */
  readonly maxCachedTopics?: number;
}

/** What a router holds, for `inspect` and for tests. */
export interface RouterStats {
  readonly cachedTopics: number;
  /** The topics that exact patterns name. */
  readonly exactTopics: number;
  /** The nodes of the wildcard trie; an empty one has its root. */
  readonly trieNodes: number;
}

/** A result, good while both epochs are what they were when it was made. */
interface Entry<R> {
  result: R | undefined;
  epoch: number;
  wildEpoch: number;
  readonly slot: number;
}

/** First segments share this many epochs: a shared one costs a rebuild, never a wrong result. */
const SLOTS = 1_024;
/** The epoch of a result that is good no more. */
const STALE = -1;
/** So many topics are kept at first sight: there is room, and no table has to be made. */
const KEPT_AT_ONCE = 1_024;

/**
 * Leads a topic to what `build` makes of its subscribers. A result is kept until a pattern comes
 * or goes that may match its topic. Epochs tell that, so that adding and removing touch no
 * result, however many there are.
 */
export class Router<T extends Routable, R> {
  readonly #build: (topic: string, matches: readonly T[]) => R;
  readonly #maxCached: number;
  readonly #index = new PatternIndex<T>();
  readonly #cache = new Map<string, Entry<R>>();
  readonly #epochs = new Uint32Array(SLOTS);
  #wildEpoch = 0;
  #removed = 0;
  #turnedAway = 0;
  #secondSight: SecondSight | undefined;

  constructor({ build, maxCachedTopics = 10_000 }: RouterOptions<T, R>) {
    this.#build = build;
    this.#maxCached = maxCachedTopics;
  }

  /** How many items were added and not removed. */
  get size(): number {
    return this.#index.size;
  }

  add(item: T): void {
    this.#index.add(item);
    this.#outdate(item);
  }

  /** Takes `item` out. One that is not in changes nothing. */
  remove(item: T): void {
    if (!this.#index.remove(item)) return;
    this.#outdate(item);
    this.#removed += 1;
    // Outdated results hold on to what was removed; a look at all of them now and then is enough.
    if (this.#removed > this.#cache.size) this.#dropOutdated();
  }

  /** What `build` makes of the topic. The path of every publish: small enough to be inlined. */
  route(topic: string): R {
    const entry = this.#cache.get(topic);
    if (entry !== undefined && this.#isGood(entry)) return entry.result as R;
    return this.#make(topic, entry);
  }

  /** All that match, in the order of registration, each once. */
  matches(topic: string): T[] {
    return this.#index.matches(topic);
  }

  /** Whatever `build` goes by has changed: every result is made anew. */
  outdateAll(): void {
    this.#wildEpoch += 1;
  }

  stats(): RouterStats {
    return {
      cachedTopics: this.#cache.size,
      exactTopics: this.#index.topics(),
      trieNodes: this.#index.nodes(),
    };
  }

  #isGood(entry: Entry<R>): boolean {
    return entry.epoch === this.#epochs[entry.slot] && entry.wildEpoch === this.#wildEpoch;
  }

  #make(topic: string, entry: Entry<R> | undefined): R {
    const result = this.#build(topic, this.#index.matches(topic));
    if (entry !== undefined) this.#refresh(entry, result);
    else if (this.#isWorthKeeping(topic)) this.#keep(topic, result);
    return result;
  }

  #refresh(entry: Entry<R>, result: R): void {
    entry.result = result;
    entry.epoch = this.#epochs[entry.slot] as number;
    entry.wildEpoch = this.#wildEpoch;
  }

  #keep(topic: string, result: R): void {
    const slot = slotOf(topic);
    const epoch = this.#epochs[slot] as number;
    this.#cache.set(topic, { result, epoch, wildEpoch: this.#wildEpoch, slot });
  }

  /**
   * Topics that are never said again must not push out those that are: beyond the first ones a
   * topic is kept when it is seen again. A full cache stays as it is while it serves, and starts
   * anew when it has turned away four times what it holds.
   */
  #isWorthKeeping(topic: string): boolean {
    if (this.#cache.size < Math.min(KEPT_AT_ONCE, this.#maxCached)) return true;
    this.#secondSight ??= new SecondSight(this.#maxCached);
    if (!this.#secondSight.seen(topic)) return false;
    if (this.#cache.size < this.#maxCached) return true;
    this.#turnedAway += 1;
    if (this.#turnedAway <= 4 * this.#maxCached) return false;
    this.#turnedAway = 0;
    this.#cache.clear();
    return true;
  }

  /** An exact topic outdates its own result, a pattern those of its first segments, or all. */
  #outdate({ pattern }: T): void {
    if (pattern.literal !== undefined) this.#outdateTopic(pattern.literal);
    for (const topic of pattern.topics) this.#outdateTopic(topic);
    for (const [first] of pattern.globs) {
      if (typeof first === 'string') this.#outdateFirst(first);
      else this.#wildEpoch += 1;
    }
  }

  #outdateTopic(topic: string): void {
    const entry = this.#cache.get(topic);
    if (entry === undefined) return;
    entry.epoch = STALE;
    entry.result = undefined;
  }

  #outdateFirst(first: string): void {
    const slot = slotOf(first);
    this.#epochs[slot] = (this.#epochs[slot] as number) + 1;
  }

  #dropOutdated(): void {
    this.#removed = 0;
    for (const [topic, entry] of this.#cache) {
      if (!this.#isGood(entry)) this.#cache.delete(topic);
    }
  }
}

/** The epoch of a topic's first segment. */
function slotOf(topic: string): number {
  const dot = topic.indexOf('.');
  return hashOf(topic, dot < 0 ? topic.length : dot) % SLOTS;
}
