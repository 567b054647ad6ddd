import { misuse } from '../kernel/errors.ts';
import { Envelope, type FamilyView, type Lineage, type Origin } from '../message/envelope.ts';
import type { Family } from '../message/family-index.ts';
import { parse } from '../message/parse.ts';
import { toPriority } from '../message/priority.ts';
import type { Draft, MiddlewareChain } from './middleware.ts';
import type { PayloadKeeper } from './payload-keeper.ts';
import { PLAIN_EVENT } from './said.ts';
import type { Instant } from './turn-clock.ts';
import type { Words } from './words.ts';

/** What writing down needs of its bus. */
export interface ScribeParts {
  readonly origin: Origin;
  readonly keeper: PayloadKeeper;
  readonly middleware: MiddlewareChain;
  /** The moment of this turn, shared by what is said in it. */
  instant(): Instant;
  nextSeq(): number;
}

/** Turns what is said into messages: middleware, schema, isolation, envelope. */
export class Scribe {
  readonly #parts: ScribeParts;

  constructor(parts: ScribeParts) {
    this.#parts = parts;
  }

  /** Passes the words through the middleware; throws what vetoes them. */
  draft(words: Words): Words {
    const { middleware } = this.#parts;
    return middleware.watchesOutgoing ? passed(words, middleware) : words;
  }

  /**
   * The payload as its topic's schema gives it back, in the library's own.
   *
   * @throws ValidationError `TELLASK_VALIDATION`, PayloadError `TELLASK_PAYLOAD`
   */
  payload(words: Words, family: Family | undefined): unknown {
    const schema = family?.input;
    const subject = { what: 'payload', topic: words.topic };
    return this.#parts.keeper.keep(
      schema === undefined ? words.payload : parse(schema, words.payload, subject),
    );
  }

  /** The envelope of an event without options, outside any conversation. */
  plainEvent(
    from: string,
    topic: string,
    family: FamilyView | undefined,
    payload: unknown,
  ): Envelope {
    return new Envelope(
      this.#parts.origin,
      this.#parts.nextSeq(),
      PLAIN_EVENT.type,
      topic,
      family,
      from,
      undefined,
      payload,
      PLAIN_EVENT.priority,
      undefined,
      undefined,
      this.#parts.instant(),
      undefined,
    );
  }

  /** `expires` is a monotonic instant: a bound from outside, such as a request's deadline. */
  envelope(
    words: Words,
    to: string | undefined,
    payload: unknown,
    lineage: Lineage | undefined,
    expires: number = Infinity,
    now: Instant = this.#parts.instant(),
  ): Envelope {
    const { said, speaker } = words;
    const at = now.at + said.delayMs;
    const end = Math.min(expires, at + said.ttlMs);
    return new Envelope(
      this.#parts.origin,
      this.#parts.nextSeq(),
      said.type,
      words.topic,
      words.family,
      speaker.name,
      to,
      payload,
      said.priority,
      said.headers,
      lineage,
      said.delayMs === 0 ? now : { at },
      end === Infinity ? undefined : end,
    );
  }

  /** A message that was held, as it is said now: its time to live counts from here. */
  saidNow(message: Envelope): Envelope {
    const now = this.#parts.instant();
    return message.at < now.at ? message.saidIn(now) : message;
  }

  /** The envelope of a call that is refused, for its letter: what cannot be owned is left out. */
  refusedEnvelope(words: Words, lineage: Lineage | undefined): Envelope {
    const payload = this.#parts.keeper.keepAnything(words.payload);
    return this.envelope(words, words.to, payload, lineage);
  }
}

function passed(words: Words, middleware: MiddlewareChain): Words {
  const { action, speaker, to, topic, said } = words;
  const draft: Draft = {
    action,
    from: speaker.name,
    to,
    topic,
    type: said.type,
    payload: words.payload,
    priority: said.priority,
    headers: { ...said.headers },
  };
  middleware.pass(draft);
  const { type, payload, priority, headers } = draft;
  if (typeof type !== 'string') throw misuse('draft.type', 'a string', type);
  const changed = { type, priority: toPriority(priority), headers: Object.freeze({ ...headers }) };
  return { ...words, payload, said: { ...said, ...changed } };
}
