import type { SectionName } from './contract-types.ts';
import { editDistance } from './edit-distance.ts';
import { InvalidPatternError } from './invalid.ts';
import type { StandardSchema } from './standard-schema.ts';
import { paramsOf } from './template.ts';

/** The schemas that a contract has for a family. */
export interface FamilySchemas {
  readonly input?: StandardSchema;
  readonly output?: StandardSchema;
  readonly chunk?: StandardSchema;
}

/** One key of a contract: what it allows, and how to read the parameters of its topics. */
export interface Family extends FamilySchemas {
  readonly key: string;
  /** The decoded parameters: `{ id: 'src/a.md' }`. */
  params(topic: string): Readonly<Record<string, string>>;
}

interface Node {
  readonly literals: Map<string, Node>;
  param: Node | undefined;
  family: Family | undefined;
}

/** The keys of one section of a contract, found by topic. */
export class FamilyIndex {
  readonly #section: SectionName;
  readonly #exact = new Map<string, Family>();
  readonly #templates: Node = makeNode();
  readonly #keys: string[] = [];

  constructor(section: SectionName, entries: Iterable<readonly [string, FamilySchemas]>) {
    this.#section = section;
    for (const [key, schemas] of entries) this.#add(key, schemas);
  }

  /** The family of a topic: an exact key beats a template, and only one template can fit. */
  find(topic: string): Family | undefined {
    const exact = this.#exact.get(topic);
    // What begins with '$' is the library's own, and braces are no part of a topic.
    if (exact !== undefined || topic.startsWith('$') || topic.includes('{')) return exact;
    return search(this.#templates, topic.split('.'), 0);
  }

  /** The key that differs from the topic by a few characters only: a guess at a typing error. */
  nearest(topic: string): string | undefined {
    const segments = topic.split('.');
    let best: string | undefined;
    let limit = Math.min(MAX_TYPOS, Math.floor(topic.length / 3));
    for (const key of this.#keys) {
      const distance = editDistance(topic, fill(key, segments), limit);
      if (distance > limit || (distance === limit && best !== undefined)) continue;
      best = key;
      limit = distance;
    }
    return best;
  }

  #add(key: string, schemas: FamilySchemas): void {
    const segments = checkKey(this.#section, key);
    this.#keys.push(key);
    if (!segments.some(isParam)) {
      this.#exact.set(key, { key, ...schemas, params: () => NO_PARAMS });
      return;
    }
    const other = search(this.#templates, segments, 0);
    if (other !== undefined) throw overlap(this.#section, other.key, key);
    const params = (topic: string) => paramsOf(key, topic) ?? NO_PARAMS;
    insert(this.#templates, segments).family = { key, ...schemas, params };
  }
}

/** Guesses with more typing errors than this mislead more often than they help. */
const MAX_TYPOS = 4;
const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

function makeNode(): Node {
  return { literals: new Map(), param: undefined, family: undefined };
}

function insert(root: Node, segments: readonly string[]): Node {
  let node = root;
  for (const segment of segments)
    node = isParam(segment) ? paramOf(node) : literalOf(node, segment);
  return node;
}

function paramOf(node: Node): Node {
  node.param ??= makeNode();
  return node.param;
}

function literalOf(node: Node, segment: string): Node {
  const next = node.literals.get(segment) ?? makeNode();
  node.literals.set(segment, next);
  return next;
}

/**
 * The family whose topics these segments can be. A parameter among the segments stands for every
 * child, so the one search finds the family of a topic and the template that overlaps a new one.
 */
function search(node: Node, segments: readonly string[], depth: number): Family | undefined {
  const segment = segments[depth];
  if (segment === undefined) return node.family;
  for (const child of children(node, segment)) {
    const found = search(child, segments, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function* children(node: Node, segment: string): Iterable<Node> {
  if (isParam(segment)) yield* node.literals.values();
  const literal = node.literals.get(segment);
  if (literal !== undefined) yield literal;
  if (node.param !== undefined) yield node.param;
}

function overlap(section: SectionName, first: string, second: string): TypeError {
  return new TypeError(
    `${section}: '${first}' and '${second}' overlap, so a topic could belong to both. ` +
      'Let them differ in a literal segment, or write one of them without parameters',
  );
}

/** The key with the topic's own segments for its parameters, so that only literals count. */
function fill(key: string, segments: readonly string[]): string {
  const parts = key.split('.');
  return parts.map((part, at) => (isParam(part) ? (segments[at] ?? part) : part)).join('.');
}

function isParam(segment: string): boolean {
  return segment.startsWith('{');
}

/** The segments of a key, when topics can be made of it. */
function checkKey(section: SectionName, key: string): readonly string[] {
  if (key.startsWith('$')) throw badKey(section, key, "'$' begins what the bus itself says");
  try {
    paramsOf(key, key); // reads the key as a template, and refuses what is none
  } catch (cause) {
    if (!(cause instanceof InvalidPatternError)) throw cause;
    throw badKey(section, key, `character ${cause.position}: ${cause.problem}`);
  }
  return key.split('.');
}

function badKey(section: SectionName, key: string, problem: string): TypeError {
  return new TypeError(`${section}['${key}'] is no address: ${problem}`);
}
