import type { Agent } from 'tellask';
import type { Desk } from '../desk.ts';
import type { Audit } from '../report.ts';
import type { Review } from '../review.ts';

/** What the writer has heard so far. */
export type Notes = Pick<Audit, 'findings' | 'disputed' | 'withdrawn' | 'unread'>;

/** Collects what the others say, and gives its notes when it is asked for them. */
export function makeWriter(agent: Agent<Desk>): () => Notes {
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
