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
    row = nextRow(row, a.charCodeAt(line - 1), b, line);
    // Distances never shrink on the way down: when the whole row is too far, so is the end.
    if (Math.min(...row) > limit) return limit + 1;
  }
  return row[b.length] ?? 0;
}

function nextRow(above: readonly number[], char: number, b: string, line: number): number[] {
  const row = [line];
  for (let column = 1; column <= b.length; column++) {
    const replace = (above[column - 1] ?? 0) + (char === b.charCodeAt(column - 1) ? 0 : 1);
    const insertOrDelete = Math.min(above[column] ?? 0, row[column - 1] ?? 0) + 1;
    row.push(Math.min(replace, insertOrDelete));
  }
  return row;
}
