import type { Env, Timer } from '../kernel/env.ts';
import type { FaultPlan } from '../kernel/fault-plan.ts';
import type { Delay } from '../mailbox/mailbox.ts';
import type { Delivery } from './delivery.ts';
import { lineUp } from './entry.ts';
import { targetOf } from './struck.ts';

/** A delivery that comes late, and when. */
interface Latecomer {
  readonly delivery: Delivery;
  readonly dueAt: number;
}

/**
 * What is on its way to one mailbox and late, because a plan of faults says so. It has its place
 * already, so that its coming can neither overflow nor push anybody out; and whoever comes behind
 * it from the same speaker stays behind it: a delay reorders nothing that the bus keeps in order.
 */
export class LateLine implements Delay<Delivery> {
  readonly #env: Env;
  readonly #faults: FaultPlan;
  /** In the order in which they were said; those of one speaker are due in this order, too. */
  #line: Latecomer[] = [];
  #timer: Timer | undefined;

  constructor(env: Env, faults: FaultPlan) {
    this.#env = env;
    this.#faults = faults;
  }

  takes(delivery: Delivery): boolean {
    const delayMs = this.#faults.delays(targetOf(delivery));
    const before = this.#line.findLast((one) => mayNotPass(delivery, one.delivery));
    if (delayMs === 0 && before === undefined) return false;
    const dueAt = Math.max(this.#env.now() + delayMs, before?.dueAt ?? 0);
    this.#line.push({ delivery, dueAt });
    this.#arm();
    return true;
  }

  removeWhere(matches: (delivery: Delivery) => boolean): Delivery[] {
    const taken = this.#split(({ delivery }) => matches(delivery));
    if (taken.length > 0) this.#arm();
    return taken;
  }

  /** One timer for all, so that those of one instant come in their order. */
  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#line.length === 0) return;
    const dueAt = Math.min(...this.#line.map((one) => one.dueAt));
    this.#timer = this.#env.setTimer(dueAt - this.#env.now(), () => this.#open(), {
      keepAlive: true,
      label: 'delay (a fault)',
    });
  }

  #open(): void {
    const now = this.#env.now();
    for (const delivery of this.#split(({ dueAt }) => dueAt <= now)) {
      const { home, subscription } = delivery;
      home.mailbox.held--;
      if (subscription.batcher === undefined) home.mailbox.stamp(delivery);
      lineUp(delivery);
      home.wake();
    }
    this.#arm();
  }

  #split(goes: (one: Latecomer) => boolean): Delivery[] {
    const gone = this.#line.filter(goes);
    this.#line = this.#line.filter((one) => !gone.includes(one));
    return gone.map(({ delivery }) => delivery);
  }
}

/** What one speaker says to one mailbox stays in order, and so does what a batch line orders. */
function mayNotPass(newcomer: Delivery, other: Delivery): boolean {
  if (newcomer.message.from === other.message.from) return true;
  return (
    newcomer.subscription === other.subscription && newcomer.subscription.batcher !== undefined
  );
}
