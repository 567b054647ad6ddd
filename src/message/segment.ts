import { type GlobPart, globSteps, matchGlob, RUN } from './glob.ts';
import type { Token } from './pattern-parse.ts';

/** Exactly one segment, whichever. */
export const ONE: unique symbol = Symbol('*');
/** Any number of segments, also none. */
export const GLOBSTAR: unique symbol = Symbol('**');

/** What a pattern says of a place: this text, any one segment, any number of them, or a test. */
export type Segment = string | typeof ONE | typeof GLOBSTAR | SegmentTest;

/** A test of one segment. Equal sources test the same. */
export interface SegmentTest {
  readonly source: string;
  /** Whether the test writes a `$` out in front, and so may take what is the library's own. */
  readonly dollar: boolean;
  /** The most steps that the test takes for all segments of a topic together. */
  readonly steps: number;
  matches(segment: string): boolean;
}

/** Tells what the tokens between two dots mean, or throws what `refuse` makes of a problem. */
export function segmentOf(tokens: readonly Token[], refuse: (problem: string) => Error): Segment {
  if (tokens.length === 0) throw refuse('a segment is empty; put one dot between two segments');
  if (tokens.every(isPlain)) return textOf(tokens);
  if (tokens.every(isRun) && tokens.length <= 2) return tokens.length === 1 ? ONE : GLOBSTAR;
  if (tokens.some((token) => token.kind === 'param')) {
    if (tokens.length === 1) return ONE;
    throw refuse('{name} is a whole segment; write "*" inside a segment');
  }
  if (tokens.some((token, index) => isRun(token) && isRun(tokens[index + 1]))) {
    throw refuse('"**" is a whole segment; write "*" inside a segment');
  }
  return tokens.some((token) => token.kind === 'except')
    ? exceptTest(tokens, refuse)
    : globTest(tokens);
}

function isPlain(token: Token): boolean {
  return token.kind === 'plain';
}

function isRun(token: Token | undefined): boolean {
  return token?.kind === 'glob' && token.part === RUN;
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map((token) => (token.kind === 'plain' ? token.chars : '')).join('');
}

function sourceOf(tokens: readonly Token[]): string {
  return tokens.map((token) => token.text).join('');
}

/** `!(a|b)` between plain texts: what stands in its place is known without any search. */
function exceptTest(tokens: readonly Token[], refuse: (problem: string) => Error): SegmentTest {
  const at = tokens.findIndex((token) => token.kind === 'except');
  const [before, except, after] = [tokens.slice(0, at), tokens[at], tokens.slice(at + 1)];
  if (![...before, ...after].every(isPlain)) {
    throw refuse('beside !(a|b) only plain text may stand in a segment; subscribe two patterns');
  }
  const options = new Set(except?.kind === 'except' ? except.options : []);
  const [head, tail] = [textOf(before), textOf(after)];
  return {
    source: sourceOf(tokens),
    dollar: head.startsWith('$'),
    steps: 1,
    matches(segment) {
      const fits = segment.length >= head.length + tail.length;
      if (!fits || !segment.startsWith(head) || !segment.endsWith(tail)) return false;
      return !options.has(segment.slice(head.length, segment.length - tail.length));
    },
  };
}

function globTest(tokens: readonly Token[]): SegmentTest {
  const parts = tokens.flatMap(partsOf);
  return {
    source: sourceOf(tokens),
    dollar: parts[0] === DOLLAR,
    steps: globSteps(parts),
    matches: (segment) => matchGlob(parts, segment),
  };
}

const DOLLAR = 0x24;

function partsOf(token: Token): GlobPart[] {
  if (token.kind === 'glob') return [token.part];
  const chars = token.kind === 'plain' ? token.chars : '';
  return Array.from(chars, (char) => char.codePointAt(0) as number);
}
