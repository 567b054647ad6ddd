import type { Env } from '../kernel/env.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Attempt } from './attempt.ts';
import { actionOf, type DeadLetters } from './dead-letters.ts';
import type { Deferrals } from './deferrals.ts';
import type { Delivery, Recipient } from './delivery.ts';
import type { Dispatcher } from './dispatcher.ts';
import { ClosedError } from './errors.ts';
import { Inbox } from './inbox.ts';
import type { Ledger } from './ledger.ts';
import type { OpenCalls } from './open-calls.ts';
import type { Outcomes } from './outcomes.ts';
import type { Requests } from './requests.ts';
import type { Running } from './running.ts';
import type { Schedule } from './schedule.ts';
import type { Subscription } from './subscription.ts';
import { takeOut } from './take-out.ts';
import { Worker } from './worker.ts';

/** Options of `close`. */
export interface CloseOptions {
  /** `drain` lets what is admitted be handled first, `abort` does not. @default 'drain' */
  readonly mode?: 'drain' | 'abort';
  /** How long draining may take, in milliseconds. @default 5_000 */
  readonly timeoutMs?: number;
}

/** What `close` found. */
export interface Closed {
  /** Whether everything that was admitted has been handled or has failed by itself. */
  readonly drained: boolean;
  /** Deliveries that had not begun: each is `cancelled(closed)` and has a letter. */
  readonly cancelled: number;
  /** Delayed messages that were not due; each has a letter. */
  readonly unsent: number;
  /** Handlers that did not end in time, answers still owed, pulled messages: `cancelled(closed)`. */
  readonly abandoned: readonly Abandoned[];
  /** Letters that are in no store, though there is one: they are gone with the process. */
  readonly unsavedLetters: number;
}

/** A handler that still ran when the bus was closed. */
export interface Abandoned {
  readonly messageId: string;
  readonly topic: string;
  readonly agent: string;
}

/** What ending needs of its bus. */
export interface ShutdownParts {
  readonly env: Env;
  readonly ledger: Ledger;
  readonly outcomes: Outcomes;
  readonly dispatcher: Dispatcher;
  readonly requests: Requests;
  readonly calls: OpenCalls;
  readonly deferrals: Deferrals;
  readonly running: Running;
  readonly schedule: Schedule;
  readonly letters: DeadLetters;
  readonly graceMs: number;
  households(): Map<Recipient, Subscription[]>;
  /** From here on no agent is given a new life. */
  halt(): void;
  /** From here on nothing is taken any more, not even what is said on a context. */
  seal(): void;
}

/** Waits until everything admitted has its outcome; false when the time was over first. */
export function untilIdle(env: Env, ledger: Ledger, timeoutMs: number): Promise<boolean> {
  if (ledger.idle) return Promise.resolve(true);
  return new Promise((resolve) => {
    // Without a limit too: a program that only waits for this must not end meanwhile.
    const options = { keepAlive: true, label: 'drain' };
    const late = (): void => {
      forget();
      resolve(ledger.idle);
    };
    const timer = env.setTimer(timeoutMs, late, options);
    const forget = ledger.whenIdle(() => {
      timer.cancel();
      resolve(true);
    });
  });
}

/** Ends everything that is left on a bus that takes nothing any more. */
export async function shutDown(
  parts: ShutdownParts,
  { mode, timeoutMs }: Required<CloseOptions>,
): Promise<Omit<Closed, 'unsavedLetters'>> {
  // What a running handler has told leaves when it succeeds.
  let unsent = cancelScheduled(parts, (_, held) => !held);
  const drained = mode === 'drain' && (await untilIdle(parts.env, parts.ledger, timeoutMs));
  parts.halt();
  parts.dispatcher.spill();
  parts.calls.close();
  const cancelled = cancelQueued(parts);
  const abandoned = await endRunning(parts);
  parts.seal();
  // Handlers that were given the grace to end may have spoken, and failed into a retry.
  const late = cancelQueued(parts);
  unsent += cancelScheduled(parts, () => true);
  // What was begun by handlers that were given the grace.
  parts.calls.close();
  parts.requests.failAll((message) => new ClosedError(`the answer to ${message.topic}`));
  abandoned.push(...parts.deferrals.closeAll().map(asAbandoned), ...endPulling(parts));
  return { drained, cancelled: cancelled + late, unsent, abandoned };
}

/** Who pulled a message and has not asked for the next one may never come back for it. */
function endPulling({ outcomes, households }: ShutdownParts): Abandoned[] {
  const left: Delivery[] = [];
  for (const home of households().keys()) {
    const inbox = home instanceof Worker ? home.inbox : home;
    if (!(inbox instanceof Inbox)) continue;
    left.push(...inbox.close((delivery) => outcomes.cancelled(delivery, 'closed')));
  }
  return left.map(({ message, subscription }) => {
    return { messageId: message.id, topic: message.topic, agent: subscription.owner };
  });
}

function cancelScheduled(
  { schedule, letters }: ShutdownParts,
  matches: (message: Envelope, held: boolean) => boolean,
): number {
  const unsent = schedule.cancelWhere(matches);
  for (const message of unsent) letters.refuse(message, actionOf(message), 'closed', undefined);
  return unsent.length;
}

function cancelQueued({ outcomes, households }: ShutdownParts): number {
  let cancelled = 0;
  for (const [home, subscriptions] of households()) {
    if (home instanceof Worker) home.status = 'stopped';
    cancelled += emptyOut(home, subscriptions, (delivery) =>
      outcomes.cancelled(delivery, 'closed'),
    );
  }
  return cancelled;
}

async function endRunning({
  env,
  running,
  outcomes,
  graceMs,
}: ShutdownParts): Promise<Abandoned[]> {
  const attempts = running.matching((one) => one.running && !one.delivery.flags.exempt);
  if (attempts.length === 0) return [];
  const left = await running.end(
    env,
    attempts,
    new ClosedError('what its handler still does'),
    graceMs,
  );
  return left.map((attempt) => {
    attempt.worker.abandon(attempt, (delivery) => outcomes.cancelled(delivery, 'closed'));
    return asAbandoned(attempt);
  });
}

function asAbandoned({ message, agent }: Attempt): Abandoned {
  return { messageId: message.id, topic: message.topic, agent };
}

/** Gives every delivery of a mailbox that has not begun the outcome that `end` says. */
export function emptyOut(
  home: Recipient,
  subscriptions: readonly Subscription[],
  end: (delivery: Delivery) => void,
  matches: (delivery: Delivery) => boolean = () => true,
): number {
  const taken = takeOut(home, subscriptions, matches);
  for (const delivery of taken) {
    const waited = delivery.state === 'waiting';
    end(delivery);
    if (waited) delivery.admission.placed(new ClosedError('its place in the mailbox'));
  }
  for (const { rate } of subscriptions) rate?.close();
  return taken.length;
}
