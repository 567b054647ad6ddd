import { misuse } from '../../kernel/errors.ts';
import { refuseUnknown } from '../../kernel/unknown-option.ts';
import type { AnyContract, ContractShape } from '../../message/contract-types.ts';
import type { BusOptions } from '../../wiring/bus-options.ts';
import { TEST_OPTIONS, type TestBusOptions } from '../test-bus.ts';
import { NeverReachedError } from './errors.ts';
import { explained } from './explained.ts';
import { type Plan, planOf, type Strategy } from './plan.ts';
import { type Scenario, Sightings } from './scenario.ts';
import { runSchedule, type Trial } from './schedule.ts';

/** Options of {@link explore}: those of the bus, and which schedules are run. */
export interface ExploreOptions<C extends ContractShape = AnyContract>
  extends Omit<TestBusOptions<C>, 'seed' | 'shuffle' | 'state'> {
  /**
   * Options of the bus that are made anew for every schedule: what has a life of its own, such as
   * `state: new StateManager()`.
   */
  readonly setup?: () => OwnOptions<C>;
  /**
   * How many schedules, from seed 1 on, or which seeds. With `exhaustive` every schedule of each
   * seed is run: more than one is for scenarios in which something is drawn by chance.
   * @default 200, with `exhaustive` 1
   */
  readonly seeds?: number | readonly number[];
  /**
   * `mix` begins with production order and goes on with `random` and `pct` in turn; `random` takes
   * any lane; `pct` is probabilistic concurrency testing of depth 1 to 4 (`{ pct: 2 }` of depth 2);
   * `exhaustive` tries every schedule up to `maxSchedules`; `replay` runs `replay`. @default 'mix'
   */
  readonly strategy?: Strategy;
  /** At most so many schedules with `exhaustive`, of all seeds together. @default 10_000 */
  readonly maxSchedules?: number;
  /** The schedule that `replay` runs: what stands behind `TELLASK_SEED=` in a report. */
  readonly replay?: string;
  /** How many steps one schedule may take before it is given up as endless. @default 100_000 */
  readonly maxSteps?: number;
  /**
   * How many schedules may be spent on making a failure smaller; fewer of those that take thousands
   * of steps. @default 1_000
   */
  readonly maxShrinks?: number;
  /** Fails when no schedule made true what a `sometimes` names. @default false */
  readonly requireSometimes?: boolean;
}

const KNOWN: ReadonlySet<string> = new Set([
  'seeds',
  'strategy',
  'setup',
  'maxSchedules',
  'replay',
  'maxShrinks',
  'requireSometimes',
  ...TEST_OPTIONS,
]);

type OwnOptions<C extends ContractShape> = Omit<BusOptions<C>, 'env'>;

/** What {@link explore} has tried. */
export interface Exploration {
  readonly schedules: number;
  /** Whether every schedule of each seed was tried: only `exhaustive` can know. */
  readonly finished: boolean;
  /** Steps of the longest schedule. */
  readonly steps: number;
  /** In how many schedules each `sometimes` was true. */
  readonly sometimes: Readonly<Record<string, number>>;
  /** The names of `sometimes` that no schedule has reached. */
  readonly never: readonly string[];
}

/**
 * Runs a scenario under many orders, each on a test bus of its own, and rejects with the first that
 * fails: when the scenario throws, waits for what never comes, or leaves its bus in disorder.
 *
 * The scheduler chooses between lanes alone, so every order is one that could happen. A failure is
 * made as small as possible before it is told: see {@link ExplorationError}. While `TELLASK_SEED`
 * is set, that one schedule is run. A scenario makes all that it changes anew in every call, and
 * waits for nothing but its bus.
 *
 * @throws ExplorationError `TELLASK_EXPLORE_FAILED`, NondeterminismError
 * `TELLASK_NONDETERMINISTIC`, NeverReachedError `TELLASK_NEVER_REACHED`
 * @example
 * ```ts
 * import { explore } from 'tellask/testing';
 * const overdraw = async () =>
 *   explore(async ({ bus }) => {
 *     let balance = 100;
 *     const bank = bus.register('bank', { concurrency: 2 });
 *     bank.serve('audit', () => true);
 *     for (const name of ['ann', 'bob']) {
 *       bus.register(name).subscribe('pay', async (_, context) => {
 *         if (balance < 100) return;
 *         await context.request('audit', {});
 *         balance -= 100;
 *       });
 *     }
 *     await bus.publish('pay', {}).settled;
 *     if (balance < 0) throw new Error('overdrawn');
 *   });
 * const failure = await overdraw().catch((error) => error);
 * failure.code; // => 'TELLASK_EXPLORE_FAILED'
 * failure.replay; // => 'TELLASK_SEED=1/'
 * ```
 */
export async function explore<C extends ContractShape = AnyContract>(
  scenario: Scenario<C>,
  options: ExploreOptions<C> = {},
): Promise<Exploration> {
  checkOptions(scenario, options);
  const { seeds, strategy, maxSchedules, replay, requireSometimes = false, ...rest } = options;
  const { maxSteps = 100_000, maxShrinks = 1_000, faults, setup, ...bus } = rest;
  const sightings = new Sightings();
  const busOptions = (): OwnOptions<C> => ({ ...(bus as OwnOptions<C>), ...setup?.() });
  const trial = { scenario, busOptions, faults, maxSteps, sightings };
  const plan = planOf({
    seeds,
    strategy,
    maxSchedules,
    replay: process.env['TELLASK_SEED'] ?? replay,
  });
  const tour = await travel(trial, plan, maxShrinks);
  const never = sightings.never();
  if (requireSometimes && never.length > 0) throw new NeverReachedError(never, tour.schedules);
  return { ...tour, sometimes: sightings.counts(), never };
}

function checkOptions(scenario: unknown, options: object): void {
  if (typeof scenario !== 'function') throw misuse('The scenario', 'a function', scenario);
  refuseUnknown(options, KNOWN, 'explore');
  if (!('state' in options)) return;
  const own = 'setup: () => ({ state: new StateManager() })';
  throw new TypeError(`Each schedule of explore needs a state of its own: ${own}`);
}

/** Runs one schedule after the other until one fails. */
async function travel<C extends ContractShape>(
  trial: Trial<C>,
  plan: Plan,
  maxShrinks: number,
): Promise<Pick<Exploration, 'schedules' | 'finished' | 'steps'>> {
  let [schedules, steps] = [0, 0];
  for (let leg = plan.next(steps); leg !== undefined; leg = plan.next(steps)) {
    const run = await runSchedule(trial, leg);
    schedules += 1;
    steps = Math.max(steps, run.course.counts.length);
    if (run.failure !== undefined) throw await explained(trial, run, schedules, maxShrinks);
    trial.sightings.count();
    plan.passed(run);
  }
  return { schedules, finished: plan.finished, steps };
}
