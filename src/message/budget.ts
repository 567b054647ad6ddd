import { misuse } from '../kernel/errors.ts';

/** What a budget can limit. */
export type BudgetResource = 'messages' | 'tokens' | 'cost' | 'ms';

/** Limits for everything that is said because of one call; what is not named has no limit. */
export interface BudgetLimits {
  /** Calls below it: a publish is one whatever its copies, a gather one for each that is asked. */
  readonly messages?: number;
  /** What `context.spend` may add up to. */
  readonly tokens?: number;
  /** What `context.spend` may add up to, in the currency of the caller. */
  readonly cost?: number;
  /** Milliseconds for the whole tree, from the call on. */
  readonly ms?: number;
}

/** One number for each resource; `Infinity` where nobody set a limit. */
export type BudgetAmounts = Readonly<Record<BudgetResource, number>>;

/** What is left to a handler, and what was used of the budget it works under. */
export interface BudgetView {
  /** The least that any budget above leaves; never below 0. */
  readonly remaining: BudgetAmounts;
  /** Used of the nearest budget above, by all who share it. */
  readonly spent: BudgetAmounts;
}

/** What a handler has used up. */
export interface Spending {
  readonly tokens?: number;
  readonly cost?: number;
}

/** Which limit was met, and how. */
export interface Shortage {
  readonly resource: BudgetResource;
  readonly limit: number;
  readonly spent: number;
}

/** Sums of fractions miss their limit by so much of it: 0.1 + 0.2 is within 0.3. */
const TOLERANCE = 1e-9;

/**
 * One budget of a tree. It travels in the lineage by reference; a budget that is set below another
 * is its child, so limits can only become narrower. All draws are synchronous: whoever shares a
 * budget cannot overdraw its messages.
 */
export class Budget {
  readonly #parent: Budget | undefined;
  readonly #limits: BudgetAmounts;
  readonly #startedAt: number;
  /** Monotonic instant at which its own time is over. */
  readonly #end: number;
  /** Monotonic instant at which the time of it, or of a budget above, is over. */
  readonly deadline: number;
  /** Several calls share it: they are below it themselves. */
  readonly shared: boolean;
  #messages = 0;
  #tokens = 0;
  #cost = 0;

  constructor(
    limits: BudgetLimits,
    parent: Budget | undefined,
    now: number,
    shared: boolean = false,
  ) {
    const { messages = Infinity, tokens = Infinity, cost = Infinity, ms = Infinity } = limits;
    this.#parent = parent;
    this.#limits = { messages, tokens, cost, ms };
    this.#startedAt = now;
    this.#end = now + ms;
    this.deadline = Math.min(this.#end, parent?.deadline ?? Infinity);
    this.shared = shared;
  }

  /** Which limit of the chain leaves no room for another message, if one does. */
  shortage(now: number): Shortage | undefined {
    return this.#firstShort((budget) => budget.#shortOfMessage(now));
  }

  /** Draws one message from every budget of the chain; or from none, and says which is short. */
  draw(now: number): Shortage | undefined {
    const short = this.shortage(now);
    if (short !== undefined) return short;
    this.#each((budget) => budget.#messages++);
    return undefined;
  }

  /** Gives back the message of a call that was refused for another reason. */
  giveBack(): void {
    this.#each((budget) => budget.#messages--);
  }

  /** Enters what was used in every budget of the chain, and says which is overdrawn now. */
  spend({ tokens = 0, cost = 0 }: Spending): Shortage | undefined {
    this.#each((budget) => {
      budget.#tokens += tokens;
      budget.#cost += cost;
    });
    return this.#firstShort((budget) => budget.#overdrawn());
  }

  /** Says whose time is over, if it is. */
  overrun(now: number): Shortage | undefined {
    return this.#firstShort((budget) => budget.#late(now));
  }

  view(now: number): BudgetView {
    const remaining = { ...UNLIMITED.remaining };
    this.#each((budget) => {
      const spent = budget.#spent(now);
      for (const resource of RESOURCES) {
        const left = Math.max(0, budget.#limits[resource] - spent[resource]);
        remaining[resource] = Math.min(remaining[resource], left);
      }
    });
    return { remaining, spent: this.#spent(now) };
  }

  #spent(now: number): BudgetAmounts {
    const ms = Math.max(0, now - this.#startedAt);
    return { messages: this.#messages, tokens: this.#tokens, cost: this.#cost, ms };
  }

  #shortOfMessage(now: number): Shortage | undefined {
    const short = this.#late(now) ?? this.#overdrawn();
    if (short !== undefined) return short;
    if (this.#messages + 1 <= this.#limits.messages) return undefined;
    return { resource: 'messages', limit: this.#limits.messages, spent: this.#messages };
  }

  #overdrawn(): Shortage | undefined {
    const { tokens, cost } = this.#limits;
    if (isAbove(this.#tokens, tokens)) {
      return { resource: 'tokens', limit: tokens, spent: this.#tokens };
    }
    if (isAbove(this.#cost, cost)) return { resource: 'cost', limit: cost, spent: this.#cost };
    return undefined;
  }

  #late(now: number): Shortage | undefined {
    if (now < this.#end) return undefined;
    return { resource: 'ms', limit: this.#limits.ms, spent: now - this.#startedAt };
  }

  #firstShort(shortOf: (budget: Budget) => Shortage | undefined): Shortage | undefined {
    for (let budget: Budget | undefined = this; budget !== undefined; budget = budget.#parent) {
      const short = shortOf(budget);
      if (short !== undefined) return short;
    }
    return undefined;
  }

  #each(act: (budget: Budget) => void): void {
    for (let budget: Budget | undefined = this; budget !== undefined; budget = budget.#parent) {
      act(budget);
    }
  }
}

const RESOURCES = ['messages', 'tokens', 'cost', 'ms'] as const;
const SPENDABLE: readonly string[] = ['tokens', 'cost'];

/** What a handler outside of any budget sees. */
export const UNLIMITED: BudgetView = Object.freeze({
  remaining: Object.freeze({
    messages: Infinity,
    tokens: Infinity,
    cost: Infinity,
    ms: Infinity,
  }),
  spent: Object.freeze({ messages: 0, tokens: 0, cost: 0, ms: 0 }),
});

/** Checks the option `budget`. A mistyped limit would be none. */
export function readBudget(limits: BudgetLimits | undefined): BudgetLimits | undefined {
  if (limits !== undefined) checkAmounts('budget', limits, RESOURCES);
  return limits;
}

/** Checks what `spend` is told. */
export function checkSpending(spending: Spending): void {
  checkAmounts('spend', spending, SPENDABLE);
  for (const [name, amount] of Object.entries(spending)) {
    if (amount === Infinity) throw new RangeError(`spend.${name} must be finite`);
  }
}

function checkAmounts(what: string, amounts: object, names: readonly string[]): void {
  if (typeof amounts !== 'object' || amounts === null) {
    throw misuse(what, `an object with ${names.join(', ')}`, amounts);
  }
  for (const [name, amount] of Object.entries(amounts)) {
    if (!names.includes(name)) {
      throw new TypeError(`${what} has no ${name}; it has ${names.join(', ')}`);
    }
    if (amount === undefined) continue;
    if (typeof amount !== 'number') throw misuse(`${what}.${name}`, 'a number', amount);
    if (!(amount >= 0)) {
      throw new RangeError(`${what}.${name} must be 0 or more, but it is ${amount}`);
    }
  }
}

function isAbove(spent: number, limit: number): boolean {
  return spent > limit && spent - limit > limit * TOLERANCE;
}
