import { seededRandom } from './seeded-random.ts';
import type { Choose } from './sim-env.ts';

/**
 * Runs whichever of the ready lanes chance names: another seed is another order of what goes on
 * side by side. The order inside of a lane never changes.
 */
export function randomChoice(seed: number): Choose {
  const random = seededRandom(seed);
  return (lanes) => Math.floor(random() * lanes.length);
}
