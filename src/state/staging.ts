import { Deferred } from '../kernel/deferred.ts';
import type { Draft, Scan, StateCore } from './core.ts';
import { type Author, entryOf, KeptVersion, type StateAction } from './entry.ts';
import { StateConflictError } from './errors.ts';
import { KeyRecord } from './history.ts';
import type { Lock } from './lock.ts';

/** What the operations of a view stand on: the state itself, or what a transaction makes of it. */
export type StateGround = Pick<
  StateCore,
  'env' | 'find' | 'scan' | 'draft' | 'removal' | 'fence' | 'commit'
>;

/** What a transaction wants to be true of a key. */
interface Staged {
  /** As the key was when the transaction first touched it. */
  readonly draft: Draft;
  /** What the transaction sees of it. */
  readonly version: KeptVersion;
}

/** A pattern that was listed, and what the state itself had there. */
interface Scanned {
  readonly scan: Scan;
  readonly found: readonly KeptVersion[];
}

/**
 * What one run of a transaction has seen and wants to write. All that it saw was true at one
 * instant: every step checks that it still is, when anything at all was committed since the last.
 */
export class Staging implements StateGround {
  readonly #core: StateCore;
  /** Whose key may be shown in an error: a key that is written blindly may be one of others. */
  readonly #sees: (key: string) => boolean;
  /** Every key that was read or written, as it was at the first touch. */
  readonly #seen = new Map<string, KeptVersion | undefined>();
  readonly #scans: Scanned[] = [];
  readonly #writes = new Map<string, Staged>();
  readonly #locks = new Set<Lock>();
  readonly #later: (() => void)[] = [];
  #checkedAt: number;
  #ended = false;
  #durable: Deferred<void> | undefined;
  /** One of the versions that were made. */
  #committed: KeptVersion | undefined;
  /** What somebody else has changed; the run is of no use then. */
  conflict: StateConflictError | undefined;

  constructor(core: StateCore, sees: (key: string) => boolean) {
    this.#core = core;
    this.#sees = sees;
    this.#checkedAt = core.revision;
  }

  get env(): StateCore['env'] {
    return this.#core.env;
  }

  find(key: string): KeyRecord | undefined {
    this.check();
    const staged = this.#writes.get(key);
    if (staged !== undefined) return recordOf(staged);
    const record = this.#core.find(key);
    this.#saw(key, record?.current);
    return record;
  }

