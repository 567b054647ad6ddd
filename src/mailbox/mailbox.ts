import { Lanes, type Queued } from './lanes.ts';
import { OVERFLOW, type Overflow, QUEUE, type Verdict } from './overflow.ts';
import { Ring } from './ring.ts';

/** How a mailbox holds what comes. */
export interface MailboxOptions {
  /** Places for queued messages and for those that wait for a retry. @default 10_000 */
  readonly capacity: number;
  /** @default 'reject' */
  readonly overflow: Overflow;
  /** How many takes in a row may pass over the oldest message. @default 16 */
  readonly ageingLimit: number;
}

/** Holds up some of what comes, before it enters the lanes. Only a mailbox under test has one. */
export interface Delay<T> {
  /** True when the newcomer comes later; its place is for the caller to hold. */
  takes(item: T): boolean;
  removeWhere(matches: (item: T) => boolean): T[];
}

/** Counts the touches of many mailboxes together. */
export interface Touches {
  touches: number;
}

/**
 * Holds deliveries and decides which is next; it runs nothing and counts no outcome. Capacity
 * bounds what is queued, held (by a key or a rate) or waiting for a retry.
 */
export class Mailbox<T extends Queued> {
  readonly options: MailboxOptions;
  /** What handlers take, by priority. */
  readonly lanes: Lanes<T>;
  /** Deliveries that own a place without being in the lanes: retry waits, held keys and rates. */
  held = 0;
  highWater = 0;
  delay: Delay<T> | undefined = undefined;
  #inbox: Lanes<T> | undefined;
  #tickets = 0;
  #waiting: Ring<T> | undefined;

  readonly #touched: Touches;

  constructor(options: MailboxOptions, touched: Touches = { touches: 0 }) {
    this.options = options;
    this.#touched = touched;
    this.lanes = new Lanes<T>({ ageingLimit: options.ageingLimit });
  }

  /** What no handler takes: it stays for whoever pulls. */
  get inbox(): Lanes<T> {
    this.#inbox ??= new Lanes<T>({ ageingLimit: this.options.ageingLimit });
    return this.#inbox;
  }

  /** Places taken. */
  get size(): number {
    return this.lanes.size + this.held + (this.#inbox === undefined ? 0 : this.#inbox.size);
  }

  /** How many wait outside for a place (`overflow: 'wait'`). */
  get waiting(): number {
    return this.#waiting?.size ?? 0;
  }

  get hasRoom(): boolean {
    return this.size < this.options.capacity && this.waiting === 0;
  }

  /**
   * Decides about a newcomer. A victim is out of the lanes when this returns. `squeezed`: as if
   * what is in it now were all that it can hold.
   */
  judge(newcomer: T, squeezed: boolean = false): Verdict<T> {
    if (this.hasRoom && !squeezed) return QUEUE;
    const lanes = this.lanes.size > 0 ? this.lanes : this.inbox;
    const full = { lanes, capacity: this.options.capacity, waiting: this.waiting };
    return OVERFLOW[this.options.overflow](full, newcomer);
  }

  /** The ticket that was given last. */
  get lastTicket(): number {
    return this.#tickets;
  }

  /** Gives the next ticket: the place in the order of arrival. */
  stamp(item: T): void {
    item.ticket = ++this.#tickets;
  }

  push(item: T, lanes: Lanes<T> = this.lanes): void {
    lanes.push(item);
    this.#touched.touches++;
    if (this.size > this.highWater) this.highWater = this.size;
  }

  /** A place is taken outside the lanes: behind a key, a rate limit or a retry. */
  hold(): void {
    this.held++;
    this.#touched.touches++;
    if (this.size > this.highWater) this.highWater = this.size;
  }

  wait(item: T): void {
    this.#waiting ??= new Ring<T>();
    this.#waiting.push(item);
    this.#touched.touches++;
  }

  /** The longest waiting one, when there is room for it now. */
  admitWaiting(): T | undefined {
    if (this.waiting === 0 || this.size >= this.options.capacity) return undefined;
    return this.#waiting?.shift();
  }

  /** Whether anybody who fits waits outside. */
  hasWaiting(matches: (item: T) => boolean): boolean {
    for (let i = 0; i < this.waiting; i++) {
      if (matches(this.#waiting?.at(i) as T)) return true;
    }
    return false;
  }

  /** Takes one back that waits outside. */
  withdraw(item: T): boolean {
    const before = this.waiting;
    this.#rewait((other) => other !== item);
    return this.waiting < before;
  }

  /** Takes out, in their order, all who wait outside and fit `matches`. */
  withdrawWhere(matches: (item: T) => boolean): T[] {
    const taken: T[] = [];
    this.#rewait((item) => {
      if (!matches(item)) return true;
      taken.push(item);
      return false;
    });
    return taken;
  }

  #rewait(stays: (item: T) => boolean): void {
    const all = this.#waiting;
    if (all === undefined) return;
    for (let left = all.size; left > 0; left--) {
      const item = all.shift() as T;
      if (stays(item)) all.push(item);
    }
  }
}
