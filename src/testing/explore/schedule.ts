import type { AnyContract, ContractShape } from '../../message/contract-types.ts';
import type { BusOptions } from '../../wiring/bus-options.ts';
import type { FaultRule } from '../faults/rule.ts';
import { type InjectedFault, SeededFaults } from '../faults/seeded-faults.ts';
import { namingEdges } from '../livelock.ts';
import { SimEnv } from '../sim-env.ts';
import { openTestBus } from '../test-bus.ts';
import { Course, type Watch } from './course.ts';
import { StuckScenarioError } from './errors.ts';
import type { Scenario, ScenarioBus, Sightings } from './scenario.ts';
import type { Picker } from './strategy.ts';

/** What all schedules of an exploration have in common. */
export interface Trial<C extends ContractShape = AnyContract> {
  readonly scenario: Scenario<C>;
  /** What the bus of one schedule is made with. */
  readonly busOptions: () => Omit<BusOptions<C>, 'env'>;
  readonly faults: readonly FaultRule[] | undefined;
  readonly maxSteps: number;
  readonly sightings: Sightings;
}

/** Who watches a run that is to be told of. */
export interface Witness<C extends ContractShape = AnyContract> {
  readonly step: Watch;
  began(t: ScenarioBus<C>): void;
}

/** One run: its course, and what went wrong. */
export interface Run {
  readonly seed: number;
  readonly course: Course;
  readonly failure: Failure | undefined;
  readonly injected: readonly InjectedFault[];
}

/** One schedule to run: everything else that chance decides comes from the seed. */
export interface Order {
  readonly seed: number;
  readonly pick: Picker;
  /** The only faults that are injected; all that the seed draws when there is no list. */
  readonly faults?: readonly string[] | undefined;
}

/** How a schedule failed. */
export interface Failure {
  readonly error: unknown;
}

/** Runs a scenario once, on a bus of its own, from its first line until the bus is closed. */
export async function runSchedule<C extends ContractShape>(
  trial: Trial<C>,
  { seed, pick, faults: only }: Order,
  witness?: Witness<C>,
): Promise<Run> {
  const course = new Course(pick, witness?.step);
  const env = new SimEnv({
    seed,
    explorer: course,
    maxSteps: trial.maxSteps,
    ...(trial.faults && { faults: new SeededFaults(trial.faults, { seed, only }) }),
  });
  const t: ScenarioBus<C> = Object.assign(openTestBus(env, trial.busOptions()), {
    sometimes: trial.sightings.see,
  });
  witness?.began(t);
  const failure = await failureOf(async () => {
    await play(trial.scenario, t, env);
    await t.run();
    course.end();
    await t.close();
  });
  return { seed, course, failure, injected: t.faults.injected };
}

async function failureOf(work: () => Promise<void>): Promise<Failure | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** Runs the bus for as long as the scenario waits for it. */
async function play<C extends ContractShape>(
  scenario: Scenario<C>,
  t: ScenarioBus<C>,
  env: SimEnv,
): Promise<void> {
  let waits = true;
  const done = (): void => {
    waits = false;
  };
  const work = Promise.resolve(scenario(t));
  work.then(done, done);
  const driven = (): Promise<boolean> => env.runWhile(() => waits);
  if (!(await namingEdges(t, env, driven))) throw new StuckScenarioError(t.pendingWork());
  await work;
}
