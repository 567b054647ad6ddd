import { type Agent, topic } from 'tellask';
import type { Desk } from '../desk.ts';
import type { Checker, Library, Page } from '../finding.ts';
import { extract } from '../markdown/extract.ts';

/** Checks every page that was read, and looks again when the verifier objects. */
export function makePageChecker(agent: Agent<Desk>, checker: Checker, library: Library): void {
  agent.subscribe('page.{path}.read', async (message, context) => {
    const findings = await checker.check(message.payload, library);
    context.publish(topic('page.{path}.checked', message.params), {
      checker: checker.name,
      findings,
    });
  });
  serveSecondLook(agent, checker, library);
}

/** Checks every package that was found. */
export function makePackageChecker(agent: Agent<Desk>, checker: Checker, library: Library): void {
  agent.subscribe('package.{path}.found', async (message, context) => {
    const { path } = message.payload;
    const page: Page = { path, text: '', extract: extract('') };
    const findings = await checker.check(page, library);
    context.publish(topic('page.{path}.checked', message.params), {
      checker: checker.name,
      findings,
    });
  });
  serveSecondLook(agent, checker, library);
}

function serveSecondLook(agent: Agent<Desk>, checker: Checker, library: Library): void {
  agent.serve(topic('reconsider.{checker}', { checker: checker.name }), (request) =>
    Promise.all(
      request.payload.map(({ finding, objection }) =>
        checker.reconsider(finding, objection, library),
      ),
    ),
  );
}
