import micromatch from 'micromatch';
import { describe, expect, it } from 'vitest';
import { InvalidPatternError } from '../../src/message/invalid.ts';
import { compilePattern, type Pattern } from '../../src/message/pattern.ts';
import { PatternMaker } from './pattern-maker.ts';

const PATTERNS = 5_000;
const TOPICS = 50;

/** What micromatch makes of a pattern, its braces expanded first as a shell does. */
function oracleOf(theirs: string): (topic: string) => boolean {
  const alternatives = micromatch.braces(theirs, { expand: true });
  const expressions = alternatives
    .flatMap(withoutTail)
    .map((text) => micromatch.makeRe(text, { dot: true }));
  return (topic) => expressions.some((expression) => expression.test(topic.replaceAll('.', '/')));
}

/** Behind a wildcard a last globstar of micromatch wants a slash; ours may stand for nothing. */
function withoutTail(text: string): string[] {
  return text.endsWith('/**') ? [text, ...withoutTail(text.slice(0, -3))] : [text];
}

function accepted(source: string): Pattern | undefined {
  try {
    return compilePattern(source);
  } catch (error) {
    if (error instanceof InvalidPatternError) return undefined;
    throw error;
  }
}

describe('a pattern beside micromatch', () => {
  // R:E6 F:A2 F:A3
  it('matches what micromatch matches, on 200 000 pairs and more', () => {
    const maker = new PatternMaker(20_261);
    const differences: string[] = [];
    let pairs = 0;
    let matched = 0;

    for (let made = 0; made < PATTERNS; made += 1) {
      const pattern = maker.pattern();
      const compiled = accepted(pattern.ours);
      if (compiled === undefined) continue;
      const oracle = oracleOf(pattern.theirs);
      for (let at = 0; at < TOPICS; at += 1) {
        const topic = at % 2 === 0 ? maker.topic() : maker.topicLike(pattern);
        const matches = compiled.matches(topic);
        if (matches !== oracle(topic)) differences.push(`${pattern.ours} ${topic} ${matches}`);
        pairs += 1;
        if (matches) matched += 1;
      }
    }

    expect(differences.slice(0, 20)).toEqual([]);
    expect(pairs).toBeGreaterThanOrEqual(200_000);
    expect(matched / pairs).toBeGreaterThan(0.2);
  });
});
