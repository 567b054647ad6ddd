import type { Delivery } from './delivery.ts';
import type { Subscription } from './subscription.ts';
import { lookThrough, takeOut } from './take-out.ts';

/**
 * Gives what waits for one subscription to another that feeds on the same mailbox. Nothing loses its
 * place: neither in the lanes, nor behind its key, nor on the clock for a retry.
 */
export function handOver(old: Subscription, next: Subscription): void {
  next.retryBudget = old.retryBudget;
  if (isPlain(old) && isPlain(next)) {
    lookThrough(next.home, [old], (delivery) => {
      if (delivery.subscription === old) delivery.subscription = next;
    });
    return;
  }
  const keys = new Map<Delivery, unknown>();
  const retrying: Delivery[] = [];
  const queued = takeOut(next.home, [old], (delivery) => {
    if (delivery.subscription !== old) return false;
    delivery.subscription = next;
    if (delivery.state === 'retryWait') retrying.push(delivery);
    keys.set(delivery, delivery.key);
    return delivery.state === 'queued';
  });
  // Who waits for a retry holds his key: he is before those who stand behind it.
  for (const delivery of retrying) next.keyed?.enter(delivery);
  for (const delivery of queued) {
    delivery.key = keys.get(delivery);
    lineUpAgain(delivery);
  }
}

/** Keyed, limited and collected messages lie with their subscription and not in the lanes. */
function isPlain({ keyed, rate, batcher }: Subscription): boolean {
  return keyed === undefined && rate === undefined && batcher === undefined;
}

function lineUpAgain(delivery: Delivery): void {
  const { home, subscription } = delivery;
  const { keyed, batcher } = subscription;
  if (batcher !== undefined) batcher.add(delivery);
  else if (keyed?.enter(delivery) === false) home.mailbox.hold();
  else home.mailbox.lanes.restore(delivery);
}
