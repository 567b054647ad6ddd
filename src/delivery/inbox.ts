import type { Lane } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { isThenable } from '../kernel/thenable.ts';
import { Mailbox, type MailboxOptions } from '../mailbox/mailbox.ts';
import type { Message } from '../message/message.ts';
import { isBarred, refuse } from './barred.ts';
import type { Delivery, Recipient } from './delivery.ts';
import { letIn } from './entry.ts';
import { PullIterator } from './pull-iterator.ts';
import { readMs } from './said.ts';
import type { Permits } from './subscription.ts';
import { type Patience, Taker, type Where } from './taker.ts';
import { LOOKS_PER_STEP, type Workshop } from './worker.ts';

/** Options of `receive`. */
export interface ReceiveOptions {
  /** Milliseconds to wait for a message. @default Infinity */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /**
   * Takes the first message that fits, and leaves the rest in its place. Synchronous; what it
   * throws rejects this call and takes nothing. @default any message
   */
  readonly where?: (message: Message) => boolean;
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
  /** Pulled, and not yet done with. */
  readonly #pulled = new Set<Delivery>();
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
    if (this.posted || this.#takers.length === 0 || this.mailbox.inbox.size === 0) return;
    const { lastTicket } = this.mailbox;
    // Who waits for something special has looked at what is there: only newcomers may fit.
    if (this.#takers.some(({ where, seen }) => where === undefined || seen < lastTicket)) {
      this.#shop.env.post(this);
    }
  }

  run(): void {
    for (const taker of this.#takers.slice()) {
      if (!taker.waiting) continue;
      const { where } = taker;
      const delivery = where === undefined ? this.#next() : this.#find(taker, where);
      if (delivery === undefined) continue;
      taker.give(delivery);
      break;
    }
    this.wake();
  }

  /** Takes the next message and is done with it: it counts as handled. */
  async receive(
    { timeoutMs, signal, where }: ReceiveOptions = {},
    permits?: Permits,
  ): Promise<Message | undefined> {
    const limit = readMs('timeoutMs', timeoutMs) ?? Infinity;
    if (where !== undefined && typeof where !== 'function') {
      throw misuse('where', 'a function of the message', where);
    }
    const until = this.#shop.env.now() + limit;
    for (let timeoutMs = limit; ; timeoutMs = Math.max(0, until - this.#shop.env.now())) {
      const delivery = await this.#ask({ timeoutMs, signal, where, permits }).delivery;
      if (delivery === undefined) return undefined;
      if (this.#withholds(delivery)) continue;
      this.#acknowledge(delivery);
      return this.#shop.handOut(delivery.message);
    }
  }

  /** One after the other; a message is handled when the next one is asked for. */
  messages(onClose: () => void, permits?: Permits): AsyncIterableIterator<Message> {
    this.everPulled = true;
    const source = {
      ask: () => this.#ask({ timeoutMs: Infinity, permits }),
      withholds: (delivery: Delivery) => this.#withholds(delivery),
      acknowledge: (delivery: Delivery) => this.#acknowledge(delivery),
      handOut: (delivery: Delivery) => this.#shop.handOut(delivery.message),
    };
    return new PullIterator(source, onClose);
  }

  /**
   * Nobody gets anything any more: who waits is told so, and what was pulled and not yet done with
   * gets the outcome that `end` says. Returns what that was.
   */
  close(end: (delivery: Delivery) => void = () => {}): Delivery[] {
    this.#closed = true;
    for (const taker of this.#takers.slice()) taker.give(undefined);
    const left = [...this.#pulled];
    this.#pulled.clear();
    for (const delivery of left) end(delivery);
    return left;
  }

  /** Sends away who asks with a handle that is revoked. */
  dismiss(): void {
    for (const taker of this.#takers.slice()) if (!taker.allowed) taker.give(undefined);
  }

  #ask(patience: Patience): Taker {
    this.everPulled = true;
    const guarded = patience.permits?.guardsHearing === true ? within(patience) : patience;
    const taker = new Taker(this.#shop.env, guarded, (one) => this.#forget(one));
    if (taker.waiting) this.#takers.push(taker);
    if (this.#closed || !taker.allowed) taker.give(undefined);
    this.wake();
    return taker;
  }

  #forget(taker: Taker): void {
    const at = this.#takers.indexOf(taker);
    if (at >= 0) this.#takers.splice(at, 1);
  }

  #next(): Delivery | undefined {
    const { ledger, outcomes } = this.#shop;
    for (let looks = 0; looks < LOOKS_PER_STEP; looks++) {
      const delivery = this.mailbox.inbox.take();
      if (delivery === undefined) return undefined;
      letIn(this, ledger);
      // Who was let in may be for a handler of the same mailbox.
      delivery.home.wake();
      if (delivery.message.expires <= this.#shop.now()) outcomes.expired(delivery);
      else if (isBarred(this.#shop, delivery)) refuse(this.#shop, delivery);
      else return this.#pull(delivery);
    }
    this.wake();
    return undefined;
  }

  /** The first of the newcomers that fits: the others were looked at before. */
  #find(taker: Taker, where: Where): Delivery | undefined {
    const { ledger, outcomes } = this.#shop;
    const { inbox, lastTicket } = this.mailbox;
    const newcomers = inbox.after(taker.seen);
    taker.seen = lastTicket;
    for (const delivery of newcomers) {
      const late = delivery.message.expires <= this.#shop.now();
      const barred = isBarred(this.#shop, delivery);
      const fits = late || barred || this.#fits(taker, where, delivery);
      // The function may have thrown, or have done what takes the message or its receiver away.
      if (!taker.waiting) return undefined;
      if (!fits) continue;
      if (!inbox.discard(delivery)) continue;
      letIn(this, ledger);
      delivery.home.wake();
      if (late) outcomes.expired(delivery);
      // The function that says what fits may have changed the rules.
      else if (barred || isBarred(this.#shop, delivery)) refuse(this.#shop, delivery);
      else return this.#pull(delivery);
    }
    return undefined;
  }

  #fits(taker: Taker, where: Where, { message }: Delivery): boolean {
    try {
      const verdict: unknown = where(this.#shop.handOut(message));
      if (isThenable(verdict)) {
        Promise.resolve(verdict).catch(() => {});
        throw new TypeError('where must be synchronous, but it returned a promise');
      }
      return Boolean(verdict);
    } catch (error) {
      taker.refuse(error);
      return false;
    }
  }

  #pull(delivery: Delivery): Delivery {
    this.#shop.ledger.move('queued', 'inFlight');
    delivery.state = 'inFlight';
    delivery.attempts++;
    this.#pulled.add(delivery);
    return delivery;
  }

  /** The rules may have changed between the step that gave it and the one that takes it. */
  #withholds(delivery: Delivery): boolean {
    if (!this.#pulled.has(delivery) || !isBarred(this.#shop, delivery)) return false;
    this.#pulled.delete(delivery);
    refuse(this.#shop, delivery);
    return true;
  }

  #acknowledge(delivery: Delivery): void {
    if (this.#pulled.delete(delivery)) this.#shop.outcomes.handled(delivery, undefined);
  }
}

/** What a restricted handle may not hear stays where it is, for whoever may. */
function within(patience: Patience): Patience {
  const { permits, where } = patience;
  const heard: Where = (message) =>
    permits?.allows('subscribe', message.topic) === true && (where === undefined || where(message));
  return { ...patience, where: heard };
}
