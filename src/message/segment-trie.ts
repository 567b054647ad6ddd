import { MAX_SEGMENTS } from './alphabet.ts';
import { meter } from './glob.ts';
import { insertInOrder, type Ordered, removeInOrder } from './ordered.ts';
import { GLOBSTAR, ONE, type Segment, type SegmentTest } from './segment.ts';

/** How many emptied places are swept at a time. */
const SWEEP = 1_024;
/** What it costs to look at a node, and to start a test, in steps of the meter. */
const VISIT = 4;
const TEST = 8;

class Node<T> {
  readonly parent: Node<T> | undefined;
  readonly segment: Segment;
  /** The step in which the node was entered: a `**` is reached from above and from itself. */
  entered = 0;
  items: T[] | undefined = undefined;
  texts: Map<string, Node<T>> | undefined = undefined;
  one: Node<T> | undefined = undefined;
  globstar: Node<T> | undefined = undefined;
  tests: Map<string, Node<T>> | undefined = undefined;

  constructor(parent: Node<T> | undefined, segment: Segment) {
    this.parent = parent;
    this.segment = segment;
  }
}

/**
 * Finds what was put under the sequences of segments that match a topic. All nodes that the topic
 * so far leads to are kept at once (Thompson, "Regular expression search algorithm", 1968), so
 * nothing is tried twice: a match costs at most the nodes times the segments of the topic.
 */
export class SegmentTrie<T extends Ordered> {
  readonly #root = new Node<T>(undefined, '');
  #emptied: Node<T>[] = [];
  #nodes = 1;
  #step = 0;
  // Two lists that change places, so that a match makes none.
  readonly #here: Node<T>[] = [];
  readonly #there: Node<T>[] = [];

  /** The nodes of the trie, the root included, after a sweep. */
  nodes(): number {
    this.#sweep();
    return this.#nodes;
  }

  add(segments: readonly Segment[], item: T): void {
    let node = this.#root;
    for (const segment of segments) node = childOf(node, segment) ?? this.#grow(node, segment);
    if (node.items === undefined) node.items = [item];
    else insertInOrder(node.items, item);
  }

  /** Takes `item` out and tells whether it was in. */
  remove(segments: readonly Segment[], item: T): boolean {
    let node: Node<T> | undefined = this.#root;
    for (const segment of segments) node = node && childOf(node, segment);
    if (node?.items === undefined || !removeInOrder(node.items, item)) return false;
    if (node.items.length === 0) this.#emptied.push(node);
    // Many at once: a Map whose same key is deleted and set again and again grows slow.
    if (this.#emptied.length >= SWEEP) this.#sweep();
    return true;
  }

  /** Puts all that match into `found`, an item once for every sequence of it that matches. */
  collect(topic: string, found: T[]): void {
    const reached = this.#reach(topic);
    for (const { items } of reached) {
      if (items !== undefined) for (const item of items) found.push(item);
    }
    reached.length = 0;
  }

  /** Tells whether anything matches. */
  has(topic: string): boolean {
    const reached = this.#reach(topic);
    const found = reached.some(({ items }) => items !== undefined && items.length > 0);
    reached.length = 0;
    return found;
  }

  /** The nodes that the whole topic leads to. */
  #reach(topic: string): Node<T>[] {
    let active = this.#here;
    let next = this.#there;
    this.#enter(this.#root, active, ++this.#step);
    for (let start = 0; start <= topic.length && active.length > 0; ) {
      const dot = topic.indexOf('.', start);
      const end = dot < 0 ? topic.length : dot;
      this.#advance(active, topic.slice(start, end), start === 0 && topic.startsWith('$'), next);
      active.length = 0;
      [active, next] = [next, active];
      start = end + 1;
    }
    return active;
  }

