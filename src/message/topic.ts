import { type Fault, MAX_LENGTH, MAX_SEGMENTS, mustBeString, refusal } from './alphabet.ts';
import { InvalidNameError, InvalidTopicError } from './invalid.ts';

/** The most characters of an agent's name. */
const MAX_NAME = 128;

/** A segment of plain ASCII, as a regular expression. */
export const PLAIN_SEGMENT = '[\\w"#$%&\'+,\\-:;<=@^`~]+';
// Nearly every topic is plain: one linear look decides, and the reasons are sought only after it.
const PLAIN = new RegExp(`^${PLAIN_SEGMENT}(?:\\.${PLAIN_SEGMENT}){0,${MAX_SEGMENTS - 1}}$`);

/**
 * Refuses what is no topic: 1 to 64 segments joined by dots, at most 256 characters, without
 * blanks, globs and what the eye cannot see, in Unicode's composed form.
 *
 * @throws InvalidTopicError `TELLASK_INVALID_TOPIC`
 */
export function checkTopic(topic: string): void {
  mustBeString('topic', topic);
  const fault = topicFault(topic);
  if (fault !== undefined) throw new InvalidTopicError(topic, fault);
}

/** Tells at a glance that nothing is wrong with a topic. `false` means: look closer. */
export function isPlainTopic(topic: string): boolean {
  return topic.length <= MAX_LENGTH && PLAIN.test(topic);
}

/** Tells what is wrong with a topic, if something is. */
export function topicFault(topic: string): Fault | undefined {
  if (isPlainTopic(topic)) return undefined;
  return (
    tooLong(topic, MAX_LENGTH) ?? emptySegment(topic) ?? tooManySegments(topic) ?? refusal(topic)
  );
}

/**
 * Refuses what is no agent name: one segment of a topic, at most 128 characters, in one script,
 * and not beginning with `$`, which is how the bus itself signs.
 *
 * @throws InvalidNameError `TELLASK_INVALID_NAME`
 */
export function checkName(name: string): void {
  mustBeString('name', name);
  const fault = nameFault(name);
  if (fault !== undefined) throw new InvalidNameError(name, fault);
}

function nameFault(name: string): Fault | undefined {
  if (name === '') return { position: 0, problem: 'a name has at least one character' };
  if (name.startsWith('$'))
    return { position: 0, problem: 'names with "$" in front are the bus\'s own' };
  const dot = name.indexOf('.');
  if (dot >= 0)
    return { position: dot, problem: 'a name is one segment; write "-" instead of "."' };
  return tooLong(name, MAX_NAME) ?? refusal(name) ?? mixedScripts(name);
}

const SCRIPTS = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u];

/** Finds where a second script begins: letters that look alike make one name pass for another. */
function mixedScripts(name: string): Fault | undefined {
  const starts = SCRIPTS.map((script) => name.search(script)).filter((start) => start >= 0);
  if (starts.length < 2) return undefined;
  const position = Math.max(...starts);
  return { position, problem: 'a name keeps to one of the Latin, Cyrillic and Greek scripts' };
}

/** Tells that a text has more than `most` characters. */
export function tooLong(text: string, most: number): Fault | undefined {
  if (text.length <= most) return undefined;
  return { position: most, problem: `${text.length} characters are more than ${most}; shorten it` };
}

function emptySegment(topic: string): Fault | undefined {
  if (topic === '') return { position: 0, problem: 'a topic has at least one segment' };
  const position = `.${topic}.`.indexOf('..');
  if (position < 0) return undefined;
  return { position, problem: 'a segment is empty; put one dot between two segments' };
}

function tooManySegments(topic: string): Fault | undefined {
  const segments = topic.split('.');
  if (segments.length <= MAX_SEGMENTS) return undefined;
  const position = segments.slice(0, MAX_SEGMENTS).join('.').length;
  return { position, problem: `${segments.length} segments are more than ${MAX_SEGMENTS}` };
}
