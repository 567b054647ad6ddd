import type { SagaEvent } from '../saga/progress.ts';
import type { SagaResult } from '../saga/results.ts';
import { checkEnded } from './crash-faults.ts';
import {
  die,
  type Ended,
  finish,
  NOTHING,
  type Remains,
  type SagaLife,
  type Trial,
} from './crash-life.ts';
import type { SagaWorld } from './saga-world.ts';
import type { StopSide } from './stopping-store.ts';

/** Options of {@link everyCrash}. */
export interface EveryCrashOptions {
  /** How many crashes a saga has at most: 1, or 2 to crash in its recovery as well. @default 2 */
  readonly crashes?: 1 | 2;
  /** Says at which event the saga is cancelled, in every life anew. @default never */
  readonly cancelWhen?: (event: SagaEvent) => boolean;
  /**
   * How it may end after a crash, with another result than without one: when it is cancelled only
   * then, or the world has changed, or what fails to be undone may not have been done.
   * @default in no other way
   */
  readonly mayEnd?: readonly SagaResult['status'][];
}

/** What {@link everyCrash} has tried. */
export interface CrashProof {
  readonly status: SagaResult['status'];
  /** Commits of the run without a crash. */
  readonly commits: number;
  /** Sagas that were brought to their end, the one without a crash included. */
  readonly runs: number;
}

const SIDES: readonly StopSide[] = ['before', 'after'];

/**
 * Proves of a saga that it bears a crash at every commit: the process is stopped before and after
 * each of them, and again at each commit of its recovery; an hour later another takes up what the
 * store has. However it went, the saga must end as it does without a crash and with the same
 * effects, no step may be begun more often than once and once for each crash, and steps and
 * compensations keep their order. Rejects with an Error that says where it crashed and what is wrong.
 *
 * `makeLife` is called for each process. Steps and compensations call the `world` in the place of
 * services; they keep nothing elsewhere, and wait for nothing but the world, their context and
 * `world.env`.
 *
 * @example
 * ```ts
 * import { saga } from 'tellask';
 * import { everyCrash, type SagaWorld } from 'tellask/testing';
 * const makeTrip = (world: SagaWorld) =>
 *   saga<string>('trip')
 *     .step('flight', { run: (to, c) => world.perform(c, to), compensate: (_, c) => world.undo(c) })
 *     .step('hotel', { run: (_, c) => world.fail(c, new Error('full')) });
 * const proof = await everyCrash((world) => ({ saga: makeTrip(world) }), 'Rome');
 * proof.status; // => 'compensated'
 * proof.runs > 50; // => true
 * ```
 */
export async function everyCrash<I>(
  makeLife: (world: SagaWorld) => SagaLife<I>,
  input: I,
  { crashes = 2, cancelWhen = () => false, mayEnd = [] }: EveryCrashOptions = {},
): Promise<CrashProof> {
  const trial = { makeLife, input, cancelWhen, mayEnd };
  const calm = await finish(trial, NOTHING);
  checkEnded(calm, calm, mayEnd);
  const runs = await crashFrom(trial, NOTHING, calm, calm.commits, crashes);
  return { status: calm.result.status, commits: calm.commits, runs: runs + 1 };
}

/** Crashes at each of so many commits; gives how many sagas were brought to their end. */
async function crashFrom<I>(
  trial: Trial<I>,
  from: Remains,
  calm: Ended,
  commits: number,
  crashes: number,
): Promise<number> {
  let runs = 0;
  for (let nth = 1; nth <= commits; nth += 1) {
    for (const side of SIDES) {
      const remains = await die(trial, from, nth, side);
      const ended = await finish(trial, remains);
      checkEnded(ended, calm, trial.mayEnd);
      runs += 1;
      if (crashes > 1) runs += await crashFrom(trial, remains, calm, ended.commits, crashes - 1);
    }
  }
  return runs;
}
