import type { Envelope } from '../message/envelope.ts';
import { type BusyAction, decideBusy } from './busy.ts';
import type { BusyKeys } from './busy-keys.ts';
import type { Delivery } from './delivery.ts';
import { enter, givePlace } from './entry.ts';
import { BusyError, CancelledError, InterruptedError } from './errors.ts';
import type { Outcomes } from './outcomes.ts';
import type { Subscription } from './subscription.ts';
import { takeOutOne } from './take-out.ts';

/** What the door needs of its bus. */
export interface DoorParts {
  readonly outcomes: Outcomes;
  /** Puts a newcomer into its mailbox as any other; false when there was no place. */
  place(delivery: Delivery): boolean;
  now(): number;
}

/**
 * Does what a busy policy decides about a newcomer.
 *
 * User code hears of outcomes and may say the next message before this returns. So the newcomer is
 * in its place before anybody is told of what it pushed out, and what was taken out is in no
 * structure any more.
 */
export class BusyDoor {
  readonly #parts: DoorParts;

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  /** Why a directed message is turned away, or whether it is sure of a place. */
  preview(
    message: Envelope,
    subscription: Subscription,
    keys: BusyKeys,
    key: unknown,
  ): BusyError | 'has a place' | undefined {
    const action = this.#decide(subscription, keys, key);
    if (action === 'turn-away') return this.#busy(message, subscription, keys, key);
    if (action === 'line-up') return undefined;
    return freesPlace(subscription, keys, key, action) ? 'has a place' : undefined;
  }

  /** Lets a newcomer with a key in, or not. */
  receive(delivery: Delivery, keys: BusyKeys): void {
    const { subscription, key, message } = delivery;
    const action = this.#decide(subscription, keys, key);
    if (action === 'line-up') this.#parts.place(delivery);
    else if (action === 'turn-away') {
      const busy = this.#busy(message, subscription, keys, key);
      this.#parts.outcomes.deadLettered(delivery, 'rejected', busy);
    } else this.#takeOver(delivery, keys, action);
  }

  #decide(subscription: Subscription, keys: BusyKeys, key: unknown): BusyAction {
    const state = keys.stateOf(key);
    const waits = state === 'none' && isOutside(subscription, key);
    return decideBusy(keys.policy, waits ? 'not-begun' : state);
  }

  #busy(message: Envelope, subscription: Subscription, keys: BusyKeys, key: unknown): BusyError {
    const now = this.#parts.now();
    const since = keys.holder(key)?.message.at ?? now;
    return new BusyError(subscription.owner, message.topic, now - since);
  }

  #takeOver(delivery: Delivery, keys: BusyKeys, action: BusyAction): void {
    const { key } = delivery;
    const { mailbox } = delivery.home;
    const places = mailbox.size;
    const superseded = takeUnbegun(delivery, keys);
    const holder = keys.holder(key);
    const stopped =
      action === 'interrupt' && holder !== undefined && takeBegun(holder) ? holder : undefined;
    // A place that was given up, and it is one at most, is the newcomer's, not that of who waits
    // outside. The key is still held: the newcomer stands behind it until who held it has ended.
    let placed = mailbox.size < places;
    if (placed) enter(delivery);
    else placed = this.#parts.place(delivery);
    if (stopped !== undefined && placed) this.#interrupt(stopped, delivery.message);
    for (const one of superseded) this.#supersede(one);
  }

  #interrupt(holder: Delivery, by: Envelope): void {
    const { message, subscription, current, state } = holder;
    if (state !== 'inFlight') {
      this.#parts.outcomes.cancelled(holder, 'interrupted');
      return;
    }
    const reason = new InterruptedError(subscription.owner, message.topic, by.id);
    current?.worker.interrupt(current, reason);
  }

  #supersede(one: Delivery): void {
    const waited = one.state === 'waiting';
    this.#parts.outcomes.cancelled(one, 'superseded');
    if (waited) one.admission.placed(new CancelledError(one.message.topic, 'superseded'));
  }
}

/** Takes out everything of the key that has not begun, oldest first. */
function takeUnbegun({ home, subscription, key }: Delivery, keys: BusyKeys): Delivery[] {
  const taken: Delivery[] = [];
  const holder = keys.holder(key);
  // It is still the holder: its outcome hands the key to the newcomer behind it.
  if (holder !== undefined && holder.attempts === 0 && takeOutOne(holder)) taken.push(holder);
  for (const one of keys.takeBehind(key)) {
    home.mailbox.held--;
    one.key = undefined;
    taken.push(one);
  }
  if (home.mailbox.waiting > 0) {
    taken.push(...home.mailbox.withdrawWhere((one) => isOf(one, subscription, key)));
  }
  return taken;
}

/** Makes ready to stop what has begun; false when it is ending already. */
function takeBegun(holder: Delivery): boolean {
  if (holder.attempts === 0) return false;
  if (holder.state !== 'inFlight') return takeOutOne(holder);
  if (holder.current?.running !== true) return false;
  givePlace(holder);
  return true;
}

/** Whether the newcomer takes the place of another, however full the mailbox is. */
function freesPlace(
  subscription: Subscription,
  keys: BusyKeys,
  key: unknown,
  action: BusyAction,
): boolean {
  const holder = keys.holder(key);
  if (holder === undefined || holder.attempts === 0 || keys.behind(key) > 0) return true;
  if (isOutside(subscription, key)) return true;
  return action === 'interrupt' && (holder.state !== 'inFlight' || holder.keepsPlace);
}

function isOutside(subscription: Subscription, key: unknown): boolean {
  const { mailbox } = subscription.home;
  return mailbox.waiting > 0 && mailbox.hasWaiting((one) => isOf(one, subscription, key));
}

function isOf(one: Delivery, subscription: Subscription, key: unknown): boolean {
  return one.subscription === subscription && one.key === key;
}
