import { longerWait } from '../kernel/longer-wait.ts';
import type { Attempt } from './attempt.ts';
import type { Delivery } from './delivery.ts';
import { givePlace } from './entry.ts';
import type { Group } from './group.ts';
import { SKIPPED } from './middleware.ts';
import { told } from './outcomes.ts';
import { countRetry, isRetriedBelow } from './retry-tokens.ts';
import { type Failure, type Settlement, settle } from './settle.ts';
import { targetOf } from './struck.ts';
import type { Subscription } from './subscription.ts';
import type { Workshop } from './worker.ts';
import { owesLastCall, WrapUp, withOwnPartial } from './wrap-up.ts';

/** Does what `settle` decides of an attempt that has ended; true when it keeps its slot. */
export function conclude(
  shop: Workshop,
  attempt: Attempt,
  failure: Failure | undefined,
  value: unknown,
): boolean {
  if (failure !== undefined) return fail(shop, attempt, failure);
  const { delivery } = attempt;
  if (attempt.deferral !== undefined) {
    attempt.deferral.begin();
    return false;
  }
  // Before the outcome: who waits for the bus to be idle waits for what was held, too.
  attempt.letOut();
  if (value === SKIPPED) shop.outcomes.cancelled(delivery, 'skipped');
  else shop.outcomes.handled(delivery, value);
  return false;
}

function fail(shop: Workshop, attempt: Attempt, failure: Failure): boolean {
  const { outcomes } = shop;
  const { delivery, worker } = attempt;
  attempt.deferral?.drop(failure.error);
  attempt.takeBack();
  const settlement = decide(shop, delivery, failure);
  if (settlement.action === 'retry') {
    if (delivery.subscription.active && worker.status !== 'stopped')
      return retryLater(shop, attempt, waitOf(shop, delivery, settlement.delayMs), failure);
    endWithoutRetry(shop, attempt, failure);
  } else if (settlement.action === 'dead-letter') {
    if (settlement.reason === 'budget') return exhaust(shop, attempt, failure.error);
    if (delivery.attempts > 1) countRetry(delivery.message.lineage);
    outcomes.deadLettered(delivery, settlement.reason, failure.error);
  } else if (settlement.action === 'cancel') {
    outcomes.cancelled(delivery, 'withdrawn', failure.error);
  }
  return false;
}

function decide(shop: Workshop, delivery: Delivery, failure: Failure): Settlement {
  const { env } = shop;
  const final = delivery.flags.streamed || isRetriedForNothing(delivery);
  const retry = final ? undefined : delivery.subscription.retry;
  const left = delivery.message.expires - shop.now();
  return settle(failure, delivery.attempts, retry, () => env.random(), {
    previousDelayMs: delivery.flags.retryDelayMs,
    remainingMs: left,
  });
}

/** What it asked was retried and has failed. Of what is told there is nobody above who waits. */
function isRetriedForNothing({ admission, message }: Delivery): boolean {
  return admission.asker !== undefined && isRetriedBelow(message.lineage);
}

/** A budget is used up: first the responder may say what it has; true while it does. */
function exhaust(shop: Workshop, attempt: Attempt, error: unknown): boolean {
  const { delivery, worker } = attempt;
  const end = (last: unknown): void => shop.outcomes.deadLettered(delivery, 'budget', last);
  const own = withOwnPartial(shop, error);
  const slotIsHeld = attempt.fenced && worker.options.onHang === 'hold';
  if (slotIsHeld || worker.status === 'stopped' || !owesLastCall(delivery, own)) {
    end(own);
    return false;
  }
  new WrapUp(shop, attempt, own, { end, release: () => worker.release(attempt) }).begin();
  return true;
}

function waitOf(shop: Workshop, delivery: Delivery, delayMs: number): number {
  const leftMs = delivery.message.expires - shop.now();
  return longerWait(shop.env, targetOf(delivery), delayMs, leftMs);
}

function retryLater(shop: Workshop, attempt: Attempt, delayMs: number, failure: Failure): boolean {
  const { ledger, events } = shop;
  const { delivery, worker } = attempt;
  const held = delivery.subscription.retryInPlace && delivery.current?.fenced !== true;
  ledger.retries++;
  ledger.move('inFlight', 'retryWait');
  delivery.state = 'retryWait';
  const firstFailedAt = delivery.flags.firstFailedAt ?? shop.now();
  delivery.flags = { ...delivery.flags, firstFailedAt, retryDelayMs: delayMs, cleared: false };
  worker.retryLater(delivery, delayMs, held);
  if (events.has('retry'))
    events.emit('retry', { ...told(delivery), delayMs, error: failure.error });
  return held;
}

/** Its subscription or the bus has ended while the handler ran: it is never started again. */
function endWithoutRetry(shop: Workshop, { delivery, worker }: Attempt, failure: Failure): void {
  const { outcomes } = shop;
  const others = delivery.home === worker ? [] : (delivery.home as Group).members;
  const successor = others.find((member) => member.worker.status !== 'stopped');
  if (delivery.subscription.active) outcomes.cancelled(delivery, 'closed');
  else if (successor !== undefined) handBack(shop, delivery, successor.subscription);
  else if (worker.status === 'stopped') {
    outcomes.deadLettered(delivery, 'recipient-stopped', failure.error);
  } else outcomes.cancelled(delivery, 'unsubscribed');
}

/** Gives a delivery back to its group, for whoever of the others is free first. */
function handBack(shop: Workshop, delivery: Delivery, heir: Subscription): void {
  const { mailbox } = delivery.home;
  shop.ledger.move('inFlight', 'queued');
  delivery.state = 'queued';
  delivery.subscription = heir;
  mailbox.stamp(delivery);
  mailbox.push(delivery);
  delivery.home.wake();
}

/** Its delay is over: it goes to the back of its priority, for any free slot. */
export function comeBack(shop: Workshop, delivery: Delivery): void {
  const { mailbox } = delivery.home;
  const { batcher } = delivery.subscription;
  givePlace(delivery);
  shop.ledger.move('retryWait', 'queued');
  delivery.state = 'queued';
  if (batcher !== undefined) batcher.add(delivery);
  else {
    mailbox.stamp(delivery);
    mailbox.push(delivery);
  }
  delivery.home.wake();
}
