import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import type { Contender } from './contender.ts';
import type { Effort } from './measure.ts';
import type { Row } from './row.ts';
import type { ResultsByRow, ResultsOfRow, Verdict } from './verdict.ts';

/** One row as it is kept, with the circumstances of its run. */
interface SavedRow {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly date: string;
  readonly node: string;
  readonly cpus: number;
  /** Processes that wanted a processor in the last minute, the benchmark's own among them. */
  readonly load?: number;
  readonly effort: Effort;
  readonly results: ResultsOfRow;
  readonly verdicts: readonly Verdict[];
}

interface Saved {
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly SavedRow[];
}

const file = new URL('results.json', import.meta.url);

function versionIn(path: string): string | undefined {
  const manifest = new URL(path, import.meta.url);
  if (!existsSync(manifest)) return undefined;
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

/** The version of every contender's package, and of tellask. */
function versionsOf(contenders: readonly Contender[]): Record<string, string> {
  const versions: Record<string, string> = { tellask: versionIn('../package.json') ?? 'unknown' };
  for (const { package: name } of contenders) {
    const version = name && versionIn(`node_modules/${name}/package.json`);
    if (name && version) versions[name] = version;
  }
  return versions;
}

function read(): Saved {
  if (!existsSync(file)) return { versions: {}, rows: [] };
  return JSON.parse(readFileSync(file, 'utf8')) as Saved;
}

/** What earlier runs measured: goals that look at another row need it. */
export function earlierResults(): Map<string, ResultsOfRow> {
  return new Map(read().rows.map((row) => [row.name, row.results]));
}

/** Keeps what was measured now; rows that did not run stay as they were. */
export function save(
  rows: readonly { row: Row; verdicts: readonly Verdict[] }[],
  results: ResultsByRow,
  contenders: readonly Contender[],
  effort: Effort,
): void {
  const [date, node, cpus] = [new Date().toISOString(), process.version, availableParallelism()];
  const load = Math.round((loadavg()[0] ?? 0) * 10) / 10;
  const fresh = rows.map(({ row: { name, title, unit }, verdicts }) => {
    return {
      name,
      title,
      unit,
      date,
      node,
      cpus,
      load,
      effort,
      results: results.get(name) ?? {},
      verdicts,
    };
  });
  const names = new Set(fresh.map((row) => row.name));
  const kept = read().rows.filter((row) => !names.has(row.name));
  const saved: Saved = { versions: versionsOf(contenders), rows: [...kept, ...fresh] };
  writeFileSync(file, `${JSON.stringify(saved, null, 2)}\n`);
}
