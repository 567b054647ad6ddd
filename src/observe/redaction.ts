const HIDDEN = '[redacted]';
const MAX_DEPTH = 8;
const MAX_ENTRIES = 1_000;
const MAX_TEXT = 10_000;

/** What a key is called, in small letters and without `_` and `-`, when its value is a secret. */
const SECRET_KEYS: readonly string[] = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'clientsecret',
  'token',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'sessiontoken',
  'apikey',
  'accesskey',
  'secretkey',
  'privatekey',
  'authorization',
  'proxyauthorization',
  'credential',
  'credentials',
  'cookie',
  'setcookie',
  'connectionstring',
];

const USUAL: ReadonlySet<string> = new Set(SECRET_KEYS);

/** Options of {@link createRedactor}. */
export interface RedactorOptions {
  /** More keys whose values are secrets; case, `_` and `-` do not count. */
  readonly keys?: readonly string[];
}

/** Makes a copy of anything that is fit to be written down. */
export type Redactor = (value: unknown) => unknown;

/**
 * Makes a {@link Redactor}: plain data in, a bounded copy out in which the values of secret keys
 * are `'[redacted]'`. Nothing of an accessor is run and nothing of a class instance is shown.
 *
 * @example
 * ```ts
 * import { createRedactor } from 'tellask';
 * const redact = createRedactor({ keys: ['iban'] });
 * redact({ name: 'ann', api_key: 'k', IBAN: 'DE12' });
 * // => { name: 'ann', api_key: '[redacted]', IBAN: '[redacted]' }
 * ```
 */
export function createRedactor(options: RedactorOptions = {}): Redactor {
  const secrets = new Set([...SECRET_KEYS, ...(options.keys ?? [])].map(normalise));
  return (value) => new Redaction(secrets).copy(value, 0);
}

/** Whether plain data has anything under a secret key; it must not lead back to itself. */
export function hasSecrets(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, part]) => USUAL.has(normalise(key)) || hasSecrets(part));
}

/** Makes a text safe for one line of a log: no line ends, control or direction characters. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, escapeCharacter);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to be found
const UNSAFE = /[\\\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

const SHORT = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

function escapeCharacter(character: string): string {
  return SHORT.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function normalise(key: string): string {
  return key.toLowerCase().replace(/[_\-\s.]/g, '');
}

/** One walk over one value. */
class Redaction {
  readonly #secrets: ReadonlySet<string>;
  readonly #above = new Set<object>();
  #entriesLeft = MAX_ENTRIES;

  constructor(secrets: ReadonlySet<string>) {
    this.#secrets = secrets;
  }

  copy(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return shorten(value);
    if (typeof value === 'function') return '[function]';
    if (typeof value !== 'object' || value === null) return value;
    if (this.#above.has(value)) return '[circular]';
    if (depth >= MAX_DEPTH) return '[too deep]';
    this.#above.add(value);
    const copy = this.#copyObject(value, depth + 1);
    this.#above.delete(value);
    return copy;
  }

  #copyObject(value: object, depth: number): unknown {
    try {
      if (Array.isArray(value)) return this.#copyArray(value, depth);
      if (value instanceof Error) return this.#copyError(value, depth);
      if (value instanceof Map) return this.#copyEntries([...value], depth);
      if (value instanceof Set) return this.#copyArray([...value], depth);
      if (value instanceof Date) return new Date(value.getTime());
      return isPlain(value) ? this.#copyPlain(value, depth) : '[object]';
    } catch {
      return '[unreadable]';
    }
  }

  #copyArray(values: readonly unknown[], depth: number): unknown[] {
    const copy: unknown[] = [];
    for (const value of values) {
      if (this.#entriesLeft-- <= 0) break;
      copy.push(this.copy(value, depth));
    }
    if (copy.length < values.length) copy.push(`[${values.length - copy.length} more]`);
    return copy;
  }

  #copyPlain(value: object, depth: number): unknown {
    return this.#copyEntries(
      Object.keys(value).map((key) => [key, dataOf(value, key)]),
      depth,
    );
  }

  #copyError(error: Error, depth: number): unknown {
    const own = Object.keys(error).map((key) => [key, dataOf(error, key)] as const);
    const { name, message } = error;
    return this.#copyEntries([['name', name], ['message', message], ...own], depth);
  }

  #copyEntries(entries: readonly (readonly [unknown, unknown])[], depth: number): unknown {
    // Without a prototype, a key called __proto__ is a key like any other.
    const copy: Record<string, unknown> = Object.create(null);
    for (const [key, value] of entries) {
      if (this.#entriesLeft-- <= 0) {
        copy['[more]'] = '[left out]';
        break;
      }
      const name = typeof key === 'string' ? key : String(this.copy(key, depth));
      copy[shorten(name)] = this.#secrets.has(normalise(name)) ? HIDDEN : this.copy(value, depth);
    }
    return copy;
  }
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function dataOf(value: object, key: string): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(value, key);
  return descriptor !== undefined && 'value' in descriptor ? descriptor.value : '[accessor]';
}

function shorten(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}[${text.length} characters]`;
}
