import { describe, expect, it } from 'vitest';
import { meter } from '../../src/message/glob.ts';
import { InvalidPatternError } from '../../src/message/invalid.ts';
import { compilePattern, type Pattern } from '../../src/message/pattern.ts';
import { PatternMaker } from './pattern-maker.ts';

/** 50 microseconds in steps of about 2 ns, with room for a slow machine. */
const MOST = 20_000;

const HOSTILE = [
  '**.*.**.*.**.*.**.b',
  '**.a.**.a.**.a.**.b',
  '*.*.*.*.*.*.*.*.b',
  `${'*a'.repeat(100)}b`,
  `*${'a'.repeat(127)}b`,
  `*${'?'.repeat(120)}b`,
  '*[!b]'.repeat(40),
  `**.${'?*.'.repeat(7)}x`,
  `**.${'*a*b.'.repeat(5)}x`,
  '**.{1..256}',
  `**.${'{a,b}.'.repeat(7)}x`,
  '**.{?,*}.{?,*}.{?,*}',
  '**.{**.a,**.b,**.c}.**.{a*,b*,*a}',
  '{a,b}{a,b}{a,b}{a,b}*',
  `{${'*a*b,'.repeat(10)}c}`,
];

const TOPICS = [
  'a'.repeat(256),
  'z'.repeat(256),
  `${'a.'.repeat(63)}a`,
  `${'ab.'.repeat(63)}ab`,
  `${'aab.'.repeat(63)}aab`,
  `${'a.'.repeat(63)}${'a'.repeat(130)}`,
  `${'a'.repeat(190)}${'.a'.repeat(33)}`,
];

function stepsOf(pattern: Pattern, topic: string): number {
  meter.steps = 0;
  pattern.matches(topic);
  return meter.steps;
}

describe('the cost of a match', () => {
  // R:E6 F:A17
  it.each(HOSTILE)('of %j stays under the limit for every topic', (source) => {
    const pattern = compilePattern(source);

    const steps = TOPICS.map((topic) => stepsOf(pattern, topic));

    expect(Math.max(...steps)).toBeGreaterThan(0);
    expect(Math.max(...steps)).toBeLessThanOrEqual(MOST);
  });

  // R:E6
  it.each(HOSTILE.slice(0, 4))('of %j grows no faster than the topic', (source) => {
    const pattern = compilePattern(source);
    const short = Math.max(...TOPICS.map((topic) => stepsOf(pattern, topic.slice(0, 63))));
    const long = Math.max(...TOPICS.map((topic) => stepsOf(pattern, topic.slice(0, 127))));

    // Twice the topic; the constant is for the first segments, in which fewer nodes are reached.
    expect(long).toBeLessThanOrEqual(2 * short + 400);
  });

  // R:E6
  it('stays under the limit for whatever a search finds that is accepted', () => {
    const maker = new PatternMaker(7);
    let accepted = 0;
    let most = 0;

    for (let made = 0; made < 3_000; made += 1) {
      const pattern = compiled(hostile(maker));
      if (pattern === undefined) continue;
      accepted += 1;
      for (const topic of TOPICS) most = Math.max(most, stepsOf(pattern, topic));
    }

    expect(accepted).toBeGreaterThan(300);
    expect(most).toBeGreaterThan(MOST / 10);
    expect(most).toBeLessThanOrEqual(MOST);
  });

  // R:E6
  it('of a refused pattern is paid before its braces are expanded', () => {
    const huge = ['{a,b}'.repeat(51), '{1..999999999}', '{a,'.repeat(80) + '}'.repeat(16)];

    for (const source of huge) expect(() => compilePattern(source)).toThrow(InvalidPatternError);
  });

  it('counts every node, every test and every character', () => {
    const steps = stepsOf(compilePattern('a.b*'), 'a.bc');

    // Two nodes of 4, a test of 8, and two characters.
    expect(steps).toBe(18);
  });

  it('of a text that can be no topic is nothing', () => {
    const pattern = compilePattern('**.*a');

    expect(stepsOf(pattern, 'a.'.repeat(100_000))).toBe(0);
    expect(pattern.matches('a'.repeat(257))).toBe(false);
  });
});

/** Wildcards in the worst places: behind `**`, around letters that the topics are full of. */
function hostile(maker: PatternMaker): string {
  const piece = () =>
    maker.pick(['*a', '*a*b', '?*', '[ab]*', 'a*', '*', '**', '{a,?}', '*aaaab*']);
  const tail = Array.from({ length: 1 + maker.below(8) }, piece);
  return [maker.pick(['**', '*', 'a']), ...tail].join('.');
}

function compiled(source: string): Pattern | undefined {
  try {
    return compilePattern(source);
  } catch {
    return undefined;
  }
}
