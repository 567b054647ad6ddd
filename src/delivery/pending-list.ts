import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Message } from '../message/message.ts';
import { compilePattern } from '../message/pattern.ts';
import type { Deferrals } from './deferrals.ts';
import type { Delivery } from './delivery.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Requests } from './requests.ts';

/** Where a delivery is that has no outcome yet. */
export type OpenStatus = 'waiting' | 'queued' | 'running' | 'retrying' | 'deferred';

/** A request that has no answer yet. */
export interface PendingRequest {
  readonly id: string;
  readonly topic: string;
  readonly from: string;
  /** Who was asked. */
  readonly to: string;
  readonly input: unknown;
  /** Epoch milliseconds. */
  readonly askedAt: number;
  /** Epoch milliseconds after which nobody waits; `undefined` when nobody counts. */
  readonly deadlineAt: number | undefined;
  readonly status: OpenStatus;
  readonly correlationId: string;
}

/** Which pending requests to list; what is left out is not restricted. */
export interface PendingFilter {
  /** A pattern over the topic. */
  readonly topic?: string;
  readonly to?: string;
  readonly from?: string;
  readonly status?: OpenStatus;
  readonly correlationId?: string;
}

/** What listing needs of its bus. */
export interface PendingParts {
  readonly requests: Requests;
  readonly deferrals: Deferrals;
  readonly dispatcher: Dispatcher;
  readonly shop: { handOut(message: Envelope): Message };
}

const FILTERS: ReadonlySet<string> = new Set(
  Object.keys({
    topic: true,
    to: true,
    from: true,
    status: true,
    correlationId: true,
  } satisfies Record<keyof PendingFilter, true>),
);

/** Lists the requests that wait for an answer, oldest first. */
export function listPending(parts: PendingParts, filter: PendingFilter = {}): PendingRequest[] {
  const fits = matcher(filter);
  // What lies in the ring has no record of its own before it is spilled.
  parts.dispatcher.spill();
  const open: Open[] = parts.requests.all();
  // A redriven request has no asker, but whoever put it off still owes an answer.
  for (const { attempt } of parts.deferrals.matching((one) => one.attempt.asker === undefined)) {
    open.push(attempt.delivery);
  }
  return open
    .toSorted((one, other) => one.message.seq - other.message.seq)
    .map((one) => shown(one, parts))
    .filter(fits);
}

/** A request of the table, or the delivery of one that nobody waits for. */
type Open = Delivery | { readonly message: Envelope; readonly delivery: Delivery | undefined };

function shown(one: Open, { shop }: PendingParts): PendingRequest {
  const { message } = one;
  const delivery = 'delivery' in one ? one.delivery : one;
  const { id, topic, from, sentAt, correlationId } = message;
  return {
    id,
    topic,
    from,
    to: delivery?.subscription.owner ?? (message.to as string),
    input: shop.handOut(message).payload,
    askedAt: sentAt,
    deadlineAt: deadlineOf(message, delivery),
    status: statusOf(delivery),
    correlationId,
  };
}

function deadlineOf(message: Envelope, delivery: Delivery | undefined): number | undefined {
  if (delivery?.state === 'deferred') return delivery.flags.deferral?.deadlineAt;
  return message.expiresAt;
}

/** A delivery without a record is being handled in this very step. */
export function statusOf(delivery: Delivery | undefined): OpenStatus {
  switch (delivery?.state) {
    case 'waiting':
    case 'queued':
    case 'deferred':
      return delivery.state;
    case 'retryWait':
      return 'retrying';
    default:
      return 'running';
  }
}

function matcher(filter: PendingFilter): (request: PendingRequest) => boolean {
  refuseUnknown(filter, FILTERS, 'pending');
  const { topic, ...rest } = filter;
  const pattern = topic === undefined ? undefined : compilePattern(topic);
  const wanted = Object.entries(rest).filter(([, value]) => value !== undefined);
  return (request) =>
    pattern?.matches(request.topic) !== false &&
    wanted.every(([name, value]) => request[name as keyof PendingRequest] === value);
}
