import { type Agent, topic } from 'tellask';
import type { Desk } from '../desk.ts';

/** Options of {@link makeEditor}. */
export interface EditorOptions {
  /** How long a reader may take for a page, in milliseconds. */
  readonly readMs: number;
}

/**
 * Has every file read once and hands the page to the checkers. When a reader fails, another one is
 * asked; a file that nobody can read becomes a dead letter of this agent and can be redriven.
 */
export function makeEditor(agent: Agent<Desk>, { readMs }: EditorOptions): void {
  agent.subscribe(
    'file.{path}.found',
    async (message, context) => {
      const page = await context.request('extract', message.payload, { timeoutMs: readMs });
      // Pages are large: the next one is read when the checkers have room for it.
      await context.publish(topic('page.{path}.read', message.params), page).accepted;
    },
    // It waits for the room that its own message gets, so that has to be said at once.
    { retry: { maxAttempts: 5, baseMs: 50 }, outbox: false },
  );
}
