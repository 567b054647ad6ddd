interface Entry<T> {
  readonly key: number;
  readonly turn: number;
  readonly value: T;
}

/** Values by ascending key; equal keys come out as they went in. A binary heap. */
export class OrderedHeap<T> {
  readonly #entries: Entry<T>[] = [];
  #turns = 0;

  get size(): number {
    return this.#entries.length;
  }

  push(key: number, value: T): void {
    this.#turns += 1;
    this.#rise({ key, turn: this.#turns, value });
  }

  /** The value that `pop` would give. */
  peek(): T | undefined {
    return this.#entries[0]?.value;
  }

  pop(): T | undefined {
    const first = this.#entries[0];
    const last = this.#entries.pop();
    if (first !== undefined && last !== undefined && first !== last) this.#sink(last);
    return first?.value;
  }

  /** All values, in the order in which they would come out. */
  toSorted(): T[] {
    return this.#entries.toSorted((a, b) => (isBefore(a, b) ? -1 : 1)).map((entry) => entry.value);
  }

  #rise(entry: Entry<T>): void {
    const entries = this.#entries;
    let hole = entries.length;
    while (hole > 0) {
      const above = (hole - 1) >> 1;
      const parent = entries[above] as Entry<T>;
      if (isBefore(parent, entry)) break;
      entries[hole] = parent;
      hole = above;
    }
    entries[hole] = entry;
  }

  #sink(entry: Entry<T>): void {
    const entries = this.#entries;
    let hole = 0;
    for (;;) {
      const below = this.#smallerChild(hole);
      const child = entries[below];
      if (child === undefined || isBefore(entry, child)) break;
      entries[hole] = child;
      hole = below;
    }
    entries[hole] = entry;
  }

  #smallerChild(parent: number): number {
    const left = 2 * parent + 1;
    const right = this.#entries[left + 1];
    return right !== undefined && isBefore(right, this.#entries[left] as Entry<T>)
      ? left + 1
      : left;
  }
}

function isBefore<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.key < b.key || (a.key === b.key && a.turn < b.turn);
}
