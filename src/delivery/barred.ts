import type { Envelope } from '../message/envelope.ts';
import type { Authority } from './authority.ts';
import type { Delivery } from './delivery.ts';
import type { Outcomes } from './outcomes.ts';
import type { Subscription } from './subscription.ts';

interface Parts {
  readonly authority: Authority | undefined;
  readonly outcomes: Outcomes;
}

/** Whether rules that came after a message keep it from whom it is for. */
export function isBarred(
  { authority }: Parts,
  { message, subscription }: { readonly message: Envelope; readonly subscription: Subscription },
): boolean {
  return authority?.bars(message, subscription) === true;
}

/** Ends a delivery that must not be handled any more. */
export function refuse({ authority, outcomes }: Parts, delivery: Delivery): void {
  const { subscription, message } = delivery;
  outcomes.deadLettered(delivery, 'denied', authority?.refusalTo(subscription, message.topic));
}
