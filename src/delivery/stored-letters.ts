import type { Env, Timer } from '../kernel/env.ts';
import { isTellaskError } from '../kernel/errors.ts';
import type { Store, Stored, Write } from '../stores/store.ts';
import { ClosedError } from './errors.ts';
import type { KeptLetter } from './kept-letter.ts';
import { LetterStoreError } from './letter-errors.ts';
import { fromRecord, type LetterSecrets, type RecordParts, toRecord } from './letter-record.ts';
import { StoreCalls } from './store-calls.ts';

/** What came of claiming a letter in its store. */
export type StoreClaim =
  | { readonly whose: 'ours' | 'theirs' }
  | { readonly whose: 'unknown'; readonly error: unknown };

/** What keeping letters in a store needs of its bus. */
export interface StoredLetterParts extends RecordParts {
  readonly env: Env;
  readonly store: Store;
  /** Under which its letters are found again: another bus with the same name shares them. */
  readonly name: string;
  readonly secrets: LetterSecrets;
  readonly timeoutMs: number;
  onFault(error: unknown, where: string): void;
}

/** A letter, and what is known of it in the store. */
interface Entry {
  readonly letter: KeptLetter;
  readonly key: string;
  /** What is to be written; undefined when it is to be deleted. */
  text: string | undefined;
  /** As it is in the store. */
  version: number | undefined;
  /** A write was begun whose answer never came: it may be done. */
  unsure: boolean;
  /** It is part of the commit that is under way. */
  writing: boolean;
}

const WHERE = 'store of dead letters';
const GROUP = 100;
const PAGE = 500;
const MOST_TRIES = 10;
const BASE_MS = 100;
const LONGEST_MS = 10_000;

/**
 * Keeps letters in a store as well: what is in memory is written behind, in order and in groups,
 * one commit at a time. A store that fails is tried again, ten times with growing delays and then
 * when something is added; meanwhile everything stays in memory.
 */
export class StoredLetters {
  readonly #parts: StoredLetterParts;
  readonly #calls: StoreCalls;
  readonly #prefix: string;
  readonly #entries = new Map<string, Entry>();
  /** What is not yet in the store as it is to be. */
  readonly #dirty = new Set<Entry>();
  /** Claimed in the store, and neither sent nor put back. */
  readonly #claimed = new Set<KeptLetter>();
  readonly #waiting = new Set<(safe: boolean) => void>();
  #claiming = 0;
  #saved = 0;
  /** The commit that is under way. */
  #commit: Promise<void> | undefined;
  #working = false;
  #failures = 0;
  /** It failed, and has not answered since: that was told once. */
  #isOut = false;
  #retry: { readonly timer: Timer; readonly goOn: () => void } | undefined;
  #closed = false;

  constructor(parts: StoredLetterParts) {
    this.#parts = parts;
    this.#prefix = `letter/${parts.name}/`;
    this.#calls = new StoreCalls(parts.env, parts.store, parts.timeoutMs);
  }

  /** Letters that are safe. */
  get saved(): number {
    return this.#saved;
  }

  /** A new letter, or one that is back. */
  keep(letter: KeptLetter): void {
    const text = this.#textOf(letter);
    if (text === undefined) return;
    const key = this.#prefix + letter.id;
    const entry = { letter, key, text, version: undefined, unsure: false, writing: false };
    this.#entries.set(letter.id, entry);
    this.#change(entry);
  }

  /** A letter that is no more: purged, evicted, or sent again. */
  drop(letter: KeptLetter): void {
    const entry = this.#entries.get(letter.id);
    if (entry === undefined) return;
    this.#mark(letter, false);
    entry.text = undefined;
    if (isUnwritten(entry)) this.#forget(entry);
    else this.#change(entry);
  }

