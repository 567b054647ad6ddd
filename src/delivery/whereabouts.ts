import type { Attempt } from './attempt.ts';
import type { Delivery } from './delivery.ts';
import { Worker } from './worker.ts';

/** What an agent does while somebody waits for it. */
export type AgentStatus = 'idle' | 'busy' | 'paused' | 'left';

/** Where a request is, for a time-out that explains itself. */
export interface Whereabouts {
  /** In words. */
  readonly where: string;
  /** How many would have been taken before it. */
  readonly behind?: number;
  /** Milliseconds for which its handler has been running, or what holds up its agent. */
  readonly runningForMs?: number;
  readonly agentStatus?: AgentStatus;
}

/** Looks where a delivery is at the monotonic instant `now`. */
export function whereabouts(delivery: Delivery | undefined, now: number): Whereabouts {
  if (delivery === undefined) return { where: 'not in a mailbox yet' };
  const { owner } = delivery.subscription;
  switch (delivery.state) {
    case 'inFlight':
      return running(delivery, now);
    case 'queued':
      return queued(delivery, now);
    case 'waiting':
      return { ...line(delivery, now, `waiting for a place in the full mailbox of ${owner}`) };
    case 'deferred': {
      const since = delivery.flags.deferral?.since ?? now;
      return { where: `deferred by ${owner} ${seconds(now - since)} ago` };
    }
    case 'retryWait':
      return { where: `waiting for a retry after ${owner} failed ${times(delivery.attempts)}` };
    case 'expired':
      return { where: `expired in the queue of ${owner}` };
    default:
      return { where: `it was ${delivery.state}` };
  }
}

/** What an agent's worker does now. */
export function statusOf({ status, running: slots }: Worker): AgentStatus {
  if (status === 'stopped') return 'left';
  if (status === 'paused') return 'paused';
  return slots > 0 ? 'busy' : 'idle';
}

/** What the workers of one agent do at the monotonic instant `now`, taken together. */
export interface WorkFacts {
  readonly running: number;
  readonly abandoned: number;
  /** When the oldest of its handlers began; undefined when none runs that is waited for. */
  readonly busySince: number | undefined;
  /** When the time was over of one that runs on. */
  readonly hungSince: number | undefined;
}

/** Looks at all workers of an agent; `runs` says which handlers run on each. */
export function workFacts(
  workers: Iterable<Worker>,
  runs: ReadonlyMap<Worker, readonly Attempt[]>,
  now: number,
): WorkFacts {
  let running = 0;
  let abandoned = 0;
  let busySince = Infinity;
  let hungSince = Infinity;
  for (const worker of workers) {
    running += worker.running;
    abandoned += worker.abandoned;
    for (const { startedAt, until } of runs.get(worker) ?? []) {
      busySince = Math.min(busySince, startedAt);
      if (until <= now) hungSince = Math.min(hungSince, until);
    }
  }
  return { running, abandoned, busySince: known(busySince), hungSince: known(hungSince) };
}

function known(instant: number): number | undefined {
  return instant === Infinity ? undefined : instant;
}

function running({ subscription, current, home }: Delivery, now: number): Whereabouts {
  const runningForMs = now - (current?.startedAt ?? now);
  const { handlerName } = subscription;
  const within = handlerName === '' ? '' : ` in ${handlerName}`;
  const where = `running for ${seconds(runningForMs)}${within}`;
  return { where, runningForMs, ...statusIn(home) };
}

function queued(delivery: Delivery, now: number): Whereabouts {
  const { home, subscription } = delivery;
  const inLine = placeOf(delivery);
  if (inLine === undefined) {
    const held =
      subscription.batcher === undefined ? 'held by its key or its rate limit' : 'waits in a batch';
    return line(delivery, now, held);
  }
  const where = inLine === 0 ? 'next in line' : `queued behind ${inLine}`;
  return { ...line({ home, subscription }, now, where), behind: inLine };
}

/** What keeps it waiting, behind the words that say where it waits. */
function line(
  { home, subscription }: Pick<Delivery, 'home' | 'subscription'>,
  now: number,
  where: string,
): Whereabouts {
  if (!(home instanceof Worker)) return { where };
  const status = statusIn(home);
  const { owner } = subscription;
  if (home.status === 'paused') return { where: `${where} (${owner} is paused)`, ...status };
  const busyWith = home.busyWith;
  if (busyWith === undefined) return { where, ...status };
  const runningForMs = now - busyWith.startedAt;
  const { topic } = busyWith.message;
  const { handlerName } = busyWith;
  const what = handlerName === '' ? topic : `${handlerName} (${topic})`;
  const rest = `${owner} has been running ${what} for ${seconds(runningForMs)}`;
  return { where: `${where}; ${rest}`, runningForMs, ...status };
}

function statusIn(home: Delivery['home']): Pick<Whereabouts, 'agentStatus'> {
  return home instanceof Worker ? { agentStatus: statusOf(home) } : {};
}

/** How many would be taken before it; undefined when it stands in no lane. */
function placeOf(delivery: Delivery): number | undefined {
  const { priority, ticket } = delivery;
  let before = 0;
  let found = false;
  delivery.home.mailbox.lanes.forEach((other) => {
    if (other === delivery) found = true;
    else if (other.priority > priority) before++;
    else if (other.priority === priority && other.ticket < ticket) before++;
  });
  return found ? before : undefined;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
