import { describe, expect, it } from 'vitest';
import { InvalidPatternError } from '../../src/message/invalid.ts';
import { compilePattern } from '../../src/message/pattern.ts';

const EMPTY = 'a segment is empty; put one dot between two segments';
const COSTLY = 'its wildcards cost too much together; subscribe to several patterns with fewer';
const ALTERNATIVE =
  '{ } holds one alternative; write {a,b} for several, {1..3} for a range, or {name} for one segment';

describe('a refused pattern', () => {
  // R:E6 F:A17
  it.each([
    ['', 0, 'a pattern has at least one segment; write "**" for every topic'],
    [
      '!a',
      0,
      'a leading "!" would match everything else; write !(a|b) for any one segment but a and b',
    ],
    [
      'a.!b',
      2,
      'a lone "!" means nothing; write !(a|b) for what is neither, or [!a] for one character',
    ],
    ['+(a)', 0, '+(a|b) repeats without end and is not in this dialect; write {a,b} or "*"'],
    ['a.*(b)', 2, '*(a|b) repeats without end and is not in this dialect; write {a,b} or "*"'],
    ['@(a|b)', 0, '@(a|b) is not in this dialect; write {a,b}'],
    ['?(a)', 0, '?(a) is not in this dialect; write {a,}'],
    ['(a|b)', 0, '"(" means nothing by itself; write {a,b}'],
    ['a|b', 1, '"|" stands inside !( ) only; write {a,b}'],
    ['a/b', 1, '"/" does not separate segments; write "." instead'],
    ['a.>', 2, '">" is no wildcard; write "**" for any number of segments'],
    ['.a', 0, EMPTY],
    ['a.', 2, EMPTY],
    ['a..b', 2, EMPTY],
    ['{a,}.b', 4, EMPTY],
    ['a.{b,.c}', 5, EMPTY],
    ['{a', 0, '"{" is not closed; write {a,b} or {name}'],
    ['a.{b,{c,d}', 2, '"{" is not closed; write {a,b} or {name}'],
    ['a}', 1, '"}" closes nothing; write "\\}"'],
    ['a)', 1, '")" closes nothing; write "\\)"'],
    ['a]', 1, '"]" closes nothing; write "\\]"'],
    ['[a', 0, '"[" is not closed; write [abc], or "\\["'],
    ['!(a', 0, '"!(" is not closed; write !(a|b)'],
    ['{}', 0, ALTERNATIVE],
    ['{1}', 0, ALTERNATIVE],
    ['{a-b}', 0, ALTERNATIVE],
    ['{1..a}', 0, ALTERNATIVE],
    ['x{id}', 0, '{name} is a whole segment; write "*" inside a segment'],
    ['{id}x', 0, '{name} is a whole segment; write "*" inside a segment'],
    ['a**', 0, '"**" is a whole segment; write "*" inside a segment'],
    ['a.***', 2, '"**" is a whole segment; write "*" inside a segment'],
    ['[[:alpha:]]', 1, 'named classes are not in this dialect; write [A-Za-z0-9]'],
    ['[^a]', 1, '"^" does not negate; write [!a]'],
    ['[]', 0, 'a class is empty; write "\\]" for a bracket in it'],
    ['[z-a]', 1, 'a range runs from the lower to the higher character'],
    ['[a.b]', 2, 'a class takes no dot, which separates segments'],
    ['[a*]', 2, 'write "\\*" inside a class'],
    ['!(a|)', 4, '!( ) holds an empty text; write !(a|b)'],
    ['!(a*)', 3, '!( ) holds plain texts, and "*" is none; write !(a|b)'],
    ['!(a.b)', 3, '!( ) holds plain texts, and "." is none; write !(a|b)'],
    ['!(a)*', 0, 'beside !(a|b) only plain text may stand in a segment; subscribe two patterns'],
    ['!(a)!(b)', 0, 'beside !(a|b) only plain text may stand in a segment; subscribe two patterns'],
    ['a\\', 1, 'nothing follows the last "\\"; leave it out'],
    ['a\\.b', 1, 'a dot always separates segments; write "%2E" for one inside a segment'],
    ['a\\/b', 1, '"/" does not separate segments; write "." instead'],
    ['a b', 1, 'a blank cannot be seen; leave it out, or encode it with topic()'],
    ['a.\u202e*', 2, 'U+202E cannot be seen; leave it out, or encode it with topic()'],
    ['a.e\u0301.*', 2, "the text is not in Unicode's composed form; write text.normalize('NFC')"],
    ['a'.repeat(257), 256, '257 characters are more than 256; shorten it'],
    ['*.'.repeat(200), 256, '400 characters are more than 256; shorten it'],
    [
      `${'*.'.repeat(64)}*`,
      0,
      'a topic has at most 64 segments, so nothing could match; write fewer',
    ],
    ['a.**.**.**.**.**', 2, '5 times "**" are more than 4; write "*" for single segments'],
    [
      'a.{1..257}',
      2,
      'its braces make 257 alternatives, more than 256; subscribe to several patterns',
    ],
    [
      '{300..1}',
      0,
      'its braces make 300 alternatives, more than 256; subscribe to several patterns',
    ],
    [
      '{a,b}'.repeat(9),
      0,
      'its braces make 512 alternatives, more than 256; subscribe to several patterns',
    ],
    [`**.${'{?,*}.'.repeat(7)}x`, 0, COSTLY],
    [`*${'[!b-y]'.repeat(34)}b`, 0, COSTLY],
    [`**.${'*a*.'.repeat(40)}x`, 0, COSTLY],
  ])('%j says at character %i what to write instead', (pattern, position, problem) => {
    const compile = () => compilePattern(pattern);

    expect(compile).toThrow(InvalidPatternError);
    expect(compile).toThrow(
      expect.objectContaining({ code: 'TELLASK_INVALID_PATTERN', pattern, position, problem }),
    );
  });

  it('is quoted in the message, cut when it is long', () => {
    expect(() => compilePattern('a/b')).toThrow(
      'pattern "a/b", character 1: "/" does not separate segments; write "." instead',
    );
    expect(() => compilePattern('a'.repeat(300))).toThrow(`pattern "${'a'.repeat(61)}..."`);
  });

  it.each([undefined, null, 7, {}])('must be a string, not %j', (pattern) => {
    expect(() => compilePattern(pattern as unknown as string)).toThrow(TypeError);
  });

  it('may hold just as much as is allowed', () => {
    const most = ['a.{1..256}', '{a,b}'.repeat(8), '**.a.**.a.**.a.**', `*.${'a'.repeat(254)}`];

    for (const pattern of most) expect(compilePattern(pattern).source).toBe(pattern);
  });
});
