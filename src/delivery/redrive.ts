import { readCount } from '../kernel/read-count.ts';
import type { Admitter } from './admitter.ts';
import type { DeadLetter, DeadLetters, KeptLetter, LetterFilter } from './dead-letters.ts';
import type { Receipt } from './receipt.ts';
import type { Speaker } from './speech.ts';
import type { Subscription } from './subscription.ts';

/** Options of `redrive`. */
export interface RedriveOptions {
  /** A letter that was redriven so often is left alone. @default 3 */
  readonly maxRedrives?: number;
  /** Only says what it would do. @default false */
  readonly dryRun?: boolean;
}

/** A letter that was left where it is, and why. */
export interface SkippedLetter {
  readonly id: string;
  readonly why: 'max-redrives' | 'no-subscriber' | 'refused' | 'claimed';
  readonly error?: unknown;
}

/** What `redrive` did. */
export interface Redriven {
  /** Ids of the letters that were sent again, oldest first. */
  readonly redriven: readonly string[];
  readonly skipped: readonly SkippedLetter[];
  /** A receipt for each redriven letter; none on a dry run. */
  readonly receipts: readonly Receipt[];
}

/** What redriving needs of its bus. */
export interface RedriveParts {
  readonly letters: DeadLetters;
  readonly admitter: Admitter;
  readonly maxRedrives: number;
  /** Who said it then, if he is still here to say it again. */
  speaker(name: string): Speaker | undefined;
  /** The subscription that failed, or the one that took its place under the same name. */
  successor(of: Subscription): Subscription | undefined;
  request(speaker: Speaker, letter: DeadLetter): Promise<unknown>;
}

/**
 * Sends dead letters again, in one pass over those that are there when it begins: what dies again
 * meanwhile is for the next pass. A letter goes to the subscription that failed and to no other.
 */
export function redrive(
  parts: RedriveParts,
  filter: LetterFilter,
  options: RedriveOptions = {},
): Redriven {
  const { dryRun = false } = options;
  const maxRedrives = readCount('maxRedrives', options.maxRedrives ?? parts.maxRedrives, 0);
  const redriven: string[] = [];
  const skipped: SkippedLetter[] = [];
  const receipts: Receipt[] = [];
  for (const letter of parts.letters.list(filter)) {
    const why = obstacle(parts, letter, maxRedrives);
    if (why !== undefined) skipped.push({ id: letter.id, why });
    else if (dryRun) redriven.push(letter.id);
    else sendAgain(parts, letter, { redriven, skipped, receipts });
  }
  return { redriven, skipped, receipts };
}

function obstacle(
  parts: RedriveParts,
  letter: KeptLetter,
  maxRedrives: number,
): SkippedLetter['why'] | undefined {
  if (letter.reason === 'late-reply') return 'refused';
  if (letter.redriveCount >= maxRedrives) return 'max-redrives';
  if (letter.refused)
    return parts.speaker(letter.message.from) === undefined ? 'no-subscriber' : undefined;
  return parts.successor(letter.subscription as Subscription) === undefined
    ? 'no-subscriber'
    : undefined;
}

interface Results {
  readonly redriven: string[];
  readonly skipped: SkippedLetter[];
  readonly receipts: Receipt[];
}

function sendAgain(parts: RedriveParts, letter: KeptLetter, into: Results): void {
  // The claim comes before the sending: of two who redrive at once, one gets the letter.
  if (!parts.letters.claim(letter)) {
    into.skipped.push({ id: letter.id, why: 'claimed' });
    return;
  }
  try {
    const receipt = letter.refused
      ? parts.letters.retrying(letter, () => callAgain(parts, letter))
      : deliverAgain(parts, letter);
    if (receipt !== undefined) into.receipts.push(receipt);
    into.redriven.push(letter.id);
  } catch (error) {
    if (!letter.refused) parts.letters.putBack(letter);
    into.skipped.push({ id: letter.id, why: 'refused', error });
  }
}

function deliverAgain(parts: RedriveParts, letter: KeptLetter): Receipt {
  const to = parts.successor(letter.subscription as Subscription) as Subscription;
  return parts.admitter.again(letter, to);
}

/** A refused call is made again as a new call: it was never admitted. */
function callAgain(parts: RedriveParts, letter: KeptLetter): Receipt | undefined {
  const { message, action } = letter;
  const speaker = parts.speaker(message.from) as Speaker;
  const { type, priority, headers, correlationId } = message;
  const ttl = letter.ttlMs === Infinity ? {} : { ttlMs: letter.ttlMs };
  const options = { type, priority, headers, correlationId, ...ttl };
  if (action === 'publish') {
    return parts.admitter.publish(speaker, message.topic, message.payload, options);
  }
  if (action === 'send') {
    return parts.admitter.send(
      speaker,
      message.to as string,
      message.topic,
      message.payload,
      options,
    );
  }
  // Its asker has gone; what the answer would be is for nobody.
  parts.request(speaker, letter).catch(() => {});
  return undefined;
}
