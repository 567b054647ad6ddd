import { readMs } from '../delivery/said.ts';
import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { BudgetLimits } from '../message/budget.ts';
import { readSharable, type SharedBudget } from '../message/shared-budget.ts';
import type { Resolve } from './resolution.ts';
import type { CollaborationProgress } from './result.ts';

/** A seat at the table. */
export interface Participant {
  /** What the others call it. */
  readonly name: string;
  /** The agent that sits there. @default the one called `name`, unless there is a capability */
  readonly agent?: string;
  /**
   * Whoever has it may take the seat: when nobody sits there, and when who does has failed. Who
   * was asked in place of another keeps the seat.
   */
  readonly capability?: string;
  /** What it is asked. @default the topic of the collaboration */
  readonly topic?: string;
}

/** Whoever asks: the bus, an agent, or the context of a handler. */
export interface Asker {
  /** As everywhere: it asks one who serves the topic. */
  request(topic: never, input: never, options?: never): Promise<unknown>;
}

/** Options that every collaboration has. */
export interface CollaborationOptions {
  /** The request that participants serve; they get a `Turn`. */
  readonly topic: string;
  /** In the order in which they are asked: names of agents, or seats. */
  readonly participants: readonly (string | Participant)[];
  /** Told to everybody. */
  readonly goal?: unknown;
  /**
   * Who asks: the bus, an agent, or the context of a handler, of which it then inherits the
   * conversation, the time, the budget and the cancellation. @default the bus
   */
  readonly as?: Asker;
  /** Milliseconds for all of it. @default Infinity */
  readonly timeoutMs?: number;
  /** Milliseconds for one turn. @default the bus's `requestTimeoutMs` */
  readonly turnTimeoutMs?: number;
  /** Limits for all turns and what they lead to; each turn is a message. @default none */
  readonly budget?: BudgetLimits | SharedBudget;
  /** Calls it off. */
  readonly signal?: AbortSignal;
  /** Looked at when something was said; `true` ends it. */
  readonly until?: (progress: CollaborationProgress) => boolean | PromiseLike<boolean>;
  /** Makes one value of what everybody said last, when it ends by `rounds` or `predicate`. */
  readonly resolve?: Resolve;
  /** Topic on which each contribution is published. @default none */
  readonly share?: string;
  /** Contributions that are kept and told: the latest; 1 or more. @default 100 */
  readonly keep?: number;
}

/** Options of `roundRobin`. */
export interface RoundRobinOptions extends CollaborationOptions {
  /** How often everybody has a turn; 1 or more. @default 10 */
  readonly rounds?: number;
  /** A turn that fails is skipped, or the end. @default 'skip' */
  readonly onFailure?: 'skip' | 'end';
}

/** Options of `supervisor`. */
export interface SupervisorOptions extends CollaborationOptions {
  /** Who decides what is done. When its turn fails, that is the end. */
  readonly supervisor: string | Participant;
  /** How often it decides; 1 or more. @default 10 */
  readonly rounds?: number;
  /** A worker that fails is told to the supervisor, or the end. @default 'skip' */
  readonly onFailure?: 'skip' | 'end';
}

/** Options of `pipeline`. */
export interface PipelineOptions extends CollaborationOptions {
  /** What the first stage gets as its task. */
  readonly input?: unknown;
  /** A stage that fails is the end, or is left out. @default 'end' */
  readonly onFailure?: 'skip' | 'end';
}

const COMMON: Readonly<Record<keyof CollaborationOptions, true>> = {
  topic: true,
  participants: true,
  goal: true,
  as: true,
  timeoutMs: true,
  turnTimeoutMs: true,
  budget: true,
  signal: true,
  until: true,
  resolve: true,
  share: true,
  keep: true,
};

type Kind = 'roundRobin' | 'supervisor' | 'pipeline';
type AnyOptions = RoundRobinOptions & Partial<SupervisorOptions> & PipelineOptions;

const KNOWN: Readonly<Record<Kind, ReadonlySet<string>>> = {
  roundRobin: namesOf<RoundRobinOptions>({ ...COMMON, rounds: true, onFailure: true }),
  supervisor: namesOf<SupervisorOptions>({
    ...COMMON,
    supervisor: true,
    rounds: true,
    onFailure: true,
  }),
  pipeline: namesOf<PipelineOptions>({ ...COMMON, input: true, onFailure: true }),
};

function namesOf<Options>(names: Record<keyof Options, true>): ReadonlySet<string> {
  return new Set(Object.keys(names));
}

/** @throws TypeError or RangeError for options that make no sense. */
export function checkOptions(kind: Kind, given: CollaborationOptions): void {
  if (typeof given !== 'object' || given === null) {
    throw misuse(`The options of ${kind}`, 'an object', given);
  }
  refuseUnknown(given, KNOWN[kind], kind);
  const options = given as AnyOptions;
  checkText('topic', options.topic);
  if (options.share !== undefined) checkText('share', options.share);
  if (typeof (options.as ?? { request: readMs }).request !== 'function') {
    throw misuse('as', 'an agent, a context or a bus', options.as);
  }
  readMs('timeoutMs', options.timeoutMs);
  readMs('turnTimeoutMs', options.turnTimeoutMs);
  readSharable(options.budget);
  readCount('keep', options.keep ?? 1, 1);
  readCount('rounds', options.rounds ?? 1, 1);
  checkFunction('until', options.until);
  checkFunction('resolve', options.resolve);
  const { onFailure = 'end', signal } = options;
  if (onFailure !== 'skip' && onFailure !== 'end') {
    throw misuse('onFailure', "'skip' or 'end'", onFailure);
  }
  if (signal !== undefined && typeof signal?.aborted !== 'boolean') {
    throw misuse('signal', 'an AbortSignal', signal);
  }
}

function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw misuse(name, 'a function', value);
}

export function checkText(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '') throw misuse(name, 'a non-empty string', value);
}
