import { Level } from './level.ts';

/** What a mailbox can queue. */
export interface Queued {
  /** 0 to 10, greater is sooner. */
  readonly priority: number;
  /** The order of arrival: higher with every `push`. Set by the caller. */
  ticket: number;
}

/** Options of {@link Lanes}. */
export interface LanesOptions {
  /**
   * How many takes in a row may pass over the oldest item: `Infinity` switches ageing off, 0 is
   * the order of arrival. @default 16
   */
  readonly ageingLimit?: number;
}

const NONE: never[] = [];

/** No priority is known to hold the oldest item. */
const UNKNOWN = -1;

/**
 * The queue of a mailbox: one level for each of the eleven priorities, and a bit mask of those
 * that are not empty. The highest priority goes first and the oldest inside a priority, but at
 * most `ageingLimit` takes in a row pass over the oldest item of all.
 */
export class Lanes<T extends Queued> {
  readonly #ageingLimit: number;
  // Most mailboxes of a bus are never queued in: the levels are made for the first item.
  #levels: (Level<T> | undefined)[] = NONE;
  #mask = 0;
  #size = 0;
  #passedOver = 0;
  #oldest = UNKNOWN;

  constructor({ ageingLimit = 16 }: LanesOptions = {}) {
    this.#ageingLimit = ageingLimit;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds an item behind all of its priority. */
  push(item: T): void {
    const level = this.#levels[item.priority] ?? this.#open(item.priority);
    level.push(item);
    this.#mask |= 1 << item.priority;
    this.#size++;
  }

  /** Puts an item back at the place that its ticket gives it. */
  restore(item: T): void {
    const level = this.#levels[item.priority] ?? this.#open(item.priority);
    level.restore(item);
    this.#mask |= 1 << item.priority;
    this.#size++;
    this.#oldest = UNKNOWN;
  }

  /** Takes the next item. */
  take(): T | undefined {
    const mask = this.#mask;
    // With one priority in use, first in first out is all there is to decide.
    if ((mask & (mask - 1)) !== 0) return this.#shift(this.#chooseAged());
    if (mask === 0) return undefined;
    this.#passedOver = 0;
    this.#oldest = UNKNOWN;
    return this.#shift(highestBit(mask));
  }

  /** The item that `take` would hand out. */
  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#levels[this.#choose()]?.peek();
  }

  /** Takes out one item, wherever it stands; false when it is not inside. */
  discard(item: T): boolean {
    if (this.#levels[item.priority]?.discard(item) !== true) return false;
    this.#removed(item.priority, 1);
    return true;
  }

  /** Takes out what `condition` is true for; highest priority first, oldest first inside. */
  removeWhere(condition: (item: T) => boolean): T[] {
    const removed: T[] = [];
    for (let priority = 10; priority >= 0; priority--) {
      const items = this.#levels[priority]?.removeWhere(condition) ?? [];
      if (items.length > 0) this.#removed(priority, items.length);
      for (const item of items) removed.push(item);
    }
    return removed;
  }

  /** Takes the oldest item of the lowest priority, which is the one that is missed least. */
  dropOldestOfLowest(): T | undefined {
    const lowest = this.lowestPriority();
    return lowest === undefined ? undefined : this.#shift(lowest);
  }

  /** The lowest priority that is queued. */
  lowestPriority(): number | undefined {
    return this.#mask === 0 ? undefined : lowestBit(this.#mask);
  }

  /** Takes everything; highest priority first, oldest first inside. */
  clear(): T[] {
    return this.removeWhere(() => true);
  }

  /** Visits everything; highest priority first, oldest first inside. */
  forEach(visit: (item: T) => void): void {
    for (let priority = 10; priority >= 0; priority--) {
      for (const item of this.#levels[priority]?.toArray() ?? []) visit(item);
    }
  }

  /** Everything with a higher ticket; highest priority first, oldest first inside. */
  after(ticket: number): T[] {
    const items: T[] = [];
    for (let priority = 10; priority >= 0; priority--) {
      for (const item of this.#levels[priority]?.after(ticket) ?? []) items.push(item);
    }
    return items;
  }

  #open(priority: number): Level<T> {
    if (this.#levels === NONE) this.#levels = new Array(11);
    const level = new Level<T>();
    this.#levels[priority] = level;
    return level;
  }

  #shift(priority: number): T | undefined {
    const level = this.#levels[priority] as Level<T>;
    const item = level.shift();
    this.#size--;
    if (priority === this.#oldest) this.#oldest = UNKNOWN;
    if (level.size === 0) this.#mask &= ~(1 << priority);
    return item;
  }

  #removed(priority: number, count: number): void {
    this.#size -= count;
    this.#oldest = UNKNOWN;
    if (this.#levels[priority]?.size === 0) this.#mask &= ~(1 << priority);
  }

  #chooseAged(): number {
    const priority = this.#choose();
    this.#passedOver = priority === this.#oldest ? 0 : this.#passedOver + 1;
    return priority;
  }

  #choose(): number {
    // Newcomers are never the oldest, so it is looked for again only when it was taken.
    if (this.#oldest === UNKNOWN) this.#oldest = this.#findOldest();
    return this.#passedOver >= this.#ageingLimit ? this.#oldest : highestBit(this.#mask);
  }

  #findOldest(): number {
    let oldest = UNKNOWN;
    let ticket = Number.POSITIVE_INFINITY;
    for (let mask = this.#mask; mask !== 0; mask &= mask - 1) {
      const priority = lowestBit(mask);
      const first = (this.#levels[priority] as Level<T>).peek() as T;
      if (first.ticket < ticket) [oldest, ticket] = [priority, first.ticket];
    }
    return oldest;
  }
}

function highestBit(mask: number): number {
  return 31 - Math.clz32(mask);
}

function lowestBit(mask: number): number {
  return highestBit(mask & -mask);
}
