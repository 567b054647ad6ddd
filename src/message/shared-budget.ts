import { misuse } from '../kernel/errors.ts';
import { Budget, type BudgetLimits, type BudgetView, readBudget, type Shortage } from './budget.ts';

/** The budget itself, for a call that is made below the one above. */
export let underOf: (shared: SharedBudget, above: Budget | undefined, now: number) => Budget;
/** What it has left, once it is used. */
export let viewOf: (shared: SharedBudget, now: number) => BudgetView | undefined;
/** What keeps it from another message. */
export let shortageOf: (shared: SharedBudget, now: number) => Shortage | undefined;

/**
 * One budget for several calls: give it to each of them as `budget`. They and all that they lead to
 * draw from it together, so each of these calls counts as a message, too. Its time runs from the
 * first of them on. It belongs to where it was used first: to one handler's conversation, or to
 * those who begin their own.
 *
 * @example
 * ```ts
 * import { BudgetExhaustedError, MessageBus, SharedBudget } from 'tellask';
 * const bus = new MessageBus();
 * bus.register('clerk').serve('ask', ({ payload }) => payload);
 * const budget = new SharedBudget({ messages: 2 });
 * for (const n of [1, 2]) await bus.request('ask', n, { budget });
 * const third = await bus.request('ask', 3, { budget }).catch((error: unknown) => error);
 * third instanceof BudgetExhaustedError; // => true
 * ```
 */
export class SharedBudget {
  readonly #limits: BudgetLimits;
  #budget: Budget | undefined;
  #above: Budget | undefined;

  /** @throws TypeError or RangeError for limits that make no sense. */
  constructor(limits: BudgetLimits) {
    if (limits === undefined) throw misuse('budget', 'an object', limits);
    this.#limits = { ...readBudget(limits) };
  }

  static {
    underOf = (shared, above, now) => shared.#under(above, now);
    viewOf = (shared, now) => shared.#budget?.view(now);
    shortageOf = (shared, now) => shared.#budget?.shortage(now);
  }

  /** A budget can only be narrower than what is above it: it never moves elsewhere. */
  #under(above: Budget | undefined, now: number): Budget {
    if (this.#budget === undefined) {
      this.#above = above;
      this.#budget = new Budget(this.#limits, above, now, true);
    }
    if (above === this.#above || above === this.#budget) return this.#budget;
    throw new TypeError('A SharedBudget is used below one budget: where it was used first');
  }
}

/** Checks the option `budget`: limits, or one that several calls share. */
export function readSharable(
  budget: BudgetLimits | SharedBudget | undefined,
): BudgetLimits | SharedBudget | undefined {
  return budget instanceof SharedBudget ? budget : readBudget(budget);
}
