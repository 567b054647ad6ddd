/** Below this many slots a ring is not worth shrinking. */
const SMALLEST = 16;

/**
 * A first-in first-out queue in constant time: a ring buffer whose length is a power of two. It
 * lets go of what it hands out, and gives its memory back after a burst.
 */
export class Ring<T> {
  readonly #smallest: number;
  #slots: (T | undefined)[];
  #mask: number;
  #head = 0;
  #size = 0;

  /** `smallest`: a power of two; the ring never has fewer slots. */
  constructor(smallest: number = SMALLEST) {
    this.#smallest = smallest;
    this.#slots = new Array(smallest);
    this.#mask = smallest - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** How many items fit before the ring grows. */
  get capacity(): number {
    return this.#mask + 1;
  }

  push(item: T): void {
    if (this.#size > this.#mask) this.#resize((this.#mask + 1) * 2);
    this.#slots[(this.#head + this.#size) & this.#mask] = item;
    this.#size++;
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.#size--;
    // A quarter full becomes half full: a ring that breathes around one size is never resized.
    if (this.#mask >= this.#smallest && this.#size <= this.#mask >> 2)
      this.#resize((this.#mask + 1) / 2);
    return item;
  }

  peek(): T | undefined {
    return this.#slots[this.#head];
  }

  /** The item at `index`, 0 being the one that `shift` would take. */
  at(index: number): T | undefined {
    return index < this.#size ? this.#slots[(this.#head + index) & this.#mask] : undefined;
  }

  /** Puts another item in the place of the one at `index`, which must be below `size`. */
  replace(index: number, item: T): void {
    this.#slots[(this.#head + index) & this.#mask] = item;
  }

  forEach(visit: (item: T) => void): void {
    for (let i = 0; i < this.#size; i++) visit(this.#slots[(this.#head + i) & this.#mask] as T);
  }

  clear(): void {
    this.#slots = new Array(this.#smallest);
    this.#mask = this.#smallest - 1;
    this.#head = 0;
    this.#size = 0;
  }

  #resize(capacity: number): void {
    const slots = new Array<T | undefined>(capacity);
    for (let i = 0; i < this.#size; i++) slots[i] = this.#slots[(this.#head + i) & this.#mask];
    this.#slots = slots;
    this.#mask = capacity - 1;
    this.#head = 0;
  }
}
