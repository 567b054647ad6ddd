import type { Candidate, Selection, SelectionCall, SelectionEnd } from '../delivery/selection.ts';
import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { Rotation } from './rotation.ts';

/** Options of {@link fastest}. */
export interface FastestOptions {
  /** The share of the newest measurement in the average, above 0 and at most 1. @default 0.3 */
  readonly alpha?: number;
  /** How often somebody else is tried, from 0 to 1: who was slow may be fast now. @default 0.05 */
  readonly explore?: number;
}

const OPTIONS: ReadonlySet<string> = new Set<keyof FastestOptions>(['alpha', 'explore']);
const MAX_REMEMBERED = 10_000;
/** A failure makes an agent look so much slower; at least as slow as this. */
const FAILURE_FACTOR = 2;
const FAILURE_MS = 100;
const MAX_MS = 3_600_000;

/**
 * Whoever is expected to answer first: the moving average of its answers, times what it has to do
 * before. An agent that has not answered yet is tried first, one that fails counts as slower than
 * before, and now and then any other is tried.
 *
 * After the "peak EWMA" balancer of Finagle.
 *
 * @throws TypeError, RangeError for options that make no sense.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { fastest } from 'tellask/agents';
 * const bus = new MessageBus({ select: fastest({ explore: 0 }) });
 * bus.register('ann').serve('whoami', () => { throw new Error('down'); });
 * bus.register('ben').serve('whoami', () => 'ben');
 * await bus.request('whoami', {}).catch(() => {});
 * await bus.request('whoami', {}); // => 'ben'
 * await bus.request('whoami', {}); // => 'ben'
 * ```
 */
export function fastest(options: FastestOptions = {}): Selection {
  refuseUnknown(options, OPTIONS, 'fastest');
  const { alpha = 0.3, explore = 0.05 } = options;
  if (!(alpha > 0 && alpha <= 1)) throw misuse('alpha', 'above 0 and at most 1', alpha);
  if (!(explore >= 0 && explore <= 1)) throw misuse('explore', 'from 0 to 1', explore);
  return new Fastest(alpha, explore);
}

class Fastest implements Selection {
  readonly name = 'fastest';
  readonly #alpha: number;
  readonly #explore: number;
  readonly #averages = new Map<string, number>();
  readonly #rotation = new Rotation();

  constructor(alpha: number, explore: number) {
    this.#alpha = alpha;
    this.#explore = explore;
  }

  choose(candidates: readonly Candidate[], { random }: SelectionCall): Candidate | undefined {
    const awake = candidates.filter(({ paused }) => !paused);
    if (this.#explore > 0 && random() < this.#explore) {
      return awake[Math.floor(random() * awake.length)];
    }
    return this.#rotation.best(awake, (one) => -this.#expected(one));
  }

  settled(agent: string, { how, ms }: SelectionEnd): void {
    if (how === 'withdrawn') return;
    const known = this.#averages.get(agent);
    const seen = how === 'answered' ? ms : Math.max(ms, known ?? 0, FAILURE_MS) * FAILURE_FACTOR;
    const average = known === undefined ? seen : known + this.#alpha * (seen - known);
    if (this.#averages.size >= MAX_REMEMBERED) this.#averages.clear();
    this.#averages.set(agent, Math.min(average, MAX_MS));
  }

  explain(candidates: readonly Candidate[]): readonly string[] {
    return candidates.map((one) => {
      if (one.paused) return 'paused';
      const average = this.#averages.get(one.agent);
      if (average === undefined) return 'not measured yet';
      return `${average.toFixed(1)} ms on average, ${one.outstanding} outstanding`;
    });
  }

  /** Milliseconds until an answer; below all others while nothing is known. */
  #expected({ agent, outstanding, concurrency }: Candidate): number {
    const average = this.#averages.get(agent);
    // Not measured: asked before all others, those with the fewest questions first.
    if (average === undefined) return outstanding - Number.MAX_SAFE_INTEGER;
    return (average + 1) * (1 + outstanding / concurrency);
  }
}
