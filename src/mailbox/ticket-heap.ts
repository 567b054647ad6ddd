/** What has a place in the order of arrival. */
export interface Ticketed {
  readonly ticket: number;
}

/**
 * A binary heap, lowest ticket first, for the few items that come back to a place they had before.
 */
export class TicketHeap<T extends Ticketed> {
  #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    this.#items.push(item);
    this.#siftUp(this.#items.length - 1, item);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.#removeAt(0);
    return first;
  }

  /** Takes out one item, in time linear in the size; false when it is not inside. */
  remove(item: T): boolean {
    const index = this.#items.indexOf(item);
    if (index >= 0) this.#removeAt(index);
    return index >= 0;
  }

  /** All items, lowest ticket first, as a new array. */
  sorted(): T[] {
    return this.#items.toSorted((a, b) => a.ticket - b.ticket);
  }

  clear(): void {
    this.#items = [];
  }

  #removeAt(index: number): void {
    const last = this.#items.pop() as T;
    if (index === this.#items.length) return;
    // The last item takes the free place and moves one way or the other; it never needs both.
    this.#siftDown(index, last);
    if (this.#items[index] === last) this.#siftUp(index, last);
  }

  #siftUp(start: number, item: T): void {
    const items = this.#items;
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = items[parent] as T;
      if (above.ticket <= item.ticket) break;
      items[index] = above;
      index = parent;
    }
    items[index] = item;
  }

  #siftDown(start: number, item: T): void {
    const items = this.#items;
    let index = start;
    for (;;) {
      const child = this.#lowerChild(index);
      if (child < 0 || (items[child] as T).ticket >= item.ticket) break;
      items[index] = items[child] as T;
      index = child;
    }
    items[index] = item;
  }

  #lowerChild(index: number): number {
    const left = 2 * index + 1;
    const a = this.#items[left];
    if (a === undefined) return -1;
    const b = this.#items[left + 1];
    return b !== undefined && b.ticket < a.ticket ? left + 1 : left;
  }
}
