import type { Delivery, Recipient } from './delivery.ts';
import type { Ledger } from './ledger.ts';

/** Lets a delivery into its home: into the lanes, behind its key, or into the inbox. */
export function enter(delivery: Delivery): void {
  const { mailbox } = delivery.home;
  const { batcher, keyed } = delivery.subscription;
  if (batcher === undefined) mailbox.stamp(delivery);
  if (keyed?.enter(delivery) === false || mailbox.delay?.takes(delivery)) mailbox.hold();
  else lineUp(delivery);
}

/** Puts a delivery that has come, and whose turn nothing holds up, where it is taken from. */
export function lineUp(delivery: Delivery): void {
  const { mailbox } = delivery.home;
  const { batcher, kind } = delivery.subscription;
  if (batcher !== undefined) batcher.add(delivery);
  else if (kind === 'pull') mailbox.push(delivery, mailbox.inbox);
  else mailbox.push(delivery);
}

/**
 * A message that may come back for a retry keeps its place while it runs, so that its return can
 * neither overflow nor push anybody out.
 */
export function keepPlace(delivery: Delivery): void {
  delivery.keepsPlace = true;
  delivery.home.mailbox.hold();
}

/** Gives the place back that a delivery kept, if it did. */
export function givePlace(delivery: Delivery): boolean {
  if (!delivery.keepsPlace) return false;
  delivery.keepsPlace = false;
  delivery.home.mailbox.held--;
  return true;
}

/** A place was given back: who has waited longest outside gets it. */
export function letIn(home: Recipient, ledger: Ledger): void {
  for (let next = home.mailbox.admitWaiting(); next; next = home.mailbox.admitWaiting()) {
    ledger.move('waiting', 'queued');
    next.state = 'queued';
    enter(next);
    next.home.wake();
    next.admission.placed();
  }
}
