import { misuse } from '../../kernel/errors.ts';
import { readToken } from './choices.ts';
import { Frontier } from './exhaustive.ts';
import type { Run } from './schedule.ts';
import { inOrder, type Picker, pct, randomWalk, replaying } from './strategy.ts';

/** How schedules are chosen. */
export type Strategy =
  | 'mix'
  | 'random'
  | 'pct'
  | { readonly pct: number }
  | 'exhaustive'
  | 'replay';

/** Which schedules are run, one after the other. */
export interface Plan {
  /** Every schedule there is has been run. */
  readonly finished: boolean;
  /** The next one, `undefined` after the last; `steps` are those of the longest so far. */
  next(steps: number): Leg | undefined;
  /** Hears of each that did not fail. */
  passed(run: Run): void;
}

/** One schedule to come. */
export interface Leg {
  readonly seed: number;
  readonly pick: Picker;
  /** The only faults that are injected. */
  readonly faults?: readonly string[] | undefined;
}

/** What a plan is made of. */
export interface PlanOptions {
  readonly seeds?: number | readonly number[] | undefined;
  readonly strategy?: Strategy | undefined;
  readonly maxSchedules?: number | undefined;
  readonly replay?: string | undefined;
}

const STRATEGIES = "'mix', 'random', 'pct', { pct: depth }, 'exhaustive' or 'replay'";
const MAX_DEPTH = 4;
/** As long as no run has said how many steps it takes. */
const EXPECTED_STEPS = 20;

/** Reads the options; a schedule to be replayed is the only one. */
export function planOf({ seeds, strategy = 'mix', maxSchedules, replay }: PlanOptions): Plan {
  if (replay !== undefined)
    return sampling([readToken(replay)], ({ choices }) => replaying(choices));
  const list = readSeeds(seeds);
  if (strategy === 'exhaustive') {
    return exhausting(seeds === undefined ? [1] : list, readMax(maxSchedules));
  }
  const order = orderOf(strategy);
  const legs = list.map((seed, index) => ({ seed, index }));
  return sampling(legs, ({ seed, index }, steps) => order(seed, index, steps));
}

type Order = (seed: number, index: number, steps: number) => Picker;

const deepening: Order = (seed, index, steps) => pct(seed, 1 + (index % MAX_DEPTH), steps);

function orderOf(strategy: Exclude<Strategy, 'exhaustive'>): Order {
  if (strategy === 'random') return randomWalk;
  if (strategy === 'pct') return deepening;
  if (strategy === 'mix') return mixed;
  if (strategy === 'replay') throw misuse('replay', "a schedule such as '42/4:1,9:2'", undefined);
  if (typeof strategy !== 'object' || strategy === null)
    throw misuse('strategy', STRATEGIES, strategy);
  const depth = strategy.pct;
  if (!(Number.isInteger(depth) && depth >= 1)) {
    throw misuse('strategy.pct', 'an integer from 1', depth);
  }
  return (seed, _index, steps) => pct(seed, depth, steps);
}

const mixed: Order = (seed, index, steps) => {
  if (index === 0) return inOrder;
  return index % 2 === 1 ? randomWalk(seed) : deepening(seed, index >> 1, steps);
};

function sampling<L extends Pick<Leg, 'seed' | 'faults'>>(
  legs: readonly L[],
  pickerOf: (leg: L, steps: number) => Picker,
): Plan {
  let at = 0;
  return {
    finished: false,
    next(steps) {
      const leg = legs[at++];
      if (leg === undefined) return undefined;
      const { seed, faults } = leg;
      return { seed, faults, pick: pickerOf(leg, steps || EXPECTED_STEPS) };
    },
    passed: () => {},
  };
}

/** All schedules of one seed, then all of the next. */
function exhausting(seeds: readonly number[], maxSchedules: number): Plan {
  let frontier = new Frontier();
  let at = 0;
  let left = maxSchedules;
  return {
    get finished() {
      return at === seeds.length;
    },
    next() {
      const seed = seeds[at];
      if (seed === undefined || left <= 0) return undefined;
      left -= 1;
      return { seed, pick: frontier.pick };
    },
    passed(run) {
      frontier.next(run);
      if (!frontier.finished) return;
      at += 1;
      frontier = new Frontier();
    },
  };
}

function readSeeds(seeds: PlanOptions['seeds'] = 200): readonly number[] {
  if (typeof seeds !== 'number') {
    if (Array.isArray(seeds) && seeds.length > 0 && seeds.every(Number.isSafeInteger)) return seeds;
    throw misuse('seeds', 'a number from 1 or a list of integers', seeds);
  }
  if (!(Number.isSafeInteger(seeds) && seeds >= 1)) {
    throw new RangeError(misuse('seeds', 'an integer from 1', seeds).message);
  }
  return Array.from({ length: seeds }, (_, index) => index + 1);
}

function readMax(maxSchedules = 10_000): number {
  if (maxSchedules === Infinity || (Number.isSafeInteger(maxSchedules) && maxSchedules >= 1)) {
    return maxSchedules;
  }
  throw new RangeError(misuse('maxSchedules', 'an integer from 1', maxSchedules).message);
}
