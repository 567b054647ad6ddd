import type { Attempt } from '../delivery/attempt.ts';
import type { Pending } from '../delivery/requests.ts';
import { whereabouts } from '../delivery/whereabouts.ts';
import type { LockInspection } from '../state/lock-table.ts';
import { DEFAULTS } from '../wiring/bus-options.ts';
import type { Wiring } from '../wiring/wiring.ts';
import { handlerOf } from './context-watch.ts';
import type { SimEnv } from './sim-env.ts';

/** Timers of what is listed anyway: who waits for a request need not hear of its clock. */
const COUNTED_ELSEWHERE: ReadonlySet<string> = new Set([
  'batch',
  'call time-out',
  'deferred answer',
  'delayed message',
  'gather time-out',
  'request time-out',
  'retry',
  'wait for a responder',
]);

/** What goes on where nothing more happens by itself, a line each, with whoever began it. */
export function leftOver(wiring: Wiring, env: SimEnv): string[] {
  return [...waits(wiring), ...mailLeft(wiring), ...timersLeft(env)];
}

/** Who waits for whom, a line each: handlers that run, and requests without an answer. */
export function waits(wiring: Wiring): string[] {
  // What lies in the ring has no record of its own before it is spilled.
  wiring.dispatcher.spill();
  const requests = wiring.requests.all();
  const running = wiring.running.matching();
  const asked = new Set(running.flatMap((attempt) => askedBy(attempt, requests)));
  const others = requests.filter((request) => !asked.has(request));
  return [
    ...running.map((attempt) => handlerLine(attempt, askedBy(attempt, requests), wiring)),
    ...others.map((request) => `${request.message.from} ${requestLine(request, wiring)}`),
  ];
}

/** Running handlers that wait for nothing that the bus knows of, as far as one can see. */
export function handlersOutside(wiring: Wiring): Attempt[] {
  const requests = wiring.requests.all();
  return wiring.running
    .matching(({ running }) => running)
    .filter((attempt) => askedBy(attempt, requests).length === 0)
    .filter((attempt) => lockedBy(attempt, wiring).length === 0);
}

function askedBy({ agent, message }: Attempt, requests: readonly Pending[]): Pending[] {
  return requests.filter(
    ({ message: asked }) => asked.from === agent && asked.causationId === message.id,
  );
}

function handlerLine(attempt: Attempt, asked: readonly Pending[], wiring: Wiring): string {
  const forMs = wiring.env.now() - attempt.startedAt;
  const waitsFor = [
    ...asked.map((request) => requestLine(request, wiring)),
    ...lockedBy(attempt, wiring).map(({ key, heldBy = 'nobody' }) => {
      return `waits for the lock of ${key}, which ${heldBy} holds`;
    }),
  ];
  const what = waitsFor.join(' and ') || 'awaits something outside of the bus';
  return `${handlerOf(attempt)}, running for ${forMs} ms, ${what}`;
}

/** Locks that its agent waits for: those of its other handlers cannot be told apart. */
function lockedBy({ agent }: Attempt, wiring: Wiring): LockInspection[] {
  return wiring.locks().filter(({ waiting }) => waiting.includes(agent));
}

function requestLine({ message, delivery, chunks }: Pending, { env }: Wiring): string {
  const how = chunks === undefined ? 'waits for' : 'streams';
  const { where } = whereabouts(delivery, env.now());
  return `${how} ${message.topic} (${message.id}) of ${message.to}: ${where}`;
}

function* mailLeft(wiring: Wiring): Iterable<string> {
  for (const { topic, id, from, at } of wiring.schedule.matching(() => true)) {
    const due = at > wiring.env.now() ? `is due at ${at} ms` : 'is held in an outbox';
    yield `${topic} (${id}), said by ${from}, ${due}`;
  }
  for (const { label, mailbox } of wiring.subscriptions.households().keys()) {
    if (mailbox.size > 0) yield `${countOf(mailbox.size)} in the mailbox of ${label}`;
    if (mailbox.waiting > 0) yield `${countOf(mailbox.waiting)} before the mailbox of ${label}`;
  }
  const { size } = wiring.arrivals;
  if (size > 0) yield `${size} waiting until somebody serves a topic`;
}

function countOf(messages: number): string {
  return messages === 1 ? '1 message' : `${messages} messages`;
}

function* timersLeft(env: SimEnv): Iterable<string> {
  for (const { label, at } of env.awaitedTimers()) {
    if (COUNTED_ELSEWHERE.has(label)) continue;
    yield `the timer "${label}", due at ${at} ms`;
  }
}

/** Nobody said how long it may take: then a test is not about its time-out. */
export function hasNoLimit({ delivery }: Attempt): boolean {
  return delivery.subscription.timeoutMs === DEFAULTS.handlerTimeoutMs;
}
