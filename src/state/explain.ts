import type { StateCore } from './core.ts';
import type { KeptVersion, StateVersion } from './entry.ts';
import type { KeyRecord } from './history.ts';
import type { LockInspection } from './lock-table.ts';

/** What `explain` says about a key. */
export interface StateExplanation<V = unknown> {
  readonly key: string;
  /** Whether there is a value. */
  readonly exists: boolean;
  /** The newest version, which may have deleted the key: who wrote it, when and because of what. */
  readonly last: StateVersion<V> | undefined;
  /** How many versions are kept, the newest included. */
  readonly kept: number;
  /** The number of the oldest that is kept; 0 when none is. */
  readonly oldestVersion: number;
  /** Milliseconds until it expires; `undefined` for never. */
  readonly expiresInMs: number | undefined;
  /** Who holds its lock and who waits; `undefined` when nobody does. */
  readonly lock: LockInspection | undefined;
  /** All of it for a person, and the versions before: a line each, and never a value. */
  readonly text: string;
}

/** Everything that is known of a key. */
export function explain(core: StateCore, key: string): StateExplanation {
  const record = core.find(key);
  const last = record?.current;
  const expires = record !== undefined && record.deadline !== Infinity;
  const facts: Facts = {
    key,
    exists: last?.exists === true,
    last,
    kept: record?.size ?? 0,
    oldestVersion: record?.oldest?.version ?? 0,
    expiresInMs: expires ? Math.max(0, record.deadline - core.env.now()) : undefined,
    lock: core.locks.find(key),
  };
  return { ...facts, text: textOf(facts, record, core.forgottenAt > 0) };
}

type Facts = Omit<StateExplanation, 'text'>;

/** How many versions the text tells of. */
const MOST_TOLD = 5;

function textOf(facts: Facts, record: KeyRecord | undefined, forgets: boolean): string {
  const { key, exists, expiresInMs, lock } = facts;
  if (record === undefined) {
    const or = forgets ? ', or deleted so long ago that nothing is known of it' : '';
    return [`'${key}' was never written${or}.`, ...lockLine(lock)].join('\n');
  }
  const told = record.since(0, MOST_TOLD);
  const lines = [`'${key}' has ${exists ? 'a' : 'no'} value. ${keptLine(facts)}`];
  for (const version of told) lines.push(versionLine(version));
  if (expiresInMs !== undefined) lines.push(`It expires in ${Math.ceil(expiresInMs)} ms.`);
  return [...lines, ...lockLine(lock)].join('\n');
}

function keptLine({ kept, oldestVersion, last }: Facts): string {
  if (kept === 1) return `Version ${oldestVersion} is kept.`;
  return `Versions ${oldestVersion} to ${last?.version} are kept.`;
}

function versionLine(kept: KeptVersion): string {
  const { version, action, actor, at, revision, causationId, bytes, exists } = kept;
  const size = exists ? `, about ${bytes} bytes` : '';
  const why = causationId === undefined ? '' : ` because of message ${causationId}`;
  const when = new Date(at).toISOString();
  return `Version ${version}: ${action} by ${actor} at ${when}${why} (revision ${revision}${size}).`;
}

function lockLine(lock: LockInspection | undefined): string[] {
  if (lock === undefined) return [];
  const { heldBy, token, remainingMs, waiting } = lock;
  const left = remainingMs === undefined ? '' : `, ${Math.ceil(remainingMs)} ms left`;
  const held = heldBy === undefined ? 'It is being locked' : `Locked by ${heldBy}`;
  const by = token === undefined ? held : `${held} (token ${token}${left})`;
  return [waiting.length === 0 ? `${by}.` : `${by}; waiting: ${waiting.join(', ')}.`];
}
