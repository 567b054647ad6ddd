import type { Env } from '../kernel/env.ts';
import type { Contract } from '../message/contract.ts';
import { parse } from '../message/parse.ts';
import type { Pattern } from '../message/pattern.ts';
import { checkTopic } from '../message/topic.ts';
import { type Author, type CommitFacts, entryOf, KeptVersion, type StateAction } from './entry.ts';
import { StateClosedError, StateConflictError, UnknownStateKeyError } from './errors.ts';
import { Expiry } from './expiry.ts';
import { HistoryBounds, type HistoryLimits, KeyRecord } from './history.ts';
import type { Lock } from './lock.ts';
import { LockTable } from './lock-table.ts';
import type { StateAccess } from './state-access.ts';
import { type Taken, takeValue, type ValueLimits } from './value.ts';
import { Watchers } from './watchers.ts';

/** What the state is made with. */
export interface CoreParts {
  readonly env: Env;
  readonly contract: Contract | undefined;
  /** Keys that the contract does not name are taken, too. */
  readonly open: boolean;
  readonly values: ValueLimits;
  readonly history: HistoryLimits;
  /** How many deleted keys keep their version number. */
  readonly maxTombstones: number;
  /** Who may do what; `undefined` where nobody is asked. */
  readonly access?: StateAccess | undefined;
}

/** One write that is about to be made. Everything about it was checked. */
export interface Draft {
  readonly key: string;
  /** What the writer saw: a commit that finds another version makes nothing of it. */
  readonly before: KeptVersion | undefined;
  readonly action: StateAction;
  /** In the state's own; `undefined` deletes. */
  readonly value: unknown;
  readonly bytes: number;
  readonly freshBytes: number;
  /** Epoch milliseconds. */
  readonly expiresAt: number | undefined;
  /** Somebody else has used the versions up to this one. @default 0 */
  readonly beyond?: number | undefined;
}

/** What deleted keys that were forgotten leave behind. */
export interface Floor {
  /** Their highest version: no key may use one below it again. */
  readonly version: number;
  /** Their highest revision. */
  readonly revision: number;
}

/** Which keys are listed. */
export interface Scan {
  readonly pattern: Pattern;
  /** Only keys behind this one. */
  readonly after: string | undefined;
}

/** What a state counts. */
export interface StateMetrics {
  /** Keys that have a value. */
  readonly keys: number;
  /** Of these, documents: values at `document.{id}`. */
  readonly documents: number;
  /** And workflows: values at `workflow.{id}`. */
  readonly workflows: number;
  /** Versions that are kept, those of deleted keys included. */
  readonly versions: number;
  /** The number of the last commit. */
  readonly revision: number;
  /** How often a writer found that somebody else was faster, also where `onConflict` solved it. */
  readonly conflicts: number;
  /** About how many bytes the current values have, as JSON. */
  readonly bytes: number;
  /** About how many bytes the histories hold beyond them. */
  readonly historyBytes: number;
  /** Watches that are open. */
  readonly watchers: number;
  /** Watches that have ended because they were read too slowly. */
  readonly overflows: number;
  /** Keys that wait for the store. */
  readonly pending: number;
}

/** The keys of `documents(state)` and `workflows(state)`. */
const DOCUMENT = /^document\.[^.]+$/u;
const WORKFLOW = /^workflow\.[^.]+$/u;

/** Who writes where no actor does. */
const HOST: Author = { actor: '$host', causationId: undefined };

/** Hears of every commit, in its turn, and never throws. */
export type CommitListener = (versions: readonly KeptVersion[]) => void;

/** Brings into a store what is committed. */
export interface Durability {
  /** Says when what is committed now is safe. */
  readonly whenSafe: () => Promise<void>;
  /** How many keys wait to be safe. */
  readonly pending: number;
  /** Told of every deleted key that is forgotten, within the commit that pushes it out. */
  forget(key: string): void;
}

/**
 * The one place where state changes: `commit` is synchronous, all or nothing, and one revision.
 * Whatever reads or refuses does so before it is called.
 */
export class StateCore {
  readonly env: Env;
  readonly access: StateAccess | undefined;
  readonly #parts: CoreParts;
  #contract: Contract | undefined;
  readonly #records = new Map<string, KeyRecord>();
  readonly #bounds: HistoryBounds;
  readonly #listeners = new Set<CommitListener>();
  readonly #deleted = new Set<KeyRecord>();
  readonly #unfinished = new Set<(reason: Error) => void>();
  #revision = 0;
  #live = 0;
  #documents = 0;
  #workflows = 0;
  #liveBytes = 0;
  /** The highest version of a deleted key that was forgotten: no key may use one below it again. */
  #versionFloor = 0;
  /** The highest revision of a deleted key that was forgotten. */
  forgottenAt = 0;
  readonly locks: LockTable;
  /** Who watches. */
  readonly watchers: Watchers = new Watchers(this);
  /** How often a writer has found that somebody else was faster. */
  conflicts = 0;
  readonly #expiry: Expiry;
  #closed = false;
  /** Set when there is a store. */
  durability: Durability | undefined;

