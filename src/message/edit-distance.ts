/**
 * How many characters to insert, delete or replace to get from `a` to `b`; any number above `limit`
 * when there are more, which is known early.
 *
 * Wagner & Fischer, "The String-to-String Correction Problem" (1974), one row at a time.
 */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let line = 1; line <= a.length; line++) {
    row = nextRow(row, a.charCodeAt(line - 1), b, line, limit);
    // Distances never shrink on the way down: when the whole row is too far, so is the end.
    if (Math.min(...row) > limit) return limit + 1;
  }
  return row[b.length] ?? 0;
}

/** The candidate that a mistyped name may have meant: at most 3 typos away, and one in 3 letters. */
export function nearestOf(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let limit = Math.min(3, Math.floor(name.length / 3));
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate, limit);
    if (distance > limit || (best !== undefined && distance === limit)) continue;
    best = candidate;
    limit = distance;
  }
  return best;
}

/** Columns further than `limit` from the diagonal are too far whatever they hold: not looked at. */
function nextRow(
  above: readonly number[],
  char: number,
  b: string,
  line: number,
  limit: number,
): number[] {
  const row = new Array<number>(b.length + 1).fill(limit + 1);
  if (line <= limit) row[0] = line;
  const last = Math.min(b.length, line + limit);
  for (let column = Math.max(1, line - limit); column <= last; column++) {
    const replace = at(above, column - 1) + (char === b.charCodeAt(column - 1) ? 0 : 1);
    const insertOrDelete = Math.min(at(above, column), at(row, column - 1)) + 1;
    row[column] = Math.min(replace, insertOrDelete);
  }
  return row;
}

function at(row: readonly number[], column: number): number {
  return row[column] as number;
}
