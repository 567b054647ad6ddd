import type { Candidate, Selection } from '../delivery/selection.ts';

/**
 * Each in its turn, whatever the others still have to do. One value counts for all the calls it is
 * passed to.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { roundRobin } from 'tellask/agents';
 * const bus = new MessageBus();
 * for (const name of ['ann', 'ben']) bus.register(name).serve('whoami', () => name);
 * const select = roundRobin();
 * await bus.request('whoami', {}, { select }); // => 'ann'
 * await bus.request('whoami', {}, { select }); // => 'ben'
 * await bus.request('whoami', {}, { select }); // => 'ann'
 * ```
 */
export function roundRobin(): Selection {
  let turn = 0;
  return {
    name: 'roundRobin',
    choose: (candidates): Candidate | undefined => candidates[turn++ % candidates.length],
    explain: (candidates) =>
      candidates.map((_, i) => (i === turn % candidates.length ? 'its turn' : 'not its turn')),
  };
}
