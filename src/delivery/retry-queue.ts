import type { Env, Timer } from '../kernel/env.ts';
import type { Delivery } from './delivery.ts';

/** Deliveries that wait on the clock for their next attempt. */
export class RetryQueue {
  readonly #env: Env;
  readonly #onDue: (delivery: Delivery, held: boolean) => void;
  readonly #waiting = new Map<Delivery, { readonly timer: Timer; readonly held: boolean }>();

  constructor(env: Env, onDue: (delivery: Delivery, held: boolean) => void) {
    this.#env = env;
    this.#onDue = onDue;
  }

  /** `held`: the delivery keeps its agent while it waits. */
  add(delivery: Delivery, delayMs: number, held: boolean): void {
    const due = (): void => {
      this.#waiting.delete(delivery);
      this.#onDue(delivery, held);
    };
    const timer = this.#env.setTimer(delayMs, due, { keepAlive: true, label: 'retry' });
    this.#waiting.set(delivery, { timer, held });
  }

  removeWhere(
    matches: (delivery: Delivery, held: boolean) => boolean,
    removed: (delivery: Delivery, held: boolean) => void,
  ): Delivery[] {
    const taken: Delivery[] = [];
    for (const [delivery, { timer, held }] of this.#waiting) {
      if (!matches(delivery, held)) continue;
      timer.cancel();
      this.#waiting.delete(delivery);
      removed(delivery, held);
      taken.push(delivery);
    }
    return taken;
  }
}
