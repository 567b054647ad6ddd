import type { StateVersion } from '../../src/state/entry.ts';
import type { StateManager } from '../../src/state/state-manager.ts';
import type { StateWatch } from '../../src/state/watcher.ts';
import type { WatchOptions } from '../../src/state/watchers.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';

/** A state under test, and how to let things happen. */
export interface WatchedWorld {
  readonly state: StateManager;
  settle(): Promise<void>;
  /** Lets time pass; undefined where it passes by itself, and then nothing expires here. */
  readonly advance: ((ms: number) => Promise<void>) | undefined;
}

const KEYS = ['a', 'b', 'c'];
const MATCHES: Readonly<Record<string, readonly string[]>> = {
  '**': KEYS,
  '{a,b}': ['a', 'b'],
  c: ['c'],
};

interface Told {
  readonly key: string;
  readonly version: number;
  readonly revision: number;
}

/** Everything that was written, found in the histories after each step: one version a key at most. */
class Written {
  readonly all: Told[] = [];
  readonly #versions = new Map<string, number>();

  look(state: StateManager): void {
    const found: Told[] = [];
    for (const key of KEYS) {
      const newest = state.history(key).at(-1);
      if (newest === undefined || newest.version === this.#versions.get(key)) continue;
      this.#versions.set(key, newest.version);
      found.push({ key, version: newest.version, revision: newest.revision });
    }
    this.all.push(...found.sort((one, other) => one.revision - other.revision));
  }
}

/** Reads at times; goes on where it was after a pause, an overflow or a gap. */
class Reader {
  readonly wrong: string[] = [];
  readonly seen: Told[] = [];
  readonly gaps: { readonly from: number; readonly to: number }[] = [];
  readonly pattern: string;
  readonly start: number;
  readonly latest: boolean;
  readonly #state: StateManager;
  readonly #written: Written;
  readonly #options: WatchOptions;
  #watch: StateWatch;
  #asked = false;

  constructor(state: StateManager, written: Written, pattern: string, options: WatchOptions) {
    this.#state = state;
    this.#written = written;
    this.#options = options;
    this.pattern = pattern;
    this.latest = options.latest === true;
    this.start = state.metrics().revision + 1;
    this.#watch = state.watch(pattern, options);
  }

  get waits(): boolean {
    return this.#asked;
  }

  ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    const watch = this.#watch;
    watch.next().then(
      ({ value }) => this.#told(watch, value),
      (error) => this.#failed(error),
    );
  }

  async leave(): Promise<void> {
    // What was handed over already is read.
    for (let turn = 0; turn < 3; turn++) await Promise.resolve();
    const left = this.#watch;
    const ended = left.return();
    this.#asked = false;
    this.#resume(left.resumeFrom);
    await ended;
  }

  #told(watch: StateWatch, value: StateVersion | undefined): void {
    if (watch !== this.#watch) return;
    this.#asked = false;
    if (value === undefined) {
      this.wrong.push('the end came unasked');
      return;
    }
    const { key, version, revision } = value;
    if (revision < (this.seen.at(-1)?.revision ?? 0)) this.wrong.push(`${revision} came too late`);
    this.seen.push({ key, version, revision });
  }

  #failed(error: { readonly code?: string; readonly resumeFrom?: number }): void {
    this.#asked = false;
    if (error.code === 'TELLASK_STATE_OVERFLOW') this.#resume(error.resumeFrom as number);
    else this.wrong.push(String(error));
  }

  #resume(fromRevision: number): void {
    // A commit that was left in its middle is seen whole again.
    while ((this.seen.at(-1)?.revision ?? 0) >= fromRevision) {
      if (this.seen.pop()?.revision !== fromRevision) this.wrong.push('it goes back too far');
    }
    try {
      this.#watch = this.#state.watch(this.pattern, { ...this.#options, fromRevision });
    } catch (error) {
      this.#skip(fromRevision, error as { code?: string; oldestRevision: number });
    }
  }

  #skip(
    from: number,
    { code, oldestRevision: to }: { code?: string; oldestRevision: number },
  ): void {
    const isKept = ({ key, version }: Told): boolean =>
      this.#state.history(key).some((one) => one.version === version);
    const lost = this.#written.all.filter(({ revision }) => revision === to - 1);
    if (code !== 'TELLASK_STATE_GAP' || lost.every(isKept) || to <= from) {
      this.wrong.push(`there is no gap from ${from} to ${to}: ${code}`);
    }
    this.gaps.push({ from, to });
    this.#watch = this.#state.watch(this.pattern, { ...this.#options, fromRevision: to });
  }

  /** What it should have been told, and was not, or the other way round. */
  verdict(): string | undefined {
    if (this.wrong.length > 0) return this.wrong.join('; ');
    const mine = this.#written.all.filter(
      ({ key, revision }) => MATCHES[this.pattern]?.includes(key) && revision >= this.start,
    );
    if (this.latest) return difference(newest(mine), newest(this.seen));
    const isLost = ({ revision }: Told) =>
      this.gaps.some(({ from, to }) => revision >= from && revision < to);
    return difference(
      mine.filter((one) => !isLost(one)),
      this.seen,
    );
  }
}

function newest(told: readonly Told[]): Told[] {
  return [...new Map(told.map((one) => [one.key, one])).values()];
}

function difference(expected: readonly Told[], got: readonly Told[]): string | undefined {
  const texts = [expected, got].map((list) => {
    const lines = list.map(({ key, version, revision }) => `${revision}:${key}@${version}`);
    return lines.sort().join(' ');
  });
  return texts[0] === texts[1] ? undefined : `written: ${texts[0]}; seen: ${texts[1]}`;
}

/** Writes, reads, pauses and trims at random; says what a reader has missed, or seen twice. */
export async function tryWatches(world: WatchedWorld, seed: number): Promise<string | undefined> {
  const random = seededRandom(seed);
  const below = (most: number): number => Math.floor(random() * most);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const { state } = world;
  const written = new Written();
  const makeReader = (): Reader => {
    const options = { buffer: 1 + below(4), latest: random() < 0.3 };
    return new Reader(state, written, pick(Object.keys(MATCHES)), options);
  };
  const ends = (wanted: boolean, ttlMs: number) =>
    wanted && world.advance !== undefined ? { ttlMs } : {};
  const readers = [makeReader()];
  for (let step = 0; step < 60; step++) {
    const dice = random();
    if (dice < 0.4) state.set(pick(KEYS), step, ends(random() < 0.3, 1 + below(5)));
    else if (dice < 0.45) state.delete(pick(KEYS));
    else if (dice < 0.55) await writeTwo(world, step);
    else if (dice < 0.8) pick(readers).ask();
    else if (dice < 0.9) await world.settle();
    else if (dice < 0.94) await world.advance?.(1 + below(3));
    else if (dice < 0.97) await pick(readers).leave();
    else if (readers.length < 4) readers.push(makeReader());
    written.look(state);
  }
  for (const reader of readers) await readToTheEnd(reader, world);
  const verdicts = readers.map((reader) => reader.verdict());
  await state.close();
  return verdicts.find((verdict) => verdict !== undefined);
}

/** Two keys in one commit. */
async function writeTwo({ state, settle }: WatchedWorld, value: number): Promise<void> {
  const done = state.transaction((tx) => {
    tx.set('a', value);
    tx.set('c', value);
  });
  await settle();
  await done;
}

async function readToTheEnd(reader: Reader, world: WatchedWorld): Promise<void> {
  for (let left = 500; left > 0; left--) {
    reader.ask();
    await world.settle();
    if (reader.waits) return;
  }
}
