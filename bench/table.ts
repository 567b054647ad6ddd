import type { Result } from './measure.ts';
import type { Row, Unit } from './row.ts';
import { medianOf, type ResultsOfRow, type Verdict } from './verdict.ts';

/** Three significant digits, whole numbers above that. */
function digits(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

function lineOf(name: string, result: Result, unit: Unit, own: number | undefined): string {
  const label = `  ${name.padEnd(18)}`;
  if ('error' in result) return `${label}  -  ${result.error}`;
  const median = `${digits(result.median)} ${unit}`.padStart(18);
  const spread = `${digits(result.low)} .. ${digits(result.high)}`.padStart(26);
  const ratio = own === undefined ? '' : `${(own / result.median).toFixed(2)} x`.padStart(10);
  return `${label}${median}${spread}${ratio}${result.note === undefined ? '' : `  ${result.note}`}`;
}

/** One row as text: a line for each contender, the last column being tellask / contender. */
export function tableOf(row: Row, results: ResultsOfRow): string {
  const own = medianOf(results, 'tellask');
  const lines = Object.entries(results).map(([name, result]) =>
    lineOf(name, result, row.unit, own),
  );
  return [`${row.name}: ${row.title}`, ...lines].join('\n');
}

/** One verdict as text: `ok`, `MISSED`, or `open` when a side was not measured. */
export function verdictLine(row: Row, { goal, atMost, value, reached }: Verdict): string {
  const mark = reached === undefined ? 'open' : reached ? 'ok' : 'MISSED';
  const reach = `${value === undefined ? '-' : digits(value)} (reach ${atMost})`;
  return `  ${mark.padEnd(7)}${row.name.padEnd(26)}${reach.padEnd(26)}${goal}`;
}
