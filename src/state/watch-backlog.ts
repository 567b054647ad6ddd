import { type Linked, LinkedList } from '../kernel/linked-list.ts';
import type { KeptVersion } from './entry.ts';

/** What a watcher has not read yet, in order of revision. */
export interface Backlog {
  /** The version that `take` would give. */
  readonly first: KeptVersion | undefined;
  /** How many are unread. */
  readonly size: number;
  /** Whether all of one commit can be added. */
  hasRoomFor(versions: readonly KeptVersion[]): boolean;
  add(version: KeptVersion): void;
  take(): KeptVersion | undefined;
  clear(): void;
}

/** Keeps every version. What was there when the watch began takes no room: it is read at leisure. */
export class EveryVersion implements Backlog {
  readonly #capacity: number;
  /** Read from `#head` on: shift() would move the whole array. */
  #versions: (KeptVersion | undefined)[];
  #head = 0;
  #past: number;

  constructor(past: KeptVersion[], capacity: number) {
    this.#capacity = capacity;
    this.#versions = past;
    this.#past = past.length;
  }

  get size(): number {
    return this.#versions.length - this.#head;
  }

  get first(): KeptVersion | undefined {
    return this.#versions[this.#head];
  }

  hasRoomFor(versions: readonly KeptVersion[]): boolean {
    return this.size - this.#past + versions.length <= this.#capacity;
  }

  add(version: KeptVersion): void {
    this.#versions.push(version);
  }

  take(): KeptVersion | undefined {
    const first = this.first;
    if (first === undefined) return undefined;
    this.#versions[this.#head++] = undefined;
    if (this.#past > 0) this.#past--;
    // Moved once per half of the array, so a version is moved once on average.
    if (this.#head * 2 >= this.#versions.length) {
      this.#versions = this.#versions.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }

  clear(): void {
    this.#versions = [];
    this.#head = 0;
    this.#past = 0;
  }
}

/** The unread version of a key. */
interface Newest extends Linked<Newest> {
  readonly version: KeptVersion;
  /** It stands in for what was there when the watch began, so it takes no room. */
  readonly past: boolean;
}

/** Keeps the newest version of each key: a later one takes the place of an unread one. */
export class NewestVersions implements Backlog {
  readonly #capacity: number;
  readonly #unread = new LinkedList<Newest>();
  readonly #byKey = new Map<string, Newest>();
  #past = 0;

  constructor(past: readonly KeptVersion[], capacity: number) {
    this.#capacity = capacity;
    for (const version of past) this.#put(version, true);
  }

  get size(): number {
    return this.#unread.size;
  }

  get first(): KeptVersion | undefined {
    return this.#unread.first?.version;
  }

  hasRoomFor(versions: readonly KeptVersion[]): boolean {
    let count = this.size - this.#past;
    for (const { key } of versions) if (!this.#byKey.has(key)) count++;
    return count <= this.#capacity;
  }

  add(version: KeptVersion): void {
    const before = this.#byKey.get(version.key);
    if (before !== undefined) this.#drop(before);
    this.#put(version, before?.past === true);
  }

  take(): KeptVersion | undefined {
    const { first } = this.#unread;
    if (first === undefined) return undefined;
    this.#drop(first);
    this.#byKey.delete(first.version.key);
    return first.version;
  }

  clear(): void {
    while (this.take() !== undefined);
  }

  #put(version: KeptVersion, past: boolean): void {
    const item: Newest = { version, past, previous: undefined, next: undefined };
    this.#unread.add(item);
    this.#byKey.set(version.key, item);
    this.#past += Number(past);
  }

  #drop(item: Newest): void {
    this.#unread.remove(item);
    this.#past -= Number(item.past);
  }
}
