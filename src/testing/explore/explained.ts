import type { ContractShape } from '../../message/contract-types.ts';
import type { Choices } from './choices.ts';
import { type ExplorationError, NondeterminismError } from './errors.ts';
import { Reporter } from './report.ts';
import { checkSame, kindOf } from './sameness.ts';
import { type Run, runSchedule, type Trial } from './schedule.ts';
import { mostRuns, shrink } from './shrink.ts';
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
  const repeat = (choices: Choices, faults?: readonly string[]) =>
    runSchedule(trial, { seed, pick: replaying(choices), faults });
  let faults = trial.faults && idsOf(failed);
  checkSame(failed, await repeat(failed.course.choices(), faults));
  let [smallest, left] = [failed, mostRuns(maxShrinks, failed.course.counts.length)];
  const fails = async (choices: Choices, only: readonly string[] | undefined): Promise<boolean> => {
    left -= 1;
    const run = await repeat(choices, only);
    if (run.failure === undefined || kindOf(run.failure) !== kind) return false;
    smallest = run;
    return true;
  };
  const shrinkChoices = (): Promise<Choices> =>
    shrink(smallest.course.choices(), (choices) => fails(choices, faults), left);
  await shrinkChoices();
  const before = faults;
  for (const id of faults?.toReversed() ?? []) {
    const fewer: readonly string[] | undefined = faults?.filter((other) => other !== id);
    if (left > 0 && (await fails(smallest.course.choices(), fewer))) faults = fewer;
  }
  if (faults !== before) await shrinkChoices();
  return reported(trial, smallest, faults, schedules);
}

function idsOf({ injected }: Run): readonly string[] {
  return [...new Set(injected.map(({ id }) => id))];
}

async function reported<C extends ContractShape>(
  trial: Trial<C>,
  smallest: Run,
  faults: readonly string[] | undefined,
  schedules: number,
): Promise<ExplorationError> {
  const { seed } = smallest;
  const choices = smallest.course.choices();
  const reporter = new Reporter<C>();
  const run = await runSchedule(trial, { seed, pick: replaying(choices), faults }, reporter);
  checkSame(smallest, run);
  return reporter.toError({ seed, choices, faults }, run, schedules);
}
