import type { RunEntry } from './run-entry.ts';
import { factOf } from './transcript-text.ts';

/** Options of {@link diffRuns}. */
export interface DiffOptions {
  /** Counts as a difference when the same thing happened at another time. @default false */
  readonly times?: boolean;
}

/** What two runs differ in. Lines are those of a transcript, without time and id. */
export interface RunDiff {
  readonly same: boolean;
  /** Where the runs part: the first lines that are not the same; undefined at the end of a run. */
  readonly first:
    | { readonly before: string | undefined; readonly after: string | undefined }
    | undefined;
  /** In the second run alone. */
  readonly added: readonly string[];
  /** In the first run alone. */
  readonly removed: readonly string[];
  /** In both, but not in the same order: the fewest that would have to move. */
  readonly moved: readonly string[];
  /** Messages of both runs that say something else. */
  readonly changed: readonly string[];
  /** In both, at another time: only when `times` counts. */
  readonly retimed: readonly string[];
  /** All of it, to be printed. Empty when the runs are the same. */
  readonly text: string;
}

/** A thing that happened, under a key that it has in every run of the same structure. */
interface Fact {
  readonly key: string;
  readonly line: string;
  readonly entry: RunEntry;
}

/**
 * Compares two runs by their structure: a message is the same in both when the same agent said the
 * same topic because of the same message, whatever its id. Notes are compared as they stand.
 *
 * @example
 * ```ts
 * import { createTestBus, diffRuns } from 'tellask/testing';
 * const run = async (topics: string[]) => {
 *   const t = createTestBus();
 *   t.bus.subscribe('**', () => {});
 *   for (const topic of topics) t.bus.publish(topic, {});
 *   await t.run();
 *   return t.recorded();
 * };
 * const diff = diffRuns(await run(['a', 'b', 'c']), await run(['b', 'c']));
 * diff.removed;
 * // => ['$host -> $host  a  admitted event', '$host -> $host  a  started', '$host -> $host  a  handled']
 * diff.moved; // => []
 * ```
 */
export function diffRuns(
  before: readonly RunEntry[],
  after: readonly RunEntry[],
  options: DiffOptions = {},
): RunDiff {
  const [one, other] = [factsOf(before), factsOf(after)];
  const [ofOne, ofOther] = [byKey(one), byKey(other)];
  const removed = one.filter(({ key }) => !ofOther.has(key));
  const added = other.filter(({ key }) => !ofOne.has(key));
  const both = other.filter(({ key }) => ofOne.has(key));
  const pairs = both.map((fact) => [ofOne.get(fact.key) as Fact, fact] as const);
  const moved = movedOf(one, both);
  const changed = pairs.filter(([a, b]) => saysOther(a.entry, b.entry)).map(([, fact]) => fact);
  const retimed =
    options.times === true ? pairs.filter(([a, b]) => a.entry.atMs !== b.entry.atMs) : [];
  const lists = {
    added: added.map(lineOf),
    removed: removed.map(lineOf),
    moved: moved.map(lineOf),
    changed: changed.map(lineOf),
    retimed: retimed.map(([a, b]) => `${b.line}  (${a.entry.atMs} ms, now ${b.entry.atMs} ms)`),
  };
  const first = firstOf(one, other);
  const same = Object.values(lists).every((lines) => lines.length === 0);
  return { same, first, ...lists, text: same ? '' : textOf(first, lists) };
}

function byKey(facts: readonly Fact[]): ReadonlyMap<string, Fact> {
  return new Map(facts.map((fact) => [fact.key, fact]));
}

/** Keys are made of what led to a thing, and count those that are alike. */
function factsOf(entries: readonly RunEntry[]): Fact[] {
  const names = new Map<string, string>();
  const alike = new Map<string, number>();
  const numbered = (key: string): string => {
    const count = (alike.get(key) ?? 0) + 1;
    alike.set(key, count);
    return `${key}#${count}`;
  };
  return entries.map((entry) => {
    const { what, id, from, topic, type, causedBy } = entry;
    const line = factOf(entry);
    if (what === 'admitted' && id !== undefined) {
      const cause = causedBy === undefined ? '' : (names.get(causedBy) ?? '');
      names.set(id, numbered(JSON.stringify([cause, from, topic, type])));
    }
    const name = id === undefined ? '' : (names.get(id) ?? '');
    return { key: numbered(JSON.stringify([name, line])), line, entry };
  });
}

/** Both runs have them; the longest part that is in the same order stays where it is. */
function movedOf(one: readonly Fact[], both: readonly Fact[]): Fact[] {
  const places = new Map(one.map(({ key }, place) => [key, place]));
  const order = both.map(({ key }) => places.get(key) as number);
  const staying = new Set(longestRising(order));
  return both.filter((_, index) => !staying.has(index));
}

/** Indexes of a longest rising subsequence: Fredman, 1975. */
function longestRising(numbers: readonly number[]): number[] {
  const ends: number[] = [];
  const previous: (number | undefined)[] = [];
  for (const [index, number] of numbers.entries()) {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((numbers[ends[middle] as number] as number) < number) low = middle + 1;
      else high = middle;
    }
    previous[index] = low === 0 ? undefined : ends[low - 1];
    ends[low] = index;
  }
  const rising: number[] = [];
  for (let at = ends.at(-1); at !== undefined; at = previous[at]) rising.push(at);
  return rising.reverse();
}

/** What is marked as altered says nothing about what was said. */
function saysOther(a: RunEntry, b: RunEntry): boolean {
  if (a.what !== 'admitted' || a.altered || b.altered) return false;
  return jsonOf(a.payload) !== jsonOf(b.payload);
}

/** In which order an object has its fields is nobody's business. */
function jsonOf(payload: unknown): string | undefined {
  try {
    return JSON.stringify(payload, (_, value: unknown) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
      return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    });
  } catch {
    return undefined;
  }
}

function firstOf(one: readonly Fact[], other: readonly Fact[]): RunDiff['first'] {
  const length = Math.max(one.length, other.length);
  for (let i = 0; i < length; i++) {
    if (one[i]?.key !== other[i]?.key) return { before: one[i]?.line, after: other[i]?.line };
  }
  return undefined;
}

function lineOf({ line }: Fact): string {
  return line;
}

function textOf(
  first: RunDiff['first'],
  lists: Readonly<Record<'added' | 'removed' | 'moved' | 'changed' | 'retimed', readonly string[]>>,
): string {
  const end = '(the end)';
  const parting =
    first === undefined
      ? []
      : ['The runs part here:', `- ${first.before ?? end}`, `+ ${first.after ?? end}`];
  const parts = Object.entries(lists)
    .filter(([, lines]) => lines.length > 0)
    .flatMap(([name, lines]) => [`${name}:`, ...lines.map((line) => `  ${line}`)]);
  return `${[...parting, ...parts].join('\n')}\n`;
}
