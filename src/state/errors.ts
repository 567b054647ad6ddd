import { TellaskError } from '../kernel/errors.ts';
import type { StateEntry } from './entry.ts';

/** A value that the state cannot take (`TELLASK_STATE_VALUE`): `path` is a JSON pointer (RFC 6901). */
export class StateValueError extends TellaskError {
  readonly key: string;
  readonly path: string;
  readonly problem: string;

  constructor(key: string, path: string, problem: string, options?: { readonly cause?: unknown }) {
    super('TELLASK_STATE_VALUE', `The value of '${key}'${at(path)} ${problem}`, options);
    this.key = key;
    this.path = path;
    this.problem = problem;
  }
}

/** The contract has no such key (`TELLASK_UNKNOWN_STATE_KEY`). */
export class UnknownStateKeyError extends TellaskError {
  readonly key: string;
  /** What may have been meant. */
  readonly nearest: string | undefined;

  constructor(key: string, nearest: string | undefined) {
    const guess = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
    super('TELLASK_UNKNOWN_STATE_KEY', `The contract has no state key '${key}'${guess}`);
    this.key = key;
    this.nearest = nearest;
  }
}

/** There is a value already (`TELLASK_STATE_EXISTS`). */
export class StateExistsError extends TellaskError {
  readonly key: string;
  readonly current: StateEntry;

  constructor(current: StateEntry) {
    const { key, version, actor } = current;
    super(
      'TELLASK_STATE_EXISTS',
      `'${key}' exists already: version ${version}, last written by ${actor}`,
      { stack: false },
    );
    this.key = key;
    this.current = current;
  }
}

/** There is no value (`TELLASK_STATE_NOT_FOUND`). */
export class StateNotFoundError extends TellaskError {
  readonly key: string;

  constructor(key: string) {
    super('TELLASK_STATE_NOT_FOUND', `'${key}' has no value`, { stack: false });
    this.key = key;
  }
}

/** What a {@link StateConflictError} says. */
export interface Conflict {
  readonly key: string;
  /** The version that the writer had seen; 0 when the key should not have existed. */
  readonly expectedVersion: number;
  /** What is there; `undefined` when there is no value. */
  readonly current: StateEntry | undefined;
  /** The version that the key is at; 0 when it never had a value. */
  readonly actualVersion: number;
  /** What would have been written; `undefined` for a delete. */
  readonly proposed: unknown;
  /** JSON pointers to what could not be merged; none when nobody tried. */
  readonly unmerged?: readonly string[];
}

/** Somebody else has written meanwhile (`TELLASK_STATE_CONFLICT`): everything needed to decide. */
export class StateConflictError extends TellaskError {
  readonly key: string;
  readonly expectedVersion: number;
  readonly actualVersion: number;
  readonly current: StateEntry | undefined;
  readonly proposed: unknown;
  /** JSON pointers to what could not be merged; empty when nobody tried. */
  readonly unmerged: readonly string[];
  /** Who has written last. */
  readonly lastActor: string | undefined;

  constructor({ key, expectedVersion, actualVersion, current, proposed, unmerged = [] }: Conflict) {
    const by = current === undefined ? '' : `, written by ${current.actor}`;
    const where = unmerged.length === 0 ? '' : `; both changed ${shown(unmerged)}`;
    const isDeleted = current === undefined && actualVersion > 0;
    const message = isDeleted
      ? `'${key}' was deleted in version ${actualVersion}, and is not at ${expectedVersion}; expect 0 where there is no value`
      : `'${key}' is at version ${actualVersion}${by}, and not at ${expectedVersion}${where}`;
    super('TELLASK_STATE_CONFLICT', message, { stack: false });
    this.unmerged = unmerged;
    this.key = key;
    this.expectedVersion = expectedVersion;
    this.actualVersion = actualVersion;
    this.current = current;
    this.proposed = proposed;
    this.lastActor = current?.actor;
  }
}

