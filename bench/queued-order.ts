import type { Queued } from './contender.ts';

/** Greatest priority first, oldest ticket first inside: what every queue here promises. */
export function byPriorityAndAge(a: Queued, b: Queued): number {
  return b.priority - a.priority || a.ticket - b.ticket;
}