  scan(scan: Scan): KeptVersion[] {
    this.check();
    const found = this.#core.scan(scan);
    this.#scans.push({ scan, found });
    if (this.#writes.size === 0) return found;
    const { pattern, after = '' } = scan;
    const others = found.filter(({ key }) => !this.#writes.has(key));
    for (const { version } of this.#writes.values()) {
      const { key, exists } = version;
      if (exists && key > after && pattern.matches(key)) others.push(version);
    }
    return others.sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  draft(key: string, action: StateAction, value: unknown, expiresAt: number | undefined): Draft {
    this.check();
    return this.#touched(this.#core.draft(key, action, value, expiresAt));
  }

  removal(key: string, action: StateAction): Draft {
    this.check();
    return this.#touched(this.#core.removal(key, action));
  }

  /** The lock must be held now, and when all is written. */
  fence(lock: Lock): void {
    this.check();
    lock.verify();
    this.#locks.add(lock);
  }

  /** Keeps the writes for later; seen from outside nothing happens. */
  commit(author: Author, drafts: readonly Draft[]): readonly KeptVersion[] {
    this.check();
    const durable = (): Promise<void> => this.#whenDurable();
    const revision = this.#core.revision + 1;
    const commit = { revision, author, at: Math.round(this.env.wall()), durable };
    return drafts.map((draft) => {
      const { key, value, expiresAt, bytes } = draft;
      const before = this.#seen.get(key);
      const staged = this.#writes.get(key)?.version;
      // The function of an update has written the key itself.
      if (draft.before !== (staged ?? before)) throw this.#conflict(key, draft.before, staged);
      const action = actionOf(draft, before, staged);
      const number = this.#core.numberAfter(before);
      const version = new KeptVersion(key, value, number, action, expiresAt, bytes, commit);
      this.#writes.set(key, { draft: { ...draft, action, before }, version });
      return version;
    });
  }

  /** Keeps what is to be said when all is written. */
  later(say: () => void): void {
    this.#later.push(say);
  }

  /** Makes everything true in one revision, then says what is to be said. */
  finish(author: Author): void {
    this.check();
    for (const lock of this.#locks) lock.verify();
    const drafts = [...this.#writes.values()].map(({ draft }) => draft).filter(changes);
    if (drafts.length > 0) this.#committed = this.#core.commit(author, drafts)[0];
    this.end();
    for (const say of this.#later) say();
  }

  /** From now on every step throws. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#durable !== undefined) this.#settle(this.#durable);
  }

  /** Throws when the run has ended, or what it saw is no longer so. */
  check(): void {
    if (this.#ended) throw new TypeError(ENDED);
    this.#core.expireDue();
    const { revision } = this.#core;
    if (revision === this.#checkedAt) return;
    this.conflict ??= this.#firstConflict();
    if (this.conflict !== undefined) throw this.conflict;
    this.#checkedAt = revision;
  }

  #whenDurable(): Promise<void> {
    if (this.#durable === undefined) {
      this.#durable = new Deferred();
      // Nobody has to listen to it.
      this.#durable.promise.catch(() => {});
      if (this.#ended) this.#settle(this.#durable);
    }
    return this.#durable.promise;
  }

  #settle(durable: Deferred<void>): void {
    if (this.#committed !== undefined) durable.resolve(this.#committed.durable);
    else durable.reject(this.conflict ?? new Error(UNDONE));
  }

  #saw(key: string, version: KeptVersion | undefined): void {
    if (!this.#seen.has(key)) this.#seen.set(key, version);
  }

  /** A draft as the run sees it: on top of what it has written itself. */
  #touched(draft: Draft): Draft {
    this.#saw(draft.key, draft.before);
    const staged = this.#writes.get(draft.key);
    return staged === undefined ? draft : { ...draft, before: staged.version };
  }

  #firstConflict(): StateConflictError | undefined {
    const conflict = this.#seenConflict() ?? this.#scanConflict();
    if (conflict !== undefined) this.#core.conflicts++;
    return conflict;
  }

  #seenConflict(): StateConflictError | undefined {
    for (const [key, seen] of this.#seen) {
      const current = this.#core.find(key)?.current;
      if (current !== seen) return this.#conflict(key, seen, current);
    }
    return undefined;
  }

  /** Finds phantoms: what would be listed now, and was not, or the other way round. */
  #scanConflict(): StateConflictError | undefined {
    for (const { scan, found } of this.#scans) {
      const now = this.#core.scan(scan);
      const at = found.findIndex((version, i) => version !== now[i]);
      const place = at < 0 && now.length > found.length ? found.length : at;
      if (place < 0) continue;
      const keys = [found[place]?.key, now[place]?.key].filter((key) => key !== undefined).sort();
      const key = keys[0] as string;
      const seen = found.find((version) => version.key === key);
      return this.#conflict(key, seen, this.#core.find(key)?.current);
    }
    return undefined;
  }

  #conflict(
    key: string,
    seen: KeptVersion | undefined,
    current: KeptVersion | undefined,
  ): StateConflictError {
    return new StateConflictError({
      key,
      expectedVersion: seen?.version ?? 0,
      actualVersion: current?.version ?? 0,
      current: this.#sees(key) ? entryOf(current) : undefined,
      proposed: this.#writes.get(key)?.version.value,
    });
  }
}

const ENDED = 'This transaction has ended: await everything that is done with tx inside of it';
const UNDONE = 'The transaction was not committed';

/** A key that was neither there before nor is there after it makes no version. */
function changes({ value, before }: Draft): boolean {
  return value !== undefined || before?.exists === true;
}

/** However often a run writes a key, it is one version, which says what became of it. */
function actionOf(
  { action }: Draft,
  before: KeptVersion | undefined,
  staged: KeptVersion | undefined,
): StateAction {
  if (before?.exists === true) return action === 'created' ? 'set' : action;
  return staged?.action === 'created' && action !== 'deleted' ? 'created' : action;
}

/** A key as the run sees it: with what it has written. */
function recordOf({ draft, version }: Staged): KeyRecord {
  const record = new KeyRecord(version.key);
  record.current = draft.before;
  record.add(version, 0);
  return record;
}
