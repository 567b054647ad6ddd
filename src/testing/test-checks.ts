import { misuse } from '../kernel/errors.ts';

/** What makes a test fail by itself. */
export interface TestChecks {
  /**
   * A handler that speaks through a handle or the bus, and not on its context, fails the test with
   * ContextLostError `TELLASK_CONTEXT_LOST` when the bus is driven next. @default 'fail'
   */
  readonly lostContext?: 'fail' | 'allow';
  /**
   * What still goes on at `close` fails the test with LeftOverError `TELLASK_LEFT_OVER`; so does
   * `run` where it would have to skip the time-out of a handler that awaits something outside of the
   * bus. Where nothing can go on, `run` fails with StandstillError `TELLASK_STANDSTILL`.
   * @default 'fail'
   */
  readonly leaks?: 'fail' | 'allow';
  /** Dead letters at `close` that were neither expected nor suppressed. @default 'allow' */
  readonly unexpectedLetters?: 'fail' | 'allow';
}

/** Their names. */
export const CHECKS: readonly (keyof TestChecks)[] = ['lostContext', 'leaks', 'unexpectedLetters'];

/** The checks as they are set, apart from the options of the bus. */
export function readChecks<O extends TestChecks>(
  options: O,
): { checks: Required<TestChecks>; rest: Omit<O, keyof TestChecks> } {
  const { lostContext = 'fail', leaks = 'fail', unexpectedLetters = 'allow', ...rest } = options;
  const checks = { lostContext, leaks, unexpectedLetters };
  for (const [name, value] of Object.entries(checks)) {
    if (value !== 'fail' && value !== 'allow') throw misuse(name, "'fail' or 'allow'", value);
  }
  return { checks, rest };
}
