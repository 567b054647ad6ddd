import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../src/delivery/delivery.ts';
import { whereabouts } from '../../src/delivery/whereabouts.ts';

const at = (state: string, more: object = {}): Delivery => {
  const home = { mailbox: { size: 3 } };
  return { state, home, attempts: 2, subscription: { owner: 'a' }, ...more } as never;
};

// R:C4
describe('whereabouts', () => {
  it.each([
    [undefined, 'it has not reached a mailbox'],
    [at('inFlight', { current: { startedAt: 700 } }), 'a has been at it for 12.3 s'],
    [at('inFlight'), 'a has been at it for 0.0 s'],
    [at('queued'), 'it is queued with a among 2 others'],
    [at('waiting'), 'it waits for a place in the full mailbox of a'],
    [at('retryWait'), 'a failed 2 times and a retry is waiting'],
    [at('handled'), 'it was handled'],
  ])('says it in words: case %#', (delivery, words) => {
    expect(whereabouts(delivery, 13_000)).toBe(words);
  });
});
