import { basename } from 'node:path';
import { type ErrorCode, isTellaskError } from 'tellask';
import { FINDING_KINDS } from './finding.ts';
import { drawBars, drawTable } from './picture.ts';
import { withoutControls } from './plain-text.ts';
import { renderBar } from './progress.ts';
import type { Published } from './publish.ts';
import { countKinds } from './report.ts';
import type { DeskRun } from './run-desk.ts';
import { drawWay } from './way.ts';

/** Columns of a bar. */
const WIDTH = 80;

/** What a person wants to know after a run, as text for a terminal. */
export function renderSummary(run: DeskRun): string {
  const { way } = run;
  const sections = [
    section('What was found', findings(run)),
    section('The tasks', tasks(run)),
    section('What went wrong, and what became of it', troubles(run)),
    way === undefined ? '' : section(`The way of ${way.name}`, drawWay(way)),
    section('How the report was published', publishing(run.published)),
    section('The report in the state', book(run)),
    section('Deliveries by outcome', books(run)),
    section('The fullest that a mailbox was', highWater(run)),
    section('From saying to outcome, in milliseconds', latencies(run)),
  ];
  return sections.filter((text) => text !== '').join('\n');
}

const DRAWN = 'How it came out: out/publishing.mmd (Mermaid)';

/** Where the report is, or why it is not all of it. */
export function renderEnd(published: Published): string {
  if (published.status === 'kept') {
    return 'It was not allowed to overwrite: nothing was written, and out is as it was.';
  }
  if (published.status === 'undone') {
    return `Publishing failed and was undone: the report of before is there, if there was one.\n${DRAWN}`;
  }
  const files = [
    'What to mend:    out/report.md',
    'The whole way:   out/traffic.mmd (Mermaid)',
    DRAWN,
  ];
  if (published.status === 'partial') {
    const { written, lines } = published.howFar;
    files.unshift(`The report ends early, ${written} of ${lines} lines.`);
  }
  return files.join('\n');
}

function section(title: string, lines: readonly string[]): string {
  const safe = [title, ...lines.map((line) => `  ${line}`)].map(withoutControls);
  return `${safe.join('\n')}\n`;
}

function findings({ audit }: DeskRun): string[] {
  const kinds = [...countKinds(audit.findings)];
  const read = `Looked at: ${audit.pages} pages, ${audit.packages} packages`;
  const settled = `Findings: ${audit.findings.length} confirmed, ${audit.withdrawn} withdrawn as false, ${audit.disputed.length} disputed`;
  return [read, settled, ...drawBars(kinds.map(([kind, n]) => [FINDING_KINDS[kind].title, n]))];
}

const FOLDERS_SHOWN = 5;

/** How far the tasks are: those of the files, and of the folders that depend on them. */
function tasks({ readings: { completed, failed, folders } }: DeskRun): string[] {
  const shown = folders.slice(0, FOLDERS_SHOWN);
  const rest = folders.length - shown.length;
  return [
    renderBar(completed, completed + failed, 'files were read', WIDTH),
    renderBar(folders.length, folders.length, 'folders are summed up', WIDTH),
    ...shown.map(({ folder, read, files }) => `   ${folder}: ${read} of ${files}`),
    ...(rest > 0 ? [`   and ${rest} more`] : []),
  ];
}

/** A reader that hung, one that left, the files that nobody could read, a budget used up. */
function troubles(run: DeskRun): string[] {
  const { incidents, failed, recovered, made, published, replaced, shielded } = run;
  const files = failed.flatMap(({ path, reason, attempts, why }) => [
    `${made.includes(path) ? basename(path) : path}: dead-lettered(${reason}), tries: ${attempts}`,
    `   ${why}`,
    ...(recovered.includes(path) ? ['   Redriven when its cause was gone, and read.'] : []),
  ]);
  return [
    ...retried('TELLASK_TIMEOUT', incidents),
    ...retried('TELLASK_RESPONDER_LEFT', incidents),
    ...replaced.map(({ left, came, pages }) => `   ${came} came for ${left}: ${pages} pages`),
    ...opened(shielded),
    ...files,
    ...(published.status === 'partial' ? exhausted(published) : []),
  ];
}

function opened({ name, failed, spared, status }: DeskRun['shielded']): string[] {
  if (failed === 0) return [];
  const now = status === 'closed' ? 'it closed again' : `it is ${status} at the end`;
  return [
    `${name} failed on ${failed} pages, its stand-in checked them`,
    ...(spared > 0 ? [`   Its circuit opened, which spared it ${spared} pages; ${now}.`] : []),
  ];
}

/** The saga in one line, and what was undone. */
function publishing({ publishing }: Published): string[] {
  const { done, failed, undone, status } = publishing;
  const steps = [...done.map((step) => `${step} ✓`), ...(failed ? [`${failed.step} ✗`] : [])];
  return [
    `${steps.join(' → ')}: ${status}`,
    ...(failed ? [`   ${failed.why} Undone: ${undone.join(', ') || 'nothing'}.`] : []),
  ];
}

/** How good each stage was, and who wrote which version of the report. */
function book({ book: { history, workflow } }: DeskRun): string[] {
  const { stages = [], qualityScores = {}, active } = workflow ?? {};
  const scores = stages.map((stage) => {
    const score = qualityScores[stage];
    return score === undefined
      ? `${stage} (${active === stage ? 'open' : 'not begun'})`
      : `${stage} ${score.toFixed(2)}`;
  });
  return [
    `Quality: ${scores.join(' → ')}`,
    ...history.map(
      ({ version, action, actor, causationId }) =>
        `version ${version}: ${action} by ${actor}${causationId === undefined ? '' : ', because of a message'}`,
    ),
  ];
}

function exhausted({
  error,
  howFar,
  letters,
}: Extract<Published, { status: 'partial' }>): string[] {
  return [
    ...letters.map(({ topic, reason }) => `${topic}: dead-lettered(${reason})`),
    `   ${error.message}`,
    `   ${howFar.written} of ${howFar.lines} lines were written, and the report says so.`,
  ];
}

function retried(code: ErrorCode, incidents: DeskRun['incidents']): string[] {
  const these = incidents.filter(({ error }) => isTellaskError(error, code));
  const pages = new Set(these.map(({ topic }) => topic)).size;
  const [first] = these;
  if (first === undefined) return [];
  return [(first.error as Error).message, `   Pages that other readers were asked for: ${pages}`];
}

function books({ books, seconds }: DeskRun): string[] {
  const { waiting, queued, inFlight, deferred, retryWait } = books;
  const { handled, deadLettered, expired, cancelled } = books;
  const open = { waiting, queued, inFlight, deferred, retryWait };
  const ended = { handled, deadLettered, expired, cancelled };
  const sum = [...Object.values(open), ...Object.values(ended)].reduce((a, b) => a + b, 0);
  const terms = (counts: object) => Object.entries(counts).map(([name, n]) => `${n} ${name}`);
  return [
    ...drawBars(Object.entries(ended)),
    `${books.admitted} admitted = ${terms(open).join(' + ')}`,
    `   + ${terms(ended).join(' + ')}`,
    sum === books.admitted ? 'The books balance.' : `The books do NOT balance: the sum is ${sum}.`,
    `${books.messages} messages in ${seconds.toFixed(1)} s: ${Math.round(books.messages / seconds)} a second, with ${books.retries} retries`,
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
