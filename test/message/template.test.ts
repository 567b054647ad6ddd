import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidPatternError, InvalidTopicError } from '../../src/message/invalid.ts';
import { compilePattern } from '../../src/message/pattern.ts';
import { paramsOf, templatesOverlap, topic } from '../../src/message/template.ts';
import { checkTopic } from '../../src/message/topic.ts';

describe('topic()', () => {
  it('encodes what a segment may not hold', () => {
    const built = topic('report.{id}.drafted', { id: 'src/a.md' });

    expect(built).toBe('report.src%2Fa%2Emd.drafted');
  });

  it('keeps data out of the topics of the library', () => {
    const built = topic('{area}.joined', { area: '$bus' });

    expect(built).toBe('%24bus.joined');
  });

  it('leaves other scripts readable', () => {
    expect(topic('doc.{id}', { id: 'caf\u00e9 1' })).toBe('doc.caf\u00e9%201');
  });

  // R:E2
  it('gives back any text, whatever it holds', () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });

    fc.assert(
      fc.property(text, text, (first, second) => {
        const built = topic('{first}.x.{second}', { first, second });
        checkTopic(built);
        expect(compilePattern('{first}.x.{second}').matches(built)).toBe(true);
        expect({ ...paramsOf('{first}.x.{second}', built) }).toEqual({ first, second });
      }),
      { seed: 11, numRuns: 3_000 },
    );
  });

  it.each(['e\u0301', '\u200bA\u0301', '\u0301', '\u1100\u1161', '.\u0327'])(
    'gives back %j in the form it had',
    (id) => {
      const built = topic('doc.{id}', { id });

      expect(paramsOf('doc.{id}', built)).toEqual({ id });
    },
  );

  it.each([
    ['', 'the value of {id} is empty; give it at least one character'],
    ['a\ud800', 'the value of {id} holds half a character'],
  ])('refuses the value %j', (id, problem) => {
    expect(() => topic('doc.{id}', { id })).toThrow(
      expect.objectContaining({ code: 'TELLASK_INVALID_TOPIC', position: 4, problem }),
    );
  });

  it('refuses a value that makes the topic too long', () => {
    expect(() => topic('doc.{id}', { id: 'a'.repeat(300) })).toThrow(InvalidTopicError);
  });

  // R:E2
  it('never takes a value from a prototype', () => {
    const build = () => topic('doc.{constructor}', {} as { constructor: string });

    expect(build).toThrow(
      new TypeError('params.constructor must be a string, but it is undefined'),
    );
  });

  it.each([
    ['doc.{id', 4],
    ['doc.{}', 4],
    ['doc.x{id}', 5],
    ['doc.*', 4],
    ['doc..{id}', 4],
    ['{id}.{id}', 5],
  ])('refuses the template %j', (template, position) => {
    expect(() => topic(template, { id: '7' })).toThrow(InvalidPatternError);
    expect(() => topic(template, { id: '7' })).toThrow(expect.objectContaining({ position }));
  });
});

describe('paramsOf()', () => {
  it.each([
    ['report.{id}.drafted', 'report.7.drafted', { id: '7' }],
    ['report.{id}.drafted', 'report.7.sent', undefined],
    ['report.{id}', 'report.7.drafted', undefined],
    ['report.7', 'report.7', {}],
    ['{a}.{b}', 'x.y', { a: 'x', b: 'y' }],
    ['{a}.joined', '$bus.joined', undefined],
    ['doc.{id}', 'doc.', undefined],
    ['doc.{id}', 'doc.100%', { id: '100%' }],
    ['doc.{id}', 'doc.%FF', { id: '%FF' }],
  ])('reads %j from %j', (template, text, params) => {
    expect(paramsOf(template, text)).toEqual(params);
  });

  // R:E2
  it('reads parameters of any name without touching a prototype', () => {
    const params = paramsOf('doc.{__proto__}', 'doc.7');

    expect(Object.getPrototypeOf(params)).toBeNull();
    expect(Object.entries(params ?? {})).toEqual([['__proto__', '7']]);
    expect('polluted' in Object.prototype).toBe(false);
  });
});

describe('templatesOverlap()', () => {
  it.each([
    ['report.{id}.drafted', 'report.{name}.drafted', true],
    ['report.{id}.drafted', '{area}.7.drafted', true],
    ['report.{id}.drafted', 'report.{id}.sent', false],
    ['report.{id}', 'report.{id}.drafted', false],
    ['report.7', 'report.{id}', false],
    ['{area}.joined', '$bus.{name}', false],
    ['{area}.{name}', '{name}.joined', true],
  ])('of %j and %j is %j', (a, b, expected) => {
    expect(templatesOverlap(a, b)).toBe(expected);
    expect(templatesOverlap(b, a)).toBe(expected);
  });
});
