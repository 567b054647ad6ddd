import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../src/delivery/delivery.ts';
import { whereabouts } from '../../src/delivery/whereabouts.ts';

const at = (state: string, more: object = {}): Delivery => {
  const home = { mailbox: { lanes: { forEach: () => {} } } };
  const subscription = { owner: 'a', handlerName: 'onDraft' };
  return { state, home, attempts: 2, subscription, flags: {}, ...more } as never;
};

/** A delivery of priority 5 and ticket 5, among others of [priority, ticket]. */
function queuedAmong(...others: readonly [number, number][]): Delivery {
  const delivery = at('queued') as Delivery & { priority: number };
  const all = others.map(([priority, ticket]) => ({ priority, ticket }));
  const lanes = { forEach: (see: (one: unknown) => void) => [...all, delivery].forEach(see) };
  return Object.assign(delivery, { priority: 5, ticket: 5, home: { mailbox: { lanes } } });
}

// R:C4
describe('whereabouts', () => {
  it.each([
    [undefined, 'not in a mailbox yet'],
    [at('inFlight', { current: { startedAt: 700 } }), 'running for 12.3 s in onDraft'],
    [at('inFlight'), 'running for 0.0 s in onDraft'],
    [
      at('inFlight', { subscription: { owner: 'a', handlerName: '' }, current: { startedAt: 0 } }),
      'running for 13.0 s',
    ],
    [at('queued'), 'held by its key or its rate limit'],
    [at('queued', { subscription: { owner: 'a', batcher: {} } }), 'waits in a batch'],
    [queuedAmong(), 'next in line'],
    [queuedAmong([5, 6], [4, 1]), 'next in line'],
    [queuedAmong([5, 4], [6, 9], [5, 6]), 'queued behind 2'],
    [at('waiting'), 'waiting for a place in the full mailbox of a'],
    [at('deferred', { flags: { deferral: { since: 3_000 } } }), 'deferred by a 10.0 s ago'],
    [at('retryWait'), 'waiting for a retry after a failed 2 times'],
    [at('retryWait', { attempts: 1 }), 'waiting for a retry after a failed once'],
    [at('expired'), 'expired in the queue of a'],
    [at('handled'), 'it was handled'],
  ])('says it in words: case %#', (delivery, words) => {
    expect(whereabouts(delivery, 13_000).where).toBe(words);
  });
});
