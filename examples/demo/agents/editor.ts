import { type Agent, topic } from 'tellask';
import type { Desk } from '../desk.ts';

/**
 * Has every file read once and hands the page to the checkers. A file that nobody can read ends
 * as a dead letter of this agent, so it can be redriven when its cause is gone.
 */
export function makeEditor(agent: Agent<Desk>, options: { readonly readMs: number }): void {
  agent.subscribe('file.{path}.found', async (message, context) => {
    const { path } = message.payload;
    const page = await context.request('extract', { path }, { timeoutMs: options.readMs });
    context.publish(topic('page.{path}.read', { path }), page);
  });
}
