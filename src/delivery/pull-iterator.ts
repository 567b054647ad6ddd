import type { Message } from '../message/message.ts';
import type { Delivery } from './delivery.ts';
import type { Taker } from './taker.ts';

/** Where an iterator gets its messages. */
export interface Source {
  ask(): Taker;
  /** The message as the consumer gets to see it. */
  handOut(delivery: Delivery): Message;
  /** Ends it instead, when rules that have come meanwhile keep it from the consumer. */
  withholds(delivery: Delivery): boolean;
  /** The consumer is done with it. */
  acknowledge(delivery: Delivery): void;
}

/** Pulls one message after the other; each is handled when the next one is asked for. */
export class PullIterator implements AsyncIterableIterator<Message> {
  readonly #source: Source;
  readonly #onClose: () => void;
  #held: Delivery | undefined;
  #taker: Taker | undefined;
  #open = true;
  /** Calls of `next` that overlap wait for each other, as with a generator. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(source: Source, onClose: () => void) {
    this.#source = source;
    this.#onClose = onClose;
  }

  next(): Promise<IteratorResult<Message>> {
    const next = this.#last.then(() => this.#next());
    this.#last = next;
    return next;
  }

  async return(): Promise<IteratorResult<Message>> {
    this.#acknowledge();
    if (this.#open) this.#onClose();
    this.#open = false;
    this.#taker?.give(undefined);
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<Message>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #next(): Promise<IteratorResult<Message>> {
    this.#acknowledge();
    const delivery = await this.#nextAllowed();
    if (delivery === undefined) return this.return();
    // Closed in the same turn in which it got the message: then nobody reads it, and it is handled.
    this.#held = delivery;
    if (!this.#open) return this.return();
    return { done: false, value: this.#source.handOut(delivery) };
  }

  async #nextAllowed(): Promise<Delivery | undefined> {
    while (this.#open) {
      this.#taker = this.#source.ask();
      const delivery = await this.#taker.delivery;
      if (delivery === undefined || !this.#source.withholds(delivery)) return delivery;
    }
    return undefined;
  }

  #acknowledge(): void {
    if (this.#held !== undefined) this.#source.acknowledge(this.#held);
    this.#held = undefined;
  }
}
