import { MAX_LENGTH } from '../message/alphabet.ts';
import { insertInOrder, type Ordered, removeInOrder } from '../message/ordered.ts';
import type { Pattern } from '../message/pattern.ts';
import { SegmentTrie } from '../message/segment-trie.ts';

/** What can be routed to. `order` is the place of its registration, and unique. */
export interface Routable extends Ordered {
  readonly pattern: Pattern;
}

/** How many emptied topics are swept at a time. */
const SWEEP = 1_024;

/** Finds all whose pattern matches a topic: exact topics in a Map, wildcards in a trie. */
export class PatternIndex<T extends Routable> {
  readonly #exact = new Map<string, T[]>();
  readonly #trie = new SegmentTrie<T>();
  #emptied: string[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The topics that exact patterns name, after a sweep. */
  topics(): number {
    this.#sweep();
    return this.#exact.size;
  }

  /** The nodes of the trie, the root included, after a sweep. */
  nodes(): number {
    return this.#trie.nodes();
  }

  add(item: T): void {
    const { literal, topics, globs } = item.pattern;
    if (literal !== undefined) this.#addExact(literal, item);
    for (const topic of topics) this.#addExact(topic, item);
    for (const segments of globs) this.#trie.add(segments, item);
    this.#size += 1;
  }

  /** Takes `item` out and tells whether it was in. */
  remove(item: T): boolean {
    const { literal, topics, globs } = item.pattern;
    let found = literal !== undefined && this.#removeExact(literal, item);
    for (const topic of topics) found = this.#removeExact(topic, item) || found;
    for (const segments of globs) found = this.#trie.remove(segments, item) || found;
    if (found) this.#size -= 1;
    return found;
  }

  /** All that match, in the order of registration, each once. */
  matches(topic: string): T[] {
    if (topic.length > MAX_LENGTH) return [];
    const found = this.#exact.get(topic)?.slice() ?? [];
    const exact = found.length;
    this.#trie.collect(topic, found);
    return found.length < 2 || found.length === exact ? found : eachOnce(found);
  }

  #addExact(topic: string, item: T): void {
    const items = this.#exact.get(topic);
    if (items === undefined) this.#exact.set(topic, [item]);
    else insertInOrder(items, item);
  }

  #removeExact(topic: string, item: T): boolean {
    const items = this.#exact.get(topic);
    if (items === undefined || !removeInOrder(items, item)) return false;
    if (items.length === 0) this.#emptied.push(topic);
    // Many at once: a Map whose same key is deleted and set again and again grows slow.
    if (this.#emptied.length >= SWEEP) this.#sweep();
    return true;
  }

  #sweep(): void {
    for (const topic of this.#emptied) {
      if (this.#exact.get(topic)?.length === 0) this.#exact.delete(topic);
    }
    this.#emptied = [];
  }
}

/** Several alternatives of one pattern may match the same topic. */
function eachOnce<T extends Ordered>(items: T[]): T[] {
  items.sort((a, b) => a.order - b.order);
  return items.filter((item, at) => item !== items[at - 1]);
}
