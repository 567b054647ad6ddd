import type { Lane } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Call } from './call.ts';
import { BulkheadFullError } from './errors.ts';
import { OwnPolicy, type PolicyOptions, type Work } from './policy.ts';
import { rejection } from './rejection.ts';
import { WaitingCalls } from './waiting-calls.ts';

/** Options of {@link bulkhead}. */
export interface BulkheadOptions extends PolicyOptions {
  /** Calls that run at a time: an integer from 1, or `Infinity`. */
  readonly limit: number;
  /** Calls that may wait for a slot: an integer from 0, or `Infinity`. @default 0 */
  readonly queue?: number;
}

/** What a bulkhead holds now. */
export interface BulkheadInspection {
  /** Work that has not ended, also when nobody waits for it any more. */
  readonly running: number;
  readonly queued: number;
}

const OPTIONS: ReadonlySet<string> = new Set(['limit', 'queue', 'env']);

/**
 * Lets at most `limit` calls run at a time; up to `queue` more wait, first come, first served, and
 * the rest are rejected with `BulkheadFullError` (`TELLASK_BULKHEAD_FULL`). A call that is aborted
 * while it waits leaves at once. A slot is free when the work has ended: what a time-out in the
 * same `compose` gives up keeps its slot as long as it goes on.
 *
 * @throws RangeError or TypeError for an option that does not fit.
 *
 * @example
 * ```ts
 * import { bulkhead } from 'tellask';
 * const seats = bulkhead({ limit: 2, queue: 1 });
 * let curtain = (_: string) => {};
 * const show = new Promise<string>((resolve) => {
 *   curtain = resolve;
 * });
 * const calls = [1, 2, 3, 4].map(() => seats.execute(() => show));
 * seats.inspect(); // => { running: 2, queued: 1 }
 * curtain('down');
 * (await Promise.allSettled(calls)).map(({ status }) => status);
 * // => ['fulfilled', 'fulfilled', 'fulfilled', 'rejected']
 * ```
 */
export function bulkhead(options: BulkheadOptions): Bulkhead {
  if (typeof options !== 'object' || options === null) {
    throw misuse('bulkhead', 'an object of options', options);
  }
  refuseUnknown(options, OPTIONS, 'bulkhead');
  const { limit, queue = 0, env } = options;
  readCount('bulkhead.limit', limit, 1);
  readCount('bulkhead.queue', queue, 0);
  return new Bulkhead(limit, queue, env);
}

/** Made by {@link bulkhead}. */
export class Bulkhead extends OwnPolicy {
  readonly #limit: number;
  readonly #queue: number;
  readonly #waiting = new WaitingCalls();
  #running = 0;
  #lane: Lane | undefined;

  /** @internal */
  constructor(limit: number, queue: number, env: PolicyOptions['env']) {
    super(env);
    this.#limit = limit;
    this.#queue = queue;
  }

  /** How many run and how many wait, in constant time. */
  inspect(): BulkheadInspection {
    return { running: this.#running, queued: this.#waiting.size };
  }

  /** @internal */
  run<T>(fn: Work<T>, call: Call): Promise<T> {
    if (call.aborted) return Promise.reject(call.reason);
    // Whoever waits is older, also while a slot that was freed is on its way to him.
    const free = this.#running < this.#limit && this.#waiting.size === 0;
    if (call.remainingMs === 0) return this.#refuse();
    if (free) return this.#hold(fn, call);
    return this.#waiting.size < this.#queue ? this.#waiting.wait(fn, call) : this.#refuse();
  }

  #refuse(): Promise<never> {
    return rejection(new BulkheadFullError(this.#running, this.#waiting.size));
  }

  /** Never ends in the turn in which it starts, so that one start after the other is no recursion. */
  async #hold<T>(fn: Work<T>, call: Call): Promise<T> {
    this.#running++;
    try {
      return await fn(call);
    } finally {
      call.whenQuiet(this.#free);
    }
  }

  readonly #free = (): void => {
    this.#running--;
    if (this.#waiting.size === 0) return;
    if (this.env.direct) this.#startNext();
    else this.env.post(this.#starter());
  };

  /** A call whose time is over takes no slot, so the next one may. */
  #startNext(): void {
    while (this.#running < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next.settle(next.call.remainingMs > 0 ? this.#hold(next.fn, next.call) : this.#refuse());
    }
  }

  /** Simulated, a start is a step that other steps may come before. */
  #starter(): Lane {
    this.#lane ??= {
      kind: 'dispatch',
      label: 'bulkhead',
      order: 0,
      posted: false,
      run: () => this.#startNext(),
    };
    return this.#lane;
  }
}
