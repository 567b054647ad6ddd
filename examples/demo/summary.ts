import { isTellaskError } from 'tellask';
import { FINDING_KINDS } from './finding.ts';
import { drawBars, drawTable } from './picture.ts';
import { countKinds } from './report.ts';
import type { DeskRun } from './run-desk.ts';
import { drawWay } from './way.ts';

/** What a person wants to know after a run, as text for a terminal. */
export function renderSummary(run: DeskRun): string {
  const parts = [
    ['What was found', ...findings(run)],
    ['What went wrong, and what became of it', ...troubles(run)],
    ['The way of one file', ...drawWay(run.way)],
    ['Messages', ...books(run)],
    ['The fullest that a mailbox was', ...highWater(run)],
    ['From saying to handled, in milliseconds', ...latencies(run)],
  ];
  return parts.map(([title, ...lines]) => section(title ?? '', lines)).join('\n');
}

function section(title: string, lines: readonly string[]): string {
  return `${title}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function findings({ audit }: DeskRun): string[] {
  const kinds = [...countKinds(audit.findings)];
  const read = `${audit.pages} pages and ${audit.packages} packages were looked at.`;
  const settled = `Checker and verifier agree on ${audit.findings.length} findings; ${audit.withdrawn} false ones were withdrawn, ${audit.disputed.length} are disputed.`;
  return [read, settled, ...drawBars(kinds.map(([kind, n]) => [FINDING_KINDS[kind].title, n]))];
}

/** A reader that hung, one that left, and the files that nobody could read. */
function troubles({ incidents, failed, recovered }: DeskRun): string[] {
  const retried = (['TELLASK_TIMEOUT', 'TELLASK_RESPONDER_LEFT'] as const).flatMap((code) => {
    const errors = incidents.map(({ error }) => error).filter((e) => isTellaskError(e, code));
    const [first] = errors;
    if (first === undefined) return [];
    return [`${(first as Error).message}.`, `   ${errors.length} pages were given to others.`];
  });
  const files = failed.flatMap(({ path, reason, attempts, why }) => [
    `${path}: dead-lettered(${reason}) after ${attempts} tries.`,
    `   ${why}${recovered.includes(path) ? ' It was redriven when the cause was gone, and read.' : ''}`,
  ]);
  return [...retried, ...files];
}

function books({ books, seconds }: DeskRun): string[] {
  const { handled, deadLettered, expired, cancelled, retries } = books;
  const { waiting, queued, inFlight, deferred, retryWait } = books;
  const open = { waiting, queued, inFlight, deferred, retryWait };
  const states = { ...open, handled, deadLettered, expired, cancelled };
  const sum = Object.values(states).reduce((a, b) => a + b, 0);
  const terms = Object.entries(states).map(([name, count]) => `${count} ${name}`);
  const rate = Math.round(books.messages / seconds);
  return [
    `${books.messages} messages in ${seconds.toFixed(1)} s, ${rate} a second; ${retries} retries.`,
    `${books.admitted} admitted deliveries = ${terms.join(' + ')}`,
    sum === books.admitted ? 'The books balance.' : `The books do NOT balance: ${sum}.`,
  ];
}

function highWater({ agents }: DeskRun): string[] {
  return drawBars(
    agents
      .filter(({ highWater }) => highWater > 0)
      .map(({ name, highWater, capacity }) => [`${name} (of ${capacity})`, highWater]),
  );
}

function latencies({ metrics }: DeskRun): string[] {
  const ms = (value: number) => value.toFixed(1);
  const rows = metrics.families.map(({ label, latency }) => [
    label,
    String(latency.count),
    ms(latency.p50Ms),
    ms(latency.p90Ms),
    ms(latency.p99Ms),
    ms(latency.maxMs),
  ]);
  return drawTable([['', 'count', 'p50', 'p90', 'p99', 'max'], ...rows]);
}
