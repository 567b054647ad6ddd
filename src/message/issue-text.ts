/** A value with more parts than this is not searched for in a text; the text goes instead. */
const MAX_PARTS = 1_000;
const MAX_TEXT = 300;
const UNSAID = 'does not fit the schema';

/**
 * An issue's text without the value that it is about: valibot and arktype quote it ("was
 * 'secret'"), and what stands in an error ends up in a log.
 */
export function withoutValues(text: string, value: unknown, path: readonly PropertyKey[]): string {
  const parts: string[] = [];
  try {
    if (!collect(follow(value, path), parts, new Set())) return UNSAID;
  } catch {
    return UNSAID; // a getter or a proxy among the data threw
  }
  parts.sort((a, b) => b.length - a.length);
  return parts.reduce(hide, text).slice(0, MAX_TEXT);
}

function follow(value: unknown, path: readonly PropertyKey[]): unknown {
  let at: unknown = value;
  for (const key of path) at = (at as Record<PropertyKey, unknown> | undefined)?.[key];
  return at;
}

/** Gathers the texts of plain data; `false` when that is too much, or some of it is not plain. */
function collect(value: unknown, parts: string[], seen: Set<unknown>): boolean {
  if (value === undefined || value === null || typeof value === 'function') return true;
  if (typeof value !== 'object') return parts.push(String(value)) <= MAX_PARTS;
  if (!isPlain(value)) return false;
  if (seen.has(value)) return true;
  seen.add(value);
  return Object.entries(value).every(([, part]) => collect(part, parts, seen));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Array.isArray(value);
}

/** Whole words only: the number 1 in a payload must not spoil "at least 10". */
function hide(text: string, part: string): string {
  let result = text;
  for (const form of new Set([part, JSON.stringify(part).slice(1, -1)])) {
    for (let at = result.indexOf(form); form !== '' && at >= 0; at = result.indexOf(form, at + 1)) {
      const end = at + form.length;
      if (isWord(result[at - 1]) && isWord(form[0])) continue;
      if (isWord(result[end]) && isWord(form[form.length - 1])) continue;
      result = `${result.slice(0, at)}…${result.slice(end)}`;
    }
  }
  return result;
}

function isWord(char: string | undefined): boolean {
  return char !== undefined && /[\p{L}\p{N}_]/u.test(char);
}
