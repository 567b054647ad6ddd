import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AgentInfo,
  type BusInspection,
  MessageBus,
  type MetricsSnapshot,
  StateManager,
  toMermaid,
} from 'tellask';
import { findFiles, tellOfFolder } from './agents/scout.ts';
import { auditOf } from './audit.ts';
import { type Desk, desk } from './desk.ts';
import { type FailedFile, listFailed, redriveFailed } from './failed-files.ts';
import { nameOf } from './path-name.ts';
import type { Progress } from './progress.ts';
import { type FailingStep, type Published, publish } from './publish.ts';
import type { Replaced } from './readers.ts';
import { type Readings, readAll } from './readings.ts';
import type { Audit } from './report.ts';
import { closeBook, draft, openBook, type ReportBook } from './report-book.ts';
import type { Shielded } from './shield.ts';
import { hire, type StaffOptions } from './staff.ts';
import { makeTrouble, type Trouble } from './trouble.ts';
import type { Found } from './walk.ts';
import { type Incident, watch } from './watch.ts';
import { pickWay, type Way } from './way.ts';

/** A report names every finding, of which a large folder has thousands. */
const MAX_REPORT_BYTES = 16 * 1024 * 1024;

/** Options of {@link runDesk}. */
export interface DeskOptions extends StaffOptions {
  /** What the reader of the report knows the folder as. */
  readonly title: string;
  readonly progress: Progress;
  /** How many words the report may have. */
  readonly words: number;
  /** The step of the publishing that is made to fail. */
  readonly fail?: FailingStep | undefined;
  /** Shows a line of the report as soon as it is written. */
  readonly show: (line: string) => void;
}

/** What came of a run. */
export interface DeskRun {
  readonly audit: Audit;
  readonly published: Published;
  /** Who wrote what of the report when, and how good each stage was. */
  readonly book: ReportBook;
  /** How the tasks stand. */
  readonly readings: Readings;
  /** Which readers came for others that left. */
  readonly replaced: readonly Replaced[];
  /** Tries to have a page read that failed and were made again. */
  readonly incidents: readonly Incident[];
  /** Files that nobody could read at first, those that were made to fail among them. */
  readonly failed: readonly FailedFile[];
  /** Paths of those that could be read after all. */
  readonly recovered: readonly string[];
  /** Paths of the files that the demo made to fail. */
  readonly made: readonly string[];
  /** The checker that failed on some pages. */
  readonly shielded: Shielded;
  /** One file, and all that was said about it. */
  readonly way: Way | undefined;
  readonly books: BusInspection;
  readonly metrics: MetricsSnapshot;
  readonly agents: readonly AgentInfo[];
  readonly seconds: number;
}

/**
 * Audits a folder of Markdown.
 *
 * @throws Error when the folder is missing or holds no Markdown.
 */
export async function runDesk(options: DeskOptions): Promise<DeskRun> {
  const files = await findFiles(options.root);
  const trouble = await makeTrouble(options.root);
  const state = new StateManager({ maxValueBytes: MAX_REPORT_BYTES });
  const bus = new MessageBus({ contract: desk, graceMs: 500, state });
  try {
    openBook(bus, options.title);
    const work = await audit(bus, files, trouble, options).finally(() => options.progress.finish());
    await draft(bus, work.audit);
    const job = { audit: work.audit, diagram: draw(work.way) };
    const published = await publish(bus, job, options);
    await keepDrawing(options.out, published);
    const book = closeBook(bus, published);
    const [books, metrics, agents] = [bus.inspect(), bus.metrics(), bus.agents()];
    return { ...work, published, book, books, metrics, agents };
  } finally {
    await bus.close({ mode: 'abort' });
    await trouble.clear();
  }
}

async function audit(
  bus: MessageBus<Desk>,
  files: readonly Found[],
  trouble: Trouble,
  options: DeskOptions,
): Promise<Omit<DeskRun, 'published' | 'book' | 'books' | 'metrics' | 'agents'>> {
  const beganAt = performance.now();
  const staff = hire(bus, options);
  const all = [...files, ...trouble.paths.map((path): Found => ({ kind: 'page', path }))];
  const readable = all.filter((found) => found.kind !== 'unreadable');
  const hidden = files.filter((found) => found.kind === 'unreadable');
  const { recorder, incidents } = watch(bus, all.length, options.progress);
  for (const folder of hidden) tellOfFolder(staff.scout, folder);
  const readings = await readAll(bus, staff, readable);
  await bus.drain({ timeoutMs: Infinity });

  const failed = listFailed(bus);
  await trouble.bringBack();
  await redriveFailed(bus);

  const unread = listFailed(bus);
  // What the demo broke itself is nothing that a reader of the report should mend.
  const toMend = unread.filter(({ path }) => !trouble.paths.includes(path));
  return {
    audit: auditOf(options.title, files, staff.notes(), toMend),
    readings,
    replaced: staff.replaced(),
    incidents,
    failed,
    recovered: pathsOf(failed).filter((path) => !pathsOf(unread).includes(path)),
    made: trouble.paths,
    shielded: staff.shielded(),
    way: pickWay(recorder.entries(), trouble.paths.map(nameOf)),
    seconds: (performance.now() - beganAt) / 1_000,
  };
}

/** Nothing at all is written when it was not allowed to overwrite. */
async function keepDrawing(folder: string, { status, publishing }: Published): Promise<void> {
  if (status === 'kept') return;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'publishing.mmd'), publishing.drawing);
}

function draw(way: Way | undefined): string {
  return toMermaid(way?.messages ?? [], { title: way?.name ?? 'no file' });
}

function pathsOf(files: readonly FailedFile[]): string[] {
  return files.map(({ path }) => path);
}
