import { onAbort } from '../kernel/abort.ts';
import type { Lane } from '../kernel/env.ts';
import { Mailbox, type MailboxOptions } from '../mailbox/mailbox.ts';
import type { Message } from '../message/message.ts';
import type { Delivery, Recipient } from './delivery.ts';
import { letIn } from './entry.ts';
import { readMs } from './said.ts';
import type { Workshop } from './worker.ts';

/** Options of `receive`. */
export interface ReceiveOptions {
  /** Milliseconds to wait for a message. @default Infinity */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

interface Taker {
  waiting: boolean;
  give(delivery: Delivery | undefined): void;
}

/** The pulling side of a mailbox: what waits here goes to whoever asks, one a step. */
export class Inbox implements Lane, Recipient {
  readonly kind = 'mailbox' as const;
  readonly label: string;
  readonly mailbox: Mailbox<Delivery>;
  posted = false;
  /** Somebody has asked before, so messages without a handler wait for him. */
  everPulled = false;
  readonly #shop: Workshop;
  readonly #takers: Taker[] = [];
  #closed = false;

  /** `mailbox` is shared with the worker of an agent; alone, it has its own. */
  constructor(shop: Workshop, label: string, mailbox: Mailbox<Delivery> | MailboxOptions) {
    this.#shop = shop;
    this.label = label;
    this.mailbox = mailbox instanceof Mailbox ? mailbox : new Mailbox<Delivery>(mailbox);
  }

  get order(): number {
    return this.mailbox.inbox.peek()?.message.seq ?? Infinity;
  }

  wake(): void {
    if (!this.posted && this.#takers.length > 0 && this.mailbox.inbox.size > 0) {
      this.#shop.env.post(this);
    }
  }

  run(): void {
    const taker = this.#takers[0];
    if (taker === undefined) return;
    const delivery = this.#next();
    if (delivery === undefined) return;
    this.#takers.shift();
    taker.give(delivery);
    this.wake();
  }

  /** Takes the next message and is done with it: it counts as handled. */
  async receive({ timeoutMs, signal }: ReceiveOptions = {}): Promise<Message | undefined> {
    const delivery = await this.#take(readMs('timeoutMs', timeoutMs) ?? Infinity, signal);
    if (delivery !== undefined) this.#acknowledge(delivery);
    return delivery?.message;
  }

  /** One after the other; a message is handled when the next one is asked for. */
  messages(onClose: () => void): AsyncIterableIterator<Message> {
    let held: Delivery | undefined;
    let open = true;
    const acknowledge = (): void => {
      if (held !== undefined) this.#acknowledge(held);
      held = undefined;
    };
    const close = async (): Promise<IteratorResult<Message>> => {
      acknowledge();
      if (open) onClose();
      open = false;
      return { done: true, value: undefined };
    };
    this.everPulled = true;
    return {
      next: async () => {
        acknowledge();
        held = open ? await this.#take(Infinity, undefined) : undefined;
        return held === undefined ? close() : { done: false, value: held.message };
      },
      return: close,
      throw: async (error) => {
        await close();
        throw error;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Nobody gets anything any more: who waits is told so. */
  close(): void {
    this.#closed = true;
    for (const taker of this.#takers.splice(0)) taker.give(undefined);
  }

  #take(timeoutMs: number, signal: AbortSignal | undefined): Promise<Delivery | undefined> {
    this.everPulled = true;
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const taker: Taker = {
        waiting: true,
        give: (delivery) => {
          if (!taker.waiting) return;
          taker.waiting = false;
          timer?.cancel();
          offSignal?.();
          this.#forget(taker);
          resolve(delivery);
        },
      };
      this.#takers.push(taker);
      const timer =
        timeoutMs === Infinity
          ? undefined
          : this.#shop.env.setTimer(timeoutMs, () => taker.give(undefined), {
              keepAlive: true,
              label: 'receive',
            });
      const offSignal =
        signal === undefined
          ? undefined
          : onAbort(signal, (reason) => {
              taker.give(undefined);
              reject(reason);
            });
      this.wake();
    });
  }

  #forget(taker: Taker): void {
    const at = this.#takers.indexOf(taker);
    if (at >= 0) this.#takers.splice(at, 1);
  }

  #next(): Delivery | undefined {
    const { ledger, outcomes } = this.#shop;
    for (;;) {
      const delivery = this.mailbox.inbox.take();
      if (delivery === undefined) return undefined;
      letIn(this, ledger);
      if (delivery.message.expires > this.#shop.now()) {
        ledger.move('queued', 'inFlight');
        delivery.state = 'inFlight';
        delivery.attempts++;
        return delivery;
      }
      outcomes.expired(delivery);
    }
  }

  #acknowledge(delivery: Delivery): void {
    if (delivery.state === 'inFlight') this.#shop.outcomes.handled(delivery, undefined);
  }
}
