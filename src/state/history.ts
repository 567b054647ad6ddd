import type { KeptVersion } from './entry.ts';

/** How much of what was is kept. */
export interface HistoryLimits {
  /** Versions of one key, the current one included. */
  readonly maxVersions: number;
  /** Bytes of all versions but the current ones, as JSON, what they share counted once. */
  readonly maxBytes: number;
}

/** A version that is not the current one, and what would be free without it. */
interface Past {
  readonly version: KeptVersion;
  readonly bytes: number;
}

/** One key: its versions, oldest first. */
export class KeyRecord {
  readonly key: string;
  /** The newest version; `undefined` before the first. */
  current: KeptVersion | undefined;
  /** Revision of the newest version that was forgotten; 0 for none. */
  trimmedAt = 0;
  /** When it expires, on the monotonic clock. */
  deadline: number = Infinity;
  #past: Past[] = [];
  /** Read from here on: shift() would move the whole array. */
  #head = 0;

  constructor(key: string) {
    this.key = key;
  }

  get exists(): boolean {
    return this.current?.exists === true;
  }

  /** How many versions are kept. */
  get size(): number {
    return this.#past.length - this.#head + (this.current === undefined ? 0 : 1);
  }

  /** All that are kept, oldest first. */
  versions(): KeptVersion[] {
    const past = this.#past.slice(this.#head).map(({ version }) => version);
    return this.current === undefined ? past : [...past, this.current];
  }

  /** The oldest that is kept. */
  get oldest(): KeptVersion | undefined {
    return this.#past[this.#head]?.version ?? this.current;
  }

  /** At most so many of a revision or later, the newest first. */
  since(revision: number, most: number): KeptVersion[] {
    const found: KeptVersion[] = [];
    let version = this.current;
    let at = this.#past.length;
    while (version !== undefined && version.revision >= revision && found.length < most) {
      found.push(version);
      version = --at < this.#head ? undefined : this.#past[at]?.version;
    }
    return found;
  }

  /** The version that was the current one at a revision; `undefined` when none was, or is kept. */
  at(revision: number): KeptVersion | undefined {
    const { current } = this;
    if (current === undefined || current.revision <= revision) return current;
    let low = this.#head;
    let high = this.#past.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const isLater = (this.#past[middle] as Past).version.revision > revision;
      if (isLater) high = middle;
      else low = middle + 1;
    }
    return low === this.#head ? undefined : this.#past[low - 1]?.version;
  }

  find(version: number): KeptVersion | undefined {
    if (this.current?.version === version) return this.current;
    // Versions have no gaps, so the place is known; but where another process has written, too.
    const first = this.#past[this.#head]?.version.version;
    if (first === undefined || version < first) return undefined;
    const there = this.#past[this.#head + version - first]?.version;
    if (there?.version === version) return there;
    return this.versions().find((one) => one.version === version);
  }

  /** Adds the newest; returns how many bytes the one before it takes from now on. */
  add(version: KeptVersion, freshBytes: number): number {
    const before = this.current;
    this.current = version;
    if (before === undefined) return 0;
    // What the new one does not share is kept for the old one alone.
    const bytes = Math.max(0, before.bytes + freshBytes - version.bytes);
    this.#past.push({ version: before, bytes });
    return bytes;
  }

  /** Forgets the oldest but the current; returns how many bytes that frees. */
  trim(): number {
    const oldest = this.#past[this.#head];
    if (oldest === undefined) return 0;
    this.#past[this.#head] = undefined as never;
    this.#head++;
    if (this.#head * 2 >= this.#past.length) {
      this.#past = this.#past.slice(this.#head);
      this.#head = 0;
    }
    this.trimmedAt = oldest.version.revision;
    return oldest.bytes;
  }
}

/** Keeps the histories of all keys within bounds: the oldest version of all goes first. */
export class HistoryBounds {
  readonly #limits: HistoryLimits;
  /** The record of every past version, in the order in which they became past. */
  #order: (KeyRecord | undefined)[] = [];
  #head = 0;
  bytes = 0;
  /** How many versions are past. */
  count = 0;

  constructor(limits: HistoryLimits) {
    this.#limits = limits;
  }

  /** A key has a new version. */
  added(record: KeyRecord, version: KeptVersion, freshBytes: number): void {
    const hadOne = record.current !== undefined;
    this.bytes += record.add(version, freshBytes);
    if (hadOne) {
      this.#order.push(record);
      this.count++;
    }
    while (record.size > this.#limits.maxVersions) this.#trim(record);
    while (this.bytes > this.#limits.maxBytes && this.#trimOldest());
    this.#compact();
  }

  /** Every version of a key that is gone counts no more. */
  dropped(record: KeyRecord): void {
    while (record.size > 1) this.#trim(record);
  }

  #trim(record: KeyRecord): void {
    this.bytes -= record.trim();
    this.count--;
  }

  #trimOldest(): boolean {
    const record = this.#order[this.#head];
    if (record === undefined) return false;
    this.#order[this.#head++] = undefined;
    // Its own bound may have taken the version already: then the entry stands for a later one,
    // which is still older than all that became past after it.
    if (record.size > 1) this.#trim(record);
    return true;
  }

  /** Without it the order of a key that is written for ever would grow for ever. */
  #compact(): void {
    // Half of it is stale at least, so an entry is looked at a few times and not at every write.
    if (this.#order.length - this.#head > 2 * this.count + MOST_STALE) this.#sweep();
    else if (this.#head * 2 > this.#order.length) this.#forget();
  }

  #forget(): void {
    this.#order = this.#order.slice(this.#head);
    this.#head = 0;
  }

  /** As many entries for each record as it has past versions, the newest ones. */
  #sweep(): void {
    this.#forget();
    const left = new Map<KeyRecord, number>();
    const kept: KeyRecord[] = [];
    for (let i = this.#order.length - 1; i >= 0; i--) {
      const record = this.#order[i] as KeyRecord;
      const count = left.get(record) ?? record.size - 1;
      if (count > 0) kept.push(record);
      left.set(record, count - 1);
    }
    this.#order = kept.reverse();
  }
}

const MOST_STALE = 10_000;