  /** Deletes a letter from the store: of all processes that try, one is told that it is ours. */
  async claim(letter: KeptLetter): Promise<StoreClaim> {
    this.#claiming++;
    try {
      const entry = this.#entries.get(letter.id);
      while (entry?.writing === true) await this.#commit;
      // Nobody else can know of what was never written.
      if (entry === undefined || isUnwritten(entry)) return this.#won(letter, entry);
      if (entry.version === undefined) return { whose: 'unknown', error: this.#trouble(undefined) };
      return await this.#claimStored(entry, entry.version);
    } finally {
      this.#claiming--;
      this.#tellIdle();
    }
  }

  /** What was claimed has been sent. */
  taken(letter: KeptLetter): void {
    if (this.#claimed.delete(letter)) this.#tellIdle();
  }

  /** What was claimed could not be sent. */
  putBack(letter: KeptLetter): void {
    if (this.#claimed.delete(letter)) this.keep(letter);
  }

  /** Letters in the store, page by page, as they were left by whichever process. */
  async *load(isKnown: (id: string) => boolean): AsyncGenerator<KeptLetter> {
    let unreadable = 0;
    for (let after = ''; ; ) {
      const page = await this.#calls.scan(this.#prefix, { after, limit: PAGE });
      for (const stored of page) {
        const id = stored.key.slice(this.#prefix.length);
        if (this.#entries.has(id) || isKnown(id)) continue;
        const letter = fromRecord(stored.value, id, this.#parts);
        if (letter === undefined) unreadable++;
        else yield letter;
        if (letter !== undefined && isKnown(id)) this.#know(letter, stored);
      }
      const last = page.at(-1);
      if (page.length < PAGE || last === undefined) break;
      after = last.key;
    }
    if (unreadable > 0) {
      this.#parts.onFault(new LetterStoreError(`${unreadable} letters cannot be read`, {}), WHERE);
    }
  }

  /** True when the store has everything that it can have; false when it was tried in vain. */
  flushed(): Promise<boolean> {
    if (this.#idle) return Promise.resolve(true);
    if (this.#closed) return Promise.resolve(false);
    const result = new Promise<boolean>((resolve) => this.#waiting.add(resolve));
    this.#goOn();
    return result;
  }

  /** Waits so long for what is not safe yet; then no timer and no wait is left. */
  async close(timeoutMs: number): Promise<void> {
    const timer = this.#idle
      ? undefined
      : this.#parts.env.setTimer(timeoutMs, () => this.#end(), { keepAlive: true, label: WHERE });
    await this.flushed();
    timer?.cancel();
    this.#end();
  }

  get #idle(): boolean {
    return this.#dirty.size === 0 && this.#claiming === 0 && this.#claimed.size === 0;
  }

  #textOf(letter: KeptLetter): string | undefined {
    let problem: { readonly cause?: unknown } = {};
    try {
      const text = toRecord(letter, this.#parts.secrets);
      if (text !== undefined) return text;
    } catch (cause) {
      problem = { cause };
    }
    const what = `The letter ${letter.id} stays in memory: its payload is no JSON`;
    this.#parts.onFault(new LetterStoreError(what, { letterId: letter.id, ...problem }), WHERE);
    return undefined;
  }

  #know(letter: KeptLetter, { key, version }: Stored): void {
    const entry = { letter, key, text: undefined, version, unsure: false, writing: false };
    this.#entries.set(letter.id, entry);
    this.#mark(letter, true);
  }

  #mark(letter: KeptLetter, saved: boolean): void {
    if (letter.saved === saved) return;
    this.#saved += saved ? 1 : -1;
    letter.markSaved(saved);
  }

  #won(letter: KeptLetter, entry: Entry | undefined): StoreClaim {
    if (entry !== undefined) {
      this.#forget(entry);
      this.#claimed.add(letter);
    }
    return { whose: 'ours' };
  }

  async #claimStored(entry: Entry, expectedVersion: number): Promise<StoreClaim> {
    entry.writing = true;
    try {
      await this.#calls.commit([{ key: entry.key, value: undefined, expectedVersion }]);
      this.#isOut = false;
    } catch (error) {
      const there = versionFound(error);
      // It is gone, and an earlier try of ours may be why.
      if (there === 0 && entry.unsure) return this.#won(entry.letter, entry);
      if (there === undefined) {
        this.#doubt(entry);
        return { whose: 'unknown', error: this.#trouble(error) };
      }
      this.#forget(entry);
      return { whose: 'theirs' };
    } finally {
      entry.writing = false;
      this.#goOn();
    }
    return this.#won(entry.letter, entry);
  }

  /** Whether it is still there is found out by writing it again. */
  #doubt(entry: Entry): void {
    entry.unsure = true;
    entry.text = this.#textOf(entry.letter);
    this.#mark(entry.letter, false);
    this.#change(entry);
  }

  #forget(entry: Entry): void {
    this.#dirty.delete(entry);
    if (this.#entries.get(entry.letter.id) === entry) this.#entries.delete(entry.letter.id);
    this.#mark(entry.letter, false);
    this.#tellIdle();
  }

  #change(entry: Entry): void {
    this.#dirty.add(entry);
    this.#goOn();
  }

  #goOn(): void {
    if (this.#working || this.#closed || this.#dirty.size === 0) return;
    this.#working = true;
    this.#failures = 0;
    void this.#work();
  }

  async #work(): Promise<void> {
    // What dies in the same turn is one commit.
    await undefined;
    while (this.#dirty.size > 0 && !this.#closed && this.#failures < MOST_TRIES) {
      // What is claimed at this moment must not be written again beside it.
      const group = [...this.#dirty].filter(({ writing }) => !writing).slice(0, GROUP);
      if (group.length === 0) break;
      this.#commit = this.#commitGroup(group);
      await this.#commit;
      this.#commit = undefined;
      if (this.#failures > 0 && this.#failures < MOST_TRIES) await this.#pause();
    }
    this.#working = false;
    if (this.#closed || this.#failures >= MOST_TRIES) this.#tell(this.#idle);
    this.#tellIdle();
  }

  async #commitGroup(group: readonly Entry[]): Promise<void> {
    const writes = group.map(writeOf);
    for (const entry of group) entry.writing = true;
    try {
      const commit = await this.#calls.commit(writes);
      const versions = new Map(commit.writes.map(({ key, version }) => [key, version]));
      for (const [index, entry] of group.entries()) {
        this.#written(entry, writes[index] as Write, versions.get(entry.key));
      }
      this.#failures = 0;
      this.#isOut = false;
    } catch (error) {
      if (!this.#settleConflict(group, error)) this.#failed(group, error);
    } finally {
      for (const entry of group) entry.writing = false;
    }
  }

  #written(entry: Entry, { value }: Write, version: number | undefined): void {
    entry.unsure = false;
    if (value === undefined) {
      this.#forget(entry);
      return;
    }
    if (version === undefined) throw new TypeError('The store did not say what it has written');
    entry.version = version;
    // It may have been dropped meanwhile: then it is still to be deleted.
    if (entry.text === undefined) return;
    entry.text = undefined;
    this.#mark(entry.letter, true);
    this.#dirty.delete(entry);
  }

  /** The others of the group are written without the one that found another version. */
  #settleConflict(group: readonly Entry[], error: unknown): boolean {
    if (versionFound(error) === undefined) return false;
    const { key } = error as { readonly key?: unknown };
    const entry = group.find((one) => one.key === key);
    if (entry === undefined) return false;
    const { id } = entry.letter;
    if (entry.text !== undefined && entry.version !== undefined) {
      // It was claimed, and is gone or not: at worst it is sent twice, and it is never lost.
      entry.version = undefined;
      return true;
    }
    if (entry.text !== undefined) {
      const what = `The letter ${id} stays in memory: another one has its key`;
      this.#parts.onFault(new LetterStoreError(what, { letterId: id, cause: error }), WHERE);
    }
    // Who wanted to delete it was too late: another process has it.
    this.#forget(entry);
    return true;
  }

  #failed(group: readonly Entry[], error: unknown): void {
    for (const entry of group) entry.unsure = true;
    if (this.#closed) return;
    this.#failures++;
    if (this.#isOut) return;
    this.#isOut = true;
    this.#parts.onFault(this.#trouble(error), WHERE);
  }

  #trouble(cause: unknown): LetterStoreError {
    const what = 'The store of dead letters failed: they stay in memory';
    return new LetterStoreError(what, cause === undefined ? {} : { cause });
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const delayMs = Math.min(LONGEST_MS, BASE_MS * 2 ** (this.#failures - 1));
      const options = { keepAlive: true, label: WHERE };
      const timer = this.#parts.env.setTimer(delayMs, resolve, options);
      this.#retry = { timer, goOn: resolve };
    });
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#retry?.timer.cancel();
    this.#retry?.goOn();
    this.#calls.giveUp(new ClosedError('the store of dead letters'));
    this.#tell(this.#idle);
  }

  #tellIdle(): void {
    if (this.#idle) this.#tell(true);
  }

  #tell(safe: boolean): void {
    for (const resolve of this.#waiting) resolve(safe);
    this.#waiting.clear();
  }
}

function isUnwritten({ version, unsure, writing }: Entry): boolean {
  return version === undefined && !unsure && !writing;
}

/** The first try must not write over anything; a second one may find what the first has written. */
function writeOf({ key, text, version, unsure }: Entry): Write {
  if (text !== undefined) {
    if (unsure && version === undefined) return { key, value: text };
    return { key, value: text, expectedVersion: version ?? 0 };
  }
  if (version === undefined) return { key, value: undefined };
  return { key, value: undefined, expectedVersion: version };
}

/** The version that a commit found instead of the expected one; undefined for other errors. */
function versionFound(error: unknown): number | undefined {
  if (!isTellaskError(error, 'TELLASK_STORE_CONFLICT')) return undefined;
  return (error as { readonly actual?: number }).actual;
}
