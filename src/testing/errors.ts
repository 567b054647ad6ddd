import { TellaskError } from '../kernel/errors.ts';

/** Something is not as the test expects it. Code `TELLASK_EXPECTATION`. */
export class ExpectationError extends TellaskError {
  /** What was expected and what was there, for the runners that show how they differ. */
  readonly expected: unknown;
  readonly actual: unknown;

  constructor(what: string, expected: unknown, actual: unknown) {
    super('TELLASK_EXPECTATION', what);
    this.expected = expected;
    this.actual = actual;
  }
}

/** A promise of the library itself does not hold. Code `TELLASK_INVARIANT`. */
export class InvariantError extends TellaskError {
  readonly violations: readonly string[];

  constructor(violations: readonly string[]) {
    super('TELLASK_INVARIANT', listed('The bus broke its own rules', violations));
    this.violations = violations;
  }
}

/** Nothing can go on, and somebody waits. Code `TELLASK_STANDSTILL`. */
export class StandstillError extends TellaskError {
  /** Who waits for what, a line each. */
  readonly waits: readonly string[];

  constructor(waits: readonly string[]) {
    super('TELLASK_STANDSTILL', listed('Nothing can go on any more', waits));
    this.waits = waits;
  }
}

/** It never comes to rest. Code `TELLASK_LIVELOCK`. */
export class LivelockError extends TellaskError {
  readonly steps: number;
  /** What is going on, a line each. */
  readonly facts: readonly string[];

  constructor(steps: number, facts: readonly string[]) {
    const what = `The simulation took ${steps} steps without coming to rest`;
    super('TELLASK_LIVELOCK', listed(what, facts));
    this.steps = steps;
    this.facts = facts;
  }
}

/** A handler spoke through a handle, so its conversation was lost. Code `TELLASK_CONTEXT_LOST`. */
export class ContextLostError extends TellaskError {
  /** Which handler said what, and where, a line each. */
  readonly places: readonly string[];

  constructor(places: readonly string[]) {
    super('TELLASK_CONTEXT_LOST', listed('Handlers spoke through a handle', places));
    this.places = places;
  }
}

/** The test has ended, and something goes on. Code `TELLASK_LEFT_OVER`. */
export class LeftOverError extends TellaskError {
  /** What is left, and who began it, a line each. */
  readonly left: readonly string[];

  constructor(what: string, left: readonly string[]) {
    super('TELLASK_LEFT_OVER', listed(what, left));
    this.left = left;
  }
}

function listed(what: string, lines: readonly string[]): string {
  return `${what}:${lines.map((line) => `\n  ${line}`).join('')}`;
}
