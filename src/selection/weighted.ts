import type { Candidate, Selection } from '../delivery/selection.ts';
import { misuse } from '../kernel/errors.ts';

const MAX_REMEMBERED = 10_000;

/**
 * Each in proportion to its weight, spread as evenly as can be: with weights 2 and 1, one of three
 * calls goes to the second. Who has no weight has 1; whose weight is 0 is not asked.
 *
 * The smooth weighted round-robin of nginx.
 *
 * @param weights From the name of an agent to a number from 0.
 * @throws TypeError for a weight that is none.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { weighted } from 'tellask/agents';
 * const bus = new MessageBus({ select: weighted({ big: 2 }) });
 * for (const name of ['big', 'small']) bus.register(name).serve('whoami', () => name);
 * const said: unknown[] = [];
 * for (let i = 0; i < 6; i++) said.push(await bus.request('whoami', {}));
 * said.filter((name) => name === 'big').length; // => 4
 * ```
 */
export function weighted(weights: Readonly<Record<string, number>>): Selection {
  if (typeof weights !== 'object' || weights === null) {
    throw misuse('weighted', 'an object from agent to weight', weights);
  }
  const known = new Map(Object.entries(weights));
  for (const [agent, weight] of known) {
    if (Number.isFinite(weight) && weight >= 0) continue;
    throw misuse(`The weight of ${agent}`, 'a number from 0', weight);
  }
  return new Weighted(known);
}

class Weighted implements Selection {
  readonly name = 'weighted';
  readonly #weights: ReadonlyMap<string, number>;
  /** What each is owed: it grows by the weight with every call, and the one chosen pays for all. */
  readonly #owed = new Map<string, number>();

  constructor(weights: ReadonlyMap<string, number>) {
    this.#weights = weights;
  }

  choose(candidates: readonly Candidate[]): Candidate | undefined {
    if (this.#owed.size > candidates.length + MAX_REMEMBERED) this.#owed.clear();
    let sum = 0;
    let best: Candidate | undefined;
    let most = -Infinity;
    for (const candidate of candidates) {
      const weight = this.#weightOf(candidate);
      if (weight === 0) continue;
      sum += weight;
      const owed = (this.#owed.get(candidate.agent) ?? 0) + weight;
      this.#owed.set(candidate.agent, owed);
      if (owed <= most) continue;
      best = candidate;
      most = owed;
    }
    if (best !== undefined) this.#owed.set(best.agent, most - sum);
    return best;
  }

  explain(candidates: readonly Candidate[]): readonly string[] {
    return candidates.map((one) => `weight ${this.#weightOf(one)}`);
  }

  #weightOf({ agent }: Candidate): number {
    return this.#weights.get(agent) ?? 1;
  }
}
