import { Ring } from '../mailbox/ring.ts';

/**
 * One at a time and in admission order for every key: only the first of a key is in the lanes,
 * the others wait behind it, whatever their priority. A retry keeps its key until it has ended.
 */
export class KeyedOrder<T extends { key: unknown } = { key: unknown }> {
  readonly #behind = new Map<unknown, Ring<T> | undefined>();

  /** True when the item may enter the lanes; false when it now waits behind its key. */
  enter(item: T): boolean {
    if (item.key === undefined) return true;
    if (!this.#behind.has(item.key)) {
      // Most keys never have a second message in line: the ring is made for the first that waits.
      this.#behind.set(item.key, undefined);
      return true;
    }
    const line = this.#behind.get(item.key) ?? new Ring<T>();
    this.#behind.set(item.key, line);
    line.push(item);
    return false;
  }

  /** The holder of the key has ended: returns the next of the key, which may enter now. */
  leave(item: T): T | undefined {
    if (item.key === undefined) return undefined;
    const next = this.#behind.get(item.key)?.shift();
    if (next === undefined) this.#behind.delete(item.key);
    return next;
  }

  /** How many wait behind the key. */
  behind(key: unknown): number {
    return this.#behind.get(key)?.size ?? 0;
  }

  /** Takes out, in order, all who wait behind one key; its holder keeps it. */
  takeBehind(key: unknown): T[] {
    const line = this.#behind.get(key);
    const taken: T[] = [];
    for (let item = line?.shift(); item !== undefined; item = line?.shift()) taken.push(item);
    return taken;
  }

  /** Takes out one that waits behind its key. */
  remove(item: T): boolean {
    return this.removeWhere((other) => other === item).length > 0;
  }

  /** Takes out, key by key and in order, all who wait and fit `matches`. */
  removeWhere(matches: (item: T) => boolean): T[] {
    const taken: T[] = [];
    for (const line of this.#behind.values()) {
      if (line === undefined) continue;
      for (let left = line.size; left > 0; left--) {
        const item = line.shift() as T;
        if (matches(item)) taken.push(item);
        else line.push(item);
      }
    }
    return taken;
  }

  /** Keys that somebody holds. */
  get size(): number {
    return this.#behind.size;
  }
}
