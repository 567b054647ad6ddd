import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { compilePattern, type Pattern } from '../message/pattern.ts';
import { PatternIndex } from '../routing/pattern-index.ts';
import type { StateCore } from './core.ts';
import type { KeptVersion } from './entry.ts';
import { StateGapError, StateVersionError } from './errors.ts';
import type { KeyRecord } from './history.ts';
import { STATE_DEFAULTS } from './state-defaults.ts';
import { type Backlog, EveryVersion, NewestVersions } from './watch-backlog.ts';
import { Watcher, type WatcherHome } from './watcher.ts';

/** Options of `watch`. */
export interface WatchOptions {
  /** Gives what was written in this revision and since, then what is written. @default from now on */
  readonly fromRevision?: number;
  /** Gives what is there first, then what is written. Not beside `fromRevision`. @default false */
  readonly initial?: boolean;
  /** How many unread versions are kept of what is written meanwhile: from 1. @default 1_024 */
  readonly buffer?: number;
  /**
   * Keeps the newest unread version of each key only: a slow reader then misses versions, but never
   * the last one, and overflows only when more than `buffer` different keys are unread. @default false
   */
  readonly latest?: boolean;
  /** Ends the watch: its loop throws the reason. */
  readonly signal?: AbortSignal;
}

/** Whose watch it is. */
export interface Viewer {
  /** What leaves at some time. */
  readonly registration: unknown;
  /** Whether it may see a key, now. */
  sees(key: string): boolean;
}

const KNOWN = new Set(['fromRevision', 'initial', 'buffer', 'latest', 'signal']);

/** All who watch one state. Without any of them a commit costs nothing more. */
export class Watchers implements WatcherHome {
  readonly #core: StateCore;
  readonly #index = new PatternIndex<Watcher>();
  readonly #all = new Set<Watcher>();
  #orders = 0;
  /** How many were ended because they read too slowly. */
  overflows = 0;
  #stopHearing: (() => void) | undefined;

  constructor(core: StateCore) {
    this.#core = core;
  }

  get env(): Env {
    return this.#core.env;
  }

  get revision(): number {
    return this.#core.revision;
  }

  /** How many watch. */
  get size(): number {
    return this.#all.size;
  }

  /** Begins in this very step, so nothing falls between what was and what will be. */
  watch(source: string, options: WatchOptions, viewer: Viewer): Watcher {
    this.#core.checkOpen();
    checkOptions(options);
    const { buffer = STATE_DEFAULTS.watchBuffer, latest = false, signal } = options;
    const pattern = compilePattern(source);
    const past = pastOf(this.#core, pattern, options, viewer);
    const backlog: Backlog = new (latest ? NewestVersions : EveryVersion)(past, buffer);
    const order = ++this.#orders;
    const watcher = new Watcher({ home: this, order, pattern, buffer, backlog, viewer });
    this.#enter(watcher);
    if (signal !== undefined) watcher.heed(signal);
    return watcher;
  }

  leave(watcher: Watcher, overflowed: boolean): void {
    this.#index.remove(watcher);
    this.#all.delete(watcher);
    this.overflows += Number(overflowed);
    if (this.#all.size > 0) return;
    this.#stopHearing?.();
    this.#stopHearing = undefined;
  }

  /** Whoever watches reads what is left, and then the end. */
  end(): void {
    for (const watcher of [...this.#all]) watcher.end();
  }

  /** Their watches end at once, with the reason. */
  dismiss(matches: (registration: unknown) => boolean, reason: unknown): void {
    for (const watcher of [...this.#all]) {
      if (matches(watcher.viewer.registration)) watcher.fail(reason);
    }
  }

  #enter(watcher: Watcher): void {
    this.#index.add(watcher);
    this.#all.add(watcher);
    this.#stopHearing ??= this.#core.onCommit((versions) => this.#committed(versions));
  }

  #committed(versions: readonly KeptVersion[]): void {
    const [first] = versions;
    if (versions.length === 1 && first !== undefined) {
      for (const watcher of this.#index.matches(first.key)) watcher.offer(versions);
      return;
    }
    const offers = new Map<Watcher, KeptVersion[]>();
    for (const version of versions) {
      for (const watcher of this.#index.matches(version.key)) {
        const offer = offers.get(watcher);
        if (offer === undefined) offers.set(watcher, [version]);
        else offer.push(version);
      }
    }
    for (const [watcher, offer] of offers) watcher.offer(offer);
  }
}

/** What a watch gives before anything new: by revision, the oldest first. */
function pastOf(
  core: StateCore,
  pattern: Pattern,
  { fromRevision, initial, latest }: WatchOptions,
  viewer: Viewer,
): KeptVersion[] {
  if (pattern.literal !== undefined) core.checkKey(pattern.literal);
  if (fromRevision === undefined && initial !== true) return [];
  const seen: KeyRecord[] = [];
  for (const record of recordsOf(core, pattern)) {
    if (pattern.matches(record.key) && viewer.sees(record.key)) seen.push(record);
  }
  const past =
    fromRevision === undefined
      ? seen.flatMap(({ current, exists }) => (exists && current !== undefined ? [current] : []))
      : replay(core, seen, fromRevision, latest === true);
  return past.sort((one, other) => one.revision - other.revision);
}

/** All keys, or the one that a pattern without wildcards means. */
function recordsOf(core: StateCore, { literal }: Pattern): Iterable<KeyRecord> {
  if (literal === undefined) return core.records();
  const record = core.find(literal);
  return record === undefined ? [] : [record];
}

function replay(
  core: StateCore,
  records: readonly KeyRecord[],
  fromRevision: number,
  latest: boolean,
): KeptVersion[] {
  const newest = core.revision;
  if (fromRevision > newest + 1) {
    throw new StateVersionError(undefined, fromRevision, { oldest: Math.min(1, newest), newest });
  }
  // Of the newest versions none is ever trimmed; of a key that was forgotten nothing is known.
  let lost = core.forgottenAt;
  if (!latest) for (const { trimmedAt } of records) lost = Math.max(lost, trimmedAt);
  if (lost >= Math.max(1, fromRevision)) throw new StateGapError(fromRevision, lost + 1);
  const most = latest ? 1 : Infinity;
  return records.flatMap((record) => record.since(fromRevision, most));
}

function checkOptions(options: WatchOptions): void {
  refuseUnknown(options, KNOWN, 'watch');
  const { fromRevision, initial, buffer, latest } = options;
  checkFlag('initial', initial);
  checkFlag('latest', latest);
  if (fromRevision !== undefined && !isCount(fromRevision, 0)) {
    throw misuse('fromRevision', 'a revision: an integer from 0', fromRevision);
  }
  if (buffer !== undefined && buffer !== Infinity && !isCount(buffer, 1)) {
    throw misuse('buffer', 'an integer from 1, or Infinity', buffer);
  }
  if (fromRevision !== undefined && initial === true) {
    throw new TypeError(
      'fromRevision and initial exclude each other: a watch begins with what was, or with what is',
    );
  }
}

function checkFlag(name: string, flag: unknown): void {
  if (flag !== undefined && typeof flag !== 'boolean') throw misuse(name, 'a boolean', flag);
}

function isCount(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}
