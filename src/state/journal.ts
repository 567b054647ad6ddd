import { Deferred } from '../kernel/deferred.ts';
import type { Lane, Timer } from '../kernel/env.ts';
import { isTellaskError } from '../kernel/errors.ts';
import { StoreConflictError } from '../stores/errors.ts';
import type { Commit, Store, Stored, Write } from '../stores/store.ts';
import type { Draft, Durability, Floor, StateCore } from './core.ts';
import type { KeptVersion } from './entry.ts';
import { StateNotDurableError, StateStalledError, StateStoredError } from './errors.ts';
import { Fate } from './fate.ts';
import { floorFromText, floorToText, fromText, toText } from './stored.ts';

/** Where and how the state is kept. */
export interface JournalParts {
  readonly core: StateCore;
  readonly store: Store;
  /** Of the keys in the store. The prefix itself is a key, too: no state key is empty. */
  readonly prefix: string;
  /** Hears of a store that fails, once until it works again, and of one that does not answer. */
  readonly onFault: (error: unknown) => void;
}

/** What is safe of a key. */
interface Saved {
  /** Its version in the store; 0 when it is not there. */
  readonly stored: number;
  readonly version: KeptVersion | undefined;
}

/** Commits that go to the store together. */
class Group {
  readonly fate = new Fate();
  readonly keys = new Set<string>();
  /** Somebody wants it to be saved; what the store has refused once waits for company. */
  isWanted = false;
  /** As the keys were when the group left, as text; `undefined` for what is to be deleted. */
  readonly texts = new Map<string, string | undefined>();
  readonly versions = new Map<string, KeptVersion | undefined>();
}

const NOTHING_SAVED: Saved = { stored: 0, version: undefined };
const STORE_AUTHOR = { actor: '$store', causationId: undefined };
const STALLED_MS = 10_000;
/** So many tries in a row wait for nobody: one may have lost its answer, one its version. */
const PATIENCE = 3;
/** How long the next one waits, twice as long each time, and at most. */
const PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
const PAGE = 1_000;

/**
 * Brings the state into a store: one commit at a time, and all that was written meanwhile is the
 * next one. So what is in the store is at any time what the state was at some revision. When the
 * store fails, what it did not take and all that came after it is rolled back. While it goes on
 * failing the tries come further apart: who writes again whatever is rolled back would else keep
 * the process busy for ever.
 */
