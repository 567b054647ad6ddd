import { misuse } from '../kernel/errors.ts';

/** The most segments that a topic has. */
export const MAX_SEGMENTS = 64;
/** The most characters (UTF-16 units) that a topic or a pattern has. */
export const MAX_LENGTH = 256;

/** What is wrong with a text, and at which character (from 0). */
export interface Fault {
  readonly position: number;
  readonly problem: string;
}

const GLOBS = /[*?[\]{}()\\>!|/]/;
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]/u;
const UNSEEN_BUT_BLANKS = new RegExp(`(?! )${UNSEEN.source}`, 'gu');
/** One character that no topic holds. */
export const REFUSED: RegExp = new RegExp(`${GLOBS.source}|${UNSEEN.source}`, 'u');

/** Tells what a segment may not hold: globs, blanks, and what the eye cannot see. */
export function refusal(text: string): Fault | undefined {
  const position = text.search(REFUSED);
  if (position < 0) return outOfForm(text);
  const char = String.fromCodePoint(text.codePointAt(position) as number);
  return { position, problem: `${nameOf(char)} ${whyNot(char)}` };
}

/** Finds the first place where `text` is not in Unicode's composed form (NFC). */
export function outOfForm(text: string): Fault | undefined {
  const composed = text.normalize('NFC');
  if (composed === text) return undefined;
  let position = 0;
  while (text[position] === composed[position]) position += 1;
  const problem = "is not in Unicode's composed form; write text.normalize('NFC')";
  return { position, problem: `the text ${problem}` };
}

function whyNot(char: string): string {
  if (char === '/') return 'does not separate segments; write "." instead';
  if (char === '>') return 'is no wildcard; subscribe to "**", and publish without it';
  if (GLOBS.test(char))
    return "belongs to patterns; build the text from data with topic('a.{id}', { id })";
  if (/\p{Cs}/u.test(char)) return 'is half of a character; mend the text with toWellFormed()';
  return 'cannot be seen; leave it out, or encode it with topic()';
}

/** Names a character so that it can be found, also when the eye cannot see it. */
export function nameOf(char: string): string {
  return char === ' '
    ? 'a blank'
    : UNSEEN.test(char)
      ? `U+${hex(char).padStart(4, '0')}`
      : `"${char}"`;
}

/** Quotes a text for a message: cut when it is long, and nothing in it turns the line around. */
export function quote(text: string): string {
  const short = text.length <= 64 ? text : `${text.slice(0, 61)}...`;
  return JSON.stringify(short).replace(UNSEEN_BUT_BLANKS, (char) => `\\u{${hex(char)}}`);
}

function hex(char: string): string {
  return (char.codePointAt(0) as number).toString(16).toUpperCase();
}

/** Refuses what is not a string, before anything reads it as one. */
export function mustBeString(option: string, value: unknown): void {
  if (typeof value !== 'string') throw misuse(option, 'a string', value);
}