  /** Puts the nodes that `segment` leads to into `next`. No wildcard takes what is the library's. */
  #advance(active: readonly Node<T>[], segment: string, reserved: boolean, next: Node<T>[]): void {
    const step = ++this.#step;
    meter.steps += active.length * VISIT;
    for (const node of active) {
      const text = node.texts?.get(segment);
      if (text !== undefined) this.#enter(text, next, step);
      if (node.tests !== undefined) this.#test(node.tests, segment, reserved, next);
      if (reserved) continue;
      if (node.one !== undefined) this.#enter(node.one, next, step);
      if (node.segment === GLOBSTAR) this.#enter(node, next, step);
    }
  }

  #test(tests: Map<string, Node<T>>, segment: string, reserved: boolean, next: Node<T>[]): void {
    for (const node of tests.values()) {
      const test = node.segment as SegmentTest;
      meter.steps += TEST;
      if ((test.dollar || !reserved) && test.matches(segment)) this.#enter(node, next, this.#step);
    }
  }

  /** Enters a node, and the `**` below it, which may stand for nothing. */
  #enter(node: Node<T>, next: Node<T>[], step: number): void {
    if (node.entered === step) return;
    node.entered = step;
    next.push(node);
    if (node.globstar !== undefined) this.#enter(node.globstar, next, step);
  }

  #grow(parent: Node<T>, segment: Segment): Node<T> {
    const node = new Node(parent, segment);
    this.#nodes += 1;
    hang(parent, node);
    return node;
  }

  #sweep(): void {
    const emptied = this.#emptied;
    this.#emptied = [];
    for (const node of emptied) this.#prune(node);
  }

  #prune(node: Node<T>): void {
    let empty = node;
    while (empty.parent !== undefined && isEmpty(empty)) {
      // A node is noted every time it is emptied, so it may be gone already.
      if (childOf(empty.parent, empty.segment) !== empty) return;
      cut(empty.parent, empty);
      this.#nodes -= 1;
      empty = empty.parent;
    }
  }

  /** The most steps that any topic costs here. */
  worstSteps(): number {
    return worstSteps(this.#root, 1);
  }
}

function childOf<T>(node: Node<T>, segment: Segment): Node<T> | undefined {
  if (typeof segment === 'string') return node.texts?.get(segment);
  if (segment === ONE) return node.one;
  if (segment === GLOBSTAR) return node.globstar;
  return node.tests?.get(segment.source);
}

function hang<T>(parent: Node<T>, node: Node<T>): void {
  const { segment } = node;
  if (segment === ONE) parent.one = node;
  else if (segment === GLOBSTAR) parent.globstar = node;
  else if (typeof segment === 'string') {
    parent.texts ??= new Map();
    parent.texts.set(segment, node);
  } else {
    parent.tests ??= new Map();
    parent.tests.set(segment.source, node);
  }
}

function cut<T>(parent: Node<T>, node: Node<T>): void {
  const { segment } = node;
  if (typeof segment === 'string') parent.texts?.delete(segment);
  else if (segment === ONE) parent.one = undefined;
  else if (segment === GLOBSTAR) parent.globstar = undefined;
  else parent.tests?.delete(segment.source);
}

function isEmpty<T>({ items, texts, one, globstar, tests }: Node<T>): boolean {
  if (one !== undefined || globstar !== undefined) return false;
  return !items?.length && !texts?.size && !tests?.size;
}

/** Of the children with a text a topic enters one, of the others all. */
function worstSteps<T>(node: Node<T>, places: number): number {
  const worst = (child: Node<T> | undefined) => (child ? worstSteps(child, places) : 0);
  let steps = places * VISIT + worst(node.one);
  if (node.globstar !== undefined) steps += worstSteps(node.globstar, MAX_SEGMENTS);
  for (const test of node.tests?.values() ?? []) {
    steps += places * TEST + (test.segment as SegmentTest).steps + worst(test);
  }
  const texts = Array.from(node.texts?.values() ?? [], worst);
  return steps + Math.max(0, ...texts);
}