/** Why a stage cannot be begun or completed. */
export type StageProblem = 'unknown' | 'busy' | 'order' | 'not-started';

/** A stage of a workflow, and how far the workflow is. */
export interface StageFacts {
  readonly workflow: string;
  readonly stage: string;
  readonly why: StageProblem;
  readonly active: string | null;
  readonly stages: readonly string[];
  readonly completed: readonly string[];
}

const STAGE_PROBLEMS: Readonly<Record<StageProblem, (facts: StageFacts) => string>> = {
  unknown: ({ stages }) => `it has no such stage, but ${stages.join(', ')}`,
  busy: ({ active }) => `'${active}' is being done`,
  order: ({ stages, completed }) => `'${stages[completed.length]}' is to be done before`,
  'not-started': ({ active }) =>
    active === null ? 'it was not started' : `'${active}' is being done`,
};

/** The workflow is not where this could be done (`TELLASK_STATE_STAGE`): `why` says how so. */
export class StateStageError extends TellaskError {
  readonly workflow: string;
  readonly stage: string;
  readonly why: StageProblem;
  /** The stage that is being done; `null` when none is. */
  readonly active: string | null;
  readonly completed: readonly string[];

  constructor(facts: StageFacts) {
    const { workflow, stage, why, active, completed } = facts;
    const problem = STAGE_PROBLEMS[why](facts);
    const what = why === 'not-started' ? 'completed' : 'started';
    super(
      'TELLASK_STATE_STAGE',
      `Stage '${stage}' of workflow '${workflow}' cannot be ${what}: ${problem}`,
      { stack: false },
    );
    this.workflow = workflow;
    this.stage = stage;
    this.why = why;
    this.active = active;
    this.completed = completed;
  }
}

/** Why a version cannot be had. */
export type MissingVersion = 'trimmed' | 'future';

/** A version or revision that cannot be had (`TELLASK_STATE_VERSION`): `why` says which way. */
export class StateVersionError extends TellaskError {
  /** The key; `undefined` when a revision of the whole state was asked for. */
  readonly key: string | undefined;
  readonly wanted: number;
  /** `trimmed`: no longer kept. `future`: not yet written. */
  readonly why: MissingVersion;
  /** The oldest that is kept. */
  readonly oldest: number;
  /** The newest there is; 0 for none. */
  readonly newest: number;

  constructor(
    key: string | undefined,
    wanted: number,
    { oldest, newest }: { readonly oldest: number; readonly newest: number },
  ) {
    const why = wanted > newest ? 'future' : 'trimmed';
    const what = key === undefined ? `Revision ${wanted}` : `Version ${wanted} of '${key}'`;
    const is = why === 'future' ? 'was not written yet' : 'is no longer kept';
    super('TELLASK_STATE_VERSION', `${what} ${is}: there are ${oldest} to ${newest}`, {
      stack: false,
    });
    this.key = key;
    this.wanted = wanted;
    this.why = why;
    this.oldest = oldest;
    this.newest = newest;
  }
}

/** A transaction has taken too long (`TELLASK_STATE_TIMEOUT`): nothing was written. */
export class StateTimeoutError extends TellaskError {
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super('TELLASK_STATE_TIMEOUT', `The transaction has taken ${timeoutMs} ms and has not ended`, {
      stack: false,
    });
    this.timeoutMs = timeoutMs;
  }
}

/** The state is closed (`TELLASK_STATE_CLOSED`): nothing is written or watched any more. */
export class StateClosedError extends TellaskError {
  constructor() {
    super('TELLASK_STATE_CLOSED', 'The state is closed', { stack: false });
  }
}

/** A watch cannot begin where it was asked to: not all since is still kept (`TELLASK_STATE_GAP`). */
export class StateGapError extends TellaskError {
  readonly fromRevision: number;
  /** The oldest revision from which nothing is missing. */
  readonly oldestRevision: number;

