import { onAbort } from '../kernel/abort.ts';
import type { Env, Timer } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { checkRate, type RateLimit, TokenBucket } from '../resilience/token-bucket.ts';
import type { DeadLetters, LetterFilter, OngoingPass } from './dead-letters.ts';

import type { KeptLetter } from './kept-letter.ts';
import type { Receipt } from './receipt.ts';
import { type Aim, type AimParts, type AimTerms, aimAt, type SkipReason } from './redrive-aim.ts';
import type { Speaker } from './speech.ts';
import type { StoreClaim } from './stored-letters.ts';

/** Options of `redrive`. */
export interface RedriveOptions {
  /** Letters that were redriven so often are left alone, in quarantine or not. @default Infinity */
  readonly maxRedrives?: number;
  /** Only says what it would do. @default false */
  readonly dryRun?: boolean;
  /** The agent that gets them instead of who failed: each as a directed message or request. */
  readonly to?: string;
  /** `limit` letters at once and as many again in each `perMs`. @default all at once */
  readonly rate?: RateLimit;
  /** Which letters go first, by their death. @default 'oldest' */
  readonly order?: 'oldest' | 'newest';
  /** Ends the pass: what was not sent by then stays, `skipped` as `stopped`. */
  readonly signal?: AbortSignal;
}

/** A letter that was left where it is, and why. */
export interface SkippedLetter {
  readonly id: string;
  readonly why: SkipReason;
  readonly error?: unknown;
}

/** Where a letter went, or would go. */
export interface RedriveTarget {
  readonly id: string;
  /** An agent or `$host`; undefined for a call that is made again to whoever listens. */
  readonly to: string | undefined;
}

/** What `redrive` did. */
export interface Redriven {
  /** Ids of the letters that were sent again, in the order in which they were. */
  readonly redriven: readonly string[];
  /** To whom each of them went. */
  readonly targets: readonly RedriveTarget[];
  readonly skipped: readonly SkippedLetter[];
  /** A receipt for each redriven letter but refused requests; none on a dry run. */
  readonly receipts: readonly Receipt[];
}

/** What redriving needs of its bus. */
export interface RedriveParts extends AimParts {
  readonly env: Env;
  readonly letters: DeadLetters;
  request(speaker: Speaker, letter: KeptLetter, to: string | undefined): Promise<unknown>;
}

const OPTIONS: ReadonlySet<string> = new Set<keyof RedriveOptions>([
  'maxRedrives',
  'dryRun',
  'to',
  'rate',
  'order',
  'signal',
]);

/**
 * Sends dead letters again, in one pass over those that are there when it begins: what dies again
 * meanwhile is for the next pass. Without a rate it has sent all when it returns its promise.
 */
export async function redrive(
  parts: RedriveParts,
  filter: LetterFilter = {},
  options: RedriveOptions = {},
): Promise<Redriven> {
  const terms = readTerms(filter, options);
  const letters = parts.letters.list(filter);
  if (options.order === 'newest') letters.reverse();
  return new Pass(parts, terms, options).run(letters);
}

function readTerms(filter: LetterFilter, options: RedriveOptions): AimTerms {
  if (typeof options !== 'object' || options === null) {
    throw misuse('The options of redrive', 'an object', options);
  }
  refuseUnknown(options, OPTIONS, 'redrive');
  const { maxRedrives, dryRun = false, to, rate, order = 'oldest' } = options;
  if (typeof dryRun !== 'boolean') throw misuse('dryRun', 'true or false', dryRun);
  if (order !== 'oldest' && order !== 'newest') {
    throw misuse('order', "'oldest' or 'newest'", order);
  }
  if (to !== undefined && typeof to !== 'string') throw misuse('to', 'the name of an agent', to);
  if (rate !== undefined) {
    if (typeof rate !== 'object' || rate === null) throw misuse('rate', 'an object', rate);
    checkRate(rate, 'rate');
  }
  return {
    quarantined: filter.quarantined === true,
    maxRedrives: maxRedrives === undefined ? Infinity : readCount('maxRedrives', maxRedrives, 0),
    to,
  };
}

/** One pass over the letters that were there when it began. */
class Pass implements OngoingPass {
  readonly #parts: RedriveParts;
  readonly #terms: AimTerms;
  readonly #dryRun: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #bucket: TokenBucket | undefined;
  readonly #redriven: string[] = [];
  readonly #targets: RedriveTarget[] = [];
  readonly #skipped: SkippedLetter[] = [];
  readonly #receipts: Receipt[] = [];
  #stopped: { readonly reason: unknown } | undefined;
  #timer: Timer | undefined;
  #goOn: () => void = () => {};

  constructor(parts: RedriveParts, terms: AimTerms, { dryRun, signal, rate }: RedriveOptions) {
    this.#parts = parts;
    this.#terms = terms;
    this.#dryRun = dryRun === true;
    this.#signal = signal;
    this.#bucket = rate && new TokenBucket(rate);
  }

