import type { AgentInfo } from '../agents/agent.ts';
import type { SupervisedStatus } from '../agents/supervision.ts';

/**
 * What an agent is doing, from what the bus knows. `idle` has nothing to do; `hung` has a handler
 * that runs on past its time; `unhealthy` fails its probes or is not heard of; `draining` ends what
 * it has while the bus drains; `starting` and `restarting` are between two lives of who is
 * supervised; `gone` has left.
 */
export type PresenceStatus =
  | 'idle'
  | 'busy'
  | 'paused'
  | 'draining'
  | 'hung'
  | 'unhealthy'
  | SupervisedStatus
  | 'gone';

/** What is known of an agent at one instant. Instants are epoch milliseconds. */
export interface Presence {
  readonly agent: string;
  readonly status: PresenceStatus;
  /** Since when, where that is known: the bus notes no instant for every message. */
  readonly since?: number;
  /** Why it is unhealthy. */
  readonly because?: string;
  /** When the oldest handler that runs began. */
  readonly busySince?: number;
  readonly running: number;
  /** Places taken in its mailbox, and senders that wait for one. */
  readonly queued: number;
  /** Handlers that were given up while they still ran. */
  readonly abandoned: number;
  /** Of what it has ended since it joined, the part that was dead-lettered: from 0 to 1. */
  readonly errorRate?: number;
  /** Now for who is in this process; the last beat for who is behind a bridge; when it left. */
  readonly lastSeenAt: number;
}

/** Why somebody is not healthy. */
export interface Illness {
  readonly because: string;
  /** Epoch milliseconds. */
  readonly since: number;
}

/** What the status is decided from. */
export interface Facts {
  readonly info: AgentInfo;
  readonly illness: Illness | undefined;
  readonly draining: boolean;
}

/** What matters most comes first; whoever has anything to do is not idle. */
export function statusFrom({ info, illness, draining }: Facts): {
  readonly status: PresenceStatus;
  readonly since?: number;
} {
  if (info.status === 'left') return { status: 'gone' };
  if (info.hungSince !== undefined) return { status: 'hung', since: info.hungSince };
  if (illness !== undefined) return { status: 'unhealthy', since: illness.since };
  const busy = info.running + info.runningInLanes + info.queued + info.waiting > 0;
  if (draining && busy) return { status: 'draining' };
  if (info.status !== 'idle' && info.status !== 'busy') return { status: info.status };
  if (!busy) return { status: 'idle' };
  return { status: 'busy', ...(info.busySince === undefined ? {} : { since: info.busySince }) };
}
