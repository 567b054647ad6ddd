import { onAbort } from '../kernel/abort.ts';
import { Deferred } from '../kernel/deferred.ts';
import type { Env, Lane } from '../kernel/env.ts';
import type { Pattern } from '../message/pattern.ts';
import type { Routable } from '../routing/pattern-index.ts';
import type { KeptVersion, StateVersion } from './entry.ts';
import { StateOverflowError } from './errors.ts';
import type { Backlog } from './watch-backlog.ts';
import type { Viewer } from './watchers.ts';

/**
 * What `watch` gives: versions in order of revision, until the loop is left, the signal aborts or
 * the state is closed. Versions of one commit have the same revision and come behind each other.
 */
export interface StateWatch<V = unknown> extends AsyncIterableIterator<StateVersion<V>, undefined> {
  /** The revision of the state when the watch began: what is above it was written since. */
  readonly startRevision: number;
  /**
   * The `fromRevision` of a watch that goes on where this one is, or was left. In the middle of a
   * commit of several keys it is the revision of that commit, which is then seen whole again.
   */
  readonly resumeFrom: number;
  /** The next version; rejects with what ended it, when that was an error. */
  next(): Promise<IteratorResult<StateVersion<V>, undefined>>;
  /** Leaves, as `break` does. */
  return(): Promise<IteratorResult<StateVersion<V>, undefined>>;
  /** Leaves, and rejects with the error. */
  throw(error: unknown): Promise<IteratorResult<StateVersion<V>, undefined>>;
  /** Itself. */
  [Symbol.asyncIterator](): this;
  /** Leaves at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a watcher needs of the state. */
export interface WatcherHome {
  readonly env: Env;
  /** The number of the last commit. */
  readonly revision: number;
  /** The watcher wants to hear no more. */
  leave(watcher: Watcher, overflowed: boolean): void;
}

/** Who watches what. */
export interface WatcherParts {
  readonly home: WatcherHome;
  readonly order: number;
  readonly pattern: Pattern;
  readonly buffer: number;
  readonly backlog: Backlog;
  readonly viewer: Viewer;
}

/**
 * So many versions are read in a row without a turn of their own: who writes what he watches would
 * else keep everything else waiting for ever, time-outs included.
 */
const MOST_IN_A_RUSH = 256;

type Result = IteratorResult<StateVersion, undefined>;

/** How it ends: with an error, or without. */
type Ending = { readonly error: unknown } | 'done';

const OVER: Result = { done: true, value: undefined };

/** One watch: commits fill its backlog, and its reader empties it. Who writes never waits. */
export class Watcher implements StateWatch, Routable {
  readonly order: number;
  readonly pattern: Pattern;
  readonly startRevision: number;
  readonly viewer: Viewer;
  readonly #home: WatcherHome;
  readonly #buffer: number;
  readonly #backlog: Backlog;
  /** Calls of `next` that wait. */
  #readers: Deferred<Result>[] = [];
  /** Set when no more comes; taken by the reader when it has read the rest. */
  #ending: Ending | undefined;
  /** The first revision that the backlog has nothing of, once no more comes. */
  #endRevision = 0;
  #ended = false;
  /** How many were read since the last turn. */
  #rush = 0;
  /** On the simulated Env, and behind a rush, what waits is woken in a step of its own. */
  #lane: Lane | undefined;
  #stopListening: (() => void) | undefined;

  constructor({ home, order, pattern, buffer, backlog, viewer }: WatcherParts) {
    this.order = order;
    this.pattern = pattern;
    this.startRevision = home.revision;
    this.#home = home;
    this.#buffer = buffer;
    this.#backlog = backlog;
    this.viewer = viewer;
  }

  get resumeFrom(): number {
    const { first } = this.#backlog;
    if (first !== undefined) return first.revision;
    return this.#ended ? this.#endRevision : this.#home.revision + 1;
  }

