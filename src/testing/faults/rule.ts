import type { FaultPoint } from '../../kernel/fault-plan.ts';
import type { StoreCall } from '../faulty-store.ts';

/** What a test can inject. */
export type FaultKind =
  | 'drop'
  | 'delay'
  | 'duplicate'
  | 'crash'
  | 'hang'
  | 'slow'
  | 'store-failure'
  | 'clock-jump'
  | 'buggify';

/** How often a rule strikes, of the occasions that it fits. */
export interface FaultChance {
  /** From 0 to 1, drawn from the seed for each occasion. @default 1 */
  readonly probability?: number;
  /** Only the how many-th occasion that the rule fits, from 1; then there is no chance in it. */
  readonly nth?: number;
  /** At most so many times. @default Infinity */
  readonly max?: number;
}

/** Which deliveries a rule fits. */
export interface FaultPlace {
  /** A pattern of topics. @default all but those that begin with `$` */
  readonly topic?: string;
  /** A pattern of names: who gets the message. @default everybody */
  readonly agent?: string;
}

/** How many milliseconds: drawn from the seed, both ends included. */
export interface FaultRange {
  /** @default 1 */
  readonly minMs?: number;
  /** @default 1_000 */
  readonly maxMs?: number;
}

/**
 * One kind of fault, and where it strikes. Plain data, so that a run that fails can print it.
 *
 * - `drop`: the copy is lost on its way to the mailbox; it ends `cancelled(dropped)`, and who asked
 *   hears nothing until his time is over
 * - `delay`: it comes later; nothing of the same speaker overtakes it
 * - `duplicate`: the same message is delivered to the same agent a second time, at once or later
 * - `crash`: this call of the handler throws, `before` anything is done or `after` all of it
 * - `hang`: this call never settles, and hears no signal
 * - `slow`: the handler takes longer to end, and holds its slot meanwhile
 * - `store-failure`: a call of a store of the test rejects, or hangs, `before` it is done or `after`
 * - `clock-jump`: the wall clock is off from an instant on; durations are not
 * - `buggify`: what is legal and rare happens more often. A retry waits longer, a mailbox is full
 *   before it is, timers are late together
 */
export type FaultRule =
  | ({ readonly fault: 'drop' | 'hang' } & FaultPlace & FaultChance)
  | ({ readonly fault: 'delay' | 'slow' } & FaultPlace & FaultChance & FaultRange)
  | DuplicateRule
  | CrashRule
  | StoreRule
  | ClockRule
  | BuggifyRule;

/** A message that comes twice. */
export interface DuplicateRule extends FaultPlace, FaultChance {
  readonly fault: 'duplicate';
  /** Milliseconds until it comes again. @default 0 */
  readonly minMs?: number;
  /** @default minMs */
  readonly maxMs?: number;
}

/** A handler that throws. */
export interface CrashRule extends FaultPlace, FaultChance {
  readonly fault: 'crash';
  /** @default 'before' */
  readonly when?: 'before' | 'after';
}

/** A store that fails. */
export interface StoreRule extends FaultChance {
  readonly fault: 'store-failure';
  /** Which calls. @default all but `close` */
  readonly on?: StoreCall;
  /** Only the store of this name. @default all */
  readonly store?: string;
  /** `after`: it is done, though the caller is not told. @default 'before' */
  readonly when?: 'before' | 'after';
  /** It does not reject: it never answers. @default false */
  readonly hangs?: boolean;
}

/** A wall clock that is set. */
export interface ClockRule {
  readonly fault: 'clock-jump';
  /** Milliseconds, negative for backwards. */
  readonly byMs: number;
  /** At which millisecond of the test. @default 0 */
  readonly atMs?: number;
  /** So much later at most, drawn from the seed. @default 0 */
  readonly withinMs?: number;
}

/** Points inside the library at which it does what is legal and rare. */
export interface BuggifyRule extends FaultRange {
  readonly fault: 'buggify';
  /** @default all */
  readonly points?: readonly FaultPoint[];
  /** From 0 to 1. @default 0.05 */
  readonly probability?: number;
  readonly max?: number;
}

/** A rule with all that can be said of any of them. */
export interface AnyRule extends FaultPlace, FaultChance, FaultRange {
  readonly fault: FaultKind;
  readonly when?: 'before' | 'after';
  readonly on?: StoreCall;
  readonly store?: string;
  readonly hangs?: boolean;
  readonly byMs?: number;
  readonly atMs?: number;
  readonly withinMs?: number;
  readonly points?: readonly FaultPoint[];
}
