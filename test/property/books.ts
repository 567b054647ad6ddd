import type { BusInspection, DeadLetter, Message, MessageBus } from '../../src/index.ts';

type Event = { readonly message: Message; readonly recipient: string };

/**
 * An account of a bus that is kept from outside: from its events alone. The first thing that does
 * not add up is remembered, because whoever finds it may be a listener that cannot throw.
 */
export class Books {
  readonly #bus: MessageBus;
  violation: string | undefined;
  /** What is no violation in this run. */
  excused: RegExp | undefined;
  /** Nothing is told any more after the bus has closed. */
  closed = false;
  readonly counts: Record<'handled' | 'deadLettered' | 'expired' | 'cancelled', number> = {
    handled: 0,
    deadLettered: 0,
    expired: 0,
    cancelled: 0,
  };
  cancelledClosed = 0;
  retries = 0;
  /** Place in the order of admission, by message id. */
  readonly order = new Map<string, number>();
  /** Copies admitted, by message; copies ended, by message and recipient. */
  readonly #copies = new Map<string, number>();
  readonly #ended = new Map<string, number>();
  /** Outcomes by message id. */
  readonly outcomes = new Map<string, string[]>();
  /** Numbers of the messages, by id. */
  readonly numbers = new Map<string, number>();
  /** Ids of the requests whose answers came too late. */
  readonly late: string[] = [];

  constructor(bus: MessageBus) {
    this.#bus = bus;
    const { events } = bus;
    events.on('admitted', (message, recipients) => {
      this.order.set(message.id, this.order.size);
      this.numbers.set(message.id, (message.payload as { n: number }).n);
      this.#copies.set(message.id, recipients.length);
    });
    events.on('handled', (event) => this.#end('handled', event));
    events.on('dead-lettered', (letter) => this.#end('deadLettered', asEvent(letter)));
    events.on('expired', (event) => this.#end('expired', event));
    events.on('cancelled', (event) => {
      if (event.reason === 'closed') this.cancelledClosed++;
      this.#end('cancelled', event);
    });
    events.on('retry', () => {
      this.retries++;
      this.check('a retry');
    });
    events.on('started', () => this.check('a start'));
    events.on('late-reply', (reply) => this.late.push(reply.causationId as string));
    events.on('closed', () => {
      this.closed = true;
    });
  }

  blame(what: string): void {
    if (this.excused?.test(what) !== true) this.violation ??= what;
  }

  /** Every copy of the message has its outcome. */
  isOver(message: Message): boolean {
    const ended = this.outcomes.get(message.id)?.length ?? 0;
    return ended >= (this.#copies.get(message.id) ?? 1);
  }

  /** At least one copy has: enough where two subscriptions of one agent cannot be told apart. */
  hasEnded(message: Message, recipient: string): boolean {
    return this.#ended.has(pair(message, recipient));
  }

  /** The equation, and the bus's own counts beside these. */
  check(where: string): BusInspection {
    const now = this.#bus.inspect();
    const open = [now.waiting, now.queued, now.inFlight, now.deferred, now.retryWait];
    const ended = [now.handled, now.deadLettered, now.expired, now.cancelled];
    const sum = [...open, ...ended].reduce((a, b) => a + b, 0);
    if (sum !== now.admitted) this.blame(`at ${where}: admitted ${now.admitted}, sum ${sum}`);
    if ([...open, now.scheduled].some((n) => n < 0)) this.blame(`at ${where}: a count below 0`);
    if (!this.closed) this.#compare(where, now);
    return now;
  }

  #compare(where: string, now: BusInspection): void {
    for (const [outcome, counted] of Object.entries(this.counts)) {
      const booked = now[outcome as keyof typeof this.counts];
      if (booked !== counted) this.blame(`at ${where}: ${outcome} ${booked}, told ${counted}`);
    }
    if (now.retries !== this.retries) this.blame(`at ${where}: ${now.retries} retries`);
  }

  #end(outcome: keyof typeof this.counts, { message, recipient }: Event): void {
    this.counts[outcome]++;
    const list = this.outcomes.get(message.id) ?? [];
    list.push(outcome);
    this.outcomes.set(message.id, list);
    add(this.#ended, pair(message, recipient));
    this.check(`the outcome of ${message.topic}`);
  }
}

function pair({ id }: Message, recipient: string): string {
  return `${id} ${recipient}`;
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function asEvent({ message, recipient }: DeadLetter): Event {
  return { message, recipient: recipient as string };
}