  /** Ends with the reason of the signal. */
  heed(signal: AbortSignal): void {
    this.#stopListening = onAbort(signal, (reason) => this.fail(reason));
    if (this.#ended) this.#stopListening();
  }

  /** Ends with an error, and drops what is unread. */
  fail(error: unknown): void {
    this.#abort({ error });
  }

  /** Takes in what one commit has for it: all of it or, when there is no room, nothing. */
  offer(versions: readonly KeptVersion[]): void {
    const seen = versions.filter(({ key }) => this.viewer.sees(key));
    const [first] = seen;
    if (first === undefined) return;
    if (this.#backlog.hasRoomFor(seen)) {
      for (const version of seen) this.#backlog.add(version);
      this.#wake();
    } else {
      this.#overflow(first.revision);
    }
  }

  /** No more comes; what is unread can still be read. */
  end(): void {
    this.#end('done', this.#home.revision + 1, false);
  }

  next(): Promise<Result> {
    if (this.#readers.length === 0 && this.#rush < MOST_IN_A_RUSH) {
      const value = this.#take();
      this.#rush++;
      // Nearly all that is read in a rush is there already, and needs nothing to wait with.
      if (value !== undefined) return Promise.resolve({ done: false, value });
    }
    const reader = new Deferred<Result>();
    if (this.#readers.length === 0 && this.#ended) this.#give(reader);
    else this.#wait(reader);
    return reader.promise;
  }

  #wait(reader: Deferred<Result>): void {
    this.#readers.push(reader);
    if (this.#backlog.size > 0) this.#wake();
  }

  async return(): Promise<Result> {
    this.#abort('done');
    this.#ending = undefined;
    return OVER;
  }

  async throw(error: unknown): Promise<Result> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #overflow(revision: number): void {
    const { source } = this.pattern;
    const error = new StateOverflowError(source, this.#buffer, revision);
    this.#end({ error }, revision, true);
  }

  /** Ends it, and drops what is unread. */
  #abort(ending: Ending): void {
    const { resumeFrom } = this;
    this.#backlog.clear();
    this.#end(ending, resumeFrom, false);
    this.#endRevision = resumeFrom;
  }

  #end(ending: Ending, endRevision: number, overflowed: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ending = ending;
    this.#endRevision = endRevision;
    this.#stopListening?.();
    this.#home.leave(this, overflowed);
    this.#wake();
  }

  get #readable(): boolean {
    return this.#ended || this.#backlog.size > 0;
  }

  #wake(): void {
    if (this.#readers.length === 0) return;
    const { env } = this.#home;
    if (env.direct && this.#rush < MOST_IN_A_RUSH) while (this.#serve()) this.#rush++;
    else {
      this.#lane ??= this.#makeLane();
      env.post(this.#lane);
    }
  }

  #makeLane(): Lane {
    const serve = (): void => {
      this.#rush = 0;
      if (this.#serve()) this.#wake();
    };
    const { order } = this;
    const label = `watch of ${this.pattern.source}`;
    return { kind: 'state', label, order, posted: false, run: serve };
  }

  /** Serves the reader that waits longest; tells whether there was something for one. */
  #serve(): boolean {
    if (!this.#readable) return false;
    const reader = this.#readers.shift();
    if (reader !== undefined) this.#give(reader);
    return reader !== undefined;
  }

  /** What may still be seen: the rules may have changed since it was written. */
  #take(): KeptVersion | undefined {
    for (;;) {
      const value = this.#backlog.take();
      if (value === undefined || this.viewer.sees(value.key)) return value;
    }
  }

  #give(reader: Deferred<Result>): void {
    const value = this.#take();
    const ending = this.#ending;
    if (value !== undefined) {
      reader.resolve({ done: false, value });
      return;
    }
    if (!this.#ended) {
      this.#readers.unshift(reader);
      return;
    }
    this.#ending = undefined;
    if (ending === undefined || ending === 'done') {
      reader.resolve(OVER);
      return;
    }
    reader.reject(ending.error);
    // Who has asked may no longer be there to hear it.
    reader.promise.catch(() => {});
  }
}
