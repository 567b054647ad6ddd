import { MAX_LENGTH } from './alphabet.ts';

/** What one place of a glob takes: a code point, any one, any run, or one of a set. */
export type GlobPart = number | typeof ANY | typeof RUN | CodeSet;

/** One code point. */
export const ANY = -1;
/** Any number of code points. */
export const RUN = -2;

/**
 * Counts the work of all matchers in steps of about 2 ns, one comparison of a character, so that
 * tests can prove what a match costs.
 */
export const meter: { steps: number } = { steps: 0 };

/** A set of code points as sorted ranges, so that a look takes the logarithm of its size. */
export class CodeSet {
  /** What a look costs in steps. */
  readonly cost: number;
  readonly #ranges: readonly (readonly [low: number, high: number])[];
  readonly #negated: boolean;

  constructor(ranges: readonly (readonly [low: number, high: number])[], negated: boolean) {
    this.#ranges = merged(ranges);
    this.#negated = negated;
    this.cost = 4 + Math.ceil(Math.log2(this.#ranges.length + 1));
  }

  has(code: number): boolean {
    meter.steps += this.cost;
    let from = 0;
    let to = this.#ranges.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      const [low, high] = this.#ranges[middle] as readonly [number, number];
      if (code > high) from = middle + 1;
      else if (code < low) to = middle;
      else return !this.#negated;
    }
    return this.#negated;
  }
}

function merged(ranges: readonly (readonly [number, number])[]): [number, number][] {
  const result: [number, number][] = [];
  for (const [low, high] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else result.push([low, high]);
  }
  return result;
}

/**
 * Matches one segment. After a run has matched, what stood before it is never looked at again, so
 * the cost is the length of the segment times the longest piece between two runs, never more (the
 * usual way with wildcards: Krauss, "Matching Wildcards: An Algorithm", 2008).
 */
export function matchGlob(parts: readonly GlobPart[], segment: string): boolean {
  const length = readCodes(segment);
  let part = 0;
  let at = 0;
  let retryPart = -1;
  let retryAt = 0;
  while (at < length) {
    meter.steps += 1;
    if (parts[part] === RUN) {
      retryPart = ++part;
      retryAt = at;
      if (part === parts.length) return true;
    } else if (part < parts.length && takes(parts[part] as GlobPart, codes[at] as number)) {
      part += 1;
      at += 1;
    } else if (retryPart >= 0) {
      meter.steps += 1;
      part = retryPart;
      at = ++retryAt;
    } else return false;
  }
  while (parts[part] === RUN) part += 1;
  return part === parts.length;
}

function takes(part: GlobPart, code: number): boolean {
  return part === code || part === ANY || (typeof part === 'object' && part.has(code));
}

// A topic's segments are matched against many globs in turn: its code points are read once.
const codes = new Uint32Array(MAX_LENGTH);
let readSegment = '';
let readLength = 0;

function readCodes(segment: string): number {
  if (segment === readSegment) return readLength;
  readLength = 0;
  for (const char of segment) codes[readLength++] = char.codePointAt(0) as number;
  readSegment = segment;
  return readLength;
}

/** The most steps that {@link matchGlob} takes for all segments of a topic together. */
export function globSteps(parts: readonly GlobPart[]): number {
  const dearest = Math.max(...parts.map((part) => (typeof part === 'object' ? part.cost + 1 : 1)));
  const piece = longestPiece(parts);
  // Every place once, a new start at every place, and the longest piece in all places it fits in.
  return MAX_LENGTH * (dearest + 1) + (MAX_LENGTH - piece + 1) * piece * dearest + parts.length;
}

/** What stands before the first run is tried in one place only, and counts for nothing here. */
function longestPiece(parts: readonly GlobPart[]): number {
  let longest = 0;
  let start = parts.indexOf(RUN);
  while (start >= 0) {
    const end = parts.indexOf(RUN, start + 1);
    longest = Math.max(longest, (end < 0 ? parts.length : end) - start - 1);
    start = end;
  }
  return longest;
}
