import type { Lane } from '../../kernel/env.ts';
import { seededRandom } from '../seeded-random.ts';
import type { Choices } from './choices.ts';

/** Chooses one of the lanes; the first is the one that runs when nobody interferes. */
export type Picker = (lanes: readonly Lane[], step: number) => number;

/** The order of production. */
export const inOrder: Picker = () => 0;

// The chance of the Env comes from the same seed, and the two must not go side by side.
const ORDER_SALT = 0x5eed_0c3a;

/** Any lane is as likely as any other. */
export function randomWalk(seed: number): Picker {
  const random = seededRandom(seed ^ ORDER_SALT);
  return (lanes) => (lanes.length === 1 ? 0 : Math.floor(random() * lanes.length));
}

/** Chooses what was chosen before; where that lane does not exist any more, the last. */
export function replaying(choices: Choices): Picker {
  return (lanes, step) => Math.min(choices.get(step) ?? 0, lanes.length - 1);
}

/**
 * Probabilistic concurrency testing: every lane gets a priority by chance when it is first seen, the
 * highest runs, and at `depth` - 1 steps by chance whoever would run falls behind all others. A bug
 * that takes `depth` orderings to show is found with a probability of at least
 * 1 / (n k^(depth - 1)), for n lanes and k steps.
 *
 * Burckhardt, Kothari, Musuvathi and Nagarakatte, "A randomized scheduler with probabilistic
 * guarantees of finding bugs", ASPLOS 2010.
 */
export function pct(seed: number, depth: number, expectedSteps: number): Picker {
  const random = seededRandom(seed ^ ORDER_SALT);
  const priorities = new Map<Lane, number>();
  const changes = new Set<number>();
  for (let change = 1; change < depth; change += 1) {
    changes.add(1 + Math.floor(random() * Math.max(1, expectedSteps)));
  }
  let lowest = 0;
  const priorityOf = (lane: Lane): number => {
    const known = priorities.get(lane);
    if (known !== undefined) return known;
    const drawn = random();
    priorities.set(lane, drawn);
    return drawn;
  };
  const highest = (lanes: readonly Lane[]): number => {
    let [best, bestPriority] = [0, -Infinity];
    for (let index = 0; index < lanes.length; index += 1) {
      const priority = priorityOf(lanes[index] as Lane);
      if (priority > bestPriority) [best, bestPriority] = [index, priority];
    }
    return best;
  };
  return (lanes, step) => {
    const first = highest(lanes);
    if (!changes.has(step)) return first;
    priorities.set(lanes[first] as Lane, --lowest);
    return highest(lanes);
  };
}
