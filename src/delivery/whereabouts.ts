import type { Delivery } from './delivery.ts';
import { Worker } from './worker.ts';

/** Says in words where a delivery is, for a time-out that explains itself. */
export function whereabouts(delivery: Delivery | undefined, now: number): string {
  if (delivery === undefined) return 'it has not reached a mailbox';
  const { owner } = delivery.subscription;
  switch (delivery.state) {
    case 'inFlight':
      return `${owner} has been at it for ${seconds(now - (delivery.current?.startedAt ?? now))}`;
    case 'deferred':
      return `${owner} has owed the answer for ${seconds(now - (delivery.flags.deferral?.since ?? now))}`;
    case 'queued':
      return `it is queued with ${owner}${behind(delivery, now)}`;
    case 'waiting':
      return `it waits for a place in the full mailbox of ${owner}`;
    case 'retryWait':
      return `${owner} failed ${delivery.attempts} times and a retry is waiting`;
    default:
      return `it was ${delivery.state}`;
  }
}

function behind({ home }: Delivery, now: number): string {
  const others = Math.max(0, home.mailbox.size - 1);
  const line = others === 0 ? '' : ` among ${others} others`;
  if (!(home instanceof Worker)) return line;
  if (home.status === 'paused') return `${line}; the agent is paused`;
  const attempt = home.busyWith;
  if (attempt === undefined) return line;
  const since = seconds(now - attempt.startedAt);
  return `${line}, behind ${attempt.message.topic}, which has been running for ${since}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
