import type { Timer } from '../kernel/env.ts';
import { Lanes } from '../mailbox/lanes.ts';
import type { Delivery } from './delivery.ts';

/**
 * What waits for its batch: under one key, in order of arrival; or without a key, by priority. At
 * most one of it, the front, stands in the mailbox for all of them.
 */
export class BatchLine {
  readonly key: unknown;
  /** Those behind the front. */
  readonly waiting: Lanes<Delivery>;
  /** Who stands in the mailbox, or before its rate limit, for the next batch. */
  front: Delivery | undefined = undefined;
  /** Of a key: who runs, or waits for a retry. The next batch of the key waits for all of them. */
  readonly out: Set<Delivery> = new Set<Delivery>();
  timer: Timer | undefined = undefined;
  /** When each of them came, oldest first. */
  readonly #since = new Map<Delivery, number>();

  constructor(key: unknown, ageingLimit: number) {
    this.key = key;
    // As with single messages, the order of a key stands above priority.
    this.waiting = new Lanes<Delivery>({ ageingLimit: key === undefined ? ageingLimit : 0 });
  }

  /** How many the next batch could have. */
  get size(): number {
    return this.#since.size;
  }

  /** Nobody waits, runs or comes back. */
  get empty(): boolean {
    return this.size === 0 && this.out.size === 0;
  }

  /** Monotonic instant at which the first of those who wait came. */
  get since(): number {
    for (const [, cameAt] of this.#since) return cameAt;
    return Infinity;
  }

  /** Adds a newcomer, or one that comes back at the place that its ticket gives it. */
  add(delivery: Delivery, now: number): void {
    if (this.out.delete(delivery)) this.waiting.restore(delivery);
    else this.waiting.push(delivery);
    this.#since.set(delivery, now);
  }

  /** Takes the next one out of those behind the front. */
  take(): Delivery {
    const delivery = this.waiting.take() as Delivery;
    this.#since.delete(delivery);
    return delivery;
  }

  /** Lets the next one step forward. */
  stepForward(): Delivery {
    const delivery = this.waiting.take() as Delivery;
    this.front = delivery;
    return delivery;
  }

  /** The front stands back among the others. */
  stepBack(front: Delivery): void {
    this.front = undefined;
    this.waiting.restore(front);
  }

  /** The front has gone, into its batch or to its end. */
  dropFront(): void {
    this.#since.delete(this.front as Delivery);
    this.front = undefined;
  }

  discard(delivery: Delivery): boolean {
    return this.waiting.discard(delivery) && this.#since.delete(delivery);
  }

  removeWhere(matches: (delivery: Delivery) => boolean): Delivery[] {
    const removed = this.waiting.removeWhere(matches);
    for (const delivery of removed) this.#since.delete(delivery);
    return removed;
  }
}
