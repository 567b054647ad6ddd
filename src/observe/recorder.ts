import { misuse } from '../kernel/errors.ts';
import type { Message } from '../message/message.ts';

/** What a diagram needs of a message; never its payload. */
export interface RecordedMessage {
  readonly seq: number;
  readonly id: string;
  readonly causationId: string | undefined;
  readonly correlationId: string;
  readonly type: string;
  readonly topic: string;
  readonly from: string;
  /** Who got it, in the order of delivery. */
  readonly to: readonly string[];
  /** What became of it where that is known, such as `handled` or `dead-lettered(overflow)`. */
  readonly outcome?: string;
}

/** Options of {@link Recorder}. */
export interface RecorderOptions {
  /** Messages kept, from 1; older ones are forgotten. @default 1_000 */
  readonly limit?: number;
}

/**
 * Keeps who said what to whom, for the last messages that it was shown. Listen with it to a tap
 * for what is said, and to the event `handled` for the answers, which are no messages of their own.
 *
 * @example
 * ```ts
 * import { MessageBus, Recorder } from 'tellask';
 * const bus = new MessageBus();
 * const recorder = new Recorder({ limit: 100 });
 * bus.tap('**', recorder.observe);
 * bus.events.on('handled', recorder.answered);
 * bus.register('oracle').serve('meaning', () => 42);
 * await bus.request('meaning', 'of life');
 * recorder.entries().map(({ type, from, to }) => `${type}: ${from} to ${to}`);
 * // => ['request: $host to oracle', 'reply: oracle to $host']
 * await bus.close();
 * ```
 */
export class Recorder {
  readonly #limit: number;
  readonly #entries: RecordedMessage[] = [];
  /** How many were ever shown: the place of the next one in the ring. */
  #seen = 0;
  #newestSeq = 0;
  /** Answers whose request a tap has not shown yet: taps come in a later turn, events at once. */
  readonly #early = new Map<number, RecordedMessage>();

  constructor({ limit = 1_000 }: RecorderOptions = {}) {
    if (!(Number.isInteger(limit) && limit >= 1)) {
      throw new RangeError(misuse('limit', 'an integer from 1', limit).message);
    }
    this.#limit = limit;
  }

  /** Records one message. Has the shape of a tap's observer and needs no `this`. */
  readonly observe = (
    message: Omit<Message, 'payload'>,
    info: { readonly recipients: readonly string[] },
  ): void => {
    const { seq, id, causationId, correlationId, type, topic, from } = message;
    const to = [...info.recipients];
    this.#keep({ seq, id, causationId, correlationId, type, topic, from, to });
    this.#newestSeq = Math.max(this.#newestSeq, seq);
    const answer = this.#early.get(seq);
    if (answer === undefined) return;
    this.#early.delete(seq);
    this.#keep(answer);
  };

  /** Records the answer to a request. Listens to the event `handled` and needs no `this`. */
  readonly answered = ({
    message,
    recipient,
  }: {
    readonly message: Omit<Message, 'payload'>;
    readonly recipient: string;
  }): void => {
    if (message.type !== 'request') return;
    const { seq, id, correlationId, topic, from } = message;
    const reply = { seq, id: `${id}-reply`, causationId: id, correlationId, type: 'reply', topic };
    const entry = { ...reply, from: recipient, to: [from] };
    if (seq <= this.#newestSeq) this.#keep(entry);
    else this.#remember(entry);
  };

  #remember(answer: RecordedMessage): void {
    if (this.#early.size >= this.#limit) this.#early.clear();
    this.#early.set(answer.seq, answer);
  }

  #keep(entry: RecordedMessage): void {
    this.#entries[this.#seen++ % this.#limit] = entry;
  }

  /** Notes what became of a recorded message; one that is forgotten already changes nothing. */
  settle(seq: number, outcome: string): void {
    const index = this.#entries.findIndex((entry) => entry.seq === seq);
    const entry = this.#entries[index];
    if (entry !== undefined) this.#entries[index] = { ...entry, outcome };
  }

  /** The kept messages, oldest first. */
  entries(): RecordedMessage[] {
    const next = this.#seen % this.#limit;
    return [...this.#entries.slice(next), ...this.#entries.slice(0, next)];
  }

  /** Forgets what was recorded, and goes on recording. */
  /** Forgets everything. */
  clear(): void {
    this.#entries.length = 0;
    this.#early.clear();
    this.#seen = 0;
  }
}
