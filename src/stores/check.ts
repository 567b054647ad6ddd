import { misuse } from '../kernel/errors.ts';
import type { ReadOptions, ScanOptions, Write } from './store.ts';

const LONGEST_KEY = 512;
/** A lone half of a surrogate pair: UTF-8 has no bytes for it, so that no file could keep it. */
const ILL_FORMED = /\p{Surrogate}/u;

/** Refuses what no store could keep as a key. */
export function checkKey(key: unknown, what = 'The key'): asserts key is string {
  checkText(key, what);
  if (key === '') throw misuse(what, 'a string of 1 to 512 characters', key);
}

/** A prefix may be empty; otherwise it is as a key. */
export function checkText(text: unknown, what: string): asserts text is string {
  if (typeof text !== 'string') throw misuse(what, 'a string', text);
  if (text.length > LONGEST_KEY)
    throw new RangeError(
      misuse(what, `a string of at most ${LONGEST_KEY} characters`, text).message,
    );
  // Some databases end a string there.
  if (text.includes('\0')) throw misuse(what, 'a string without U+0000', text);
  checkWellFormed(text, what);
}

function checkWellFormed(text: string, what: string): void {
  if (ILL_FORMED.test(text)) throw misuse(what, 'well-formed Unicode', text);
}

/** Refuses a commit that makes no sense, and copies it: the caller's array stays his. */
export function checkWrites(writes: readonly Write[]): readonly Write[] {
  if (!Array.isArray(writes)) throw misuse('The writes of a commit', 'an array', writes);
  if (writes.length === 0) throw new TypeError('A commit needs at least one write');
  const keys = new Set<string>();
  return (writes as readonly Write[]).map((write, index) => {
    const own = checkWrite(write, `writes[${index}]`);
    if (keys.has(own.key)) throw new TypeError(`A commit may write a key once: ${own.key}`);
    keys.add(own.key);
    return own;
  });
}

function checkWrite(write: Write, at: string): Write {
  if (typeof write !== 'object' || write === null) throw misuse(at, 'an object', write);
  const { key, value, expectedVersion } = write;
  checkKey(key, `${at}.key`);
  if (value !== undefined) {
    if (typeof value !== 'string') throw misuse(`${at}.value`, 'a string or undefined', value);
    checkWellFormed(value, `${at}.value`);
  }
  if (expectedVersion === undefined) return { key, value };
  checkCount(expectedVersion, `${at}.expectedVersion`);
  return { key, value, expectedVersion };
}

/** The options of `scan`, with what they leave out. */
export function readScan(options: ScanOptions = {}): Required<ScanOptions> {
  const { after = '', limit = Infinity } = options;
  checkText(after, 'after');
  checkLimit(limit);
  return { after, limit };
}

/** The options of `read`, with what they leave out. */
export function readRead(options: ReadOptions = {}): Required<ReadOptions> {
  const { after = 0, limit = Infinity } = options;
  checkCount(after, 'after');
  checkLimit(limit);
  return { after, limit };
}

function checkLimit(limit: unknown): void {
  if (limit !== Infinity) checkCount(limit, 'limit');
}

/** Refuses what is not a safe integer from 0. */
export function checkCount(value: unknown, what: string): asserts value is number {
  if (typeof value !== 'number') throw misuse(what, 'a number', value);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(misuse(what, 'a safe integer from 0', value).message);
}
