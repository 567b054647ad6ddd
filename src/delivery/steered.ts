import type { Message } from '../message/message.ts';
import type { Delivery } from './delivery.ts';
import { letIn } from './entry.ts';
import type { Workshop } from './worker.ts';

/**
 * Takes what waits behind the key of a running delivery and hands it to its handler: each of them
 * is handled by being read, or expires.
 */
export function readSteered(shop: Workshop, delivery: Delivery): readonly Message[] {
  const { home, key, subscription } = delivery;
  const waiting = subscription.busy?.takeBehind(key) ?? [];
  for (const one of waiting) {
    home.mailbox.held--;
    // It never held the key, so its end must not pass the key on.
    one.key = undefined;
  }
  const read = waiting.filter((one) => isRead(shop, one)).map(({ message }) => message);
  if (waiting.length > 0) letIn(home, shop.ledger);
  return read.map((message) => shop.handOut(message));
}

function isRead({ outcomes, now }: Workshop, one: Delivery): boolean {
  if (one.message.expires <= now()) {
    outcomes.expired(one);
    return false;
  }
  outcomes.handled(one, undefined);
  return true;
}
