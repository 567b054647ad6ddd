import { MAX_SEGMENTS } from './alphabet.ts';
import { InvalidPatternError } from './invalid.ts';
import type { Token } from './pattern-parse.ts';
import { expandRange, MAX_ALTERNATIVES } from './pattern-range.ts';
import { GLOBSTAR, type Segment, segmentOf } from './segment.ts';

/** The most `**` that a pattern may hold. */
const MAX_GLOBSTARS = 4;

/**
 * Makes the alternatives of a pattern, each a sequence of segments, without braces.
 *
 * @throws InvalidPatternError `TELLASK_INVALID_PATTERN`
 */
export function expandPattern(source: string, tokens: readonly Token[]): (readonly Segment[])[] {
  const count = countAlternatives(tokens);
  if (count > MAX_ALTERNATIVES) {
    const position = tokens.find((token) => countOf(token) > 1)?.at ?? 0;
    const problem = `its braces make ${count} alternatives, more than ${MAX_ALTERNATIVES}; subscribe to several patterns`;
    throw new InvalidPatternError(source, { position, problem });
  }
  return expand(tokens).map((alternative) => toSegments(source, alternative));
}

function countAlternatives(tokens: readonly Token[]): number {
  return tokens.reduce((count, token) => count * countOf(token), 1);
}

function countOf(token: Token): number {
  if (token.kind === 'range') return token.range.count;
  if (token.kind !== 'choice') return 1;
  return token.options.reduce((count, option) => count + countAlternatives(option), 0);
}

function expand(tokens: readonly Token[]): Token[][] {
  let alternatives: Token[][] = [[]];
  for (const token of tokens) {
    const ways = waysOf(token);
    if (ways.length === 1)
      for (const alternative of alternatives) alternative.push(...(ways[0] as Token[]));
    else alternatives = alternatives.flatMap((head) => ways.map((way) => [...head, ...way]));
  }
  return alternatives;
}

function waysOf(token: Token): Token[][] {
  if (token.kind === 'choice') return token.options.flatMap(expand);
  if (token.kind !== 'range') return [[token]];
  const { at } = token;
  return expandRange(token.range).map((chars) => [{ kind: 'plain', chars, text: chars, at }]);
}

/** Splits an alternative at its dots. Several `**` in a row say no more than one. */
function toSegments(source: string, tokens: readonly Token[]): readonly Segment[] {
  const segments: Segment[] = [];
  let start = 0;
  for (let at = 0; at <= tokens.length; at += 1) {
    if (at < tokens.length && tokens[at]?.kind !== 'dot') continue;
    segments.push(segmentAt(source, tokens, start, at));
    start = at + 1;
  }
  return tidy(source, segments);
}

/** Refuses too much in a row; several `**` side by side say no more than one. */
export function tidy(source: string, segments: readonly Segment[]): readonly Segment[] {
  if (!segments.includes(GLOBSTAR) && segments.length <= MAX_SEGMENTS) return segments;
  checkCounts(source, segments);
  return segments.filter((segment, at) => segment !== GLOBSTAR || segments[at - 1] !== GLOBSTAR);
}

function segmentAt(source: string, tokens: readonly Token[], start: number, end: number): Segment {
  return segmentOf(tokens.slice(start, end), (problem) => {
    const position = tokens[start]?.at ?? source.length;
    return new InvalidPatternError(source, { position, problem });
  });
}

function checkCounts(source: string, segments: readonly Segment[]): void {
  const globstars = segments.filter((segment) => segment === GLOBSTAR).length;
  if (globstars > MAX_GLOBSTARS) {
    const problem = `${globstars} times "**" are more than ${MAX_GLOBSTARS}; write "*" for single segments`;
    throw new InvalidPatternError(source, { position: source.indexOf('**'), problem });
  }
  if (segments.length - globstars <= MAX_SEGMENTS) return;
  const problem = `a topic has at most ${MAX_SEGMENTS} segments, so nothing could match; write fewer`;
  throw new InvalidPatternError(source, { position: 0, problem });
}
