import type { Delivery, Recipient } from './delivery.ts';
import type { Subscription } from './subscription.ts';
import { Worker } from './worker.ts';

/**
 * Takes deliveries that have not begun out of wherever they are: lanes, inbox, behind a key or a
 * rate limit, waiting for a place or for a retry. What they become is for the caller to say.
 */
export function takeOut(
  home: Recipient,
  subscriptions: Iterable<Subscription>,
  matches: (delivery: Delivery) => boolean,
): Delivery[] {
  const { mailbox } = home;
  const taken: Delivery[] = [];
  for (const { keyed, rate, batcher } of subscriptions) {
    // Who only waits behind a key does not hold it, so its end must not pass the key on.
    for (const one of keyed?.removeWhere(matches) ?? []) taken.push(letGo(one, true));
    for (const one of rate?.removeWhere(matches) ?? []) taken.push(letGo(one, false));
    for (const one of batcher?.removeWhere(matches) ?? []) taken.push(letGo(one, false));
  }
  for (const one of mailbox.delay?.removeWhere(matches) ?? []) taken.push(letGo(one, false));
  taken.push(...mailbox.lanes.removeWhere(matches), ...mailbox.inbox.removeWhere(matches));
  for (const one of mailbox.withdrawWhere(matches)) taken.push(one);
  if (home instanceof Worker) taken.push(...home.withdrawRetries(matches));
  return taken.sort((a, b) => a.message.seq - b.message.seq);
}

/** Shows deliveries that have not begun, wherever they are, and leaves them there. */
export function lookThrough(
  home: Recipient,
  subscriptions: Iterable<Subscription>,
  see: (delivery: Delivery) => void,
): void {
  takeOut(home, subscriptions, (delivery) => {
    see(delivery);
    return false;
  });
}

/** Takes one out; the common case, in the lanes, without a walk over all. */
export function takeOutOne(delivery: Delivery): boolean {
  const { home, subscription } = delivery;
  const { lanes } = home.mailbox;
  if (delivery.state === 'queued' && lanes.size > 0 && lanes.discard(delivery)) return true;
  if (subscription.batcher?.discard(delivery)) {
    letGo(delivery, false);
    return true;
  }
  return takeOut(home, [subscription], (other) => other === delivery).length > 0;
}

function letGo(delivery: Delivery, forgetKey: boolean): Delivery {
  delivery.home.mailbox.held--;
  if (forgetKey) delivery.key = undefined;
  return delivery;
}
