import { MAX_LENGTH, mustBeString, outOfForm } from './alphabet.ts';
import { InvalidPatternError } from './invalid.ts';
import type { Ordered } from './ordered.ts';
import { expandPattern } from './pattern-expand.ts';
import { parsePattern } from './pattern-parse.ts';
import type { Segment } from './segment.ts';
import { SegmentTrie } from './segment-trie.ts';
import { isPlainTopic, tooLong } from './topic.ts';

/** The most steps that braces and wildcards together may cost a topic. */
const MAX_STEPS = 16_384;

const NONE: readonly never[] = [];
const SELF: Ordered = { order: 0 };

/** A compiled pattern. It never changes, so it may be shared. */
export class Pattern {
  readonly source: string;
  /** The topic itself, when the pattern is one. */
  readonly literal: string | undefined;
  /** The topics that the pattern names outright. */
  readonly topics: readonly string[];
  /** The alternatives that hold a wildcard. */
  readonly globs: readonly (readonly Segment[])[];
  /** The texts that its topics begin with, or `undefined` when a wildcard stands first. */
  readonly firsts: readonly string[] | undefined;
  #trie: SegmentTrie<Ordered> | undefined;

  constructor(source: string, topics: readonly string[], globs: readonly (readonly Segment[])[]) {
    this.source = source;
    this.literal = globs.length === 0 && topics.length === 1 ? topics[0] : undefined;
    this.topics = topics;
    this.globs = globs;
    this.firsts = firstsOf(globs);
  }

  /** Tells whether the pattern matches a topic, in time linear in the length of the topic. */
  matches(topic: string): boolean {
    if (this.topics.includes(topic)) return true;
    if (this.globs.length === 0 || topic.length > MAX_LENGTH) return false;
    const found: Ordered[] = [];
    this.#trie ??= trieOf(this.globs);
    this.#trie.collect(topic, found);
    return found.length > 0;
  }
}

function firstsOf(globs: readonly (readonly Segment[])[]): readonly string[] | undefined {
  const firsts = new Set<string>();
  for (const [first] of globs) {
    if (typeof first !== 'string') return undefined;
    firsts.add(first);
  }
  return firsts.size === 0 ? NONE : [...firsts];
}

function trieOf(globs: readonly (readonly Segment[])[]): SegmentTrie<Ordered> {
  const trie = new SegmentTrie<Ordered>();
  for (const segments of globs) trie.add(segments, SELF);
  return trie;
}

const MAX_REMEMBERED = 1_000;
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
  if (isPlainTopic(source)) return new Pattern(source, [source], NONE);
  const known = remembered.get(source);
  if (known !== undefined) return known;
  const pattern = compile(source);
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(source, pattern);
  return pattern;
}

function compile(source: string): Pattern {
  checkText(source);
  const topics = new Set<string>();
  const globs: (readonly Segment[])[] = [];
  for (const segments of expandPattern(source, parsePattern(source))) {
    if (segments.every((segment) => typeof segment === 'string')) topics.add(segments.join('.'));
    else globs.push(segments);
  }
  checkCost(source, globs);
  return new Pattern(source, [...topics], globs.length === 0 ? NONE : globs);
}

function checkText(source: string): void {
  const fault =
    source === ''
      ? { position: 0, problem: 'a pattern has at least one segment; write "**" for every topic' }
      : (tooLong(source, MAX_LENGTH) ?? outOfForm(source));
  if (fault !== undefined) throw new InvalidPatternError(source, fault);
}

/** One sequence of wildcards is always cheap; braces can multiply them until they are not. */
function checkCost(source: string, globs: readonly (readonly Segment[])[]): void {
  if (globs.length < 2 || trieOf(globs).worstSteps() <= MAX_STEPS) return;
  const problem = 'its braces multiply wildcards too often; subscribe to several patterns';
  throw new InvalidPatternError(source, { position: source.indexOf('{'), problem });
}
