import { isTellaskError } from '../kernel/errors.ts';
import { isA } from '../kernel/is-a.ts';
import type { RetryPolicy } from '../resilience/backoff.ts';
import { decideRetry } from '../resilience/decide-retry.ts';
import { BudgetExhaustedError } from './bound-errors.ts';
import type { DeadLetterReason } from './dead-letters.ts';

/** Why an attempt failed. */
export interface Failure {
  readonly error: unknown;
  /** Set when the handler was told to stop before it failed: then that is the reason. */
  readonly stopped?: 'timed-out' | 'withdrawn';
}

/** What becomes of a delivery after an attempt. */
export type Settlement =
  | { readonly action: 'handled' }
  | { readonly action: 'cancel' }
  | { readonly action: 'retry'; readonly delayMs: number }
  | { readonly action: 'dead-letter'; readonly reason: DeadLetterReason };

/** What the decision may depend on besides the failure. */
export interface SettleOptions {
  readonly previousDelayMs?: number | undefined;
  /** Milliseconds until the message expires. @default Infinity */
  readonly remainingMs?: number;
}

const HANDLED: Settlement = { action: 'handled' };
const CANCEL: Settlement = { action: 'cancel' };

/** Decides, and does nothing: its test is a table. */
export function settle(
  failure: Failure | undefined,
  attempt: number,
  policy: RetryPolicy | undefined,
  random: () => number,
  { previousDelayMs, remainingMs = Infinity }: SettleOptions = {},
): Settlement {
  if (failure === undefined) return HANDLED;
  // Nobody wants the answer any more: that is no failure of the handler.
  if (failure.stopped === 'withdrawn') return CANCEL;
  const reason = reasonOf(failure);
  if (reason === 'budget') return { action: 'dead-letter', reason };
  if (policy === undefined || policy.maxAttempts === 1) return { action: 'dead-letter', reason };
  const { error } = failure;
  const decision = decideRetry(policy, { error, attempt, previousDelayMs, remainingMs }, random);
  if (decision.action === 'retry') return decision;
  // Attempts that are used up say more than the last error; whatever else stops it is said by it.
  return { action: 'dead-letter', reason: decision.why === 'attempts' ? 'max-attempts' : reason };
}

/** What failed: the handler itself, or the time or the patience of whoever told it to stop. */
export function failureOf(error: unknown, abortReason: unknown): Failure {
  if (abortReason === undefined) return { error };
  if (isTellaskError(abortReason, 'TELLASK_REVOKED')) return { error };
  if (isTellaskError(abortReason, 'TELLASK_RESTARTED')) return { error };
  if (isA(abortReason, BudgetExhaustedError)) {
    return { error: isA(error, BudgetExhaustedError) ? error : abortReason };
  }
  const timedOut =
    isTellaskError(abortReason, 'TELLASK_HANDLER_TIMEOUT') ||
    isTellaskError(abortReason, 'TELLASK_TIMEOUT');
  return { error: abortReason, stopped: timedOut ? 'timed-out' : 'withdrawn' };
}

/** What the letter of a failure says. */
export function reasonOf(failure: Failure): DeadLetterReason {
  if (failure.stopped === 'timed-out') return 'handler-timeout';
  if (isTellaskError(failure.error, 'TELLASK_BUDGET')) return 'budget';
  return isTellaskError(failure.error, 'TELLASK_REJECTED') ? 'rejected' : 'handler-error';
}
