import type { DeniedError } from '../access/errors.ts';
import type { Message } from '../message/message.ts';
import type { DeadLetter } from './dead-letters.ts';

/** What a listener is told of one delivery. */
export interface DeliveryEvent {
  readonly message: Message;
  /** Who got it: an agent's name or `$host`. */
  readonly recipient: string;
  /** Calls of the handler so far. */
  readonly attempt: number;
}

/** Why a delivery was cancelled; `dropped` by a fault that a test injected, and never otherwise. */
export type CancelReason =
  | 'unsubscribed'
  | 'left'
  | 'closed'
  | 'withdrawn'
  | 'skipped'
  | 'superseded'
  | 'interrupted'
  | 'dropped';

/** The library about itself, for watching only: nothing in it listens to decide anything. */
export interface BusEvents {
  admitted: [message: Message, recipients: readonly string[]];
  refused: [topic: string, from: string, error: unknown];
  unrouted: [message: Message];
  queued: [event: DeliveryEvent];
  started: [event: DeliveryEvent];
  deferred: [event: DeliveryEvent];
  handled: [event: DeliveryEvent & { readonly durationMs: number }];
  retry: [event: DeliveryEvent & { readonly delayMs: number; readonly error: unknown }];
  'dead-lettered': [letter: DeadLetter];
  /** A letter that was redriven too often: `redrive` leaves it alone unless it is asked for. */
  quarantined: [letter: DeadLetter];
  expired: [event: DeliveryEvent];
  cancelled: [event: DeliveryEvent & { readonly reason: CancelReason }];
  abandoned: [event: DeliveryEvent];
  'late-reply': [message: Message, recipient: string];
  /** Somebody tried what permissions, a restricted handle, a middleware or the bus refuses. */
  denied: [refusal: DeniedError];
  /** Somebody tried what the rules of the state itself refuse. */
  'state-denied': [refusal: DeniedError];
  joined: [agent: string];
  left: [agent: string];
  /** A supervised agent begins anew; `restarts`: how often in its window, this one included. */
  restarted: [agent: string, error: unknown, restarts: number];
  /** The restarts of an agent are used up: it leaves. */
  escalated: [agent: string, error: unknown];
  fault: [error: unknown, where: string];
  closed: [];
}