  constructor(parts: CoreParts) {
    this.#parts = parts;
    this.env = parts.env;
    this.access = parts.access;
    this.#contract = parts.contract;
    this.#bounds = new HistoryBounds(parts.history);
    this.#expiry = new Expiry(parts.env, (record) => this.#expire(record));
    this.locks = new LockTable(parts.env);
  }

  /** The number of the last commit. */
  get revision(): number {
    return this.#revision;
  }

  /** How many keys have a value. */
  get size(): number {
    return this.#live;
  }

  /** About how many bytes the current values have as JSON. */
  get bytes(): number {
    return this.#liveBytes;
  }

  /** About how many bytes the histories hold beyond the current values. */
  get historyBytes(): number {
    return this.#bounds.bytes;
  }

  /** What is counted anyway. */
  metrics(): StateMetrics {
    const { watchers } = this;
    this.expireDue();
    return {
      keys: this.#live,
      documents: this.#documents,
      workflows: this.#workflows,
      versions: this.#records.size + this.#bounds.count,
      revision: this.#revision,
      conflicts: this.conflicts,
      bytes: this.#liveBytes,
      historyBytes: this.#bounds.bytes,
      watchers: watchers.size,
      overflows: watchers.overflows,
      pending: this.durability?.pending ?? 0,
    };
  }