  async run(letters: readonly KeptLetter[]): Promise<Redriven> {
    const end = this.#parts.letters.begin(this);
    const off = this.#signal && onAbort(this.#signal, (reason) => this.stop(reason));
    try {
      for (const letter of letters) {
        const waiting = this.#turnOf(letter);
        // Without anything to wait for, a pass is one step that nobody comes between.
        if (waiting !== undefined) await waiting;
        const securing = this.#redrive(letter);
        if (securing !== undefined) await securing;
      }
    } finally {
      off?.();
      end();
    }
    return {
      redriven: this.#redriven,
      targets: this.#targets,
      skipped: this.#skipped,
      receipts: this.#receipts,
    };
  }

  stop(reason: unknown): void {
    this.#stopped ??= { reason };
    this.#timer?.cancel();
    this.#goOn();
  }

  /** Waits until the rate allows one more; not for a letter that will not be sent. */
  #turnOf(letter: KeptLetter): Promise<void> | undefined {
    const bucket = this.#bucket;
    if (bucket === undefined || this.#dryRun || this.#stopped !== undefined) return undefined;
    if (this.#aimAt(letter).how === 'leave') return undefined;
    const { env } = this.#parts;
    if (bucket.take(env.now())) return undefined;
    return new Promise((resolve) => {
      this.#goOn = resolve;
      const goOn = (): void => {
        bucket.take(env.now());
        resolve();
      };
      const options = { keepAlive: true, label: 'rate of redrive' };
      this.#timer = env.setTimer(Math.max(1, bucket.waitMs()), goOn, options);
    });
  }

  #aimAt(letter: KeptLetter): Aim {
    return aimAt(this.#parts, letter, this.#terms);
  }

  /** Without a store it is done when this returns. */
  #redrive(letter: KeptLetter): Promise<void> | undefined {
    const { letters } = this.#parts;
    const aim = this.#aimNow(letter);
    if (aim === undefined) return undefined;
    if (this.#dryRun) {
      this.#enter(letter, aim);
      return undefined;
    }
    if (!letters.claim(letter)) {
      this.#skip(letter, 'claimed');
      return undefined;
    }
    const securing = letters.secure(letter);
    if (securing !== undefined) return securing.then((claim) => this.#secured(letter, claim));
    this.#send(letter, aim);
    return undefined;
  }

  #secured(letter: KeptLetter, claim: StoreClaim): void {
    const { letters } = this.#parts;
    if (claim.whose === 'theirs') {
      letters.take(letter);
      this.#skip(letter, 'claimed');
    } else if (claim.whose === 'unknown') {
      letters.putBack(letter);
      this.#skip(letter, 'store', claim.error);
    } else {
      // Meanwhile its subscriber may have gone.
      const aim = this.#aimNow(letter);
      if (aim === undefined) letters.putBack(letter);
      else this.#send(letter, aim);
    }
  }

  /** Where to, unless it is skipped, which is noted. */
  #aimNow(letter: KeptLetter): Exclude<Aim, { how: 'leave' }> | undefined {
    if (this.#stopped !== undefined) {
      this.#skip(letter, 'stopped', this.#stopped.reason);
      return undefined;
    }
    const aim = this.#aimAt(letter);
    if (aim.how !== 'leave') return aim;
    this.#skip(letter, aim.why, aim.error);
    return undefined;
  }

  #skip({ id }: KeptLetter, why: SkipReason, error?: unknown): void {
    this.#skipped.push(error === undefined ? { id, why } : { id, why, error });
  }

  #enter({ id }: KeptLetter, { name }: Exclude<Aim, { how: 'leave' }>): void {
    this.#redriven.push(id);
    this.#targets.push({ id, to: name });
  }

  #send(letter: KeptLetter, aim: Exclude<Aim, { how: 'leave' }>): void {
    const { letters, admitter } = this.#parts;
    try {
      if (aim.how === 'deliver') {
        this.#receipts.push(admitter.again(letter, aim.to, this.#terms.to));
      } else if (!letters.retrying(letter, () => this.#callAgain(letter, aim))) {
        this.#skip(letter, 'refused');
        return;
      }
      letters.take(letter);
      this.#enter(letter, aim);
    } catch (error) {
      letters.putBack(letter);
      this.#skip(letter, 'refused', error);
    }
  }

  /** A refused call is made again as a new call: it was never admitted. */
  #callAgain(letter: KeptLetter, { speaker, name }: Extract<Aim, { how: 'call' }>): void {
    const { admitter } = this.#parts;
    const { message, action } = letter;
    const { type, priority, headers, correlationId, topic, payload } = message;
    if (action === 'request') {
      // Its asker has gone; what the answer would be is for nobody.
      this.#parts.request(speaker, letter, name).catch(() => {});
      return;
    }
    const ttl = letter.ttlMs === Infinity ? {} : { ttlMs: letter.ttlMs };
    const options = { type, priority, headers, correlationId, ...ttl };
    this.#receipts.push(
      name === undefined
        ? admitter.publish(speaker, topic, payload, options)
        : admitter.send(speaker, name, topic, payload, options),
    );
  }
}
