import type { Router } from '../routing/router.ts';
import type { Authority } from './authority.ts';
import type { Delivery, Recipient } from './delivery.ts';
import type { Dispatcher } from './dispatcher.ts';
import { letIn } from './entry.ts';
import type { Ledger } from './ledger.ts';
import type { Outcomes } from './outcomes.ts';
import type { Pending, Requests } from './requests.ts';
import type { Responders } from './responders.ts';
import type { Route } from './route.ts';
import type { Subscription } from './subscription.ts';
import type { Subscriptions } from './subscriptions.ts';
import { takeOut } from './take-out.ts';

/** What a change of the rules has to reach. */
export interface RevocationParts {
  readonly authority: Authority;
  readonly dispatcher: Dispatcher;
  readonly ledger: Ledger;
  readonly outcomes: Outcomes;
  readonly requests: Requests;
  readonly responders: Responders;
  readonly router: Router<Subscription, Route>;
  readonly subscriptions: Subscriptions;
}

/** Makes new rules hold for what is under way: queued deliveries, open requests and streams. */
export class Revocation {
  readonly #parts: RevocationParts;

  constructor(parts: RevocationParts) {
    this.#parts = parts;
  }

  /** Everything is decided anew. Listeners may change the rules again meanwhile. */
  enforce(): void {
    const { authority, dispatcher, router, responders, subscriptions } = this.#parts;
    dispatcher.spill();
    authority.forget();
    router.outdateAll();
    const households = subscriptions.households();
    for (const [home, feeding] of households) this.#clear(home, feeding);
    this.#endRequests();
    const all = [...households.values()].flat();
    responders.changed(all.filter(({ kind, active }) => active && kind === 'serve'));
    // The head of a group may be for another member now.
    for (const home of households.keys()) home.wake();
  }

  /** What may not be handled any more is a dead letter at once. */
  #clear(home: Recipient, feeding: readonly Subscription[]): void {
    const { authority, ledger, outcomes } = this.#parts;
    const barred = ({ subscription, message }: Delivery): boolean =>
      !authority.reaches(subscription, message.topic, message);
    const taken = takeOut(home, feeding, barred);
    const homes = new Set<Recipient>();
    for (const delivery of taken) {
      const waited = delivery.state === 'waiting';
      const refusal = authority.refusalTo(delivery.subscription, delivery.message.topic);
      outcomes.deadLettered(delivery, 'denied', refusal);
      if (waited) delivery.admission.placed(refusal);
      homes.add(delivery.home);
    }
    for (const one of homes) letIn(one, ledger);
  }

  /** Who asks has to be allowed to ask until he has the answer, and who answers to answer. */
  #endRequests(): void {
    for (const pending of this.#parts.requests.all()) {
      const refusal = this.#refusalOf(pending);
      if (refusal !== undefined) pending.withdraw(refusal);
    }
  }

  #refusalOf({ message: { from, topic, to = from } }: Pending): Error | undefined {
    const { authority } = this.#parts;
    return authority.refusal(from, 'request', topic) ?? authority.refusal(to, 'serve', topic);
  }
}
