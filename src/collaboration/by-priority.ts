import { misuse } from '../kernel/errors.ts';
import { campsOf, settled, withoutConflict } from './camps.ts';
import type { Camp, Resolution, Resolve } from './resolution.ts';

/**
 * Who stands first in the list is right; who is not in it comes behind all who are, and between
 * those the one who was first to speak.
 *
 * @throws TypeError for what is no list of names.
 * @example
 * ```ts
 * import { byPriority } from 'tellask/agents';
 * const positions = [{ by: 'guest', value: 'milk' }, { by: 'cook', value: 'tea' }];
 * const resolution = byPriority(['cook'])(positions);
 * resolution.settled && resolution.value; // => 'tea'
 * ```
 */
export function byPriority(names: readonly string[]): Resolve<Resolution> {
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw misuse('byPriority', 'a list of names, the first of them first', names);
  }
  const order = [...names];
  const rankOf = (name: string): number => (order.includes(name) ? order.indexOf(name) : Infinity);
  return (positions) => {
    const camps = campsOf(positions);
    const alike = withoutConflict(camps);
    if (alike !== undefined) return alike;
    const best = Math.min(...positions.map(({ by }) => rankOf(by)));
    const winner = positions.find(({ by }) => rankOf(by) === best);
    const camp = camps.find(({ by }) => by.includes(winner?.by as string));
    return settled('priority', camp as Camp);
  };
}
