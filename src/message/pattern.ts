import { MAX_LENGTH, mustBeString, outOfForm } from './alphabet.ts';
import { InvalidPatternError } from './invalid.ts';
import type { Ordered } from './ordered.ts';
import { expandPattern, tidy } from './pattern-expand.ts';
import { parsePattern } from './pattern-parse.ts';
import { GLOBSTAR, ONE, type Segment } from './segment.ts';
import { SegmentTrie } from './segment-trie.ts';
import { isPlainTopic, PLAIN_SEGMENT, tooLong } from './topic.ts';

/** The most steps of about 2 ns that a pattern may cost a topic. */
const MAX_STEPS = 20_000;

const NONE: readonly never[] = [];
const SELF: Ordered = { order: 0 };

/** A compiled pattern. It never changes, so it may be shared. */
export class Pattern {
  readonly source: string;
  /** The topic itself, when the pattern is nothing but one. */
  readonly literal: string | undefined;
  /** The topics that braces name outright. */
  readonly topics: readonly string[];
  /** The alternatives that hold a wildcard. */
  readonly globs: readonly (readonly Segment[])[];
  #trie: SegmentTrie<Ordered> | undefined;

  constructor(
    source: string,
    literal: string | undefined,
    topics: readonly string[],
    globs: readonly (readonly Segment[])[],
  ) {
    this.source = source;
    this.literal = literal;
    this.topics = topics;
    this.globs = globs;
  }

  /** Tells whether the pattern matches a topic, in time linear in the length of the topic. */
  matches(topic: string): boolean {
    if (topic === this.literal || this.topics.includes(topic)) return true;
    if (this.globs.length === 0 || topic.length > MAX_LENGTH) return false;
    this.#trie ??= trieOf(this.globs);
    return this.#trie.has(topic);
  }
}

function trieOf(globs: readonly (readonly Segment[])[]): SegmentTrie<Ordered> {
  const trie = new SegmentTrie<Ordered>();
  for (const segments of globs) trie.add(segments, SELF);
  return trie;
}

/** Agents of a kind subscribe to the same patterns, and share them while they are few. */
const MAX_REMEMBERED = 2_000;
const remembered = new Map<string, Pattern>();

/**
 * Compiles a pattern: `*` is one segment and `**` any number of them; inside a segment `*` is any
 * run, `?` one character, `[a-z]` and `[!a]` one of a set; `{a,b}` and `{1..3}` are alternatives;
 * `{name}` is one segment; `!(a|b)` is what is neither; a backslash takes the meaning off.
 * Wildcards take no first segment that begins with `$`: those topics are the library's own.
 *
 * @throws InvalidPatternError `TELLASK_INVALID_PATTERN`, which says what to write instead
 */
export function compilePattern(source: string): Pattern {
  mustBeString('pattern', source);
  const known = remembered.get(source);
  if (known !== undefined) return known;
  const pattern = compile(source);
  if (remembered.size >= MAX_REMEMBERED) forgetOldest();
  remembered.set(source, pattern);
  return pattern;
}

/** One for one, so that a program whose patterns never repeat keeps a heap that stays flat. */
function forgetOldest(): void {
  for (const source of remembered.keys()) {
    remembered.delete(source);
    return;
  }
}

function compile(source: string): Pattern {
  if (isPlainTopic(source)) return new Pattern(source, source, NONE, NONE);
  if (isSimple(source)) {
    const segments = tidy(source, source.split('.').map(simpleSegment));
    return new Pattern(source, undefined, NONE, [segments]);
  }
  checkText(source);
  const topics = new Set<string>();
  const globs: (readonly Segment[])[] = [];
  for (const segments of expandPattern(source, parsePattern(source))) {
    if (segments.every((segment) => typeof segment === 'string')) topics.add(segments.join('.'));
    else globs.push(segments);
  }
  checkCost(source, globs);
  const [only, another] = topics;
  const isTopic = another === undefined && globs.length === 0;
  return new Pattern(source, isTopic ? only : undefined, isTopic ? NONE : [...topics], globs);
}

// Nearly every pattern says whole segments: those need no reading character by character.
const SIMPLE_SEGMENT = `(?:\\*\\*?|\\{[A-Za-z_]\\w*\\}|${PLAIN_SEGMENT})`;
const SIMPLE = new RegExp(`^${SIMPLE_SEGMENT}(?:\\.${SIMPLE_SEGMENT})*$`);

function isSimple(source: string): boolean {
  return source.length <= MAX_LENGTH && SIMPLE.test(source);
}

function simpleSegment(text: string): Segment {
  if (text === '*' || text.startsWith('{')) return ONE;
  return text === '**' ? GLOBSTAR : text;
}

function checkText(source: string): void {
  const fault =
    source === ''
      ? { position: 0, problem: 'a pattern has at least one segment; write "**" for every topic' }
      : (tooLong(source, MAX_LENGTH) ?? outOfForm(source));
  if (fault !== undefined) throw new InvalidPatternError(source, fault);
}

/** Wildcards behind "**" are tried in many places, and braces multiply them. */
function checkCost(source: string, globs: readonly (readonly Segment[])[]): void {
  if (globs.length === 0 || trieOf(globs).worstSteps() <= MAX_STEPS) return;
  const problem = 'its wildcards cost too much together; subscribe to several patterns with fewer';
  throw new InvalidPatternError(source, {
    position: Math.max(0, source.search(/[*?[{]/)),
    problem,
  });
}
