import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Message } from '../message/message.ts';
import { delayMs, type RetryPolicy, toRetryPolicy } from '../resilience/backoff.ts';

/** When a supervised agent begins anew, and how often it may. */
export interface RestartOptions {
  /** So many restarts in `withinMs`; the next failure escalates. `0`: never. @default 3 */
  readonly maxRestarts?: number;
  /** The window in which restarts count, in milliseconds. @default 60_000 */
  readonly withinMs?: number;
  /** What to wait before a restart; grows with the restarts in the window. @default no wait */
  readonly backoff?: RestartBackoff;
  /** Milliseconds that a `start` which returns a promise may take. @default 30_000 */
  readonly startTimeoutMs?: number;
  /**
   * Which failures of a handler restart the agent, besides RestartError, which always does.
   * `() => true` is the rule of Erlang: let it crash. @default no other
   */
  readonly when?: (error: unknown, message: Message) => boolean;
}

/** Delays between restarts, as those of a retry. */
export interface RestartBackoff {
  /** The first delay, in milliseconds. @default 100 */
  readonly baseMs?: number;
  /** @default 10_000 */
  readonly maxMs?: number;
  /** @default 2 */
  readonly factor?: number;
  /** @default 'full' */
  readonly jitter?: 'none' | 'full' | 'equal' | 'decorrelated' | 'proportional';
}

/** Checked {@link RestartOptions}. */
export interface RestartTerms {
  readonly maxRestarts: number;
  readonly withinMs: number;
  readonly startTimeoutMs: number;
  readonly backoff: RetryPolicy | undefined;
  readonly when: RestartOptions['when'];
}

const RESTART: ReadonlySet<string> = new Set<keyof RestartOptions>([
  'maxRestarts',
  'withinMs',
  'backoff',
  'startTimeoutMs',
  'when',
]);
const BACKOFF: ReadonlySet<string> = new Set<keyof RestartBackoff>([
  'baseMs',
  'maxMs',
  'factor',
  'jitter',
]);

/** @throws TypeError or RangeError for options that make no sense. */
export function readRestart(options: RestartOptions = {}): RestartTerms {
  if (typeof options !== 'object' || options === null) {
    throw misuse('restart', 'an object of options', options);
  }
  refuseUnknown(options, RESTART, 'restart');
  const { maxRestarts = 3, withinMs = 60_000, startTimeoutMs = 30_000, backoff, when } = options;
  readCount('restart.maxRestarts', maxRestarts, 0);
  readLength('restart.withinMs', withinMs);
  readLength('restart.startTimeoutMs', startTimeoutMs);
  if (when !== undefined && typeof when !== 'function') {
    throw misuse('restart.when', 'a function of the error and the message', when);
  }
  return { maxRestarts, withinMs, startTimeoutMs, backoff: readBackoff(backoff), when };
}

function readBackoff(backoff: RestartBackoff | undefined): RetryPolicy | undefined {
  if (backoff === undefined) return undefined;
  if (typeof backoff !== 'object' || backoff === null) {
    throw misuse('restart.backoff', 'an object of options', backoff);
  }
  refuseUnknown(backoff, BACKOFF, 'restart.backoff');
  return toRetryPolicy({ ...backoff, maxAttempts: Infinity });
}

function readLength(name: string, value: unknown): void {
  if (typeof value !== 'number') throw misuse(name, 'a number of milliseconds', value);
  if (!(value >= 0)) throw new RangeError(`${name} must be a number from 0, but it is ${value}`);
}

/** Counts restarts against their terms. */
export class RestartBudget {
  readonly #terms: RestartTerms;
  /** When the restarts were that still count, oldest first; none are kept without a limit. */
  #instants: number[] = [];
  #previousDelayMs: number | undefined;

  constructor(terms: RestartTerms) {
    this.#terms = terms;
  }

  /** Restarts in the window. */
  used(now: number): number {
    this.#forget(now);
    return this.#instants.length;
  }

  /** How long to wait before the restart that is due now; undefined when there were too many. */
  take(now: number, error: unknown, random: () => number): number | undefined {
    const { maxRestarts, backoff } = this.#terms;
    this.#forget(now);
    if (this.#instants.length >= maxRestarts) return undefined;
    this.#instants.push(now);
    if (backoff === undefined) return 0;
    const count = this.#instants.length;
    const previous = count === 1 ? undefined : this.#previousDelayMs;
    this.#previousDelayMs = delayMs(backoff, count, random, previous, error);
    return this.#previousDelayMs;
  }

  #forget(now: number): void {
    const since = now - this.#terms.withinMs;
    this.#instants = this.#instants.filter((at) => at > since);
  }
}
