import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { realEnv } from '../kernel/real-env.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { PolicyOptions } from './policy.ts';

/** Options of `retryBudget`. */
export interface RetryBudgetOptions extends PolicyOptions {
  /** Retries for each first call: 0 to 1_000. @default 0.1 */
  readonly ratio?: number;
  /**
   * Retries a second that are allowed however few calls there are: from 0. Those of a whole `ttlMs`
   * may come at once. @default 10
   */
  readonly minPerSecond?: number;
  /** For how many milliseconds a call and a retry count: from 1, not `Infinity`. @default 10_000 */
  readonly ttlMs?: number;
}

/** What `retryBudget()` has. */
export const BUDGET_DEFAULTS = { ratio: 0.1, minPerSecond: 10, ttlMs: 10_000 } as const;

/** What a budget has left. */
export interface RetryBudgetSnapshot {
  /** Retries that would be granted now; `Infinity` when nothing bounds them. */
  readonly available: number;
  readonly deposits: number;
  readonly granted: number;
  readonly refused: number;
}

/** In so many steps the window moves on; one more counts, so that nothing is forgotten early. */
const STEPS = 10;
/** What a first call pays in. Whole numbers, because ten times 0.1 is less than 1. */
const DEPOSIT = 1_000;

/** How many retries many calls may make together. Share one between all who call the same thing. */
export class RetryBudget {
  readonly #cost: number;
  readonly #deposit: number;
  /** What is there without any deposit. */
  readonly #reserve: number;
  readonly #stepMs: number;
  readonly #window: number[] = new Array<number>(STEPS + 1).fill(0);
  #env: Env | undefined;
  /** The sum of the window. */
  #balance = 0;
  /** The step that deposits and retries count in now. */
  #step = 0;
  #counts = { deposits: 0, granted: 0, refused: 0 };

  constructor(options: RetryBudgetOptions) {
    const { ratio = BUDGET_DEFAULTS.ratio, ttlMs = BUDGET_DEFAULTS.ttlMs, env } = options;
    const { minPerSecond = BUDGET_DEFAULTS.minPerSecond } = options;
    checkRange('retryBudget.ratio', ratio, 0, 1_000);
    checkRange('retryBudget.minPerSecond', minPerSecond, 0, Infinity);
    checkRange('retryBudget.ttlMs', ttlMs, 1, Number.MAX_SAFE_INTEGER);
    this.#deposit = ratio === 0 ? 0 : DEPOSIT;
    this.#cost = ratio === 0 ? 1 : Math.max(1, Math.round(DEPOSIT / ratio));
    this.#reserve = Math.floor((minPerSecond * ttlMs) / 1_000) * this.#cost;
    this.#stepMs = ttlMs / STEPS;
    this.#env = env;
  }

  /** Tells it where time comes from, unless it knows. */
  bind(env: Env): void {
    this.#env ??= env;
  }

  /** A first call is made. */
  deposit(): void {
    this.#counts.deposits++;
    this.#enter(this.#deposit);
  }

  /** Asks for one retry; false when the budget is used up. */
  withdraw(): boolean {
    const granted = this.available >= 1;
    if (granted) this.#enter(-this.#cost);
    this.#counts[granted ? 'granted' : 'refused']++;
    return granted;
  }

  /** Retries that would be granted now. */
  get available(): number {
    this.#moveOn();
    return Math.max(0, Math.floor((this.#reserve + this.#balance) / this.#cost));
  }

  /** What is left, and what was granted and refused. */
  snapshot(): RetryBudgetSnapshot {
    return { available: this.available, ...this.#counts };
  }

  #enter(amount: number): void {
    this.#moveOn();
    const slot = this.#step % this.#window.length;
    this.#window[slot] = (this.#window[slot] as number) + amount;
    this.#balance += amount;
  }

  /** Forgets what is older than the window. */
  #moveOn(): void {
    this.#env ??= realEnv();
    const step = Math.floor(this.#env.now() / this.#stepMs);
    const { length } = this.#window;
    for (let next = Math.max(this.#step + 1, step - length + 1); next <= step; next++) {
      this.#balance -= this.#window[next % length] as number;
      this.#window[next % length] = 0;
    }
    this.#step = Math.max(this.#step, step);
  }
}

/**
 * Bounds the retries of all who share it to a part of their calls, so that a failing service is
 * not hit by several times its load: retries are refused when `minPerSecond` and `ratio` times the
 * calls of the last `ttlMs` are used up, and the error is thrown at once.
 *
 * Make one for each service that is called, and give it to every `retry` around it.
 *
 * Source: `RetryBudget` of Finagle, "Retry Budgets", Twitter 2016.
 *
 * @throws TypeError, RangeError for options that do not fit.
 *
 * @example
 * ```ts
 * import { retry, retryBudget } from 'tellask';
 * const budget = retryBudget({ ratio: 0.1, minPerSecond: 0 });
 * const again = retry({ baseMs: 0, budget });
 * let calls = 0;
 * await again.execute(() => Promise.reject(new Error(`no ${++calls}`))).catch(() => {});
 * calls; // => 1
 * budget.snapshot(); // => { available: 0, deposits: 1, granted: 0, refused: 1 }
 * ```
 */
export function retryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  if (typeof options !== 'object' || options === null) {
    throw misuse('The options of retryBudget', 'an object', options);
  }
  refuseUnknown(options, OPTIONS, 'retryBudget');
  return new RetryBudget(options);
}

const OPTIONS: ReadonlySet<string> = new Set<keyof RetryBudgetOptions>([
  'ratio',
  'minPerSecond',
  'ttlMs',
  'env',
]);

function checkRange(option: string, value: number, from: number, to: number): void {
  if (typeof value !== 'number') throw misuse(option, 'a number', value);
  if (value >= from && value <= to) return;
  const range = to === Infinity ? `a number from ${from}` : `a number from ${from} to ${to}`;
  throw new RangeError(misuse(option, range, value).message);
}
