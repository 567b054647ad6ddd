import { nameOf, refusal } from './alphabet.ts';
import { Cursor } from './cursor.ts';
import { ANY, CodeSet, RUN } from './glob.ts';
import { type BraceRange, readRange } from './pattern-range.ts';

/** One thing that a pattern says: `text` is how it says it, `at` where. */
export type Token = { readonly text: string; readonly at: number } & (
  | { readonly kind: 'plain'; readonly chars: string }
  | { readonly kind: 'glob'; readonly part: typeof ANY | typeof RUN | CodeSet }
  | { readonly kind: 'except'; readonly options: readonly string[] }
  | { readonly kind: 'dot' | 'param' }
  | { readonly kind: 'range'; readonly range: BraceRange }
  | { readonly kind: 'choice'; readonly options: readonly (readonly Token[])[] }
);

type PlainToken = Extract<Token, { readonly kind: 'plain' }>;

/**
 * Reads a pattern from left to right, once. Braces stay nested as they are written, so that their
 * alternatives can be counted before any of them is made.
 *
 * @throws InvalidPatternError `TELLASK_INVALID_PATTERN`
 */
export function parsePattern(source: string): readonly Token[] {
  const cursor = new Cursor(source);
  const tokens = readUpTo(cursor, '}');
  if (cursor.next === '}') throw cursor.refuse('"}" closes nothing; write "\\}"');
  return tokens;
}

/** Reads until one of the characters in `ends` comes, or nothing. */
function readUpTo(cursor: Cursor, ends: string): Token[] {
  const tokens: Token[] = [];
  while (cursor.next !== '' && !ends.includes(cursor.next)) {
    const token = readToken(cursor);
    const last = tokens.at(-1);
    // Plain characters in a row make one token, so that braces beside them multiply little.
    if (token.kind !== 'plain' || last?.kind !== 'plain') tokens.push(token);
    else tokens[tokens.length - 1] = joined(last, token);
  }
  return tokens;
}

function joined(a: PlainToken, b: PlainToken): PlainToken {
  return { ...a, text: a.text + b.text, chars: a.chars + b.chars };
}

function readToken(cursor: Cursor): Token {
  const at = cursor.at;
  if (cursor.sees('!(')) return readExcept(cursor);
  if (cursor.sees('*')) return { kind: 'glob', part: RUN, at, text: takeMark(cursor) };
  if (cursor.sees('?')) return { kind: 'glob', part: ANY, at, text: takeMark(cursor) };
  if (cursor.sees('.')) return { kind: 'dot', at, text: cursor.take(1) };
  if (cursor.sees('[')) return readClass(cursor);
  if (cursor.sees('{')) return readBrace(cursor);
  return { kind: 'plain', chars: readChar(cursor), at, text: cursor.since(at) };
}

/** `*` or `?`, which mean something else in front of a parenthesis. */
function takeMark(cursor: Cursor): string {
  const mark = cursor.take(1);
  if (cursor.next === '(') throw cursor.refuse(groupAdvice(mark), cursor.at - 1);
  return mark;
}

/** One plain character, or one behind a backslash. */
function readChar(cursor: Cursor): string {
  const start = cursor.at;
  const escaped = cursor.sees('\\');
  if (escaped) cursor.take(1);
  const code = cursor.source.codePointAt(cursor.at);
  if (code === undefined) throw cursor.refuse('nothing follows the last "\\"; leave it out', start);
  const char = String.fromCodePoint(code);
  const problem = escaped ? whyNoEscape(char) : whyNoChar(cursor, char);
  if (problem !== undefined) throw cursor.refuse(problem, start);
  cursor.take(char.length);
  return char;
}

function whyNoEscape(char: string): string | undefined {
  if (char === '.') return 'a dot always separates segments; write "%2E" for one inside a segment';
  return '*?[]{}()\\!|'.includes(char) ? undefined : refusal(char)?.problem;
}

function whyNoChar(cursor: Cursor, char: string): string | undefined {
  if ('+@'.includes(char) && cursor.source[cursor.at + 1] === '(') return groupAdvice(char);
  if (char === '!' && cursor.at === 0) return NO_NEGATION;
  return INSTEAD[char] ?? refusal(char)?.problem;
}

const NO_NEGATION =
  'a leading "!" would match everything else; write !(a|b) for any one segment but a and b';

