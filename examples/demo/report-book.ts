import {
  type DocumentState,
  documents,
  type MessageBus,
  type StateVersion,
  type WorkflowState,
  workflows,
} from 'tellask';
import type { Desk } from './desk.ts';
import type { Published } from './publish.ts';
import type { Audit } from './report.ts';

/** The stages of a report. */
export type Stage = 'check' | 'draft' | 'publish';

/** What the report says: one agent writes the lead, another the lines. */
export interface ReportText {
  readonly lead: string;
  readonly lines: readonly string[];
}

/** What the state knows of the report in the end. */
export interface ReportBook {
  readonly history: readonly StateVersion<DocumentState<ReportText>>[];
  readonly workflow: WorkflowState<Stage> | undefined;
}

/** The key of the report, which has only one name in one run. */
export const REPORT = 'document.report';

const ID = 'report';
const EMPTY: ReportText = { lead: '', lines: [] };

/** The report and its workflow, kept in the state of the bus. */
export function openBook({ state }: MessageBus<Desk>, title: string): void {
  documents<ReportText>(state).createDocument(ID, {
    topic: `Documentation audit of ${title}`,
    requirements: ['what to mend first', 'file by file'],
  });
  workflows<Stage>(state).createWorkflow(ID, ['check', 'draft', 'publish']);
  workflows<Stage>(state).startStage(ID, 'check');
}

/** All is checked: how much of what was found was true, and who writes what is told of it. */
export async function draft(bus: MessageBus<Desk>, audit: Audit): Promise<void> {
  const flow = workflows<Stage>(bus.state);
  const { findings, disputed, withdrawn } = audit;
  const found = findings.length + disputed.length + withdrawn;
  const qualityScore = found === 0 ? 1 : findings.length / found;
  flow.completeStage(ID, 'check', { output: { found, withdrawn }, qualityScore });

  flow.startStage(ID, 'draft');
  const { version } = documents<ReportText>(bus.state).updateContent(ID, EMPTY);
  // Both are sent the same version and change it: who comes second merges.
  await bus.publish('report.due', { audit, version }).settled;
  const { content } = documents<ReportText>(bus.state).getDocument(ID)?.value ?? {};
  const parts = [content?.lead !== '', content?.lines.length !== 0];
  const qualityOfDraft = parts.filter(Boolean).length / parts.length;
  flow.completeStage(ID, 'draft', { qualityScore: qualityOfDraft });
  flow.startStage(ID, 'publish');
}

/** How it was published; what was undone leaves the stage open. */
export function closeBook({ state }: MessageBus<Desk>, published: Published): ReportBook {
  const { status } = published;
  documents<ReportText>(state).updateMetadata(ID, { published: status });
  if (status !== 'undone') {
    const { written, lines } = status === 'partial' ? published.howFar : { written: 1, lines: 1 };
    const qualityScore = written / lines;
    workflows<Stage>(state).completeStage(ID, 'publish', { output: status, qualityScore });
  }
  return {
    history: documents<ReportText>(state).history(ID),
    workflow: workflows<Stage>(state).getWorkflow(ID)?.value,
  };
}
