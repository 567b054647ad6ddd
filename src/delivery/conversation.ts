import type { Env } from '../kernel/env.ts';
import { printAsJson } from '../kernel/inspection.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Message } from '../message/message.ts';
import type { Attempt } from './attempt.ts';
import type { Deferral } from './deferral.ts';
import type { Delivery, Recipient } from './delivery.ts';
import { letIn } from './entry.ts';
import { CancelledError } from './errors.ts';
import type { Ledger } from './ledger.ts';
import type { OpenCalls } from './open-calls.ts';
import type { Outcomes } from './outcomes.ts';
import {
  listPending,
  type OpenStatus,
  type PendingParts,
  type PendingRequest,
  statusOf,
} from './pending-list.ts';
import type { Running } from './running.ts';
import type { Schedule } from './schedule.ts';
import type { Subscription } from './subscription.ts';
import { lookThrough, takeOut } from './take-out.ts';

/** A delivery of a conversation that has no outcome yet. */
export interface OpenDelivery {
  /** The message's. */
  readonly id: string;
  readonly topic: string;
  readonly from: string;
  readonly recipient: string;
  readonly status: OpenStatus;
}

/**
 * Everything on a bus that has the same `correlationId`. Nothing is kept for it: each property
 * looks through what is open on the bus when it is read.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * const bus = new MessageBus();
 * bus.register('writer').pause();
 * const receipt = bus.send('writer', 'draft', 'Tea');
 * const talk = bus.conversation(receipt.id);
 * talk.deliveries.map(({ recipient, status }) => `${status} with ${recipient}`);
 * // => ['queued with writer']
 * talk.cancel('changed my mind'); // => 1
 * (await receipt.settled).cancelled; // => 1
 * ```
 */
export interface Conversation {
  /** The `correlationId`: the id of the message that began it, or what the host called it. */
  readonly id: string;
  /** What waits for an answer, oldest first. */
  readonly requests: readonly PendingRequest[];
  /** What has no outcome yet, oldest first; also the deliveries of `requests`. */
  readonly deliveries: readonly OpenDelivery[];
  /** Delayed messages that are not due, and what running handlers hold in their outbox. */
  readonly scheduled: readonly Message[];
  /**
   * Ends all that is open: what has not begun, or is deferred, ends `cancelled(withdrawn)`; running
   * handlers are aborted with the reason and fenced after the grace; requests reject with
   * CancelledError `TELLASK_CANCELLED`, whose cause is the reason; delayed messages are taken back.
   * Returns how many deliveries and delayed messages that were. What was pulled stays with who
   * pulled it, and what a handler says while it is being aborted is a new beginning.
   */
  cancel(reason?: unknown): number;
}

/** What conversations need of their bus. */
export interface ConversationParts extends PendingParts {
  readonly env: Env;
  readonly ledger: Ledger;
  readonly outcomes: Outcomes;
  readonly running: Running;
  readonly schedule: Schedule;
  readonly calls: OpenCalls;
  readonly graceMs: number;
  readonly subscriptions: { households(): Map<Recipient, Subscription[]> };
}

/** A view of what is open, by `correlationId`. */
export class OpenConversation implements Conversation {
  readonly id: string;
  readonly #parts: ConversationParts;

  constructor(parts: ConversationParts, id: string) {
    this.#parts = parts;
    this.id = id;
  }

  get requests(): readonly PendingRequest[] {
    return listPending(this.#parts, { correlationId: this.id });
  }

  get deliveries(): readonly OpenDelivery[] {
    const { dispatcher, subscriptions } = this.#parts;
    dispatcher.spill();
    const begun = [...this.#running(), ...this.#deferred().map(({ attempt }) => attempt)];
    const open = begun.map(({ delivery }) => delivery);
    for (const [home, feeding] of subscriptions.households()) {
      lookThrough(home, feeding, (one) => this.#has(one) && open.push(one));
    }
    return open.toSorted((one, other) => one.message.seq - other.message.seq).map(shown);
  }

  get scheduled(): readonly Message[] {
    const { schedule, shop } = this.#parts;
    return schedule.matching((message) => this.#isOf(message)).map((one) => shop.handOut(one));
  }

  cancel(reason?: unknown): number {
    this.#parts.dispatcher.spill();
    // Deferred answers before requests: one that was handed over would fail with the other's.
    const deferred = this.#endDeferred(reason);
    // Requests before handlers: those of a handler that is aborted would reject with its reason.
    for (const pending of this.#parts.requests.all()) {
      if (this.#isOf(pending.message)) pending.fail(cancelled(pending.message, reason));
    }
    this.#parts.calls.cancel(this.id, ({ topic }) => cancelled({ topic }, reason));
    const taken = this.#parts.schedule.cancelWhere((message) => this.#isOf(message)).length;
    const ended = taken + this.#withdrawQueued() + deferred.length;
    for (const one of deferred) one.callOff(reason ?? cancelled(one.attempt.message, reason));
    return ended + this.#endRunning(reason);
  }

  toJSON(): Record<string, unknown> {
    const { id, requests, deliveries, scheduled } = this;
    return { id, requests, deliveries, scheduled };
  }

  #withdrawQueued(): number {
    const { subscriptions, outcomes, ledger } = this.#parts;
    let ended = 0;
    for (const [home, feeding] of subscriptions.households()) {
      const taken = takeOut(home, feeding, (delivery) => this.#has(delivery));
      if (taken.length === 0) continue;
      ended += taken.length;
      for (const delivery of taken) {
        const waited = delivery.state === 'waiting';
        outcomes.cancelled(delivery, 'withdrawn');
        if (waited)
          delivery.admission.placed(new CancelledError(delivery.message.topic, 'withdrawn'));
      }
      letIn(home, ledger);
      home.wake();
    }
    return ended;
  }

  #endDeferred(reason: unknown): Deferral[] {
    const deferred = this.#deferred();
    for (const one of deferred) {
      one.attempt.asker?.fail(cancelled(one.attempt.message, reason));
      one.withdraw();
    }
    return deferred;
  }

  #endRunning(reason: unknown): number {
    const { running, env, graceMs } = this.#parts;
    const attempts = this.#running();
    const why = reason ?? new CancelledError(this.id, 'withdrawn');
    void running.end(env, attempts, why, graceMs).then((left) => {
      for (const attempt of left) attempt.worker.outstayed(attempt, why);
    });
    return attempts.length;
  }

  #running(): Attempt[] {
    return this.#parts.running.matching((one) => one.running && this.#isOf(one.message));
  }

  #deferred(): Deferral[] {
    return this.#parts.deferrals.matching(({ attempt }) => this.#isOf(attempt.message));
  }

  #has({ message }: Delivery): boolean {
    return this.#isOf(message);
  }

  #isOf({ correlationId }: Pick<Envelope, 'correlationId'>): boolean {
    return correlationId === this.id;
  }
}

printAsJson(OpenConversation.prototype);

function shown(delivery: Delivery): OpenDelivery {
  const { id, topic, from } = delivery.message;
  const recipient = delivery.subscription.owner;
  return { id, topic, from, recipient, status: statusOf(delivery) };
}

function cancelled({ topic }: Pick<Envelope, 'topic'>, reason: unknown): CancelledError {
  const options = reason === undefined ? {} : { cause: reason };
  return new CancelledError(topic, 'withdrawn', options);
}
