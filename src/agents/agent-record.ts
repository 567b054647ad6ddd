import type { Addressee } from '../delivery/admitter.ts';
import { Group } from '../delivery/group.ts';
import type { Inbox } from '../delivery/inbox.ts';
import type { Subscription } from '../delivery/subscription.ts';
import { Worker } from '../delivery/worker.ts';
import type { Supervision } from './supervision.ts';

/** Topics whose recipient is remembered: a miss costs a look at the few subscriptions of one agent. */
const MAX_REMEMBERED = 128;

/** One registration of an agent. Handles, replies and subscriptions belong to it, not to a name. */
export class AgentRecord implements Addressee {
  readonly name: string;
  readonly capabilities: ReadonlySet<string>;
  readonly worker: Worker;
  readonly inbox: Inbox;
  /** Where a directed message waits that no handler takes. */
  readonly pulls: Subscription;
  /** Gives it a new life when one has failed; only with `start`. */
  supervision: Supervision | undefined = undefined;
  readonly #subscriptions = new Set<Subscription>();
  readonly #directed = new Map<string, readonly Subscription[]>();

  constructor(
    name: string,
    capabilities: readonly string[],
    worker: Worker,
    inbox: Inbox,
    pulls: Subscription,
  ) {
    this.name = name;
    this.capabilities = new Set(capabilities);
    this.worker = worker;
    this.inbox = inbox;
    this.pulls = pulls;
  }

  get subscriptions(): ReadonlySet<Subscription> {
    return this.#subscriptions;
  }

  /** Its worker and those of its lanes, also of those that work for a group. */
  get workers(): ReadonlySet<Worker> {
    const workers = new Set([this.worker]);
    for (const subscription of this.#subscriptions) {
      const { home } = subscription;
      const worker = home instanceof Group ? home.workerOf(subscription) : home;
      if (worker instanceof Worker) workers.add(worker);
    }
    return workers;
  }

  add(subscription: Subscription): void {
    this.#subscriptions.add(subscription);
    this.#directed.clear();
  }

  remove(subscription: Subscription): void {
    this.#subscriptions.delete(subscription);
    this.#directed.clear();
  }

  /** The first subscription, in order of registration, whose pattern and type fit. */
  directed(topic: string, type: string): { readonly to: Subscription; readonly handled: boolean } {
    const to = this.#matching(topic).find((subscription) => subscription.accepts(type));
    if (to !== undefined) return { to, handled: true };
    const waits = this.inbox.everPulled || !this.#hasHandler();
    return { to: this.pulls, handled: waits };
  }

  #matching(topic: string): readonly Subscription[] {
    const known = this.#directed.get(topic);
    if (known !== undefined) return known;
    const matching = [...this.#subscriptions].filter(
      ({ kind, pattern }) => kind !== 'serve' && pattern.matches(topic),
    );
    if (this.#directed.size >= MAX_REMEMBERED) this.#directed.clear();
    this.#directed.set(topic, matching);
    return matching;
  }

  #hasHandler(): boolean {
    for (const { kind } of this.#subscriptions) if (kind === 'subscribe') return true;
    return false;
  }
}