  /** What must outlive the deleted keys that were forgotten. */
  get floor(): Floor {
    return { version: this.#versionFloor, revision: this.forgottenAt };
  }

  /** The newest version of a key, whoever asks. */
  newest(key: string): KeptVersion | undefined {
    return this.#records.get(key)?.current;
  }

  /** Takes in the newest version of a key, as a store has kept it; before anything is written. */
  load(version: KeptVersion): void {
    const record = new KeyRecord(version.key);
    this.#records.set(version.key, record);
    // What was before it is nowhere any more.
    if (version.version > 1) record.trimmedAt = version.revision - 1;
    this.#counted(version.key, Number(version.exists));
    this.#liveBytes += version.bytes;
    this.#bounds.added(record, version, version.bytes);
    this.#revision = Math.max(this.#revision, version.revision);
    this.#expiry.plan(record, version.expiresAt);
    if (!version.exists) this.#buried(record);
  }

  /** Takes in what forgotten keys have left behind, as a store has kept it. */
  loadFloor({ version, revision }: Floor): void {
    this.#versionFloor = Math.max(this.#versionFloor, version);
    this.forgottenAt = Math.max(this.forgottenAt, revision);
    this.#revision = Math.max(this.#revision, revision);
  }

  /** A value in the state's own, as no schema has seen it. */
  own(key: string, value: unknown): Taken {
    return takeValue(key, value, undefined, this.#parts.values);
  }

  /** All keys that anything is known of. What is due has expired. */
  records(): Iterable<KeyRecord> {
    this.expireDue();
    return this.#records.values();
  }

  /** The current versions of all keys that fit and have a value, in the order of the keys. */
  scan({ pattern, after = '' }: Scan): KeptVersion[] {
    const found: KeptVersion[] = [];
    for (const { key, current } of this.records()) {
      if (current?.exists !== true || key <= after) continue;
      if (pattern.matches(key)) found.push(current);
    }
    return found.sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  /**
   * What is known of a key; `undefined` when it was never written. Refuses what is no key. A value
   * that is due is never seen, whether or not the timer has run: it expires here and now.
   */
  find(key: string): KeyRecord | undefined {
    const record = this.#records.get(key);
    if (record === undefined) this.checkKey(key);
    else if (record.deadline !== Infinity) this.#expiry.check(record);
    return record;
  }

  /**
   * Takes the contract of its bus, unless it has one or that one has no state.
   *
   * @throws TypeError when it has another one for the state: types would promise what is not so.
   */
  adopt(contract: Contract | undefined): void {
    if (contract === undefined || Object.keys(contract.state).length === 0) return;
    this.#contract ??= contract;
    if (this.#contract === contract) return;
    throw new TypeError(
      'The state has another contract than the bus: give both the same one (mergeContracts), or ' +
        'none to the state',
    );
  }

  /** Whatever is due expires now. To be called before the revision is compared with another. */
  expireDue(): void {
    this.#expiry.checkAll();
  }

  /** @throws InvalidTopicError, UnknownStateKeyError */
  checkKey(key: string): void {
    const contract = this.#contract;
    checkTopic(key);
    if (contract === undefined || this.#parts.open) return;
    if (contract.family('state', key) === undefined) {
      throw new UnknownStateKeyError(key, contract.nearest('state', key));
    }
  }

  /** Parses, checks, copies and freezes a value, reconciled with what is there. */
  draft(key: string, action: StateAction, value: unknown, expiresAt: number | undefined): Draft {
    // An update has looked already, and what it saw counts, also when it has expired since.
    if (action !== 'updated') this.find(key);
    const { values } = this.#parts;
    const schema = this.#contract?.family('state', key)?.input;
    const parsed =
      schema === undefined ? value : parse(schema, value, { what: 'value', topic: key });
    const before = this.#records.get(key)?.current;
    const { value: own, bytes, fresh } = takeValue(key, parsed, before?.value, values);
    return { key, before, action, value: own, bytes, freshBytes: fresh, expiresAt };
  }

  /** Refuses what is written with a lock that somebody else may hold by now. */
  fence(lock: Lock): void {
    lock.verify();
  }

  /** The draft of a delete. */
  removal(key: string, action: StateAction): Draft {
    const before = this.find(key)?.current;
    const value = undefined;
    return { key, before, action, value, bytes: 0, freshBytes: 0, expiresAt: undefined };
  }

  /**
   * Makes all writes in one revision, or none. No key comes twice.
   *
   * @throws StateConflictError when a key is no longer as the draft has seen it.
   */
  commit(author: Author, drafts: readonly Draft[]): readonly KeptVersion[] {
    this.checkOpen();
    return this.append(author, drafts);
  }

  /** The same, also when it is closed: what was written before may have to be rolled back. */
  append(author: Author, drafts: readonly Draft[]): readonly KeptVersion[] {
    for (const draft of drafts) this.#checkUnchanged(draft);
    return this.#make(author, drafts);
  }

  #make(author: Author, drafts: readonly Draft[]): readonly KeptVersion[] {
    const revision = ++this.#revision;
    const durable = this.durability?.whenSafe;
    const commit = { revision, author, at: Math.round(this.env.wall()), durable };
    const versions = drafts.map((draft) => this.#write(draft, commit));
    for (const listener of this.#listeners) listener(versions);
    return versions;
  }

  /** A version of its own, which is the host's. Also when the state is closed: it is no write. */
  #expire({ key, current }: KeyRecord): void {
    const gone = { action: 'expired', value: undefined, bytes: 0, freshBytes: 0 } as const;
    this.#make(HOST, [{ key, before: current, ...gone, expiresAt: undefined }]);
  }

  #checkUnchanged({ key, before, value }: Draft): void {
    const current = this.#records.get(key)?.current;
    if (current === before) return;
    this.conflicts++;
    throw new StateConflictError({
      key,
      expectedVersion: before?.version ?? 0,
      actualVersion: current?.version ?? 0,
      current: entryOf(current),
      proposed: value,
    });
  }

  /** @throws StateClosedError */
  checkOpen(): void {
    if (this.#closed) throw new StateClosedError();
  }

  /** Nothing is written any more, but what the store makes undone. What is there can be read. */
  seal(): void {
    this.#closed = true;
    this.#expiry.close();
    const reason = new StateClosedError();
    for (const callOff of [...this.#unfinished]) callOff(reason);
    this.locks.close(reason);
  }

  /** Sealed, and whoever watches reads the end. */
  close(): void {
    this.seal();
    this.watchers.end();
  }

  /** What may never end by itself is called off when the state is closed. */
  onSeal(callOff: (reason: Error) => void): () => void {
    this.#unfinished.add(callOff);
    return () => this.#unfinished.delete(callOff);
  }

  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The number of the version that follows this one. */
  numberAfter(before: KeptVersion | undefined): number {
    return 1 + (before?.version ?? this.#versionFloor);
  }

  #write(draft: Draft, commit: CommitFacts): KeptVersion {
    const { key, before, value, action, bytes, freshBytes, expiresAt } = draft;
    const record = this.#records.get(key) ?? new KeyRecord(key);
    const version = new KeptVersion(
      key,
      value,
      Math.max(this.numberAfter(before), 1 + (draft.beyond ?? 0)),
      action,
      expiresAt,
      bytes,
      commit,
    );
    if (before === undefined) this.#records.set(key, record);
    // An update keeps the instant, and with it the clock on which it was planned.
    const keeps = action === 'updated' && before?.expiresAt === expiresAt;
    if (!keeps && (expiresAt !== undefined || record.deadline !== Infinity)) {
      this.#expiry.plan(record, expiresAt);
    }
    this.#counted(key, Number(value !== undefined) - Number(record.exists));
    this.#liveBytes += bytes - (before?.bytes ?? 0);
    this.#bounds.added(record, version, freshBytes);
    if (value === undefined) this.#buried(record);
    else this.#deleted.delete(record);
    return version;
  }

  /** A key has a value now, or no longer, or goes on as it is: which is the rule. */
  #counted(key: string, change: number): void {
    if (change === 0) return;
    this.#live += change;
    if (DOCUMENT.test(key)) this.#documents += change;
    else if (WORKFLOW.test(key)) this.#workflows += change;
  }

  /** A deleted key keeps its version number, and a bounded number of such keys are kept. */
  #buried(record: KeyRecord): void {
    this.#deleted.delete(record);
    this.#deleted.add(record);
    if (this.#deleted.size <= this.#parts.maxTombstones) return;
    for (const oldest of this.#deleted) {
      this.#deleted.delete(oldest);
      this.#bounds.dropped(oldest);
      this.#records.delete(oldest.key);
      const { version = 0, revision = 0 } = oldest.current ?? {};
      this.loadFloor({ version, revision });
      this.durability?.forget(oldest.key);
      return;
    }
  }
}
