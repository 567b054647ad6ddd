import { isTellaskError } from '../kernel/errors.ts';
import type { Delivery } from './delivery.ts';
import type { Dispatcher } from './dispatcher.ts';
import { letIn } from './entry.ts';
import { CancelledError } from './errors.ts';
import type { Ledger } from './ledger.ts';
import type { Outcomes } from './outcomes.ts';
import type { RequestParts } from './requests.ts';
import { takeOutOne } from './take-out.ts';

/** What calling off needs of its bus. */
export interface CallingOffParts {
  readonly dispatcher: Dispatcher;
  readonly ledger: Ledger;
  readonly outcomes: Outcomes;
  readonly graceMs: number;
}

/** Ends the delivery of a request whose asker wants it no more, wherever that has got to. */
export class CallingOff {
  readonly #parts: CallingOffParts;

  constructor(parts: CallingOffParts) {
    this.#parts = parts;
  }

  readonly abandon: RequestParts['abandon'] = (asker, how, reason) => {
    // A request that still lies in the ring has no delivery of its own: the spill makes it one.
    if (asker.delivery === undefined) this.#parts.dispatcher.spill();
    const { delivery } = asker;
    if (delivery?.state === 'inFlight') delivery.current?.abort(toldOf(reason, delivery));
    else if (delivery?.state === 'deferred') delivery.flags.deferral?.giveUp(how, reason);
    else this.#withdraw(delivery, how);
  };

  readonly stop: RequestParts['stop'] = (asker, reason) => {
    const { dispatcher, graceMs } = this.#parts;
    if (asker.delivery === undefined) dispatcher.spill();
    const { delivery } = asker;
    if (delivery?.state !== 'inFlight' && delivery?.state !== 'deferred') return 0;
    delivery.current?.abort(reason);
    return graceMs + (delivery.subscription.wrapUp?.timeoutMs ?? 0);
  };

  #withdraw(delivery: Delivery | undefined, how: 'expired' | 'withdrawn'): void {
    if (delivery === undefined || !takeOutOne(delivery)) return;
    const { outcomes, ledger } = this.#parts;
    if (how === 'expired') outcomes.expired(delivery);
    else outcomes.cancelled(delivery, 'withdrawn');
    letIn(delivery.home, ledger);
    delivery.home.wake();
  }
}

/** That its asker has left is no news of the responder's own agent. */
function toldOf(reason: unknown, { message }: Delivery): unknown {
  if (!isTellaskError(reason, 'TELLASK_REVOKED')) return reason;
  return new CancelledError(message.topic, 'its asker left');
}
