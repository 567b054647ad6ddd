import { delayMs, isRetryable, type RetryPolicy } from './backoff.ts';
import type { RetryTokens } from './call.ts';

/** What is known of a call that failed. */
export interface FailedCall {
  readonly error: unknown;
  /** Which call it was, from 1. */
  readonly attempt: number;
  readonly previousDelayMs?: number | undefined;
  /** Milliseconds until nobody waits any more. @default Infinity */
  readonly remainingMs?: number | undefined;
  /** Has to give leave, too, besides the budget of the policy. */
  readonly tokens?: RetryTokens | undefined;
}

/** Whether a failed call is made again, and when. */
export type RetryDecision =
  | { readonly action: 'retry'; readonly delayMs: number }
  | { readonly action: 'stop'; readonly why: 'final' | 'attempts' | 'deadline' | 'budget' };

const FINAL: RetryDecision = { action: 'stop', why: 'final' };
const ATTEMPTS: RetryDecision = { action: 'stop', why: 'attempts' };
const DEADLINE: RetryDecision = { action: 'stop', why: 'deadline' };
const BUDGET: RetryDecision = { action: 'stop', why: 'budget' };

/**
 * The one decision of a policy that calls again and of a handler that is tried again. It does
 * nothing but throw the dice, and take a token when nothing else stands in the way.
 */
export function decideRetry(
  policy: RetryPolicy,
  failed: FailedCall,
  random: () => number,
): RetryDecision {
  if (!isRetryable(failed.error, policy)) return FINAL;
  if (failed.attempt >= policy.maxAttempts) return ATTEMPTS;
  const waitMs = delayMs(policy, failed.attempt, random, failed.previousDelayMs, failed.error);
  // Never sleep into a deadline: the real error now is worth more than a time-out later.
  if (waitMs >= (failed.remainingMs ?? Infinity)) return DEADLINE;
  return withdraw(policy.budget, failed.tokens) ? { action: 'retry', delayMs: waitMs } : BUDGET;
}

/** A token of both, or of neither. */
function withdraw(own: RetryPolicy['budget'], shared: RetryTokens | undefined): boolean {
  if (own === undefined) return shared?.withdraw() !== false;
  if (own.available >= 1 && shared?.withdraw() === false) return false;
  return own.withdraw();
}
