import { nearestOf } from '../message/edit-distance.ts';
import type { Family } from '../message/family-index.ts';
import { checkTopic } from '../message/topic.ts';
import { Router } from '../routing/router.ts';
import type { Arrivals } from './arrivals.ts';
import type { Subscription } from './subscription.ts';
import type { Worker } from './worker.ts';

/** Whom a request may go to. */
export type Eligible = (subscription: Subscription) => boolean;

/** Everything about asking on one topic that does not change between two requests. */
export interface Serving {
  readonly family: Family | undefined;
  /** Those who serve it, in the order of registration. */
  readonly subscriptions: readonly Subscription[];
  /** The first of each agent among them, once somebody gathers. */
  voices: readonly Subscription[] | undefined;
}

/** Those who serve, by topic. A wildcard listener is none of them. */
export class Responders {
  readonly #router: Router<Subscription, Serving>;
  readonly #arrivals: Arrivals;
  /** How many serve each topic, or pattern of topics. */
  readonly #served = new Map<string, number>();
  /** How often one of several was chosen. */
  #chosen = 0;

  constructor(
    familyOf: (topic: string) => Family | undefined,
    arrivals: Arrivals,
    reaches?: (subscription: Subscription, topic: string) => boolean,
  ) {
    this.#arrivals = arrivals;
    this.#router = new Router<Subscription, Serving>({
      build: (topic, subscriptions) => {
        checkTopic(topic);
        const able =
          reaches === undefined
            ? subscriptions
            : subscriptions.filter((one) => reaches(one, topic));
        return {
          family: familyOf(topic),
          subscriptions: able,
          voices: undefined,
        };
      },
    });
  }

  add(subscription: Subscription): void {
    this.#router.add(subscription);
    const { source } = subscription.pattern;
    this.#served.set(source, (this.#served.get(source) ?? 0) + 1);
    this.#arrivals.came(subscription);
  }

  remove(subscription: Subscription): void {
    this.#router.remove(subscription);
    const { source } = subscription.pattern;
    const others = (this.#served.get(source) ?? 0) - 1;
    if (others > 0) this.#served.set(source, others);
    else this.#served.delete(source);
  }

  /** Who may serve what has changed: these come as if they were new. */
  changed(serving: Iterable<Subscription>): void {
    this.#router.outdateAll();
    for (const subscription of serving) this.#arrivals.came(subscription);
  }

  /** What is served that somebody may have meant by a topic that is not. */
  nearest(topic: string): string | undefined {
    const others = [...this.#served.keys()].filter((source) => source !== topic);
    return nearestOf(topic, others);
  }

  /** @throws InvalidTopicError `TELLASK_INVALID_TOPIC` */
  route(topic: string): Serving {
    return this.#router.route(topic);
  }

  /** Whether there is anybody to ask. */
  serves(topic: string, eligible: Eligible | undefined): boolean {
    const { subscriptions } = this.route(topic);
    return eligible === undefined ? subscriptions.length > 0 : subscriptions.some(eligible);
  }

  /** The one with the fewest outstanding deliveries; of equals the one not chosen for longest. */
  choose({ subscriptions }: Serving, eligible?: Eligible): Subscription | undefined {
    if (subscriptions.length === 1 && eligible === undefined) return subscriptions[0];
    let best: Subscription | undefined;
    let fewest = Infinity;
    for (const candidate of subscriptions) {
      if (eligible !== undefined && !eligible(candidate)) continue;
      const { outstanding } = candidate.home as Worker;
      if (outstanding > fewest) continue;
      if (outstanding === fewest && candidate.chosenAt >= (best as Subscription).chosenAt) continue;
      best = candidate;
      fewest = outstanding;
    }
    if (best !== undefined) best.chosenAt = ++this.#chosen;
    return best;
  }
}
