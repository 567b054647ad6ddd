import type { BusStatus } from '../delivery/admitter.ts';
import type { BusLimits } from './limits.ts';
import type { Wiring } from './wiring.ts';

/** The state of a bus. Admitted deliveries are the sum of the nine states that follow. */
export interface BusInspection {
  readonly status: BusStatus;
  readonly admitted: number;
  readonly waiting: number;
  readonly queued: number;
  readonly inFlight: number;
  readonly deferred: number;
  readonly retryWait: number;
  readonly handled: number;
  readonly deadLettered: number;
  readonly expired: number;
  readonly cancelled: number;
  /** Messages admitted, whatever the number of their copies. */
  readonly messages: number;
  /** Delayed messages that are not due. */
  readonly scheduled: number;
  /** Calls that were refused. */
  readonly refused: number;
  /** Those of them that permissions, a restricted handle, a middleware or the bus denied. */
  readonly denied: number;
  /** Published messages that nobody heard. */
  readonly unrouted: number;
  readonly retries: number;
  /** Handlers that were fenced while they still ran. */
  readonly abandoned: number;
  /** Messages that `dedupeKey` stopped. */
  readonly duplicates: number;
  readonly lateReplies: number;
  readonly duplicateReplies: number;
  readonly foreignReplies: number;
  /** Faults of listeners, taps, loggers, key functions. */
  readonly faults: number;
  /** Functions and class instances that payloads passed by reference. */
  readonly byReference: number;
  readonly agents: number;
  readonly subscriptions: number;
  readonly pendingRequests: number;
  /** Calls that wait until somebody serves their topic. */
  readonly awaitingResponder: number;
  readonly letters: number;
  readonly letterBytes: number;
  /** Letters that died too often; they count in `letters`, too. */
  readonly quarantinedLetters: number;
  /** Letters that are in memory alone, though there is a store. */
  readonly unsavedLetters: number;
  /** Letters that had to make room for newer ones, or were too old. */
  readonly evictedLetters: number;
  readonly cachedTopics: number;
  readonly retainedTopics: number;
  readonly limits: BusLimits;
}

/** Reads the books of a bus. */
export function inspectBus(wiring: Wiring): BusInspection {
  const { ledger, letters, router } = wiring;
  return {
    status: wiring.status,
    admitted: ledger.admitted,
    waiting: ledger.waiting,
    queued: ledger.queued - ledger.gone - ledger.handing,
    inFlight: ledger.inFlight + ledger.handing,
    deferred: ledger.deferred,
    retryWait: ledger.retryWait,
    handled: ledger.handled + ledger.gone,
    deadLettered: ledger.deadLettered,
    expired: ledger.expired,
    cancelled: ledger.cancelled,
    messages: ledger.messages,
    scheduled: ledger.scheduled,
    refused: ledger.refused,
    denied: ledger.denied,
    unrouted: ledger.unrouted,
    retries: ledger.retries,
    abandoned: ledger.abandoned,
    duplicates: ledger.duplicates,
    lateReplies: ledger.lateReplies,
    duplicateReplies: ledger.duplicateReplies,
    foreignReplies: ledger.foreignReplies,
    faults: ledger.faults,
    byReference: ledger.byReference,
    agents: wiring.registry.size,
    subscriptions: wiring.subscriptions.size,
    pendingRequests: wiring.requests.size,
    awaitingResponder: wiring.arrivals.size,
    letters: letters.size,
    letterBytes: letters.bytes,
    quarantinedLetters: letters.quarantined,
    unsavedLetters: letters.unsaved,
    evictedLetters: letters.evicted,
    cachedTopics: router.stats().cachedTopics,
    retainedTopics: wiring.retained.size,
    // Frozen by who looks: a bus is made more often than it is inspected.
    limits: Object.freeze(wiring.limits),
  };
}
