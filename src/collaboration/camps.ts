import { isEqual } from '../state/equal.ts';
import type { Camp, Position, Resolution, Settled } from './resolution.ts';

/** Those who stand for the same are one camp; in the order in which they came. */
export function campsOf(positions: readonly Position[]): readonly Camp[] {
  const camps: { value: unknown; by: string[] }[] = [];
  for (const { by, value } of positions) {
    const camp = camps.find((one) => isEqual(one.value, value));
    if (camp === undefined) camps.push({ value, by: [by] });
    else camp.by.push(by);
  }
  return camps;
}

/** What needs no decision: nobody stands for anything, or all for the same. */
export function withoutConflict(camps: readonly Camp[]): Resolution | undefined {
  const [first] = camps;
  if (first === undefined) return { settled: false, why: 'nobody said anything', between: [] };
  return camps.length === 1 ? settled('agreed', first) : undefined;
}

export function settled(
  how: Settled['how'],
  { value, by }: Camp,
  conflicts: readonly string[] = [],
): Settled {
  return { settled: true, value, how, by, conflicts };
}
