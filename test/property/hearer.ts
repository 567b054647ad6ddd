import type { Context, Message, SubscriptionHandle } from '../../src/index.ts';
import type { Books } from './books.ts';
import type { Behaviour, Hearing } from './program.ts';

/** What messages of a program carry. */
export interface Payload {
  /** So many generations of messages may follow from it. */
  readonly d: number;
  readonly n: number;
  readonly k: string | undefined;
}

/** One subscription of a program, and what must hold whenever its handler starts. */
export class Hearer {
  readonly label: string;
  readonly hearing: Hearing;
  readonly behaviour: Behaviour;
  handle: SubscriptionHandle | undefined;
  /** Who registered it has left, or it was ended. */
  over = false;
  readonly #books: Books;
  readonly #lastOf = new Map<string, number>();
  readonly #read = new Set<string>();
  readonly #holders = new Map<unknown, Message>();

  constructor(label: string, books: Books, hearing: Hearing, behaviour: Behaviour) {
    this.label = label;
    this.#books = books;
    this.hearing = hearing;
    this.behaviour = behaviour;
  }

  started(message: Message, context: Context): void {
    const what = `${this.label}: start of ${message.topic} n${(message.payload as Payload).n}`;
    if (this.over) this.#books.blame(`${what} after its end`);
    if (context.replayed || this.hearing.replay) return;
    if (this.#read.has(message.id)) this.#books.blame(`${what}, which was read already`);
    const ordered = this.hearing.keyed || this.hearing.busy !== 'queue';
    if (ordered && !this.hearing.group) this.#checkKey(what, message, context);
    else if (context.attempt === 1) this.#checkOrder(what, message);
  }

  /** What steers is read once, and is delivered to nobody. */
  steered(messages: readonly Message[]): void {
    if (messages.length > 0 && this.hearing.busy !== 'steer') this.#books.blame('read by chance');
    for (const { id } of messages) {
      if (this.#read.has(id) && !this.hearing.replay) this.#books.blame(`${id} was read twice`);
      this.#read.add(id);
    }
  }

  /** First attempts come in the order of admission for each sender and priority. */
  #checkOrder(what: string, { from, priority, id }: Message): void {
    if (this.hearing.rated || this.hearing.group) return;
    this.#follow(`${what} out of order`, `${from} ${priority}`, id);
  }

  /** One at a time, and in the order of admission, for each key. */
  #checkKey(what: string, message: Message, context: Context): void {
    const key = this.hearing.keyed ? (message.payload as Payload).k : 'all';
    if (key === undefined) return;
    const holder = this.#holders.get(key);
    if (holder !== undefined && holder !== message) {
      if (!this.#books.hasEnded(holder, context.agent)) this.#books.blame(`${what} beside its key`);
    }
    this.#holders.set(key, message);
    if (context.attempt === 1) this.#follow(`${what} out of key order`, `key ${key}`, message.id);
  }

  #follow(blame: string, line: string, id: string): void {
    const at = this.#books.order.get(id);
    if (at === undefined) return;
    if (at < (this.#lastOf.get(line) ?? -1)) this.#books.blame(blame);
    this.#lastOf.set(line, at);
  }
}
