import {
  type AgentInfo,
  type BusInspection,
  MessageBus,
  type MetricsSnapshot,
  type RecordedMessage,
} from 'tellask';
import { scoutFolder, type Tally, tellOfPage } from './agents/scout.ts';
import { type Desk, desk } from './desk.ts';
import { type FailedFile, listFailed, redriveFailed } from './failed-files.ts';
import type { Progress } from './progress.ts';
import type { Audit } from './report.ts';
import { hire, type Staff, type StaffOptions } from './staff.ts';
import { makeTrouble, type Trouble } from './trouble.ts';
import { type Incident, watch } from './watch.ts';
import { pickWay } from './way.ts';

/** Options of {@link runDesk}. */
export interface DeskOptions extends Partial<StaffOptions> {
  /** The folder to audit. */
  readonly root: string;
  /** What the reader of the report knows the folder as. */
  readonly title: string;
  readonly progress: Progress;
}

/** What came of a run. */
export interface DeskRun {
  readonly audit: Audit;
  /** Tries to have a page read that failed and were made again. */
  readonly incidents: readonly Incident[];
  /** Files that nobody could read at first, those that were made to fail among them. */
  readonly failed: readonly FailedFile[];
  /** Paths of those that could be read after all. */
  readonly recovered: readonly string[];
  /** The messages about one file. */
  readonly way: readonly RecordedMessage[];
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
  const trouble = await makeTrouble(options.root);
  const bus = new MessageBus({ contract: desk, graceMs: 500 });
  try {
    return await work(bus, trouble, options);
  } finally {
    options.progress.finish();
    await bus.close({ mode: 'abort' });
    await trouble.clear();
  }
}

async function work(
  bus: MessageBus<Desk>,
  trouble: Trouble,
  options: DeskOptions,
): Promise<DeskRun> {
  const beganAt = performance.now();
  const staff = hire(bus, { readMs: 1_000, hangAt: 3, leaveAt: 10, ...options });
  const { recorder, incidents } = watch(bus, options.progress);
  const tally = await scoutFolder(staff.scout, options.root);
  for (const path of trouble.paths) await tellOfPage(staff.scout, path);
  await bus.drain({ timeoutMs: Infinity });

  const failed = listFailed(bus);
  await trouble.bringBack();
  await redriveFailed(bus);

  const unread = listFailed(bus);
  return {
    audit: auditOf(options.title, tally, staff, withoutTrouble(unread, trouble)),
    incidents,
    failed,
    recovered: failed.map(({ path }) => path).filter((path) => !has(unread, path)),
    way: pickWay(recorder.entries()),
    books: bus.inspect(),
    metrics: bus.metrics(),
    agents: bus.agents(),
    seconds: (performance.now() - beganAt) / 1_000,
  };
}

function auditOf(
  title: string,
  tally: Tally,
  { notes }: Staff,
  unread: readonly FailedFile[],
): Audit {
  const heard = notes();
  const files = unread.map(({ path, why }) => ({ path, reason: why }));
  return { title, ...tally, ...heard, unread: [...heard.unread, ...files] };
}

/** What the demo broke itself is nothing that a reader of the report should mend. */
function withoutTrouble(files: readonly FailedFile[], { paths }: Trouble): FailedFile[] {
  return files.filter(({ path }) => !paths.includes(path));
}

function has(files: readonly FailedFile[], path: string): boolean {
  return files.some((file) => file.path === path);
}
