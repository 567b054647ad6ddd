import { misuse } from '../kernel/errors.ts';
import { isThenable } from '../kernel/thenable.ts';
import { isEqual } from '../state/equal.ts';
import { campsOf, settled, withoutConflict } from './camps.ts';
import type { Camp, Position, Resolution, Resolve, ResolveContext } from './resolution.ts';

/** Says who is right: one of the values, or another one; `undefined` when it cannot decide. */
export type Arbiter = (positions: readonly Position[], context?: ResolveContext) => unknown;

/**
 * Somebody decides: a function, which may ask an agent. It is not asked when there is no conflict.
 *
 * @throws TypeError for what is no function.
 * @example
 * ```ts
 * import { byArbiter } from 'tellask/agents';
 * const shortest = byArbiter((positions) =>
 *   positions.map(({ value }) => String(value)).sort((a, b) => a.length - b.length)[0],
 * );
 * const positions = [{ by: 'ann', value: 'a long text' }, { by: 'bob', value: 'short' }];
 * await shortest(positions);
 * // => { settled: true, value: 'short', how: 'arbiter', by: ['bob'], conflicts: [] }
 * ```
 */
export function byArbiter(arbiter: Arbiter): Resolve {
  if (typeof arbiter !== 'function') throw misuse('byArbiter', 'a function of positions', arbiter);
  return (positions, context) => {
    const camps = campsOf(positions);
    const alike = withoutConflict(camps);
    if (alike !== undefined) return alike;
    const decided = arbiter(positions, context);
    if (!isThenable(decided)) return ruling(decided, camps);
    return decided.then((value) => ruling(value, camps));
  };
}

function ruling(value: unknown, camps: readonly Camp[]): Resolution {
  if (value === undefined) {
    return {
      settled: false,
      why: 'the arbiter did not decide',
      between: camps.map((camp) => camp.value),
    };
  }
  // Whose value it is may be nobody's.
  const camp = camps.find((one) => isEqual(one.value, value));
  return settled('arbiter', { value, by: camp?.by ?? [] });
}
