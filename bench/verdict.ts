import type { Result } from './measure.ts';
import type { Goal, Row } from './row.ts';

/** The results of one row, by the name of the contender. */
export type ResultsOfRow = Readonly<Record<string, Result>>;

/** The results of many rows, by the name of the row. */
export type ResultsByRow = ReadonlyMap<string, ResultsOfRow>;

/** A goal and how far tellask came; `value` is undefined when a side was not measured. */
export interface Verdict {
  readonly goal: string;
  readonly atMost: number;
  readonly value: number | undefined;
  readonly reached: boolean | undefined;
}

/** The median of a contender, or undefined when it was not measured. */
export function medianOf(results: ResultsOfRow | undefined, contender: string): number | undefined {
  const result = results?.[contender];
  return result === undefined || 'error' in result ? undefined : result.median;
}

/** What the goal divides by: the best of the peers, tellask in another row, or nothing. */
function baseOf(goal: Goal, row: Row, results: ResultsByRow): number | undefined {
  if (goal.kind === 'limit') return 1;
  if (goal.kind === 'growth') return medianOf(results.get(goal.since), 'tellask');
  const medians = goal.to.map(
    (peer) => medianOf(results.get(row.name), peer) ?? Number.POSITIVE_INFINITY,
  );
  const best = Math.min(...medians);
  return Number.isFinite(best) ? best : undefined;
}

function textOf(goal: Goal, row: Row): string {
  if (goal.kind === 'limit') return `tellask, ${row.unit}`;
  if (goal.kind === 'growth') return `tellask / tellask at ${goal.since}`;
  return `tellask / ${goal.to.length === 1 ? goal.to[0] : `best of ${goal.to.join(', ')}`}`;
}

/** Compares the medians of one row with its goals. */
export function judge(row: Row, results: ResultsByRow): Verdict[] {
  const own = medianOf(results.get(row.name), 'tellask');
  return row.goals.map((goal) => {
    const base = baseOf(goal, row, results);
    const value = own === undefined || base === undefined ? undefined : own / base;
    const reached = value === undefined ? undefined : value <= goal.atMost;
    return { goal: textOf(goal, row), atMost: goal.atMost, value, reached };
  });
}
