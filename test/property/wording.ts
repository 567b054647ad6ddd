import type { Context, Message, MessageBus } from '../../src/index.ts';
import type { Books } from './books.ts';

/** What one call of a handler has told and holds in its outbox. */
interface Told {
  readonly message: Message;
  readonly recipient: string;
  readonly attempt: number;
  /** In the order in which it was told; what has left, or was taken back, is gone. */
  readonly ids: string[];
  returned: boolean;
}

/** Watches that what was said is what the attempts that succeeded have told, in that order. */
export class Wording {
  readonly #bus: MessageBus;
  readonly #books: Books;
  readonly #told = new Map<Context, Told>();
  readonly #tellers = new Map<string, Told>();

  readonly #retained: ReadonlySet<string>;

  /** `retained`: topics with more copies than were admitted, for those who came later. */
  constructor(bus: MessageBus, books: Books, retained: ReadonlySet<string>) {
    this.#bus = bus;
    this.#books = books;
    this.#retained = retained;
    bus.events.on('admitted', ({ id }) => this.#leaves(id));
    bus.events.on('handled', ({ message, recipient, attempt }) => {
      this.#succeeds(message, recipient, attempt);
    });
  }

  tells(message: Message, context: Context, id: string): void {
    const { agent, attempt } = context;
    const told = this.#told.get(context) ?? {
      message,
      recipient: agent,
      attempt,
      ids: [],
      returned: false,
    };
    told.ids.push(id);
    this.#told.set(context, told);
    this.#tellers.set(id, told);
    if (this.#books.order.has(id)) this.#books.blame(`${id} was not held`);
  }

  returns(context: Context): void {
    const told = this.#told.get(context);
    if (told !== undefined) told.returned = true;
  }

  takenBack(id: string): void {
    const ids = this.#tellers.get(id)?.ids;
    if (ids?.includes(id)) ids.splice(ids.indexOf(id), 1);
  }

  #leaves(id: string): void {
    const told = this.#tellers.get(id);
    if (told === undefined) return;
    const { ids, returned, message } = told;
    if (!returned) this.#books.blame('an attempt was heard that had not returned');
    if (!this.#retained.has(message.topic) && this.#books.isOver(message)) {
      this.#books.blame('a delivery was heard that was over');
    }
    while (ids.length > 0 && ids[0] !== id && this.#refused(ids[0] as string)) ids.shift();
    if (ids.shift() !== id) this.#books.blame('what was held left in another order');
  }

  /** Its words have left before its outcome. */
  #succeeds({ id }: Message, recipient: string, attempt: number): void {
    if (this.#bus.inspect().status === 'closed') return;
    const same = [...this.#told.values()].filter((one) => {
      return one.message.id === id && one.recipient === recipient && one.attempt === attempt;
    });
    // Two subscriptions of one agent cannot be told apart.
    if (same.length !== 1 || same[0]?.returned !== true) return;
    const left = same[0].ids.filter((one) => !this.#refused(one));
    if (left.length > 0) this.#books.blame('what a handler told was not said, and it succeeded');
  }

  /** Its recipient had left, or was full, when it was to leave. */
  #refused(id: string): boolean {
    return this.#bus.deadLetters.list({ refused: true }).some(({ message }) => message.id === id);
  }
}
