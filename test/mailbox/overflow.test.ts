import { describe, expect, it } from 'vitest';
import { Lanes } from '../../src/mailbox/lanes.ts';
import { OVERFLOW, type Overflow } from '../../src/mailbox/overflow.ts';

interface Item {
  readonly name: string;
  readonly priority: number;
  ticket: number;
}

/** What a strategy says of a newcomer, in a mailbox that holds these priorities. */
function judge(overflow: Overflow, held: readonly number[], newcomer: number, waiting = 0): string {
  const lanes = new Lanes<Item>({ ageingLimit: 16 });
  held.forEach((priority, i) => {
    lanes.push({ name: `${i}`, priority, ticket: i });
  });
  const item = { name: 'new', priority: newcomer, ticket: 99 };
  const verdict = OVERFLOW[overflow]({ lanes, capacity: 2, waiting }, item);
  return verdict.action === 'replace' ? `replace ${verdict.victim.name}` : verdict.action;
}

// R:A7 F:B8
describe('the strategies of a full mailbox', () => {
  it.each([
    ['reject', [5, 5], 9, 0, 'turn-away'],
    ['drop-newest', [5, 5], 9, 0, 'drop-newcomer'],
    ['drop-oldest', [5, 5], 5, 0, 'replace 0'],
    ['drop-oldest', [8, 5], 5, 0, 'replace 1'],
    ['drop-oldest', [8, 5], 4, 0, 'drop-newcomer'],
    ['drop-oldest', [], 9, 0, 'drop-newcomer'],
    ['wait', [5, 5], 5, 0, 'wait'],
    ['wait', [5, 5], 5, 1, 'wait'],
    ['wait', [5, 5], 10, 2, 'turn-away'],
  ] as const)(
    '%s, holding %j, with a newcomer of %i and %i waiting: %s',
    (overflow, held, newcomer, waiting, verdict) => {
      expect(judge(overflow, held, newcomer, waiting)).toBe(verdict);
    },
  );
});
