import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Lineage } from '../message/envelope.ts';
import { type Edge, follow, pathOf, type Trail } from '../message/trail.ts';
import { RateLimitedError } from '../resilience/errors.ts';
import { checkRate, type RateLimit } from '../resilience/token-bucket.ts';
import { LoopError, type LoopGuard } from './bound-errors.ts';
import { lineageOf, readMs } from './said.ts';
import { TokenBuckets } from './token-buckets.ts';
import type { Words } from './words.ts';

/** Bounds on what a conversation and a speaker may do. `Infinity` switches one off. */
export interface GuardOptions {
  /** Requests that may wait inside each other. @default 32 */
  readonly maxDepth?: number;
  /** Messages that may cause each other, one after the other. @default 1_000 */
  readonly maxHops?: number;
  /** How often a chain of causes may come back to the same (from, to, topic). @default 100 */
  readonly maxRepeats?: number;
  /** Milliseconds within which it may do so. @default 60_000 */
  readonly repeatWindowMs?: number;
  /** What one agent may say to one other, by `send` and `request`. @default no limit */
  readonly pairRate?: RateLimit;
  /** What one agent may say in all. @default no limit */
  readonly senderRate?: RateLimit;
}

/** What the options come to. */
export type GuardLimits = Required<Omit<GuardOptions, 'pairRate' | 'senderRate'>> &
  Pick<GuardOptions, 'pairRate' | 'senderRate'>;

/** What a message on `$bus.guard.*` tells. */
export interface GuardNotice {
  readonly from: string;
  readonly to: string;
  readonly topic: string;
  readonly conversation: string | undefined;
  /** What led there, oldest first. */
  readonly path: readonly string[];
  readonly limit: number | undefined;
}

/** What tripped, beside the words that did. */
interface Tripped {
  readonly to: string | undefined;
  readonly path: readonly string[];
  readonly limit: number | undefined;
}

/** What the guards need of their bus. */
export interface GuardParts {
  now(): number;
  /** Says something as the bus itself, if anybody listens. */
  say(topic: string, notice: GuardNotice, lineage: Lineage | undefined): void;
}

/** Refuses what goes round in circles, waits too deep inside itself, or comes too often. */
export class Guard {
  readonly #limits: GuardLimits;
  readonly #parts: GuardParts;
  readonly #senders: TokenBuckets | undefined;
  readonly #pairs: TokenBuckets | undefined;
  /** Somebody's rate is bounded: no call may pass unseen. */
  readonly rated: boolean;

  constructor(limits: GuardLimits, parts: GuardParts) {
    const { senderRate, pairRate } = limits;
    this.#limits = limits;
    this.#parts = parts;
    this.#senders = senderRate === undefined ? undefined : new TokenBuckets(senderRate);
    this.#pairs = pairRate === undefined ? undefined : new TokenBuckets(pairRate);
    this.rated = senderRate !== undefined || pairRate !== undefined;
  }

