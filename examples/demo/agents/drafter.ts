import type { Agent, DocumentState } from 'tellask';
import type { Desk } from '../desk.ts';
import { type Audit, leadOf, linesOf } from '../report.ts';
import { REPORT, type ReportText } from '../report-book.ts';

/** Writes its part into the version that it was sent; what others wrote meanwhile stays. */
function makeDrafter(agent: Agent<Desk>, write: (audit: Audit) => Partial<ReportText>): void {
  agent.subscribe('report.due', ({ payload: { audit, version } }, { state }) => {
    const seen = state.getVersion(REPORT, version).value as DocumentState<ReportText>;
    const content = { ...seen.content, ...write(audit) };
    state.compareAndSet(REPORT, version, { ...seen, content }, { onConflict: 'merge' });
  });
}

/** One writes what is to be mended, line by line, the other one in one sentence. */
export function makeDrafters(writer: Agent<Desk>, chief: Agent<Desk>): void {
  makeDrafter(writer, (audit) => ({ lines: linesOf(audit) }));
  makeDrafter(chief, (audit) => ({ lead: leadOf(audit) }));
}
