import { refuseUnknown } from '../kernel/unknown-option.ts';
import { compilePattern, type Pattern } from '../message/pattern.ts';
import { topicFault } from '../message/topic.ts';
import { checkSecret, checksumOf, isSame, type SnapshotKey } from './checksum.ts';
import type { Draft, StateCore } from './core.ts';
import type { KeptVersion } from './entry.ts';
import { StateSnapshotError } from './errors.ts';
import type { KeptEntry, Migrate } from './migrate.ts';
import { faultOf } from './stored.ts';

/** The values of a state at one revision, as plain JSON. */
export interface StateSnapshot {
  readonly format: 1;
  /** Of the state when it was taken. */
  readonly revision: number;
  /** Which keys it is about. */
  readonly pattern: string;
  /** In the order of the keys. */
  readonly entries: readonly KeptEntry[];
  /** `sha256:` or, with a key, `hmac-sha256:` and hexadecimal digits. */
  readonly checksum: string;
}

/** Options of `snapshot`. */
export interface SnapshotOptions {
  /** Signs it: only who has the key can change it unnoticed. @default a checksum, against accidents */
  readonly key?: SnapshotKey;
}

/** Options of `restore`. */
export interface RestoreOptions extends SnapshotOptions {
  /** Makes of a value what the contract wants today; `undefined` leaves it out. @default as it is */
  readonly migrate?: Migrate;
}

export function takeSnapshot(
  core: StateCore,
  source: string,
  options: SnapshotOptions,
): StateSnapshot {
  // A mistyped key would leave it unsigned.
  refuseUnknown(options, SNAPSHOT_OPTIONS, 'snapshot');
  const { key } = options;
  checkSecret(key);
  const found = core.scan({ pattern: compilePattern(source), after: undefined });
  const entries = found.map(entryOf);
  const body = { format: 1, revision: core.revision, pattern: source, entries } as const;
  return { ...body, checksum: checksumOf(body, key) };
}

function entryOf(version: KeptVersion): KeptEntry {
  const { causationId, expiresAt, ...rest } = version.toJSON();
  return {
    ...rest,
    ...(causationId === undefined ? {} : { causationId }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

/**
 * What has to be written so that all keys of the snapshot's pattern are as they were; nothing is
 * changed yet.
 *
 * @throws StateSnapshotError
 */
export function restoration(
  core: StateCore,
  snapshot: StateSnapshot,
  options: RestoreOptions,
): Draft[] {
  refuseUnknown(options, OPTIONS, 'restore');
  const { migrate = ({ value }) => value } = options;
  checkSecret(options.key);
  const pattern = check(snapshot, options.key);
  const now = core.env.wall();
  const kept = new Set<string>();
  const drafts: Draft[] = [];
  for (const entry of snapshot.entries) {
    const { key, expiresAt, version } = entry;
    if (kept.has(key)) throw new StateSnapshotError('malformed', `has '${key}' twice`);
    const value = migrate(entry);
    if (value === undefined || (expiresAt !== undefined && expiresAt <= now)) continue;
    kept.add(key);
    core.checkKey(key);
    drafts.push({ ...core.draft(key, 'restored', value, expiresAt), beyond: version });
    if (!pattern.matches(key)) {
      throw new StateSnapshotError('malformed', `has '${key}', which its pattern does not fit`);
    }
  }
  const rest = core.scan({ pattern, after: undefined }).filter(({ key }) => !kept.has(key));
  return [...drafts.filter(changes), ...rest.map(({ key }) => core.removal(key, 'restored'))];
}

const SNAPSHOT_OPTIONS: ReadonlySet<string> = new Set<keyof SnapshotOptions>(['key']);
const OPTIONS: ReadonlySet<string> = new Set<keyof RestoreOptions>(['key', 'migrate']);

/** What is there already needs no version, unless its number would be below that of the snapshot. */
function changes({ before, value, expiresAt, beyond = 0 }: Draft): boolean {
  if (before === undefined || before.value !== value || before.expiresAt !== expiresAt) return true;
  return before.version < beyond;
}

function check(snapshot: StateSnapshot, key: SnapshotKey | undefined): Pattern {
  if (typeof snapshot !== 'object' || snapshot === null) {
    throw new StateSnapshotError('malformed', 'is no object');
  }
  const { checksum, ...body } = snapshot;
  if (body.format !== 1) throw new StateSnapshotError('format', 'has another format than 1');
  if (typeof checksum !== 'string') throw new StateSnapshotError('malformed', 'has no checksum');
  checkKind(checksum, key);
  if (!isSame(checksum, sumOf(body, key))) {
    const who =
      key === undefined ? 'was changed or is not whole' : 'was changed, or has another key';
    throw new StateSnapshotError('checksum', who);
  }
  // Whoever can make the checksum can make nonsense.
  if (!Array.isArray(body.entries)) throw new StateSnapshotError('malformed', 'has no entries');
  for (const entry of body.entries as readonly KeptEntry[]) checkEntry(entry);
  return compilePattern(body.pattern);
}

function checkKind(checksum: string, key: SnapshotKey | undefined): void {
  const isSigned = checksum.startsWith('hmac-sha256:');
  if (isSigned && key === undefined) {
    throw new StateSnapshotError('key', 'is signed: give restore the key');
  }
  if (!isSigned && key !== undefined) throw new StateSnapshotError('key', 'is not signed');
}

function sumOf(body: object, key: SnapshotKey | undefined): string {
  try {
    return checksumOf(body, key);
  } catch (cause) {
    throw new StateSnapshotError('malformed', 'cannot be read', { cause });
  }
}

function checkEntry(entry: KeptEntry): void {
  if (typeof entry !== 'object' || entry === null || typeof entry.key !== 'string') {
    throw new StateSnapshotError('malformed', 'has an entry without a key');
  }
  const fault = topicFault(entry.key) === undefined ? faultOf(entry) : 'is no key';
  const problem = fault ?? (entry.value === undefined ? 'has no value' : undefined);
  if (problem !== undefined) {
    throw new StateSnapshotError('malformed', `has an entry '${entry.key}' that ${problem}`);
  }
}
