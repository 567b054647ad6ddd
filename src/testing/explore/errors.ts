import { TellaskError } from '../../kernel/errors.ts';
import type { InjectedFault } from '../faults/seeded-faults.ts';

/** What {@link ExplorationError} knows of the schedule that failed. */
export interface FailedSchedule {
  readonly seed: number;
  /** `4:1,9:2`: at step 4 the second lane, at step 9 the third, the first everywhere else. */
  readonly choices: string;
  /** The faults that were injected, those left out that did not matter. */
  readonly faults: readonly InjectedFault[];
  /** The line that runs this schedule again: `TELLASK_SEED=42/4:1,9:2`. */
  readonly replay: string;
  readonly transcript: string;
  /** The run as a Mermaid sequence diagram, with the racing messages marked. */
  readonly diagram: string;
  /** Schedules that were tried until it failed. */
  readonly schedules: number;
}

/** `TELLASK_EXPLORE_FAILED`: a scenario failed under some order; the cause is how. */
export class ExplorationError extends TellaskError implements FailedSchedule {
  readonly seed: number;
  readonly choices: string;
  readonly faults: readonly InjectedFault[];
  readonly replay: string;
  readonly transcript: string;
  readonly diagram: string;
  readonly schedules: number;

  constructor(report: string, failed: FailedSchedule, cause: unknown) {
    super('TELLASK_EXPLORE_FAILED', report, { cause, stack: false });
    this.seed = failed.seed;
    this.choices = failed.choices;
    this.faults = failed.faults;
    this.replay = failed.replay;
    this.transcript = failed.transcript;
    this.diagram = failed.diagram;
    this.schedules = failed.schedules;
  }
}

/** `TELLASK_SCENARIO_STUCK`: a scenario waits for something that nothing on its bus will do. */
export class StuckScenarioError extends TellaskError {
  /** What is still open on the bus. */
  readonly open: readonly string[];

  constructor(open: readonly string[]) {
    const what = open.length === 0 ? 'Nothing is open on its bus' : `Open: ${open.join('; ')}`;
    super(
      'TELLASK_SCENARIO_STUCK',
      `The scenario still waits, but no lane is ready and no timer pending. ${what}.`,
      { stack: false },
    );
    this.open = open;
  }
}

/** `TELLASK_NONDETERMINISTIC`: a scenario did not do the same when its schedule was repeated. */
export class NondeterminismError extends TellaskError {
  /** The first step at which two runs of one schedule differed. */
  readonly step: number;

  constructor(step: number, difference: string, cause?: unknown) {
    super(
      'TELLASK_NONDETERMINISTIC',
      `The scenario is not deterministic: two runs of one schedule differ at step ${step}: ${difference}.`,
      { stack: false, ...(cause === undefined ? {} : { cause }) },
    );
    this.step = step;
  }
}

/** `TELLASK_NEVER_REACHED`: no schedule made true what `sometimes` names. */
export class NeverReachedError extends TellaskError {
  readonly names: readonly string[];

  constructor(names: readonly string[], schedules: number) {
    super(
      'TELLASK_NEVER_REACHED',
      `None of ${schedules} schedules ever reached: ${names.join(', ')}.`,
      { stack: false },
    );
    this.names = names;
  }
}