  constructor(fromRevision: number, oldestRevision: number) {
    super(
      'TELLASK_STATE_GAP',
      `Not all since revision ${fromRevision} is still kept: a watch can begin at ${oldestRevision}`,
      { stack: false },
    );
    this.fromRevision = fromRevision;
    this.oldestRevision = oldestRevision;
  }
}

/** A watch was read too slowly, and has ended (`TELLASK_STATE_OVERFLOW`). */
export class StateOverflowError extends TellaskError {
  readonly pattern: string;
  /** How many unread versions it had room for. */
  readonly buffer: number;
  /** The `fromRevision` of a watch that goes on without a gap. */
  readonly resumeFrom: number;

  constructor(pattern: string, buffer: number, resumeFrom: number) {
    super(
      'TELLASK_STATE_OVERFLOW',
      `The watch of ${pattern} was read too slowly: ${buffer} versions were unread when revision ` +
        `${resumeFrom} came`,
      { stack: false },
    );
    this.pattern = pattern;
    this.buffer = buffer;
    this.resumeFrom = resumeFrom;
  }
}

/**
 * The store did not take a commit (`TELLASK_STATE_NOT_DURABLE`): what it wrote, and all that was
 * written since, was rolled back. `cause` is what the store said.
 */
export class StateNotDurableError extends TellaskError {
  /** All keys that were rolled back. */
  readonly keys: readonly string[];
  /** Nobody could find out: the store may have it all the same, until the next commit. */
  readonly mayBeStored: boolean;

  constructor(keys: readonly string[], mayBeStored: boolean, options: { readonly cause: unknown }) {
    super(
      'TELLASK_STATE_NOT_DURABLE',
      `The store did not take what was written to ${named(keys)}: it was rolled back`,
      { ...options, stack: false },
    );
    this.keys = keys;
    this.mayBeStored = mayBeStored;
  }
}

/** What is in the store cannot be read as state (`TELLASK_STATE_STORED`). */
export class StateStoredError extends TellaskError {
  /** The key in the store. */
  readonly storeKey: string;
  readonly problem: string;

  constructor(storeKey: string, problem: string, options?: { readonly cause?: unknown }) {
    super('TELLASK_STATE_STORED', `What the store has at '${storeKey}' ${problem}`, options);
    this.storeKey = storeKey;
    this.problem = problem;
  }
}

/** Why a snapshot cannot be restored. */
export type SnapshotFault = 'malformed' | 'format' | 'checksum' | 'key';

/** A snapshot cannot be restored (`TELLASK_STATE_SNAPSHOT`): nothing was changed. */
export class StateSnapshotError extends TellaskError {
  readonly why: SnapshotFault;
  readonly problem: string;

  constructor(why: SnapshotFault, problem: string, options?: { readonly cause?: unknown }) {
    super('TELLASK_STATE_SNAPSHOT', `The snapshot ${problem}`, options);
    this.why = why;
    this.problem = problem;
  }
}

/** The store takes very long for a commit (`TELLASK_STATE_STALLED`); the state goes on waiting. */
export class StateStalledError extends TellaskError {
  readonly afterMs: number;
  /** How many keys wait for the store. */
  readonly pending: number;

  constructor(afterMs: number, pending: number) {
    super(
      'TELLASK_STATE_STALLED',
      `The store has not answered a commit for ${afterMs} ms; ${pending} keys wait for it`,
      { stack: false },
    );
    this.afterMs = afterMs;
    this.pending = pending;
  }
}

const MAX_SHOWN = 3;

function named(keys: readonly string[]): string {
  return shown(keys.map((key) => `'${key}'`));
}

function shown(pointers: readonly string[]): string {
  const more = pointers.length - MAX_SHOWN;
  const names = pointers.slice(0, MAX_SHOWN).map((pointer) => pointer || 'all of it');
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function at(path: string): string {
  return path === '' ? '' : ` at ${path}`;
}
