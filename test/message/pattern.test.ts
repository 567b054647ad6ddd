import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../src/message/pattern.ts';

function matchesOf(pattern: string, topics: string): string {
  const compiled = compilePattern(pattern);
  return topics
    .split(' ')
    .filter((topic) => compiled.matches(topic))
    .join(' ');
}

describe('a pattern', () => {
  // F:A1 F:A2 F:A3 R:E6
  it.each([
    ['a.b', 'a.b a a.b.c b.a', 'a.b'],
    ['*', 'a b a.b', 'a b'],
    ['a.*', 'a a.b a.b.c', 'a.b'],
    ['*.b', 'a.b b.b b', 'a.b b.b'],
    ['**', 'a a.b a.b.c', 'a a.b a.b.c'],
    ['a.**', 'a a.b a.b.c b', 'a a.b a.b.c'],
    ['**.c', 'c b.c a.b.c c.a', 'c b.c a.b.c'],
    ['a.**.c', 'a.c a.b.c a.b.b.c a c', 'a.c a.b.c a.b.b.c'],
    ['a.**.**.c', 'a.c a.b.c', 'a.c a.b.c'],
    ['**.*', 'a a.b', 'a a.b'],
    ['*.**.*', 'a a.b a.b.c', 'a.b a.b.c'],
    ['a*', 'a ab abc ba', 'a ab abc'],
    ['*a*b*', 'ab xaxbx ba a', 'ab xaxbx'],
    ['a?', 'a ab abc a\u{1f600}', 'ab a\u{1f600}'],
    ['*?b', 'b ab \u{1f600}b', 'ab \u{1f600}b'],
    ['[abc].x', 'a.x b.x d.x ab.x', 'a.x b.x'],
    ['[a-c1-3]', 'a c d 1 4', 'a c 1'],
    ['[!a-c]', 'a d \u{1f600} -', 'd \u{1f600} -'],
    ['[a-db]', 'a b c d e', 'a b c d'],
    ['[a-]x[-a]', 'ax- -xa bxa', 'ax- -xa'],
    ['[\u{1f600}-\u{1f610}]', '\u{1f605} a', '\u{1f605}'],
    ['{a,b}', 'a b c a,b', 'a b'],
    ['{a,b.c}.d', 'a.d b.c.d b.d', 'a.d b.c.d'],
    ['x{a,b{1,2}}', 'xa xb1 xb2 xb', 'xa xb1 xb2'],
    ['x{a,}', 'x xa xb', 'x xa'],
    ['{a*,*b}.c', 'ax.c xb.c x.c', 'ax.c xb.c'],
    ['{**.a,b}.c', 'a.c x.a.c b.c x.c', 'a.c x.a.c b.c'],
    ['n{1..3}', 'n1 n3 n4 n', 'n1 n3'],
    ['{01..10}', '01 09 10 1', '01 09 10'],
    ['{a..e..2}', 'a b c e', 'a c e'],
    ['{1..3..0}', '1 2 3 4', '1 2 3'],
    ['{3..1}', '1 2 3 4', '1 2 3'],
    ['report.{id}.drafted', 'report.7.drafted report.drafted', 'report.7.drafted'],
    ['{a,{name}.b}', 'a x.b x', 'a x.b'],
    ['{*,a}*', 'a b.c', 'a b.c'],
    ['\\*', 'a', ''],
    ['a\\-b', 'a-b', 'a-b'],
    ['{a\\,b,c}', 'a,b c a', 'a,b c'],
    ['[\\]a]', 'a b', 'a'],
    ['a+', 'a+ a aa', 'a+'],
    ['__proto__.*', '__proto__.x', '__proto__.x'],
  ])('%j picks from %j just %j', (pattern, topics, expected) => {
    expect(matchesOf(pattern, topics)).toBe(expected);
  });

  // The decision record on the dialect: as bash does, where micromatch differs.
  it.each([
    ['!(a|b)', 'a b c ab aa', 'c ab aa'],
    ['a!(b|c)', 'a ab ac ad abc', 'a ad abc'],
    ['!(a|b)c', 'c ac bc abc xc', 'c abc xc'],
    ['ab!(x)bc', 'abc abbc abxbc abybc', 'abbc abybc'],
    ['!(\\!|a)', 'a b', 'b'],
    ['{a,b}+', 'a+ b+ a aa ab', 'a+ b+'],
  ])('as a shell has it, %j picks from %j just %j', (pattern, topics, expected) => {
    expect(matchesOf(pattern, topics)).toBe(expected);
  });

  it.each([
    ['**', ''],
    ['*.joined', ''],
    ['?bus.joined', ''],
    ['[$]bus.joined', ''],
    ['[!a]bus.joined', ''],
    ['!(x).joined', ''],
    ['{name}.joined', ''],
    ['**.joined', ''],
    ['$bus.*', '$bus.joined'],
    ['$*.joined', '$bus.joined'],
    ['$!(x).joined', '$bus.joined'],
    ['**.$bus.joined', '$bus.joined'],
    ['**.$*.**', '$bus.joined'],
  ])('%j takes of the topics of the library %j', (pattern, expected) => {
    expect(matchesOf(pattern, '$bus.joined')).toBe(expected);
  });

  it('may hold "$" behind its first segment without more ado', () => {
    expect(matchesOf('a.*', 'a.$b')).toBe('a.$b');
  });

  it('knows when it is a topic and nothing more', () => {
    const literals = ['a.b', '{a,a}.b', 'a.*', '{a,b}'].map((it) => compilePattern(it).literal);

    expect(literals).toEqual(['a.b', 'a.b', undefined, undefined]);
  });

  it('is compiled once while it is in use', () => {
    expect(compilePattern('a.*.b')).toBe(compilePattern('a.*.b'));
  });

  it('is still right when many others were compiled since', () => {
    const first = compilePattern('first.*');

    for (let at = 0; at < 2_500; at += 1) compilePattern(`other.${at}.*`);

    expect(compilePattern('first.*').matches('first.a')).toBe(true);
    expect(first.matches('first.a')).toBe(true);
  });
});
