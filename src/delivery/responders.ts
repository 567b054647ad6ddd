import { Router } from '../routing/router.ts';
import type { Subscription } from './subscription.ts';
import type { Worker } from './worker.ts';

/** Whom a request may go to. */
export type Eligible = (subscription: Subscription) => boolean;

/** Those who serve, by topic. A wildcard listener is none of them. */
export class Responders {
  readonly #router = new Router<Subscription, readonly Subscription[]>({
    build: (_topic, matches) => matches,
  });
  #turn = 0;

  add(subscription: Subscription): void {
    this.#router.add(subscription);
  }

  remove(subscription: Subscription): void {
    this.#router.remove(subscription);
  }

  /** Whether anybody serves the topic at all. */
  serving(topic: string): readonly Subscription[] {
    return this.#router.route(topic);
  }

  /** The one with the fewest outstanding deliveries, in rotation between equals. */
  choose(topic: string, eligible?: Eligible): Subscription | undefined {
    const all = this.#router.route(topic);
    if (all.length === 1 && eligible === undefined) return all[0];
    const turn = this.#turn++;
    let best: Subscription | undefined;
    let fewest = Infinity;
    for (let i = 0; i < all.length; i++) {
      const candidate = all[(turn + i) % all.length] as Subscription;
      if (eligible !== undefined && !eligible(candidate)) continue;
      const { outstanding } = candidate.home as Worker;
      if (outstanding >= fewest) continue;
      best = candidate;
      fewest = outstanding;
    }
    return best;
  }
}
