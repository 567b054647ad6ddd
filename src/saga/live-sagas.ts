import type { Store } from '../stores/store.ts';
import type { SagaJournal } from './journal.ts';

/** A saga that somebody in this process works on, or tries to take up. */
export interface LiveSaga {
  /** What it is when it was taken up or is over; undefined when only he was refused who tried. */
  readonly claimed: Promise<SagaJournal | undefined>;
  readonly over: Promise<SagaJournal>;
}

const MAX_ENDED = 1_000;

const live = new WeakMap<Store, Map<string, LiveSaga>>();
const ended = new WeakMap<Store, BoundedSet>();

/** The sagas of a store, by key, that this process works on: who asks again joins. */
export function liveSagas(store: Store): Map<string, LiveSaga> {
  const sagas = live.get(store) ?? new Map<string, LiveSaga>();
  live.set(store, sagas);
  return sagas;
}

/**
 * Owners of this process that had to leave a saga without a word, because the store did not answer:
 * nobody has to wait for their leases to end.
 */
export function ownersThatEnded(store: Store): Set<string> {
  const owners = ended.get(store) ?? new BoundedSet();
  ended.set(store, owners);
  return owners;
}

/** Forgets the oldest: then somebody waits for a lease. */
class BoundedSet extends Set<string> {
  override add(value: string): this {
    if (this.size >= MAX_ENDED) this.delete(this.values().next().value as string);
    return super.add(value);
  }
}
