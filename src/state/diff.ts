import { escapeKey } from '../message/json-pointer.ts';
import { isEqual, isObject } from './equal.ts';

/** One step of a JSON Patch (RFC 6902). */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/**
 * What leads from one value to another, as a JSON Patch (RFC 6902). `undefined` stands for no
 * value. Parts that both share cost nothing. Arrays are compared from both ends, and what is
 * between goes place by place, so the patch of a moved item is right, but not the shortest.
 */
export function diff(before: unknown, after: unknown): readonly PatchOperation[] {
  const patch: PatchOperation[] = [];
  compare(before, after, '', patch);
  return patch;
}

function compare(before: unknown, after: unknown, path: string, patch: PatchOperation[]): void {
  if (before === after) return;
  if (before === undefined) patch.push({ op: 'add', path, value: after });
  else if (after === undefined) patch.push({ op: 'remove', path });
  else if (Array.isArray(before) && Array.isArray(after)) compareArrays(before, after, path, patch);
  else if (isObject(before) && isObject(after)) compareObjects(before, after, path, patch);
  else patch.push({ op: 'replace', path, value: after });
}

type Fields = Readonly<Record<string, unknown>>;

function compareObjects(
  before: Fields,
  after: Fields,
  path: string,
  patch: PatchOperation[],
): void {
  for (const key of Object.keys(before)) {
    const at = `${path}/${escapeKey(key)}`;
    if (Object.hasOwn(after, key)) compare(before[key], after[key], at, patch);
    else patch.push({ op: 'remove', path: at });
  }
  for (const key of Object.keys(after)) {
    if (Object.hasOwn(before, key)) continue;
    patch.push({ op: 'add', path: `${path}/${escapeKey(key)}`, value: after[key] });
  }
}

function compareArrays(
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
  patch: PatchOperation[],
): void {
  // Of two lists of one length nothing has moved as far as anybody can tell.
  const start = before.length === after.length ? 0 : commonStart(before, after);
  const end = before.length === after.length ? 0 : commonEnd(before, after, start);
  const [wasEnd, isEnd] = [before.length - end, after.length - end];
  const both = Math.min(wasEnd, isEnd);
  for (let i = start; i < both; i++) {
    if (before[i] !== after[i]) compare(before[i], after[i], `${path}/${i}`, patch);
  }
  // From the back, so that each place is still the one it names.
  for (let i = wasEnd - 1; i >= both; i--) patch.push({ op: 'remove', path: `${path}/${i}` });
  for (let i = both; i < isEnd; i++) {
    patch.push({ op: 'add', path: `${path}/${i}`, value: after[i] });
  }
}

function commonStart(before: readonly unknown[], after: readonly unknown[]): number {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && isEqual(before[start], after[start])) start++;
  return start;
}

function commonEnd(before: readonly unknown[], after: readonly unknown[], start: number): number {
  const most = Math.min(before.length, after.length) - start;
  let end = 0;
  while (end < most && isEqual(before.at(-1 - end), after.at(-1 - end))) end++;
  return end;
}
