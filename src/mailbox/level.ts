import { Ring } from './ring.ts';
import { type Ticketed, TicketHeap } from './ticket-heap.ts';

/** Stands where an item was taken out of the middle, so that the ring stays in ticket order. */
class Tombstone {
  readonly ticket: number;

  constructor(ticket: number) {
    this.ticket = ticket;
  }
}

/**
 * The queue of one priority, oldest ticket first: a ring for what arrives, and beside it a heap
 * for what comes back to its place.
 */
export class Level<T extends Ticketed> {
  // The first slot of the ring is never a tombstone: whoever makes one there drops it at once.
  readonly #ring: Ring<T | Tombstone> = new Ring<T | Tombstone>();
  readonly #restored: TicketHeap<T> = new TicketHeap<T>();
  #tombstones = 0;

  get size(): number {
    return this.#ring.size - this.#tombstones + this.#restored.size;
  }

  /** Adds an item whose ticket is higher than every ticket that was pushed before. */
  push(item: T): void {
    this.#ring.push(item);
  }

  /** Adds an item of any ticket. */
  restore(item: T): void {
    this.#restored.push(item);
  }

  peek(): T | undefined {
    const arrived = this.#ring.peek() as T | undefined;
    if (this.#restored.size === 0) return arrived;
    const restored = this.#restored.peek() as T;
    return arrived === undefined || restored.ticket < arrived.ticket ? restored : arrived;
  }

  shift(): T | undefined {
    if (this.#restored.size !== 0 && this.peek() === this.#restored.peek()) {
      return this.#restored.pop();
    }
    const item = this.#ring.shift() as T | undefined;
    if (this.#tombstones !== 0) this.#skipTombstones();
    return item;
  }

  /** Takes one item out of the middle; false when it is not inside. */
  discard(item: T): boolean {
    const index = this.#indexOf(item);
    if (index < 0) return this.#restored.size !== 0 && this.#restored.remove(item);
    this.#ring.replace(index, new Tombstone(item.ticket));
    this.#tombstones++;
    if (index === 0) this.#skipTombstones();
    // More dead than living: one linear pass, paid for by as many discards, halves the ring.
    else if (this.#tombstones * 2 > this.#ring.size) this.#refill(this.#arrived());
    return true;
  }

  /** Takes out what `condition` is true for, and hands it back in ticket order. */
  removeWhere(condition: (item: T) => boolean): T[] {
    const removed: T[] = [];
    const kept: T[] = [];
    for (const item of this.toArray()) (condition(item) ? removed : kept).push(item);
    if (removed.length === 0) return removed;
    this.#restored.clear();
    this.#refill(kept);
    return removed;
  }

  /** All items in ticket order, as a new array. */
  toArray(): T[] {
    const arrived = this.#arrived();
    if (this.#restored.size === 0) return arrived;
    return arrived.concat(this.#restored.sorted()).sort((a, b) => a.ticket - b.ticket);
  }

  /** Those with a higher ticket, in ticket order, as a new array. */
  after(ticket: number): T[] {
    const items: T[] = [];
    for (let index = this.#firstAfter(ticket); index < this.#ring.size; index++) {
      const item = this.#ring.at(index) as T | Tombstone;
      if (!(item instanceof Tombstone)) items.push(item);
    }
    if (this.#restored.size === 0) return items;
    const restored = this.#restored.sorted().filter((item) => item.ticket > ticket);
    return items.concat(restored).sort((a, b) => a.ticket - b.ticket);
  }

  #arrived(): T[] {
    const items: T[] = [];
    this.#ring.forEach((item) => {
      if (!(item instanceof Tombstone)) items.push(item);
    });
    return items;
  }

  #refill(items: readonly T[]): void {
    this.#ring.clear();
    this.#tombstones = 0;
    for (const item of items) this.#ring.push(item);
  }

  #skipTombstones(): void {
    while (this.#ring.peek() instanceof Tombstone) {
      this.#ring.shift();
      this.#tombstones--;
    }
  }

  #firstAfter(ticket: number): number {
    let low = 0;
    let high = this.#ring.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ring.at(middle) as Ticketed).ticket <= ticket) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Binary search by ticket, which the ring is in order of. */
  #indexOf(item: T): number {
    let low = 0;
    let high = this.#ring.size - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ring.at(middle) as Ticketed).ticket < item.ticket) low = middle + 1;
      else high = middle;
    }
    return this.#ring.at(low) === item ? low : -1;
  }
}