export class Journal implements Lane, Durability {
  readonly kind = 'state';
  readonly label = 'state store';
  readonly order = 0;
  posted = false;
  readonly #parts: JournalParts;
  readonly #core: StateCore;
  readonly #store: Store;
  readonly #saved = new Map<string, Saved>();
  /** What a commit wrote of which nobody knows whether it was done. */
  readonly #unsure = new Map<string, string | undefined>();
  #open = new Group();
  #saving: Group | undefined;
  /** What is to be done now that the store has answered. */
  #answer: (() => void) | undefined;
  #stalled: Timer | undefined;
  #floor: Floor = { version: 0, revision: 0 };
  /** How many commits have failed since the last that did not. */
  #failures = 0;
  /** Monotonic instant before which nothing is tried unless somebody asks for it. */
  #notBefore = -Infinity;
  #pause: Timer | undefined;
  #isClosed = false;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#core = parts.core;
    this.#store = parts.store;
  }

  /** Takes in what the store has, and takes down from now on what is written. */
  async load(): Promise<void> {
    const { prefix } = this.#parts;
    let after = '';
    for (;;) {
      const page = await this.#store.scan(prefix, { after, limit: PAGE });
      for (const stored of page) this.#load(stored);
      if (page.length < PAGE) break;
      after = page.at(-1)?.key ?? after;
    }
    this.#core.durability = this;
    this.#core.onCommit((versions) => this.#enlist(versions));
  }

  /** All commits that go to the store together share it. */
  get whenSafe(): () => Promise<void> {
    return this.#open.fate.whenSafe;
  }

  get pending(): number {
    return this.unsaved().length;
  }

  /** The keys that have a version that is not safe yet, sorted. */
  unsaved(): string[] {
    return [...new Set([...(this.#saving?.keys ?? []), ...this.#open.keys])].sort();
  }

  forget(key: string): void {
    this.#open.keys.add(key);
  }

  /** Waits until all is safe, at most so long, and says what is not. Takes nothing more. */
  async close(timeoutMs: number): Promise<readonly string[]> {
    const waiting = new Deferred<void>();
    const options = { keepAlive: true, label: 'state close' };
    const done = (): void => waiting.resolve();
    const isBounded = timeoutMs !== Infinity;
    const timer = isBounded ? this.#core.env.setTimer(timeoutMs, done, options) : undefined;
    // What was rolled back is to be saved, too.
    const flushed = this.flushed().catch(() => this.flushed());
    flushed.then(done, done);
    await waiting.promise;
    timer?.cancel();
    this.#isClosed = true;
    this.#stalled?.cancel();
    this.#pause?.cancel();
    return this.unsaved();
  }

  /** Resolves when all that was written is safe; rejects when it was rolled back. */
  flushed(): Promise<void> {
    // What goes later fails when this fails, so the last one speaks for all.
    const last = this.#open.keys.size > 0 ? this.#open : this.#saving;
    if (last === undefined) return Promise.resolve();
    this.#hurry();
    if (last === this.#open) this.#want();
    return last.fate.whenSafe();
  }

  /** One step: the answer of the store, or the next commit. Never throws. */
  run(): void {
    const answer = this.#answer;
    this.#answer = undefined;
    if (answer !== undefined) answer();
    else if (this.#saving === undefined && this.#open.isWanted) this.#begin();
  }

  #load(stored: Stored): void {
    const { prefix } = this.#parts;
    if (stored.key === prefix) {
      this.#floor = floorFromText(prefix, stored.value);
      this.#core.loadFloor(this.#floor);
      return;
    }
    const version = this.#read(stored);
    // A store that pages wrongly would else be read for ever.
    if (this.#saved.has(version.key)) throw new StateStoredError(stored.key, 'came twice');
    this.#saved.set(version.key, { stored: stored.version, version });
    this.#core.load(version);
  }

  #read({ key, value }: Stored): KeptVersion {
    return fromText(this.#core, key, key.slice(this.#parts.prefix.length), value);
  }

  #enlist(versions: readonly KeptVersion[]): void {
    for (const { key } of versions) this.#open.keys.add(key);
    this.#want();
  }

  #want(): void {
    this.#open.isWanted = true;
    if (this.#isClosed || this.#saving !== undefined) return;
    const { env } = this.#core;
    const waitMs = this.#failures >= PATIENCE ? this.#notBefore - env.now() : 0;
    if (waitMs > 0) this.#pause ??= this.#wait(waitMs);
    else env.post(this);
  }

  #wait(waitMs: number): Timer {
    const goOn = (): void => {
      this.#hurry();
      this.#core.env.post(this);
    };
    return this.#core.env.setTimer(waitMs, goOn, { keepAlive: true, label: 'state store retry' });
  }

  #hurry(): void {
    this.#notBefore = -Infinity;
    this.#pause?.cancel();
    this.#pause = undefined;
  }

  #begin(): void {
    const group = this.#open;
    this.#open = new Group();
    this.#saving = group;
    for (const key of group.keys) {
      const version = this.#core.newest(key);
      group.versions.set(key, version);
      group.texts.set(key, version && toText(version.toJSON()));
    }
    const floor = this.#core.floor;
    this.#stalled = this.#core.env.setTimer(STALLED_MS, () => this.#stall());
    void this.#save(group, floor).then((answer) => {
      this.#answer = answer;
      this.#core.env.post(this);
    });
  }

  /** Never rejects: whatever the store does, there is something to be done about it. */
  async #save(group: Group, floor: Floor): Promise<() => void> {
    try {
      if (this.#unsure.size > 0) await this.#makeSure();
    } catch (error) {
      return () => this.#fail(group, error, false);
    }
    try {
      const commit = await this.#store.commit(this.#writesOf(group, floor));
      const versions = versionsOf(commit);
      const saved = [...group.keys].map((key) => [key, versions.get(this.#storeKey(key))] as const);
      if (saved.some(([, version]) => version === undefined)) throw new IncompleteAnswer();
      return () => this.#succeed(group, floor, new Map(saved));
    } catch (error) {
      return this.#findOut(group, floor, error);
    }
  }

  #writesOf(group: Group, floor: Floor): Write[] {
    const writes: Write[] = [...group.texts].map(([key, value]) => {
      const expectedVersion = this.#savedOf(key).stored;
      return { key: this.#storeKey(key), value, expectedVersion };
    });
    if (floor.version === this.#floor.version && floor.revision === this.#floor.revision) {
      return writes;
    }
    return [...writes, { key: this.#parts.prefix, value: floorToText(floor) }];
  }

  /** After a failure the writes may be there or not, and after a conflict others are. */
  async #findOut(group: Group, floor: Floor, error: unknown): Promise<() => void> {
    const isConflict = isTellaskError(error, 'TELLASK_STORE_CONFLICT');
    let found: ReadonlyMap<string, Stored | undefined>;
    try {
      found = await this.#get(group.texts.keys());
    } catch {
      return () => {
        for (const [key, text] of group.texts) this.#unsure.set(key, text);
        this.#fail(group, error, !isConflict);
      };
    }
    const isThere = [...group.texts].every(([key, text]) => found.get(key)?.value === text);
    if (isThere && !isConflict) {
      const versions = new Map([...found].map(([key, stored]) => [key, stored?.version ?? 0]));
      return () => this.#succeed(group, floor, versions);
    }
    return () => {
      for (const [key, stored] of found) this.#takeIn(key, stored);
      this.#fail(group, error, false);
    };
  }

  /**
   * Looks whether what was unsure is there: the versions in the store have to be known.
   *
   * @throws StoreConflictError when somebody else has written.
   */
  async #makeSure(): Promise<void> {
    const found = await this.#get(this.#unsure.keys());
    let conflict: StoreConflictError | undefined;
    for (const [key, text] of this.#unsure) {
      const stored = found.get(key);
      const { stored: expected, version } = this.#savedOf(key);
      const actual = stored?.version ?? 0;
      if (actual === expected) continue;
      // Our own, and everybody was told that it was rolled back: it is going to be overwritten.
      if (stored?.value === text) this.#saved.set(key, { stored: actual, version });
      else conflict = new StoreConflictError(this.#storeKey(key), expected, actual);
      if (stored?.value !== text) this.#takeIn(key, stored);
    }
    this.#unsure.clear();
    if (conflict !== undefined) throw conflict;
  }

  async #get(keys: Iterable<string>): Promise<ReadonlyMap<string, Stored | undefined>> {
    const found = [...keys].map(
      async (key) => [key, await this.#store.get(this.#storeKey(key))] as const,
    );
    return new Map(await Promise.all(found));
  }

  /** What the store has counts, also when somebody else has written it. */
  #takeIn(key: string, stored: Stored | undefined): void {
    const saved = this.#savedOf(key);
    if ((stored?.version ?? 0) === saved.stored) return;
    this.#saved.set(key, { stored: stored?.version ?? 0, version: this.#versionIn(stored, saved) });
  }

  #versionIn(stored: Stored | undefined, saved: Saved): KeptVersion | undefined {
    if (stored === undefined) return undefined;
    try {
      return this.#read(stored);
    } catch {
      return saved.version; // nothing that the state could take; it is going to be overwritten
    }
  }

  #succeed(group: Group, floor: Floor, stored: ReadonlyMap<string, number | undefined>): void {
    this.#answered();
    this.#floor = floor;
    this.#failures = 0;
    for (const [key, version] of group.versions) {
      if (version === undefined) this.#saved.delete(key);
      else this.#saved.set(key, { stored: stored.get(key) ?? 0, version });
    }
    group.fate.safe();
    if (this.#open.isWanted) this.#core.env.post(this);
  }

  #fail(group: Group, cause: unknown, mayBeStored: boolean): void {
    this.#answered();
    this.#failures++;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** (this.#failures - PATIENCE));
    this.#notBefore = this.#core.env.now() + pauseMs;
    // Whoever wrote later may have read what was never safe.
    const later = this.#open;
    this.#open = new Group();
    const keys = [...new Set([...group.keys, ...later.keys])];
    const error = new StateNotDurableError(keys, mayBeStored, { cause });
    this.#rollBack(keys);
    group.fate.failed(error);
    later.fate.failed(error);
    if (this.#failures === 1) this.#tell(error);
  }

  /** Appends the last value that is safe. What is that already waits for the next commit. */
  #rollBack(keys: readonly string[]): void {
    const drafts: Draft[] = [];
    const now = this.#core.env.wall();
    for (const key of keys) {
      const draft = rollBack(key, this.#core.newest(key), this.#savedOf(key).version, now);
      const { before, value } = draft;
      if (before?.action === 'rolled-back' && before.value === value) this.#open.keys.add(key);
      else drafts.push(draft);
    }
    if (drafts.length > 0) this.#core.append(STORE_AUTHOR, drafts);
  }

  #answered(): void {
    this.#saving = undefined;
    this.#stalled?.cancel();
  }

  #stall(): void {
    this.#tell(new StateStalledError(STALLED_MS, this.pending));
  }

  #tell(error: unknown): void {
    try {
      this.#parts.onFault(error);
    } catch {
      // Nobody is left to be told.
    }
  }

  #savedOf(key: string): Saved {
    return this.#saved.get(key) ?? NOTHING_SAVED;
  }

  #storeKey(key: string): string {
    return this.#parts.prefix + key;
  }
}

function rollBack(
  key: string,
  before: KeptVersion | undefined,
  safe: KeptVersion | undefined,
  now: number,
): Draft {
  const base = {
    key,
    before,
    action: 'rolled-back',
    freshBytes: 0,
    beyond: safe?.version,
  } as const;
  // What has expired stays so: it would expire again, and fail again, for ever.
  if (safe === undefined || (safe.expiresAt !== undefined && safe.expiresAt <= now)) {
    return { ...base, value: undefined, bytes: 0, expiresAt: undefined };
  }
  return { ...base, value: safe.value, bytes: safe.bytes, expiresAt: safe.expiresAt };
}

function versionsOf(commit: Commit): ReadonlyMap<string, number> {
  return new Map(commit.writes.map(({ key, version }) => [key, version]));
}

/** A store that does not say what it wrote has not said that it did. */
class IncompleteAnswer extends TypeError {
  constructor() {
    super('The store did not give back the commit that it was given');
  }
}
