import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { Lock } from './lock.ts';
import { checkMergeRules } from './merge.ts';
import type {
  CompareAndSetOptions,
  DeleteOptions,
  ListOptions,
  OnConflict,
  UpdateOptions,
  WriteOptions,
} from './state-view.ts';

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
