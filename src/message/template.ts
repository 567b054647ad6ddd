import { misuse } from '../kernel/errors.ts';
import { mustBeString, REFUSED } from './alphabet.ts';
import { InvalidPatternError, InvalidTopicError } from './invalid.ts';
import { checkTopic, topicFault } from './topic.ts';

/** The parameters that a template names: `ParamsOf<'report.{id}.drafted'>` is `{ id: string }`. */
export type ParamsOf<T extends string> = string extends T
  ? Readonly<Record<string, string>>
  : { readonly [Name in ParamNames<T>]: string };

/** The topics of a template: `` `report.${string}.drafted` `` for `'report.{id}.drafted'`. */
export type TopicOf<T extends string> = T extends `${infer Head}{${string}}${infer Rest}`
  ? `${Head}${string}${TopicOf<Rest>}`
  : T;

type ParamNames<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamNames<Rest>
  : never;

/** A segment of a template: a text as it is, or the name of a parameter. */
type Part = { readonly text: string } | { readonly name: string };

/**
 * Builds a topic from a template and data. What a segment may not hold is percent-encoded, so any
 * text makes one segment; an empty text is refused, since a forgotten id is the usual reason.
 *
 * @throws InvalidTopicError `TELLASK_INVALID_TOPIC` when a value is empty or half a character, or
 * the whole is too long
 * @example
 * ```ts
 * import { topic } from 'tellask';
 * topic('report.{id}.drafted', { id: 'src/a.md' }); // => 'report.src%2Fa%2Emd.drafted'
 * ```
 */
export function topic<const T extends string>(
  template: T,
  params: NoInfer<ParamsOf<T>>,
): TopicOf<T> {
  const values: Readonly<Record<string, string>> = params;
  const segments = partsOf(template).map((part) =>
    'text' in part ? part.text : encode(template, part.name, values),
  );
  const built = segments.join('.');
  checkTopic(built);
  return built as TopicOf<T>;
}

/**
 * Reads the parameters of a topic that a template built, or `undefined` when it is not of this
 * template. What was never encoded is read as it stands.
 *
 * @example
 * ```ts
 * import { paramsOf } from 'tellask';
 * paramsOf('report.{id}.drafted', 'report.src%2Fa%2Emd.drafted'); // => { id: 'src/a.md' }
 * paramsOf('report.{id}.drafted', 'report.7.sent'); // => undefined
 * ```
 */
export function paramsOf<const T extends string>(
  template: T,
  text: string,
): ParamsOf<T> | undefined {
  const parts = partsOf(template);
  const segments = text.split('.');
  if (segments.length !== parts.length) return undefined;
  // Without a prototype, so that a parameter may be named like anything.
  const params: Record<string, string> = Object.create(null);
  for (const [index, part] of parts.entries()) {
    const segment = segments[index] as string;
    if (!fits(part, segment, index)) return undefined;
    if ('name' in part) params[part.name] = decode(segment);
  }
  return params as ParamsOf<T>;
}

/**
 * Tells whether some topic is of both templates. A key without parameters is no template: it
 * overlaps nothing, because an exact key beats a template.
 */
export function templatesOverlap(a: string, b: string): boolean {
  const left = partsOf(a);
  const right = partsOf(b);
  const isTemplate = (parts: readonly Part[]) => parts.some((part) => 'name' in part);
  if (left.length !== right.length || !isTemplate(left) || !isTemplate(right)) return false;
  return left.every((part, index) => partsMeet(part, right[index] as Part, index));
}

function partsMeet(a: Part, b: Part, index: number): boolean {
  if ('text' in a) return fits(b, a.text, index);
  return 'name' in b || fits(a, b.text, index);
}

/** A parameter takes any segment, except a first one with `$` in front: those are the library's. */
function fits(part: Part, segment: string, index: number): boolean {
  if ('text' in part) return part.text === segment;
  return segment !== '' && (index > 0 || !segment.startsWith('$'));
}

function encode(template: string, name: string, values: Readonly<Record<string, string>>): string {
  // Own properties only: a template may say {constructor}, and the value must not be inherited.
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (typeof value !== 'string') throw misuse(`params.${name}`, 'a string', value);
  if (value === '') throw refusedValue(template, name, 'is empty; give it at least one character');
  if (/\p{Cs}/u.test(value)) throw refusedValue(template, name, 'holds half a character');
  const encoded = value.replace(ENCODED, percent);
  // A mark behind an encoded character could join its last digit: then nothing stays unencoded.
  return encoded === encoded.normalize('NFC')
    ? encoded
    : value.replace(ENCODED_OR_FOREIGN, percent);
}

const ENCODED = new RegExp(`[.%$]|${REFUSED.source}`, 'gu');
const ENCODED_OR_FOREIGN = new RegExp(`[^\\0-\\x7f]|${ENCODED.source}`, 'gu');

function percent(char: string): string {
  const code = char.charCodeAt(0);
  if (code > 0x7f) return encodeURIComponent(char);
  return `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

function decode(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function refusedValue(template: string, name: string, problem: string): InvalidTopicError {
  const position = template.indexOf(`{${name}}`);
  return new InvalidTopicError(template, {
    position,
    problem: `the value of {${name}} ${problem}`,
  });
}

const MAX_REMEMBERED = 1_000;
const remembered = new Map<string, readonly Part[]>();

/** Templates are few and written in the source, so each is read once. */
function partsOf(template: string): readonly Part[] {
  const known = remembered.get(template);
  if (known !== undefined) return known;
  const parts = parse(template);
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(template, parts);
  return parts;
}

const PARAM = /^\{([A-Za-z_]\w*)\}$/;
const PARAMS = /(?<=^|\.)\{[A-Za-z_]\w*\}(?=\.|$)/g;

function parse(template: string): readonly Part[] {
  mustBeString('template', template);
  // Fillers of the same length keep the positions of what the rest of the template does wrong.
  const fault = topicFault(template.replace(PARAMS, (param) => 'x'.repeat(param.length)));
  if (fault !== undefined) throw new InvalidPatternError(template, fault);
  const parts = template.split('.').map(partOf);
  const names = parts.flatMap((part) => ('name' in part ? [part.name] : []));
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice === undefined) return parts;
  const position = template.lastIndexOf(`{${twice}}`);
  throw new InvalidPatternError(template, { position, problem: `{${twice}} is named twice` });
}

function partOf(segment: string): Part {
  const name = PARAM.exec(segment)?.[1];
  return name === undefined ? { text: segment } : { name };
}
