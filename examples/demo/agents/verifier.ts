import { type Agent, topic } from 'tellask';
import type { Desk } from '../desk.ts';
import type { Library } from '../finding.ts';
import { review } from '../review.ts';
import { verify } from '../verify/verify.ts';

/** Re-checks every finding, and talks with its checker until the two agree. */
export function makeVerifier(agent: Agent<Desk>, library: Library): void {
  agent.subscribe('page.{path}.checked', async (message, context) => {
    const { checker, findings } = message.payload;
    const reviews = await review(findings, {
      verify: (finding) => verify(finding, library),
      // One request for all of the page: a hundred would each wait in line.
      reconsider: (contested) =>
        context.request(topic('reconsider.{checker}', { checker }), contested),
    });
    context.publish(topic('page.{path}.reviewed', message.params), { reviews });
  });
}
