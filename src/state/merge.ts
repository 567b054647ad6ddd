import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { escapeKey } from '../message/json-pointer.ts';
import { isEqual, isObject } from './equal.ts';

/** How lists are merged that both sides have changed. */
export interface MergeRules {
  /**
   * JSON pointers (RFC 6901) to lists of messages: what both sides appended is kept, theirs first.
   * Any other array is one value. @default none
   */
  readonly append?: readonly string[];
}

/** What {@link merge} made. */
export interface Merged {
  /** `undefined` when the value is gone. Of no use where there are conflicts. */
  readonly value: unknown;
  /** JSON pointers to what both sides changed, each in its own way. */
  readonly conflicts: readonly string[];
}

/**
 * Brings two changes of one value together: three-way, over the value that both began with. What
 * one side changed is taken; what both changed alike is taken once; objects are merged field by
 * field, and everything else is one value. `undefined` stands for no value.
 *
 * @example
 * ```ts
 * import { merge } from 'tellask';
 * const base = { title: 'a', log: ['x'] };
 * const theirs = { title: 'b', log: ['x', 'y'] };
 * const ours = { title: 'a', log: ['x', 'z'] };
 * merge(base, theirs, ours, { append: ['/log'] }).value; // => { title: 'b', log: ['x', 'y', 'z'] }
 * merge(base, theirs, ours).conflicts; // => ['/log']
 * ```
 */
export function merge(
  base: unknown,
  theirs: unknown,
  ours: unknown,
  rules: MergeRules = {},
): Merged {
  checkMergeRules(rules);
  const conflicts: string[] = [];
  const appends: ReadonlySet<string> = new Set(rules.append);
  return { value: mergeAt('', { base, theirs, ours }, { conflicts, appends }), conflicts };
}

const RULES: ReadonlySet<string> = new Set<keyof MergeRules>(['append']);

/** @throws TypeError for what are no rules: a mistyped one would lose what was appended. */
export function checkMergeRules(rules: MergeRules): void {
  if (typeof rules !== 'object' || rules === null) throw misuse('The rules', 'an object', rules);
  refuseUnknown(rules, RULES, 'merge');
  const { append = [] } = rules;
  if (!Array.isArray(append)) throw misuse('append', 'an array of JSON pointers', append);
  for (const pointer of append as readonly unknown[]) {
    if (typeof pointer === 'string' && POINTER.test(pointer)) continue;
    throw misuse('append', 'JSON pointers: empty, or with / in front of each name', pointer);
  }
}

/** RFC 6901: `~` only as `~0` and `~1`. */
const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/u;

interface Sides {
  readonly base: unknown;
  readonly theirs: unknown;
  readonly ours: unknown;
}

interface Merging {
  readonly conflicts: string[];
  readonly appends: ReadonlySet<string>;
}

function mergeAt(path: string, { base, theirs, ours }: Sides, merging: Merging): unknown {
  if (isEqual(ours, base)) return theirs;
  if (isEqual(theirs, base) || isEqual(theirs, ours)) return ours;
  if (merging.appends.has(path)) {
    const appended = append(base ?? [], theirs, ours);
    if (appended !== undefined) return appended;
  }
  if (isObject(base) && isObject(theirs) && isObject(ours)) {
    return mergeFields(path, { base, theirs, ours }, merging);
  }
  merging.conflicts.push(path);
  return ours;
}

type Fields = Readonly<Record<string, unknown>>;

function mergeFields(
  path: string,
  { base, theirs, ours }: { readonly base: Fields; readonly theirs: Fields; readonly ours: Fields },
  merging: Merging,
): unknown {
  const merged: [string, unknown][] = [];
  // In the order of theirs, which is what is there: a merge that changes little shares much.
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours), ...Object.keys(base)])) {
    const sides = { base: at(base, key), theirs: at(theirs, key), ours: at(ours, key) };
    const value = mergeAt(`${path}/${escapeKey(key)}`, sides, merging);
    if (value !== undefined) merged.push([key, value]);
  }
  return Object.fromEntries(merged);
}

/** Both lists have to begin with all of the one before: else something was removed or changed. */
function append(base: unknown, theirs: unknown, ours: unknown): unknown[] | undefined {
  if (!Array.isArray(base) || !Array.isArray(theirs) || !Array.isArray(ours)) return undefined;
  if (!startsWith(theirs, base) || !startsWith(ours, base)) return undefined;
  return [...theirs, ...ours.slice(base.length)];
}

function startsWith(list: readonly unknown[], start: readonly unknown[]): boolean {
  return list.length >= start.length && start.every((item, i) => isEqual(item, list[i]));
}

function at(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}
