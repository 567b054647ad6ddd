import type { MailboxOptions } from '../mailbox/mailbox.ts';
import type { Router } from '../routing/router.ts';
import type { CancelReason } from './bus-events.ts';
import type { Delivery } from './delivery.ts';
import { letIn } from './entry.ts';
import { Group, type MemberReaches } from './group.ts';
import type { Ledger } from './ledger.ts';
import type { Route } from './route.ts';
import { Subscription, type SubscriptionInit } from './subscription.ts';
import { takeOut } from './take-out.ts';
import type { Worker } from './worker.ts';

/** What groups need of their bus. */
export interface GroupParts {
  readonly router: Router<Subscription, Route>;
  readonly ledger: Ledger;
  readonly mailboxDefaults: MailboxOptions;
  readonly reaches: MemberReaches | undefined;
  /** Ends a delivery that has nobody left. */
  cancel(delivery: Delivery, reason: CancelReason): void;
}

interface Known {
  readonly group: Group;
  /** The one subscription that the router sees; a member has its own, in no route. */
  readonly face: Subscription;
}

/** All groups of a bus: each comes with its first member and goes with its last. */
export class Groups {
  readonly #parts: GroupParts;
  readonly #groups = new Map<string, Known>();

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  /** What the router sees of them. */
  get faces(): Subscription[] {
    return [...this.#groups.values()].map(({ face }) => face);
  }

  /** Everybody who takes part in any. */
  get workers(): Worker[] {
    return [...this.#groups.values()].flatMap(({ group }) =>
      group.members.map(({ worker }) => worker),
    );
  }

  join(init: SubscriptionInit, name: string, worker: Worker): Subscription {
    const key = `${name}\0${init.pattern.source}\0${init.types?.join() ?? ''}`;
    const known = this.#groups.get(key) ?? this.#found(key, name, init);
    const { keyed, keyOf } = known.face;
    const member = new Subscription({ ...init, home: known.group, keyed, keyOf });
    // The list of who hears depends on who is in the group, so its routes are made anew.
    this.#parts.router.remove(known.face);
    known.group.join({ worker, subscription: member });
    this.#parts.router.add(known.face);
    return member;
  }

  leave(member: Subscription, group: Group): void {
    const { router, ledger, cancel } = this.#parts;
    for (const [key, known] of this.#groups) {
      if (known.group !== group) continue;
      router.remove(known.face);
      this.#handBack(member, group, known.face);
      const manned = group.leave(member);
      if (manned) router.add(known.face);
      else this.#dissolve(key, known.face);
      // An agent does not hear itself: its own word has nobody left when it is alone in the group.
      const unheard = (one: Delivery): boolean => !group.hears(one.message);
      for (const delivery of takeOut(group, [known.face], unheard)) {
        cancel(delivery, 'unsubscribed');
      }
      letIn(group, ledger);
      group.wake();
    }
  }

  #found(key: string, name: string, init: SubscriptionInit): Known {
    const group = new Group(`group ${name}`, this.#parts.mailboxDefaults, this.#parts.reaches);
    const face = new Subscription({
      ...init,
      owner: name,
      home: group,
      retry: undefined,
      rate: undefined,
    });
    const known = { group, face };
    this.#groups.set(key, known);
    this.#parts.router.add(face);
    return known;
  }

  #dissolve(key: string, face: Subscription): void {
    this.#groups.delete(key);
    face.active = false;
    this.#parts.ledger.touches++;
  }

  /** What waits with a member for a retry or a token goes back to the group. */
  #handBack(member: Subscription, group: Group, face: Subscription): void {
    const { ledger } = this.#parts;
    const isMembers = (delivery: Delivery): boolean => delivery.subscription === member;
    const retries = group.workerOf(member)?.withdrawRetries(isMembers) ?? [];
    for (const _ of retries) ledger.move('retryWait', 'queued');
    const parked = member.rate?.removeWhere(isMembers) ?? [];
    group.mailbox.held -= parked.length;
    for (const delivery of [...retries, ...parked]) {
      delivery.subscription = face;
      delivery.state = 'queued';
      group.mailbox.lanes.restore(delivery);
    }
  }
}
