import type { Agent, Later } from '../../../src/index.ts';

/** Answers `sleep` after so many milliseconds of the bus's own time. */
export function makeClock(agent: Agent): void {
  const sleepers = new Map<string, Later>();
  agent.serve('sleep', (request, context) => {
    const later = context.defer();
    sleepers.set(request.id, later);
    context.publish('clock.rings', request.id, { delayMs: Number(request.payload) });
    return later;
  });
  const wake = ({ payload }: { readonly payload: unknown }): void => {
    sleepers.get(String(payload))?.answer('awake');
    sleepers.delete(String(payload));
  };
  agent.subscribe('clock.rings', wake, { echo: true });
}
