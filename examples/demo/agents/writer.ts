import { type Agent, BudgetExhaustedError } from 'tellask';
import type { Desk } from '../desk.ts';
import { type Audit, countWords, linesOf } from '../report.ts';
import type { Review } from '../review.ts';

/** What the writer has heard so far. */
export type Notes = Pick<Audit, 'findings' | 'disputed' | 'withdrawn' | 'unread'>;

/** How far a report came whose budget was used up. */
export interface HowFar {
  readonly written: number;
  readonly lines: number;
}

/** Collects what the others say, gives its notes when it is asked for them, and writes. */
export function makeWriter(agent: Agent<Desk>): () => Notes {
  serveReport(agent);
  const reviews: Review[] = [];
  const unread: { path: string; reason: string }[] = [];
  agent.subscribe('page.{path}.reviewed', (message) => {
    reviews.push(...message.payload.reviews);
  });
  agent.subscribe('folder.{path}.unreadable', (message) => {
    unread.push(message.payload);
  });
  const ended = (outcome: Review['outcome']) =>
    reviews.filter((found) => found.outcome === outcome).map((found) => found.finding);
  return () => ({
    findings: ended('agreed'),
    disputed: ended('disputed'),
    withdrawn: ended('withdrawn').length,
    unread,
  });
}

/** Writes line by line and pays for each before it is said: a word is a token of the budget. */
function serveReport(agent: Agent<Desk>): void {
  agent.serve('report.write', function* ({ payload }, context) {
    const lines = linesOf(payload);
    for (const [written, line] of lines.entries()) {
      try {
        context.spend({ tokens: countWords(line) });
      } catch (error) {
        if (!(error instanceof BudgetExhaustedError)) throw error;
        throw error.withPartial({ written, lines: lines.length } satisfies HowFar);
      }
      yield line;
    }
    return lines.length;
  });
}