  /** @throws RateLimitedError when the speaker says too much. */
  checkSender(words: Words): void {
    if (this.#senders === undefined || words.speaker.name === '$host') return;
    this.#checkRate(this.#senders, words.speaker.name, words, undefined, this.#limits.senderRate);
  }

  /**
   * Checks one message before it is admitted, and writes its link into its lineage.
   *
   * @throws LoopError, or RateLimitedError when one speaks too often to the same other.
   */
  check(words: Words, to: string | undefined, lineage: Lineage | undefined): void {
    if (this.#pairs !== undefined && to !== undefined && words.speaker.name !== '$host') {
      const pair = `${words.speaker.name}\0${to}`;
      this.#checkRate(this.#pairs, pair, words, to, this.#limits.pairRate);
    }
    if (lineage === undefined) return;
    const { maxDepth, maxHops, maxRepeats } = this.#limits;
    if (lineage.depth > maxDepth) this.#refuse('depth', maxDepth, words, to, lineage);
    // A message that begins a conversation, and what it causes first, cannot have come round.
    if (lineage.hops <= maxHops && (lineage.hops < 2 || maxRepeats === Infinity)) return;
    lineage.trail = this.#trailOf(words, to);
    if (lineage.hops > maxHops) this.#refuse('hops', maxHops, words, to, lineage);
    if (lineage.trail.count > maxRepeats) this.#refuse('repeats', maxRepeats, words, to, lineage);
  }

  /** Tells those who listen on `$bus.guard.<what>`, and never by what they themselves have said. */
  tell(what: string, words: Words, { to, path, limit }: Tripped): void {
    const { cause, name } = words.speaker;
    if (cause?.message.topic.startsWith('$')) return;
    const lineage = lineageOf(cause, words.said.correlationId);
    // Who answers a notice by what trips the guard again goes round in a circle, too.
    if (lineage !== undefined) lineage.trail = this.#trailOf(words, to);
    const conversation = lineage?.correlationId;
    const { topic } = words;
    const notice = { from: name, to: to ?? '*', topic, conversation, path, limit };
    this.#parts.say(`$bus.guard.${what}`, notice, lineage);
  }

  #refuse(
    guard: LoopGuard,
    limit: number,
    words: Words,
    to: string | undefined,
    lineage: Lineage,
  ): never {
    const path = pathOf(lineage.trail ?? this.#trailOf(words, to));
    const conversation = lineage.correlationId;
    this.tell(guard, words, { to, path, limit });
    throw new LoopError(guard, limit, path, conversation);
  }

  #trailOf({ speaker, topic, said }: Words, to: string | undefined): Trail {
    const { repeatWindowMs } = this.#limits;
    const edge: Edge = { from: speaker.name, to: to ?? '*', topic };
    const cause = speaker.cause?.message;
    const now = this.#parts.now();
    const isNew =
      cause === undefined ||
      (said.correlationId !== undefined && said.correlationId !== cause.correlationId);
    if (isNew) return follow(undefined, edge, now, repeatWindowMs);
    const heard = { from: cause.from, to: cause.to ?? '*', topic: cause.topic };
    const before = cause.lineage?.trail ?? follow(undefined, heard, cause.at, repeatWindowMs);
    return follow(before, edge, now, repeatWindowMs);
  }

  #checkRate(
    buckets: TokenBuckets,
    name: string,
    words: Words,
    to: string | undefined,
    rate: RateLimit | undefined,
  ): void {
    const emptied = buckets.take(name, this.#parts.now());
    if (emptied === undefined) return;
    const { speaker, topic } = words;
    const whom = to ?? words.to;
    const path = [`${speaker.name} -${topic}-> ${whom ?? '*'}`];
    if (emptied.isNews) this.tell('rate', words, { to: whom, path, limit: rate?.limit });
    throw new RateLimitedError(speaker.name, to, emptied.retryAfterMs);
  }
}

const GUARD_OPTIONS: ReadonlySet<string> = new Set<keyof GuardOptions>([
  'maxDepth',
  'maxHops',
  'maxRepeats',
  'repeatWindowMs',
  'pairRate',
  'senderRate',
]);

/** Reads the option `guard` of a bus. */
export function readGuard(
  options: GuardOptions | undefined,
  defaults: Omit<GuardLimits, 'pairRate' | 'senderRate'>,
): GuardLimits {
  if (options === undefined) return defaults;
  if (typeof options !== 'object' || options === null) throw misuse('guard', 'an object', options);
  refuseUnknown(options, GUARD_OPTIONS, 'guard');
  const { maxDepth, maxHops, maxRepeats, repeatWindowMs, pairRate, senderRate } = options;
  if (pairRate !== undefined) checkRate(pairRate, 'guard.pairRate');
  if (senderRate !== undefined) checkRate(senderRate, 'guard.senderRate');
  return {
    maxDepth: readCount('guard.maxDepth', maxDepth ?? defaults.maxDepth, 0),
    maxHops: readCount('guard.maxHops', maxHops ?? defaults.maxHops, 0),
    maxRepeats: readCount('guard.maxRepeats', maxRepeats ?? defaults.maxRepeats, 0),
    repeatWindowMs: readMs('guard.repeatWindowMs', repeatWindowMs) ?? defaults.repeatWindowMs,
    ...(pairRate === undefined ? {} : { pairRate }),
    ...(senderRate === undefined ? {} : { senderRate }),
  };
}
