import type { LetterFilter } from '../delivery/dead-letters.ts';
import { misuse } from '../kernel/errors.ts';
import {
  type Checked,
  conserved,
  type DeliveryFilter,
  deadLettered,
  delivered,
  handledInOrder,
  idle,
  textOf,
  type Verdict,
} from './checks.ts';
import { ExpectationError } from './errors.ts';

/** What `expect.extend` of vitest and jest wants of a matcher. */
export interface MatcherResult {
  readonly pass: boolean;
  /** What to tell when it fails. */
  message(): string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/**
 * The matchers, for the types of a runner. In a file that the tests include:
 *
 * ```text
 * declare module 'vitest' {
 *   interface Matchers<T = any> extends TellaskMatchers<T> {}
 * }
 * ```
 */
export interface TellaskMatchers<R = unknown> {
  /** A delivery that fits was handled so far. */
  toHaveDelivered(filter: string | DeliveryFilter): R;
  /** Deliveries that fit were handled one after the other; others may lie between them. */
  toHaveHandledInOrder(filters: readonly (string | DeliveryFilter)[]): R;
  /** There is a dead letter that fits. */
  toHaveDeadLettered(filter?: LetterFilter): R;
  /** Every message is in exactly one state, has one outcome, and was begun in order. */
  toConserveMessages(): R;
  /** Nothing goes on: no handler, request, stream, delayed message, timer. */
  toHaveNoPendingWork(): R;
}

/**
 * Matchers over a test bus for `expect.extend`, of vitest and of jest. They look at what has happened
 * so far, so bring the bus to rest first.
 *
 * @example
 * ```ts
 * import { createTestBus, tellaskMatchers } from 'tellask/testing';
 * // expect.extend(tellaskMatchers) once; then expect(t).toHaveDelivered({ topic: 'alarm' })
 * const t = createTestBus();
 * tellaskMatchers.toHaveDelivered(t, 'alarm').message();
 * // => 'Expected alarm to be delivered. There was: nothing'
 * ```
 */
export const tellaskMatchers: {
  readonly [Name in keyof TellaskMatchers]: (
    t: Checked,
    ...args: Parameters<TellaskMatchers[Name]>
  ) => MatcherResult;
} = {
  toHaveDelivered: (t, filter) => resultOf(delivered(testBus(t), filter)),
  toHaveHandledInOrder: (t, filters) => resultOf(handledInOrder(testBus(t), filters)),
  toHaveDeadLettered: (t, filter) => resultOf(deadLettered(testBus(t), filter)),
  toConserveMessages: (t) => resultOf(conserved(testBus(t))),
  toHaveNoPendingWork: (t) => resultOf(idle(testBus(t))),
};

/**
 * Throws ExpectationError `TELLASK_EXPECTATION` unless a delivery that fits was handled so far: the
 * matcher `toHaveDelivered` for node:test and whoever has no `expect`.
 *
 * @example
 * ```ts
 * import { assertDelivered, createTestBus } from 'tellask/testing';
 * const t = createTestBus();
 * t.bus.subscribe('alarm', () => {});
 * t.bus.publish('alarm', 7);
 * await t.settle();
 * assertDelivered(t, { topic: 'alarm', to: '$host', payload: 7 });
 * ```
 */
export function assertDelivered(t: Checked, filter: string | DeliveryFilter): void {
  assert(delivered(testBus(t), filter));
}

/** As the matcher `toHaveHandledInOrder`. */
export function assertHandledInOrder(
  t: Checked,
  filters: readonly (string | DeliveryFilter)[],
): void {
  assert(handledInOrder(testBus(t), filters));
}

/** As the matcher `toHaveDeadLettered`. */
export function assertDeadLettered(t: Checked, filter?: LetterFilter): void {
  assert(deadLettered(testBus(t), filter));
}

/** As the matcher `toConserveMessages`. */
export function assertConserved(t: Checked): void {
  assert(conserved(testBus(t)));
}

/** As the matcher `toHaveNoPendingWork`. */
export function assertNoPendingWork(t: Checked): void {
  assert(idle(testBus(t)));
}

function assert(verdict: Verdict): void {
  if (verdict.pass) return;
  throw new ExpectationError(textOf(verdict), verdict.expected, verdict.found);
}

/** `expect(t.bus)` is an easy slip. */
function testBus(t: Checked): Checked {
  if (typeof t?.recorded === 'function') return t;
  throw misuse('What is looked at', 'what createTestBus returned (not its bus)', t);
}

function resultOf(verdict: Verdict): MatcherResult {
  const { pass, expected, found } = verdict;
  return { pass, message: () => textOf(verdict, pass), expected, actual: found };
}
