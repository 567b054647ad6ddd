import { TellaskError } from '../kernel/errors.ts';
import type { BudgetResource, Shortage } from '../message/budget.ts';

/**
 * A budget above is used up: calls below it are refused, and a handler that lets the error pass
 * ends its asker's call with it. Code `TELLASK_BUDGET`.
 *
 * @example
 * ```ts
 * import { BudgetExhaustedError, MessageBus } from 'tellask';
 * const bus = new MessageBus();
 * bus.register('writer').serve('write', (_request, context) => {
 *   const pages = [];
 *   try {
 *     for (;;) {
 *       context.spend({ tokens: 400 });
 *       pages.push('a page');
 *     }
 *   } catch (error) {
 *     throw error instanceof BudgetExhaustedError ? error.withPartial(pages) : error;
 *   }
 * });
 * const asked = bus.request('write', 'a book', { budget: { tokens: 1_000 } });
 * const error: unknown = await asked.catch((reason: unknown) => reason);
 * (error as BudgetExhaustedError).partial; // => ['a page', 'a page']
 * ```
 */
export class BudgetExhaustedError extends TellaskError {
  readonly resource: BudgetResource;
  readonly limit: number;
  /** In milliseconds for `ms`; more than the limit for what was used before it was known. */
  readonly spent: number;
  /** What was done before, if a handler or its `wrapUp` said so. */
  readonly partial: unknown;

  constructor({ resource, limit, spent }: Shortage, partial?: unknown) {
    const used = resource === 'ms' ? Math.round(spent) : spent;
    super('TELLASK_BUDGET', `The budget of ${limit} ${resource} is used up: ${used} spent`, {
      stack: false,
    });
    this.resource = resource;
    this.limit = limit;
    this.spent = spent;
    this.partial = partial;
  }

  /** The same error with what was done so far: throw it instead. */
  withPartial(partial: unknown): BudgetExhaustedError {
    return exhausted(this, partial);
  }
}

/** Not inside of the class: a bundler would give a class that names itself another name. */
function exhausted(shortage: Shortage, partial: unknown): BudgetExhaustedError {
  return new BudgetExhaustedError(shortage, partial);
}

/** Why a handle is of no use any more. */
export type WhyRevoked = 'revoked' | 'left' | 'restarted';

const REVOKED: Readonly<Record<WhyRevoked, (agent: string) => string>> = {
  revoked: (agent) => `This handle of ${agent} was revoked`,
  left: (agent) => `${agent} has left the bus`,
  restarted: (agent) => `${agent} was restarted, and this handle is of its earlier life`,
};

/** The handle was revoked, or its agent has left or was restarted. Code `TELLASK_REVOKED`. */
export class RevokedError extends TellaskError {
  readonly agent: string;

  constructor(agent: string, why: WhyRevoked) {
    super('TELLASK_REVOKED', REVOKED[why](agent));
    this.agent = agent;
  }
}

/** Which bound of a conversation was reached. */
export type LoopGuard = 'depth' | 'hops' | 'repeats';

const LOOPS: Readonly<Record<LoopGuard, (limit: number) => string>> = {
  depth: (limit) => `more than ${limit} requests would wait inside each other`,
  hops: (limit) => `more than ${limit} messages have caused each other`,
  repeats: (limit) => `the same was said more than ${limit} times`,
};

/** A conversation goes round in circles. Code `TELLASK_LOOP`. */
export class LoopError extends TellaskError {
  readonly guard: LoopGuard;
  readonly limit: number;
  /** What led there, oldest first: `ann -thanks-> bob`. */
  readonly path: readonly string[];
  /** The `correlationId` of the conversation. */
  readonly conversation: string | undefined;

  constructor(
    guard: LoopGuard,
    limit: number,
    path: readonly string[],
    conversation: string | undefined,
  ) {
    super('TELLASK_LOOP', `Stopped, for ${LOOPS[guard](limit)}: ${path.join(', ')}`);
    this.guard = guard;
    this.limit = limit;
    this.path = path;
    this.conversation = conversation;
  }
}

/** Nobody in the cycle could ever go on if this were asked. Code `TELLASK_DEADLOCK`. */
export class DeadlockError extends TellaskError {
  /** Names of agents: each waits for the next, and the last is the first. */
  readonly cycle: readonly string[];

  constructor(agents: readonly string[], topics: readonly string[]) {
    const cycle = [...agents, agents[0] as string];
    const waits = topics.map((topic, i) => `${cycle[i]} for ${cycle[i + 1]} (${topic})`);
    super('TELLASK_DEADLOCK', `Everybody would wait for ever: ${waits.join(', ')}`);
    this.cycle = cycle;
  }
}