const INSTEAD: Readonly<Record<string, string>> = {
  '!': 'a lone "!" means nothing; write !(a|b) for what is neither, or [!a] for one character',
  '/': '"/" does not separate segments; write "." instead',
  '>': '">" is no wildcard; write "**" for any number of segments',
  '|': '"|" stands inside !( ) only; write {a,b}',
  '(': '"(" means nothing by itself; write {a,b}',
  ')': '")" closes nothing; write "\\)"',
  ']': '"]" closes nothing; write "\\]"',
};

function groupAdvice(mark: string): string {
  if (mark === '?') return '?(a) is not in this dialect; write {a,}';
  if (mark === '@') return '@(a|b) is not in this dialect; write {a,b}';
  return `${mark}(a|b) repeats without end and is not in this dialect; write {a,b} or "*"`;
}

/** `!(a|b)`: what is neither of the texts. */
function readExcept(cursor: Cursor): Token {
  const at = cursor.at;
  const options: string[] = [];
  do {
    cursor.take(options.length === 0 ? 2 : 1);
    options.push(readPlain(cursor));
  } while (cursor.next === '|');
  if (cursor.next === '') throw cursor.refuse('"!(" is not closed; write !(a|b)', at);
  cursor.take(1);
  return { kind: 'except', options, at, text: cursor.since(at) };
}

function readPlain(cursor: Cursor): string {
  let text = '';
  while (!['|', ')', ''].includes(cursor.next)) {
    if ('*?[{(.'.includes(cursor.next))
      throw cursor.refuse(
        `!( ) holds plain texts, and ${nameOf(cursor.next)} is none; write !(a|b)`,
      );
    text += readChar(cursor);
  }
  if (text === '' && cursor.next !== '')
    throw cursor.refuse('!( ) holds an empty text; write !(a|b)');
  return text;
}

/** `[abc]`, `[a-z]` or `[!a]`: one character. */
function readClass(cursor: Cursor): Token {
  const at = cursor.at;
  const negated = cursor.sees('[!');
  cursor.take(negated ? 2 : 1);
  if (cursor.next === '^') throw cursor.refuse('"^" does not negate; write [!a]');
  const ranges: [number, number][] = [];
  while (cursor.next !== ']') {
    if (cursor.next === '') throw cursor.refuse('"[" is not closed; write [abc], or "\\["', at);
    ranges.push(readClassRange(cursor));
  }
  if (ranges.length === 0)
    throw cursor.refuse('a class is empty; write "\\]" for a bracket in it', at);
  cursor.take(1);
  const part = new CodeSet(ranges, negated);
  return { kind: 'glob', part, at, text: cursor.since(at) };
}

function readClassRange(cursor: Cursor): [number, number] {
  const at = cursor.at;
  const low = readClassChar(cursor);
  // A hyphen in front of the bracket is a hyphen.
  if (cursor.next !== '-' || cursor.sees('-]')) return [low, low];
  cursor.take(1);
  const high = readClassChar(cursor);
  if (high < low) throw cursor.refuse('a range runs from the lower to the higher character', at);
  return [low, high];
}

function readClassChar(cursor: Cursor): number {
  const { next } = cursor;
  if (next === '[') throw cursor.refuse('named classes are not in this dialect; write [A-Za-z0-9]');
  if (next === '.') throw cursor.refuse('a class takes no dot, which separates segments');
  if (next !== '' && '*?{}()!|'.includes(next))
    throw cursor.refuse(`write "\\${next}" inside a class`);
  return readChar(cursor).codePointAt(0) as number;
}

/** `{a,b}`, `{1..3}` or `{name}`. */
function readBrace(cursor: Cursor): Token {
  const at = cursor.at;
  const rest = cursor.source.slice(at);
  const range = readRange(rest);
  if (range !== undefined)
    return { kind: 'range', range, at, text: cursor.take(range.text.length) };
  const param = /^\{[A-Za-z_]\w*\}/.exec(rest)?.[0];
  if (param !== undefined) return { kind: 'param', at, text: cursor.take(param.length) };
  const options: Token[][] = [];
  do {
    cursor.take(1);
    options.push(readUpTo(cursor, ',}'));
  } while (cursor.next === ',');
  if (cursor.next === '') throw cursor.refuse('"{" is not closed; write {a,b} or {name}', at);
  if (options.length === 1)
    throw cursor.refuse(
      '{ } holds one alternative; write {a,b} for several, {1..3} for a range, or {name} for one segment',
      at,
    );
  cursor.take(1);
  return { kind: 'choice', options, at, text: cursor.since(at) };
}
