import type { BusEvents, DeliveryEvent } from '../delivery/bus-events.ts';
import { toErrorRecord } from '../kernel/error-record.ts';
import type { GuardedEvents } from '../kernel/events.ts';
import type { Message } from '../message/message.ts';
import type { Input, RunEntry, RunEvent } from './run-entry.ts';
import { type TranscriptOptions, transcriptText } from './transcript-text.ts';

/** Lines kept: a run that does not end must not eat the memory of its test. */
const MAX_ENTRIES = 200_000;
const USUAL_PRIORITY = 5;

/** What was seen, as it was seen: nothing is made of it until somebody reads. */
export interface Seen {
  readonly atMs: number;
  readonly what: RunEvent;
  readonly args: readonly unknown[];
}

/** How an entry is made of what a listener was told. */
type Teller = (...args: never[]) => Omit<RunEntry, 'atMs' | 'what'>;

/** Writes down what happens on a bus; see `TestBus.transcript`. */
export class Transcript {
  readonly #now: () => number;
  readonly #seen: Seen[] = [];
  #left = 0;

  get seen(): readonly Seen[] {
    return this.#seen;
  }

  /** How many did not find a place. */
  get left(): number {
    return this.#left;
  }

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Listens from now on, until the bus closes. */
  watch(events: Pick<GuardedEvents<BusEvents>, 'record'>): this {
    events.record((what, args) => {
      if (isWatched(what)) this.#keep(what, args);
    });
    return this;
  }

  /** Adds a line of somebody else's, such as a fault that was injected. */
  note(text: string): void {
    this.#keep('note', [text]);
  }

  entries(): RunEntry[] {
    return this.#seen.map(({ atMs, what, args }) => {
      const tell: Teller = TELLERS[what];
      return { atMs, what, ...tell(...(args as never[])) };
    });
  }

  text(options?: TranscriptOptions): string {
    const text = transcriptText(this.entries(), options);
    return this.#left === 0 ? text : `${text}${this.#left} more lines\n`;
  }

  #keep(what: RunEvent, args: readonly unknown[]): void {
    if (this.#seen.length < MAX_ENTRIES) this.#seen.push({ atMs: this.#now(), what, args });
    else this.#left++;
  }
}

const of = ({ message, recipient, attempt }: DeliveryEvent) => ({
  ...said(message),
  to: [recipient],
  ...(attempt > 1 ? { attempt } : {}),
});

const TELLERS = {
  admitted: (message, recipients) => ({
    ...said(message),
    to: recipients,
    payload: message.payload,
    ...(message.causationId === undefined
      ? { said: inputOf(message) }
      : { causedBy: message.causationId }),
  }),
  refused: (topic, from, error) => ({ topic, from, reason: nameOf(error) }),
  started: of,
  deferred: of,
  handled: of,
  retry: (event) => ({ ...of(event), delayMs: event.delayMs, reason: nameOf(event.error) }),
  'dead-lettered': ({ message, recipient, reason, error }) => ({
    ...said(message),
    to: recipient === undefined ? [] : [recipient],
    reason: error === undefined ? reason : `${reason}, ${nameOf(error)}`,
  }),
  expired: of,
  cancelled: (event) => ({ ...of(event), reason: event.reason }),
  abandoned: of,
  'late-reply': (message, recipient) => ({ ...said(message), to: [recipient] }),
  joined: (agent) => ({ from: agent }),
  left: (agent) => ({ from: agent }),
  fault: (error) => ({ reason: nameOf(error) }),
  closed: () => ({}),
  note: (text: string) => ({ text }),
} satisfies {
  [What in Exclude<RunEvent, 'note'>]: (
    ...args: BusEvents[What]
  ) => Omit<RunEntry, 'atMs' | 'what'>;
} & { note: (text: string) => Omit<RunEntry, 'atMs' | 'what'> };

function isWatched(name: string): name is Exclude<RunEvent, 'note'> {
  return name !== 'note' && Object.hasOwn(TELLERS, name);
}

function said({ id, type, topic, from }: Message) {
  return { id, type, topic, from };
}

function inputOf(message: Message): Input {
  const { id, type, to, priority, headers, sentAt, expiresAt, correlationId } = message;
  return {
    verb: type === 'request' ? 'request' : to === undefined ? 'publish' : 'send',
    ...(priority === USUAL_PRIORITY ? {} : { priority }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(expiresAt === undefined ? {} : { ttlMs: expiresAt - sentAt }),
    ...(correlationId === id ? {} : { correlationId }),
  };
}

/** An error's code or name, where that is a word: the text of an error is anybody's. */
function nameOf(error: unknown): string {
  const { code, name } = toErrorRecord(error);
  const word = [code, name].find((text) => text !== undefined && /^[\w$.:-]{1,80}$/.test(text));
  return word ?? 'Error';
}
