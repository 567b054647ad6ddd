import { type GuardLimits, readGuard } from '../delivery/guard.ts';
import type { MailboxChoice } from '../delivery/handler-options.ts';
import { type BusOptions, DEFAULTS, GUARD_DEFAULTS } from './bus-options.ts';

/** The bounds of a bus; every one is finite unless its owner said `Infinity`. */
export interface BusLimits extends GuardLimits {
  readonly capacity: number;
  readonly concurrency: number;
  readonly handlerTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxLetters: number;
  readonly maxLetterBytes: number;
  readonly letterRetentionMs: number;
  readonly maxRetained: number;
  readonly maxCachedTopics: number;
  readonly maxMetricLabels: number;
  readonly dedupeMaxKeys: number;
  readonly dedupeWindowMs: number;
}

/** What the options of a bus come to. */
export function readLimits(
  options: Omit<BusOptions, 'contract'>,
  mailbox: MailboxChoice,
): BusLimits {
  const { dedupe = {}, deadLetters = {} } = options;
  const guard = readGuard(options.guard, GUARD_DEFAULTS);
  const { pairRate, senderRate } = guard;
  // Spelled out: what is spread into a literal makes it a hundred times as large for a while.
  const limits: BusLimits = {
    maxDepth: guard.maxDepth,
    maxHops: guard.maxHops,
    maxRepeats: guard.maxRepeats,
    repeatWindowMs: guard.repeatWindowMs,
    capacity: mailbox.capacity,
    concurrency: mailbox.concurrency,
    handlerTimeoutMs: options.handlerTimeoutMs ?? DEFAULTS.handlerTimeoutMs,
    requestTimeoutMs: options.requestTimeoutMs ?? DEFAULTS.requestTimeoutMs,
    maxLetters: deadLetters.maxLetters ?? DEFAULTS.maxLetters,
    maxLetterBytes: deadLetters.maxBytes ?? DEFAULTS.maxLetterBytes,
    letterRetentionMs: deadLetters.retentionMs ?? DEFAULTS.letterRetentionMs,
    maxRetained: options.maxRetained ?? DEFAULTS.maxRetained,
    maxCachedTopics: options.maxCachedTopics ?? DEFAULTS.maxCachedTopics,
    maxMetricLabels: options.maxMetricLabels ?? DEFAULTS.maxMetricLabels,
    dedupeMaxKeys: dedupe.maxKeys ?? DEFAULTS.dedupeMaxKeys,
    dedupeWindowMs: dedupe.windowMs ?? DEFAULTS.dedupeWindowMs,
  };
  if (pairRate === undefined && senderRate === undefined) return limits;
  return { ...limits, ...guard };
}
