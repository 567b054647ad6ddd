import { createRequire } from 'node:module';
import type Micromatch from 'micromatch';

/** The most alternatives that the braces of a pattern may make. */
export const MAX_ALTERNATIVES = 256;

const RANGE =
  /^\{(?:(-?\d{1,9})\.\.(-?\d{1,9})|([a-z])\.\.([a-z])|([A-Z])\.\.([A-Z]))(?:\.\.(-?\d{1,9}))?\}/;

/** A brace range as it stands in a pattern, such as `{1..3}`, `{01..10}` or `{a..e..2}`. */
export interface BraceRange {
  readonly text: string;
  /** How many alternatives it makes, known before any is made. */
  readonly count: number;
}

/** Reads the brace range at the start of `text`, if there is one. */
export function readRange(text: string): BraceRange | undefined {
  const found = RANGE.exec(text);
  if (found === null) return undefined;
  const [low, high] = [found[1] ?? found[3] ?? found[5], found[2] ?? found[4] ?? found[6]];
  const step = Math.abs(Number(found[7] ?? 1)) || 1;
  const span = Math.abs(ordinal(high as string) - ordinal(low as string));
  return { text: found[0], count: Math.floor(span / step) + 1 };
}

function ordinal(end: string): number {
  return /[a-z]/i.test(end) ? end.charCodeAt(0) : Number(end);
}

/** Makes the alternatives of a range. Padding, steps and direction are micromatch's. */
export function expandRange(range: BraceRange): readonly string[] {
  return micromatch().braces(range.text, { expand: true });
}

/** Few patterns hold a range, and loading micromatch is a third of the whole import: it waits. */
function micromatch(): typeof Micromatch {
  return createRequire(import.meta.url)('micromatch') as typeof Micromatch;
}
