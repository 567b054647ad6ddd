import type { Candidate, Selection } from '../delivery/selection.ts';
import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { Rotation } from './rotation.ts';

/** Options of {@link leastBusy}. */
export interface LeastBusyOptions {
  /**
   * Milliseconds after which a failure counts half. @default 10_000
   */
  readonly halfLifeMs?: number;
  /** Deliveries that one fresh failure weighs as much as. @default 4 */
  readonly failureWeight?: number;
  /** Whoever is not healthy is not asked: `(agent) => registry.isHealthy(agent)`. @default all are */
  readonly healthy?: (agent: string) => boolean;
}

const OPTIONS: ReadonlySet<string> = new Set<keyof LeastBusyOptions>([
  'halfLifeMs',
  'failureWeight',
  'healthy',
]);
const MAX_REMEMBERED = 10_000;

/**
 * Whoever has the fewest outstanding deliveries, in turn between equals: what the bus does by
 * itself, as a value.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { fewestOutstanding, matching } from 'tellask/agents';
 * const bus = new MessageBus();
 * for (const name of ['eu-1', 'us-1']) bus.register(name).serve('where', () => name);
 * const inEurope = matching(({ agent }) => agent.startsWith('eu-'), fewestOutstanding());
 * await bus.request('where', {}, { select: inEurope }); // => 'eu-1'
 * ```
 */
export function fewestOutstanding(): Selection {
  const rotation = new Rotation();
  return {
    name: 'fewestOutstanding',
    choose: (candidates) => rotation.best(candidates, ({ outstanding }) => -outstanding),
    explain: (candidates) => candidates.map(({ outstanding }) => `${outstanding} outstanding`),
  };
}

/**
 * Whoever has the least to do for each of its slots, where a failure counts as work too and is
 * forgotten slowly: an agent that fails at once always looks idle. Who is paused or not healthy is
 * not asked.
 *
 * @throws TypeError, RangeError for options that make no sense.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { leastBusy } from 'tellask/agents';
 * const bus = new MessageBus({ select: leastBusy({ halfLifeMs: 60_000 }) });
 * bus.register('ann').serve('whoami', () => { throw new Error('down'); });
 * bus.register('ben').serve('whoami', () => 'ben');
 * await bus.request('whoami', {}).catch(() => {});
 * await bus.request('whoami', {}); // => 'ben'
 * await bus.request('whoami', {}); // => 'ben'
 * ```
 */
export function leastBusy(options: LeastBusyOptions = {}): Selection {
  refuseUnknown(options, OPTIONS, 'leastBusy');
  const { halfLifeMs = 10_000, failureWeight = 4, healthy } = options;
  readPositive('halfLifeMs', halfLifeMs);
  readPositive('failureWeight', failureWeight);
  if (healthy !== undefined && typeof healthy !== 'function') {
    throw misuse('healthy', 'a function of an agent’s name', healthy);
  }
  return new LeastBusy(halfLifeMs, failureWeight, healthy ?? (() => true));
}

interface Failures {
  weight: number;
  at: number;
}

class LeastBusy implements Selection {
  readonly name = 'leastBusy';
  readonly #halfLifeMs: number;
  readonly #failureWeight: number;
  readonly #healthy: (agent: string) => boolean;
  readonly #failures = new Map<string, Failures>();
  readonly #rotation = new Rotation();
  /** The instant of the last choice: ends are told without one. */
  #now: () => number = () => 0;

  constructor(halfLifeMs: number, failureWeight: number, healthy: (agent: string) => boolean) {
    this.#halfLifeMs = halfLifeMs;
    this.#failureWeight = failureWeight;
    this.#healthy = healthy;
  }

  choose(
    candidates: readonly Candidate[],
    { now }: { readonly now: () => number },
  ): Candidate | undefined {
    this.#now = now;
    const fit = candidates.filter((one) => !one.paused && this.#healthy(one.agent));
    return this.#rotation.best(fit, (one) => -this.#load(one, now()));
  }

  settled(agent: string, { how }: { readonly how: string }): void {
    if (how === 'withdrawn') return;
    if (how === 'answered') {
      // One that answers is trusted again, sooner than time alone would have it.
      const known = this.#failures.get(agent);
      if (known !== undefined) known.weight /= 2;
      return;
    }
    const now = this.#now();
    const weight = this.#weight(agent, now) + this.#failureWeight;
    if (this.#failures.size >= MAX_REMEMBERED) this.#failures.clear();
    this.#failures.set(agent, { weight, at: now });
  }

  explain(
    candidates: readonly Candidate[],
    { now }: { readonly now: () => number },
  ): readonly string[] {
    return candidates.map((one) => {
      if (one.paused) return 'paused';
      if (!this.#healthy(one.agent)) return 'not healthy';
      return `load ${this.#load(one, now()).toFixed(2)}, of which failures ${this.#weight(one.agent, now()).toFixed(2)}`;
    });
  }

  #load({ agent, outstanding, concurrency }: Candidate, now: number): number {
    return outstanding / concurrency + this.#weight(agent, now);
  }

  #weight(agent: string, now: number): number {
    const known = this.#failures.get(agent);
    if (known === undefined) return 0;
    return known.weight * 0.5 ** ((now - known.at) / this.#halfLifeMs);
  }
}

function readPositive(what: string, value: number): void {
  if (typeof value !== 'number' || !(value > 0)) throw misuse(what, 'a number above 0', value);
}
