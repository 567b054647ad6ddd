import type { Agent } from 'tellask';
import type { Desk } from '../desk.ts';
import type { Person } from '../person.ts';

// Who has not answered by then has left the desk.
const PATIENCE_MS = 600_000;

/** Has a person decide what may be overwritten. The chief goes on with its mail meanwhile. */
export function makeChief(agent: Agent<Desk>, person: Person): void {
  agent.serve('files.overwrite', ({ payload }, context) =>
    context.defer(
      async (later) => {
        const names = payload.join(' and ');
        later.answer(await person(`Overwrite ${names} of an earlier run?`, later.signal));
      },
      { timeoutMs: PATIENCE_MS },
    ),
  );
}
