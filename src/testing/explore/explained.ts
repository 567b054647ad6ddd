import type { ContractShape } from '../../message/contract-types.ts';
import type { Choices } from './choices.ts';
import { type ExplorationError, NondeterminismError } from './errors.ts';
import { Reporter } from './report.ts';
import { checkSame, kindOf } from './sameness.ts';
import { type Failure, type Run, runSchedule, type Trial } from './schedule.ts';
import { shrink } from './shrink.ts';
import { replaying } from './strategy.ts';

/** Makes a failure as small as possible and tells of it; throws when it cannot be repeated. */
export async function explained<C extends ContractShape>(
  trial: Trial<C>,
  failed: Run,
  schedules: number,
  maxShrinks: number,
): Promise<ExplorationError> {
  const { failure, seed } = failed;
  if (failure === undefined || failure.error instanceof NondeterminismError) throw failure?.error;
  const kind = kindOf(failure);
  const repeat = (choices: Choices) => runSchedule(trial, seed, replaying(choices));
  checkSame(failed, await repeat(failed.course.choices()));
  let smallest = failed;
  const fails = async (choices: Choices): Promise<boolean> => {
    const run = await repeat(choices);
    if (run.failure === undefined || kindOf(run.failure) !== kind) return false;
    smallest = run;
    return true;
  };
  await shrink(failed.course.choices(), fails, maxShrinks);
  return reported(trial, smallest, schedules);
}

async function reported<C extends ContractShape>(
  trial: Trial<C>,
  smallest: Run,
  schedules: number,
): Promise<ExplorationError> {
  const { seed } = smallest;
  const choices = smallest.course.choices();
  const reporter = new Reporter<C>();
  const run = await runSchedule(trial, seed, replaying(choices), reporter);
  checkSame(smallest, run);
  return reporter.toError({ seed, choices }, run.failure as Failure, schedules);
}
