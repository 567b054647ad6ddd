import type { Candidate, Selection, SelectionCall } from '../delivery/selection.ts';
import { checkSelection } from '../delivery/selection.ts';
import { misuse } from '../kernel/errors.ts';
import { fewestOutstanding } from './least-busy.ts';
import { Rotation } from './rotation.ts';

/**
 * By chance, which is the chance of the bus: a test with a seed repeats it.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { random } from 'tellask/agents';
 * const bus = new MessageBus({ select: random() });
 * bus.register('ann').serve('whoami', () => 'ann');
 * await bus.request('whoami', {}); // => 'ann'
 * ```
 */
export function random(): Selection {
  return {
    name: 'random',
    choose: (candidates, call) => candidates[Math.floor(call.random() * candidates.length)],
    explain: (candidates) => candidates.map(() => `one in ${candidates.length}`),
  };
}

/**
 * Whoever has the highest score for this message, in turn between equals; `-Infinity` is never
 * asked.
 *
 * @throws TypeError for what is no function, and in the call for a score that is no number.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { scored } from 'tellask/agents';
 * const speaks: Record<string, string[]> = { ann: ['de', 'en'], ben: ['fr'] };
 * const select = scored(({ agent }, { payload }) =>
 *   speaks[agent]?.includes((payload as { lang: string }).lang) ? 1 : -Infinity,
 * );
 * const bus = new MessageBus({ select });
 * for (const name of ['ann', 'ben']) bus.register(name).serve('translate', () => name);
 * await bus.request('translate', { lang: 'fr' }); // => 'ben'
 * ```
 */
export function scored(score: (candidate: Candidate, call: SelectionCall) => number): Selection {
  if (typeof score !== 'function') throw misuse('scored', 'a function that gives a score', score);
  const rotation = new Rotation();
  const points = (candidate: Candidate, call: SelectionCall): number => {
    const given = score(candidate, call);
    if (typeof given === 'number' && !Number.isNaN(given)) return given;
    throw misuse(`The score of ${candidate.agent}`, 'a number', given);
  };
  return {
    name: 'scored',
    choose: (candidates, call) => rotation.best(candidates, (one) => points(one, call)),
    explain: (candidates, call) => candidates.map((one) => `score ${points(one, call)}`),
  };
}

/**
 * Only those for whom the predicate holds, and among them whom the next strategy chooses.
 *
 * @param then @default fewestOutstanding()
 * @throws TypeError for what is no predicate or no strategy.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { matching, roundRobin } from 'tellask/agents';
 * const bus = new MessageBus();
 * for (const name of ['eu-1', 'us-1', 'eu-2']) bus.register(name).serve('whoami', () => name);
 * const select = matching(({ agent }) => agent.startsWith('eu-'), roundRobin());
 * await bus.request('whoami', {}, { select }); // => 'eu-1'
 * await bus.request('whoami', {}, { select }); // => 'eu-2'
 * ```
 */
export function matching(
  fits: (candidate: Candidate, call: SelectionCall) => boolean,
  then: Selection = fewestOutstanding(),
): Selection {
  if (typeof fits !== 'function') throw misuse('matching', 'a predicate', fits);
  checkSelection(then);
  return {
    name: `matching, ${then.name}`,
    choose(candidates, call) {
      const fit = candidates.filter((one) => fits(one, call));
      return fit.length === 0 ? undefined : then.choose(fit, call);
    },
    settled: (agent, end) => then.settled?.(agent, end),
    explain(candidates, call) {
      const fit = candidates.filter((one) => fits(one, call));
      const notes = then.explain?.(fit, call) ?? fit.map(() => 'fits');
      return candidates.map((one) => notes[fit.indexOf(one)] ?? 'does not fit');
    },
  };
}

/**
 * The first of these names that serves and is not paused; the others only when none of them does.
 * With `fallback` or a retry the same order holds again for the next attempt.
 *
 * @throws TypeError for what is no list of names.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { inOrder } from 'tellask/agents';
 * const bus = new MessageBus({ select: inOrder(['main', 'spare']) });
 * const main = bus.register('main');
 * main.serve('whoami', () => 'main');
 * bus.register('spare').serve('whoami', () => 'spare');
 * await bus.request('whoami', {}); // => 'main'
 * await main.leave();
 * await bus.request('whoami', {}); // => 'spare'
 * ```
 */
export function inOrder(names: readonly string[]): Selection {
  if (!Array.isArray(names) || names.some((name) => typeof name !== 'string')) {
    throw misuse('inOrder', 'a list of names', names);
  }
  const places = new Map(names.map((name, place) => [name, place] as const));
  const placeOf = ({ agent, paused }: Candidate): number =>
    (places.get(agent) ?? names.length) + (paused ? names.length + 1 : 0);
  return {
    name: 'inOrder',
    choose: (candidates) =>
      candidates.reduce((best, one) => (placeOf(one) < placeOf(best) ? one : best)),
    explain: (candidates) =>
      candidates.map((one) => {
        const place = places.get(one.agent);
        return place === undefined ? 'not in the list' : `number ${place + 1} of the list`;
      }),
  };
}
