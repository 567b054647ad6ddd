import type { Message } from '../message/message.ts';
import type { BusyPolicy, HolderState } from './busy.ts';
import type { Delivery } from './delivery.ts';
import { KeyedOrder } from './keyed-order.ts';

/** Keyed order that knows who holds a key, for a subscription with a busy policy. */
export class BusyKeys extends KeyedOrder<Delivery> {
  readonly policy: BusyPolicy;
  /** The key of a message that was asked for before its delivery was made. */
  read: { readonly message: Message; readonly key: unknown } | undefined;
  readonly #holders = new Map<unknown, Delivery>();

  constructor(policy: BusyPolicy) {
    super();
    this.policy = policy;
  }

  override enter(item: Delivery): boolean {
    const first = super.enter(item);
    if (first && item.key !== undefined) this.#holders.set(item.key, item);
    return first;
  }

  override leave(item: Delivery): Delivery | undefined {
    const next = super.leave(item);
    if (next !== undefined) this.#holders.set(next.key, next);
    else this.#holders.delete(item.key);
    return next;
  }

  /** Who holds the key: it is in the lanes, it runs, or it waits for a token or for a retry. */
  holder(key: unknown): Delivery | undefined {
    return this.#holders.get(key);
  }

  stateOf(key: unknown): HolderState {
    const holder = this.#holders.get(key);
    if (holder === undefined) return 'none';
    return hasBegun(holder) ? 'begun' : 'not-begun';
  }
}

function hasBegun({ attempts }: Delivery): boolean {
  return attempts > 0;
}
