import { describe, expect, it } from 'vitest';
import {
  BUSY_POLICIES,
  type BusyAction,
  type BusyPolicy,
  decideBusy,
} from '../../src/delivery/busy.ts';

type Row = readonly [BusyPolicy, notBegun: BusyAction, begun: BusyAction];

const TABLE: readonly Row[] = [
  ['queue', 'line-up', 'line-up'],
  ['latest', 'supersede', 'supersede'],
  ['interrupt', 'supersede', 'interrupt'],
  ['steer', 'line-up', 'line-up'],
  ['reject', 'turn-away', 'turn-away'],
];

// R:G3
describe('what a busy policy decides', () => {
  it('has a row for every policy', () => {
    expect(TABLE.map(([policy]) => policy)).toEqual(BUSY_POLICIES);
  });

  it.each(TABLE)('%s: %s when the key has not begun, %s when it has', (policy, notBegun, begun) => {
    expect(decideBusy(policy, 'none')).toBe('line-up');
    expect(decideBusy(policy, 'not-begun')).toBe(notBegun);
    expect(decideBusy(policy, 'begun')).toBe(begun);
  });
});
