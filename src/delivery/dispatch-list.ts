import type { Series } from '../observe/metrics.ts';
import type { Subscription } from './subscription.ts';
import { Worker } from './worker.ts';

/** Who gets the copies of a message: ready to walk, with what the ring must know in advance. */
export class DispatchList {
  readonly subscriptions: readonly Subscription[];
  /** Every copy could be handed over directly, as far as the subscriptions go. */
  readonly plain: boolean;
  /** So many messages for this list fit into every one of its mailboxes. */
  readonly room: number;
  /** When all its mailboxes were last seen empty, in touches of any mailbox. */
  clearAt = -1;
  /** Where the copies are counted: all messages of one route belong to one family. */
  series: Series | undefined;
  #names: readonly string[] | undefined;

  constructor(subscriptions: readonly Subscription[], series?: Series) {
    this.series = series;
    this.subscriptions = subscriptions;
    this.plain = subscriptions.every(isPlain);
    // Only the ring asks for it, and it takes plain lists alone.
    this.room = this.plain ? roomOf(subscriptions) : 0;
  }

  /** The list of a directed message. */
  static of(subscription: Subscription): DispatchList {
    subscription.alone ??= new DispatchList([subscription]);
    return subscription.alone as DispatchList;
  }

  get names(): readonly string[] {
    this.#names ??= Object.freeze(this.subscriptions.map((subscription) => subscription.owner));
    return this.#names;
  }
}

function isPlain(subscription: Subscription): boolean {
  const { kind, home, keyed, rate, retry, batcher, outbox } = subscription;
  if (kind === 'pull' || batcher !== undefined || !(home instanceof Worker) || outbox) return false;
  return keyed === undefined && rate === undefined && retry === undefined;
}

/** An agent that subscribed twice gets two copies into one mailbox. */
function roomOf(subscriptions: readonly Subscription[]): number {
  let room = Infinity;
  for (const { home } of subscriptions) {
    let copies = 0;
    for (const other of subscriptions) if (other.home === home) copies++;
    room = Math.min(room, Math.floor(home.mailbox.options.capacity / copies));
  }
  return room;
}
