import { describe, expect, it } from 'vitest';
import { InvalidNameError, InvalidTopicError } from '../../src/message/invalid.ts';
import { checkName, checkTopic } from '../../src/message/topic.ts';

function refusalOf(check: () => void): unknown {
  try {
    check();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a topic', () => {
  // R:E2 F:A1
  it.each([
    'a',
    'report.7.drafted',
    '$bus.agent.joined',
    'a-b_c:d+e@f~g,h=i;j',
    'caf\u00e9.\u65e5\u672c.\u{1f600}',
    '__proto__.constructor.toString',
    Array.from({ length: 64 }, () => 'a').join('.'),
    'a'.repeat(256),
  ])('may be %j', (topic) => {
    expect(() => checkTopic(topic)).not.toThrow();
  });

  // R:E3
  it.each([
    ['', 0, 'a topic has at least one segment'],
    ['.a', 0, 'a segment is empty; put one dot between two segments'],
    ['a..b', 2, 'a segment is empty; put one dot between two segments'],
    ['a.b.', 4, 'a segment is empty; put one dot between two segments'],
    ['a b', 1, 'a blank cannot be seen; leave it out, or encode it with topic()'],
    ['a\tb', 1, 'U+0009 cannot be seen; leave it out, or encode it with topic()'],
    ['a\u00a0b', 1, 'U+00A0 cannot be seen; leave it out, or encode it with topic()'],
    ['a\u0000', 1, 'U+0000 cannot be seen; leave it out, or encode it with topic()'],
    ['a\u202eb', 1, 'U+202E cannot be seen; leave it out, or encode it with topic()'],
    ['a\u200db', 1, 'U+200D cannot be seen; leave it out, or encode it with topic()'],
    ['a\ufeff', 1, 'U+FEFF cannot be seen; leave it out, or encode it with topic()'],
    ['a\u3164', 1, 'U+3164 cannot be seen; leave it out, or encode it with topic()'],
    ['a\u2800', 1, 'U+2800 cannot be seen; leave it out, or encode it with topic()'],
    ['a\u{e0041}', 1, 'U+E0041 cannot be seen; leave it out, or encode it with topic()'],
    ['a\ud800b', 1, 'U+D800 is half of a character; mend the text with toWellFormed()'],
    ['ab.e\u0301', 3, "the text is not in Unicode's composed form; write text.normalize('NFC')"],
    ['a/b', 1, '"/" does not separate segments; write "." instead'],
    ['a.>', 2, '">" is no wildcard; subscribe to "**", and publish without it'],
    ['a'.repeat(257), 256, '257 characters are more than 256; shorten it'],
    [`${'a.'.repeat(64)}a`, 127, '65 segments are more than 64'],
  ])('is refused as %j', (topic, position, problem) => {
    const error = refusalOf(() => checkTopic(topic));

    expect(error).toBeInstanceOf(InvalidTopicError);
    expect(error).toMatchObject({ code: 'TELLASK_INVALID_TOPIC', topic, position, problem });
  });

  it.each(Array.from('*?[]{}()\\!|'))('is refused with %s in it', (glob) => {
    const error = refusalOf(() => checkTopic(`a${glob}`));

    const problem = `"${glob}" belongs to patterns; build the text from data with topic('a.{id}', { id })`;
    expect(error).toMatchObject({ position: 1, problem });
  });

  it('is refused in one line that says where, and that no hidden character turns around', () => {
    const error = refusalOf(() => checkTopic('a\u202eb'));

    expect((error as Error).message).toBe(
      'topic "a\\u{202E}b", character 1: U+202E cannot be seen; leave it out, or encode it with topic()',
    );
  });

  it.each([undefined, null, 7, {}, ['a']])('must be a string, not %j', (topic) => {
    expect(() => checkTopic(topic as unknown as string)).toThrow(TypeError);
  });
});

describe('an agent name', () => {
  // R:E2 R:E3
  it.each(['writer', 'writer-2', '\u043f\u0438\u0441\u0430\u0440', '__proto__', 'a'.repeat(128)])(
    'may be %j',
    (name) => {
      expect(() => checkName(name)).not.toThrow();
    },
  );

  // R:E3
  it.each([
    ['', 0, 'a name has at least one character'],
    ['a.b', 1, 'a name is one segment; write "-" instead of "."'],
    ['a b', 1, 'a blank cannot be seen; leave it out, or encode it with topic()'],
    ['$host', 0, 'names with "$" in front are the bus\'s own'],
    ['\u0430dmin', 1, 'a name keeps to one of the Latin, Cyrillic and Greek scripts'],
    ['adm\u03b9n', 3, 'a name keeps to one of the Latin, Cyrillic and Greek scripts'],
    ['a'.repeat(129), 128, '129 characters are more than 128; shorten it'],
  ])('is refused as %j', (name, position, problem) => {
    const error = refusalOf(() => checkName(name));

    expect(error).toBeInstanceOf(InvalidNameError);
    expect(error).toMatchObject({
      code: 'TELLASK_INVALID_NAME',
      agentName: name,
      position,
      problem,
    });
  });
});
