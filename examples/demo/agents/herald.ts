import type { Agent } from 'tellask';
import type { Desk } from '../desk.ts';

/** Tells everybody that a report is there. */
export function makeHerald(agent: Agent<Desk>): void {
  agent.serve('report.announce', ({ payload }, context) => {
    context.publish('report.announced', payload);
    return true;
  });
}
