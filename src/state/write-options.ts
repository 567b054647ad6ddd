import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { OnConflict } from './conflict.ts';
import { Lock } from './lock.ts';
import { checkMergeRules } from './merge.ts';

/** Options of every write. */
export interface WriteOptions {
  /**
   * Milliseconds until it expires, which is a version of its own (`expired`, by `$host`): above 0.
   * No read sees it from that instant on. Every write but `update` begins anew: without `ttlMs`
   * it never expires. @default never; what it was for `update`
   */
  readonly ttlMs?: number;
  /** Writes only while this lock is held: else LockLostError `TELLASK_LOCK_LOST`. */
  readonly lock?: Lock;
}

/** Options of `compareAndSet`. */
export interface CompareAndSetOptions<V = unknown> extends WriteOptions {
  /** @default 'error' */
  readonly onConflict?: OnConflict<V>;
}

/** Options of `update`. */
export interface UpdateOptions<V = unknown> extends WriteOptions {
  /** What `fn` gets when there is no value. @default `update` throws StateNotFoundError */
  readonly initial?: V;
}

/** Options of `delete`. */
export interface DeleteOptions {
  /** Deletes only this version. @default any */
  readonly expectedVersion?: number;
  /** Deletes only while this lock is held: else LockLostError `TELLASK_LOCK_LOST`. */
  readonly lock?: Lock;
}

/** Options of `list`. */
export interface ListOptions {
  /** At most so many. @default Infinity */
  readonly limit?: number;
  /** Only keys behind this one. */
  readonly after?: string;
}

/** What an operation gets that was given no options: there is nothing to check. */
export const NO_OPTIONS: object = Object.freeze({});

type Operation = 'create' | 'set' | 'compareAndSet' | 'update' | 'delete' | 'list';

const KNOWN: Readonly<Record<Operation, ReadonlySet<string>>> = {
  create: new Set<keyof WriteOptions>(['ttlMs', 'lock']),
  set: new Set<keyof WriteOptions>(['ttlMs', 'lock']),
  compareAndSet: new Set<keyof CompareAndSetOptions>(['ttlMs', 'lock', 'onConflict']),
  update: new Set<keyof UpdateOptions>(['ttlMs', 'lock', 'initial']),
  delete: new Set<keyof DeleteOptions>(['expectedVersion', 'lock']),
  list: new Set<keyof ListOptions>(['limit', 'after']),
};

/** A mistyped option would let a write be made that was not meant: without an end, or at any cost. */
export function checkOptions(operation: Operation, options: object): void {
  if (options === NO_OPTIONS) return;
  if (typeof options !== 'object' || options === null) {
    throw misuse(`The options of ${operation}`, 'an object', options);
  }
  refuseUnknown(options, KNOWN[operation], operation);
  const { lock } = options as WriteOptions;
  if (lock === undefined || (lock as unknown) instanceof Lock) return;
  throw misuse('lock', 'a lock that was granted: await state.lock(key)', lock);
}

/** A word that says nothing must not merge, nor overwrite. */
export function checkOnConflict(onConflict: OnConflict | undefined): void {
  if (onConflict === undefined || onConflict === 'error' || onConflict === 'merge') return;
  if (typeof onConflict === 'function') return;
  if (typeof onConflict !== 'object' || onConflict === null) {
    throw misuse('onConflict', "'error', 'merge', merge rules or a function", onConflict);
  }
  checkMergeRules(onConflict);
}

export function checkListOptions(options: ListOptions): void {
  checkOptions('list', options);
  const { limit, after } = options;
  if (limit !== undefined) readCount('limit', limit, 0);
  if (after !== undefined && typeof after !== 'string') throw misuse('after', 'a key', after);
}

export function checkVersion(option: string, version: number): void {
  if (Number.isSafeInteger(version) && version >= 0) return;
  throw misuse(option, 'a version: an integer from 0', version);
}
