import { isThenable } from '../kernel/thenable.ts';
import type { Draft } from './core.ts';
import { entryOf, type KeptVersion, type StateVersion } from './entry.ts';
import { type Conflict, StateConflictError } from './errors.ts';
import { type MergeRules, merge } from './merge.ts';
import type { StateGround } from './staging.ts';

/** What `compareAndSet` found when somebody else was faster. */
export interface StateConflict<V = unknown> {
  readonly key: string;
  /** The value of the expected version; `undefined` when there was none. */
  readonly base: V | undefined;
  /** What is there now; `undefined` when it was deleted. */
  readonly theirs: V | undefined;
  /** What the writer wants. */
  readonly ours: V;
  /** The version that is there now. */
  readonly current: StateVersion<V>;
}

/**
 * What `compareAndSet` does when somebody else was faster: `merge` brings both changes together
 * over the version that the writer had seen, rules say how lists are merged, and a function gives
 * the value that is to be written.
 */
export type OnConflict<V = unknown> =
  | 'error'
  | 'merge'
  | MergeRules
  | ((conflict: StateConflict<V>) => V);

/** What is wrong when the key is no longer at the version that the writer has seen. */
export function conflictOf(draft: Draft, expectedVersion: number): Conflict | undefined {
  const { key, before, value } = draft;
  const current = entryOf(before);
  if ((current?.version ?? 0) === expectedVersion) return undefined;
  return { key, expectedVersion, actualVersion: before?.version ?? 0, current, proposed: value };
}

/** What is to be written although somebody else was faster. */
export function solve(
  ground: StateGround,
  draft: Draft,
  conflict: Conflict,
  onConflict: OnConflict = 'error',
): unknown {
  const { key, expectedVersion, current } = conflict;
  const record = ground.find(key);
  const seen = expectedVersion === 0 ? undefined : record?.find(expectedVersion);
  const isKnown = expectedVersion === 0 || seen !== undefined;
  // Without the version that both began with, nobody can tell who changed what.
  if (onConflict === 'error' || !isKnown) throw new StateConflictError(conflict);
  const sides = { base: seen?.value, theirs: current?.value, ours: draft.value };
  if (typeof onConflict === 'function') {
    const version = record?.current as KeptVersion;
    const solved = onConflict({ key, ...sides, current: version });
    checkMade(key, solved);
    return solved;
  }
  const rules = onConflict === 'merge' ? {} : onConflict;
  const { value, conflicts } = merge(sides.base, sides.theirs, sides.ours, rules);
  if (conflicts.length === 0 && value !== undefined) return value;
  throw new StateConflictError({ ...conflict, unmerged: conflicts });
}

/** Refuses what a function gave back that has no value, or none yet. */
export function checkMade(key: string, made: unknown): void {
  if (made === undefined) {
    throw new TypeError(
      `The function that updates '${key}' gave back undefined; give back the new value, or the ` +
        'old one to change nothing',
    );
  }
  if (!isThenable(made)) return;
  // Nobody will wait for it, and a rejection that nobody hears would end the process.
  made.then(undefined, () => {});
  throw new TypeError(
    `The function that updates '${key}' gave back a promise, but an update is one step: await ` +
      'first, or use a transaction',
  );
}
