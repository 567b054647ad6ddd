import { misuse } from '../kernel/errors.ts';

const NAMED = new Map<unknown, number>([
  ['low', 2],
  ['normal', 5],
  ['high', 8],
  ['critical', 10],
]);
const EXPECTED = "an integer from 0 to 10 or 'low', 'normal', 'high', 'critical'";

/**
 * How urgent a message is: an integer from 0 to 10, greater is sooner, or a name: `low` 2,
 * `normal` 5, `high` 8, `critical` 10.
 */
export type PriorityInput = number | 'low' | 'normal' | 'high' | 'critical';

/** What a message has that names no priority. */
export const NORMAL_PRIORITY = 5;

/**
 * Gives the number of a priority.
 *
 * @throws RangeError for a number that is not an integer from 0 to 10.
 * @throws TypeError for anything else that is not one of the four names.
 */
export function toPriority(value: PriorityInput): number {
  if (typeof value !== 'number') return named(value);
  if (Number.isInteger(value) && value >= 0 && value <= 10) return value === 0 ? 0 : value;
  throw new RangeError(misuse('priority', EXPECTED, value).message);
}

function named(value: unknown): number {
  const priority = NAMED.get(value);
  if (priority === undefined) throw misuse('priority', EXPECTED, value);
  return priority;
}
