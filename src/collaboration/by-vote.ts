import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { campsOf, settled, withoutConflict } from './camps.ts';
import type { Camp, Resolution, Resolve } from './resolution.ts';

/** Options of {@link byVote}. */
export interface VoteOptions {
  /** How much has to stand for a value: a weight above 0. @default the most wins */
  readonly quorum?: number;
  /** What the vote of a participant weighs, by name: 0 or more. @default 1 for each */
  readonly weights?: Readonly<Record<string, number>>;
  /** Who wins when the best weigh the same: nobody, or what was said first. @default 'none' */
  readonly tie?: 'none' | 'first';
}

const OPTIONS: ReadonlySet<string> = new Set<keyof VoteOptions>(['quorum', 'weights', 'tie']);
/** So much of a sum of weights is rounding: 0.1 + 0.2 is 0.3. */
const TOLERANCE = 1e-9;

/**
 * The value that weighs the most wins. Values are the same when they are equal as JSON, in whatever
 * order their fields stand. With `quorum` also what everybody agrees on has to weigh so much.
 *
 * @throws TypeError for options that make no sense.
 * @example
 * ```ts
 * import { byVote } from 'tellask/agents';
 * const positions = [
 *   { by: 'ann', value: 'tea' },
 *   { by: 'bob', value: 'milk' },
 *   { by: 'cat', value: 'tea' },
 * ];
 * byVote()(positions); // => { settled: true, value: 'tea', how: 'vote', by: ['ann', 'cat'], conflicts: [] }
 * byVote({ quorum: 3 })(positions).settled; // => false
 * ```
 */
export function byVote(options: VoteOptions = {}): Resolve<Resolution> {
  if (typeof options !== 'object' || options === null) throw misuse('byVote', 'an object', options);
  refuseUnknown(options, OPTIONS, 'byVote');
  const { quorum, tie = 'none' } = options;
  if (quorum !== undefined && !(typeof quorum === 'number' && quorum > 0)) {
    throw misuse('quorum', 'a weight above 0', quorum);
  }
  if (tie !== 'none' && tie !== 'first') throw misuse('tie', "'none' or 'first'", tie);
  const weights = readWeights(options.weights);
  return (positions) => {
    const camps = campsOf(positions);
    const weighed = camps.map((camp) => ({ camp, weight: weightOf(camp, weights) }));
    return withoutQuorum(camps, weighed, quorum) ?? elect(weighed, tie);
  };
}

interface Weighed {
  readonly camp: Camp;
  readonly weight: number;
}

/** What is decided, or cannot be, before the votes are compared. */
function withoutQuorum(
  camps: readonly Camp[],
  weighed: readonly Weighed[],
  quorum: number | undefined,
): Resolution | undefined {
  const most = Math.max(0, ...weighed.map(({ weight }) => weight));
  if (camps.length > 0 && quorum !== undefined && most < quorum - TOLERANCE) {
    return unsettled(`the most weigh ${most}, and ${quorum} were needed`, weighed);
  }
  return withoutConflict(camps);
}

function elect(weighed: readonly Weighed[], tie: 'none' | 'first'): Resolution {
  const most = Math.max(...weighed.map(({ weight }) => weight));
  const best = weighed.filter(({ weight }) => weight >= most - TOLERANCE);
  const [first] = best;
  if (first === undefined || most === 0) return unsettled('no vote weighs anything', weighed);
  if (best.length > 1 && tie === 'none') return unsettled('a tie', best);
  return settled('vote', first.camp);
}

function unsettled(why: string, weighed: readonly Weighed[]): Resolution {
  return { settled: false, why, between: weighed.map(({ camp }) => camp.value) };
}

function weightOf({ by }: Camp, weights: ReadonlyMap<string, number>): number {
  return by.reduce((sum, name) => sum + (weights.get(name) ?? 1), 0);
}

function readWeights(weights: VoteOptions['weights'] = {}): ReadonlyMap<string, number> {
  if (typeof weights !== 'object' || weights === null) {
    throw misuse('weights', 'an object of numbers by name', weights);
  }
  for (const [name, weight] of Object.entries(weights)) {
    if (Number.isFinite(weight) && weight >= 0) continue;
    throw misuse(`The weight of ${name}`, 'a number from 0', weight);
  }
  return new Map(Object.entries(weights));
}
