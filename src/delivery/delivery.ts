import type { Queued } from '../mailbox/lanes.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Attempt } from './attempt.ts';
import type { Deferral } from './deferral.ts';
import type { OpenState, Outcome } from './ledger.ts';
import type { Admission } from './receipt.ts';
import type { Subscription } from './subscription.ts';

/** Who takes deliveries in: the worker of an agent or of one subscription, or a group. */
export interface Recipient {
  readonly label: string;
  readonly mailbox: Mailbox<Delivery>;
  /** Makes sure that what lies in the mailbox is looked at in a later turn. */
  wake(): void;
}

/**
 * One envelope for one subscription: the unit of accounting. It knows where it stands; others
 * decide where it goes.
 */
export class Delivery implements Queued {
  readonly admission: Admission;
  /** The member of a group that takes it replaces the group's. */
  subscription: Subscription;
  readonly home: Recipient;
  state: OpenState | Outcome;
  /** Place in the mailbox's order of arrival. */
  ticket = 0;
  /** What its subscription's `key` made of it. */
  key: unknown = undefined;
  /** It keeps its place in the mailbox while it runs, for a retry may bring it back. */
  keepsPlace = false;
  /** Calls of the handler so far. */
  attempts = 0;
  /** The running call of the handler. */
  current: Attempt | undefined = undefined;
  flags: DeliveryFlags = NO_FLAGS;
  /** Its handler answered before it returned. */
  replied = false;

  constructor(
    admission: Admission,
    subscription: Subscription,
    home: Recipient,
    state: OpenState = 'queued',
  ) {
    this.admission = admission;
    this.subscription = subscription;
    this.home = home;
    this.state = state;
    if (admission.asker !== undefined) admission.asker.delivery = this;
  }

  get message(): Envelope {
    return this.admission.message;
  }

  get priority(): number {
    return this.admission.message.priority;
  }
}

/** What few deliveries have, kept out of the others. */
export interface DeliveryFlags {
  /** It has passed its rate limit already. */
  readonly cleared: boolean;
  /** It is a copy of a retained value. */
  readonly replayed: boolean;
  /** Its handler closes the bus, so the bus does not wait for it. */
  readonly exempt: boolean;
  /** Monotonic instant of the first failure, and the last delay before a retry. */
  readonly firstFailedAt: number | undefined;
  readonly retryDelayMs: number | undefined;
  /** Its handler put the answer off. */
  readonly deferral: Deferral | undefined;
  /** A chunk of its answer was handed over: it cannot be handled from the beginning again. */
  readonly streamed: boolean;
  /** What its handler answered before it returned. */
  readonly reply: { readonly value: unknown } | undefined;
}

export const NO_FLAGS: DeliveryFlags = {
  cleared: false,
  replayed: false,
  exempt: false,
  firstFailedAt: undefined,
  retryDelayMs: undefined,
  deferral: undefined,
  streamed: false,
  reply: undefined,
};
