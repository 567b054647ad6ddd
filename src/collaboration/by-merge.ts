import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { escapeKey } from '../message/json-pointer.ts';
import { isObject } from '../state/equal.ts';
import { campsOf, settled, withoutConflict } from './camps.ts';
import type { Position, Resolution, Resolve } from './resolution.ts';

/** Options of {@link byMerge}. */
export interface MergePositionsOptions {
  /**
   * Decides where two say something different of the same field: it gets the values of that field
   * alone. @default nobody does: then it is not settled
   */
  readonly conflict?: Resolve<Resolution>;
}

const OPTIONS: ReadonlySet<string> = new Set<keyof MergePositionsOptions>(['conflict']);

/**
 * Puts objects together field by field, also those inside of them. What one alone says of a field
 * is taken, what all who speak of it say alike, too; a list is one value. The order of the fields
 * is that in which they were said. To merge changes of one value that all began with, use `merge`
 * of `tellask`, which is three-way.
 *
 * @throws TypeError for options that make no sense.
 * @example
 * ```ts
 * import { byMerge, byPriority } from 'tellask/agents';
 * const positions = [
 *   { by: 'ann', value: { title: 'Tea', pages: 3 } },
 *   { by: 'bob', value: { title: 'Green tea', author: 'Bob' } },
 * ];
 * byMerge()(positions); // => { settled: false, why: 'they differ at /title', between: ['Tea', 'Green tea'] }
 * const merged = byMerge({ conflict: byPriority(['bob']) })(positions);
 * merged.settled && merged.value; // => { title: 'Green tea', pages: 3, author: 'Bob' }
 * ```
 */
export function byMerge(options: MergePositionsOptions = {}): Resolve<Resolution> {
  if (typeof options !== 'object' || options === null) {
    throw misuse('byMerge', 'an object', options);
  }
  refuseUnknown(options, OPTIONS, 'byMerge');
  const { conflict } = options;
  if (conflict !== undefined && typeof conflict !== 'function') {
    throw misuse('conflict', 'a way to resolve such as byVote()', conflict);
  }
  return (positions) => {
    const alike = withoutConflict(campsOf(positions));
    if (alike !== undefined) return alike;
    const merging: Merging = { conflict, conflicts: [], open: undefined };
    const value = mergeAt('', positions, merging);
    return merging.open ?? settled('merge', { value, by: [] }, merging.conflicts);
  };
}

interface Merging {
  readonly conflict: Resolve<Resolution> | undefined;
  readonly conflicts: string[];
  /** The first difference that nobody settled. */
  open: Resolution | undefined;
}

function mergeAt(path: string, positions: readonly Position[], merging: Merging): unknown {
  const camps = campsOf(positions);
  if (camps.length === 1) return camps[0]?.value;
  if (positions.every(({ value }) => isObject(value))) return mergeFields(path, positions, merging);
  merging.conflicts.push(path);
  const resolved = merging.conflict?.(positions);
  if (resolved?.settled === true) return resolved.value;
  const why = resolved === undefined ? '' : `: ${resolved.why}`;
  merging.open ??= {
    settled: false,
    why: `they differ${path === '' ? '' : ` at ${path}`}${why}`,
    between: camps.map(({ value }) => value),
  };
  return undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function mergeFields(path: string, positions: readonly Position[], merging: Merging): unknown {
  const keys = new Set(positions.flatMap(({ value }) => Object.keys(value as Fields)));
  const merged: [string, unknown][] = [];
  for (const key of keys) {
    const said = positions.filter(({ value }) => Object.hasOwn(value as Fields, key));
    const values = said.map(({ by, value }) => ({ by, value: (value as Fields)[key] }));
    merged.push([key, mergeAt(`${path}/${escapeKey(key)}`, values, merging)]);
  }
  return Object.fromEntries(merged);
}
