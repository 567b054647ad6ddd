import { onAbort } from '../kernel/abort.ts';
import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import type { GuardedEvents } from '../kernel/events.ts';
import type { Contract } from '../message/contract.ts';
import { Envelope, type FamilyView, type Lineage, type Origin } from '../message/envelope.ts';
import type { Family } from '../message/family-index.ts';
import { parse, ValidationError } from '../message/parse.ts';
import { isOwned } from '../message/payload.ts';
import { NORMAL_PRIORITY, toPriority } from '../message/priority.ts';
import { checkTopic } from '../message/topic.ts';
import type { Router } from '../routing/router.ts';
import type { BusEvents } from './bus-events.ts';
import type { DeadLetterReason, DeadLetters, KeptLetter } from './dead-letters.ts';
import type { Dedupe } from './dedupe.ts';
import { DispatchList } from './dispatch-list.ts';
import type { Dispatcher } from './dispatcher.ts';
import {
  ClosedError,
  DeniedError,
  MailboxFullError,
  UnknownRecipientError,
  UnknownTopicError,
} from './errors.ts';
import type { Ledger } from './ledger.ts';
import type { Draft, MiddlewareChain } from './middleware.ts';
import type { PayloadKeeper } from './payload-keeper.ts';
import { Admission, type Receipt } from './receipt.ts';
import type { Retained } from './retained.ts';
import type { Route } from './route.ts';
import { lineageOf, readMs, readTold, type Said } from './said.ts';
import type { Schedule } from './schedule.ts';
import type { PublishOptions, SendOptions, Speaker } from './speech.ts';
import type { Subscription } from './subscription.ts';
import type { Taps } from './taps.ts';
import type { Instant } from './turn-clock.ts';

/** Whether the bus takes what is said. */
export type BusStatus = 'open' | 'draining' | 'closed';

/** How a named agent takes what is sent to it. */
export interface Addressee {
  readonly name: string;
  /** The subscription that a directed message belongs to; its inbox; or none. */
  directed(topic: string, type: string): { readonly to: Subscription; readonly handled: boolean };
}

/** What admission needs of its bus. */
export interface AdmitterParts {
  readonly env: Env;
  readonly origin: Origin;
  readonly ledger: Ledger;
  readonly events: GuardedEvents<BusEvents>;
  readonly letters: DeadLetters;
  readonly dispatcher: Dispatcher;
  readonly router: Router<Subscription, Route>;
  readonly contract: Contract | undefined;
  /** Topics that the contract does not name are taken, too. */
  readonly open: boolean;
  readonly keeper: PayloadKeeper;
  readonly middleware: MiddlewareChain;
  readonly dedupe: Dedupe;
  readonly retained: Retained;
  readonly schedule: Schedule;
  readonly taps: Taps;
  readonly unheard: (message: Envelope) => void;
  now(): number;
  /** The moment of this turn, shared by what is said in it. */
  instant(): Instant;
  nextSeq(): number;
  status(): BusStatus;
  addressee(name: string): Addressee | undefined;
  nearestAgent(name: string): string | undefined;
}

/** What one call says, checked and owned, before it has an envelope. */
interface Words {
  readonly action: Draft['action'];
  readonly speaker: Speaker;
  readonly to: string | undefined;
  readonly topic: string;
  readonly family: FamilyView | undefined;
  readonly payload: unknown;
  readonly said: Said;
}

/**
 * The door of the bus. A call is refused here, with an error and nothing delivered, or admitted:
 * then every copy gets one outcome.
 */
export class Admitter {
  readonly #parts: AdmitterParts;

  constructor(parts: AdmitterParts) {
    this.#parts = parts;
  }

  publish(speaker: Speaker, topic: string, payload: unknown, options?: PublishOptions): Receipt {
    this.checkOpen(speaker, 'publish', topic);
    const route = this.#parts.router.route(topic);
    if (options === undefined && speaker.cause === undefined && this.#isPlain(route, payload)) {
      return this.#tell(speaker.name, topic, route, payload);
    }
    const said = this.#read('publish', speaker, options);
    const known = this.#duplicate(speaker, topic, options);
    if (known !== undefined) return known;
    const family = this.#familyOf(route.family, speaker, topic);
    const words = this.prepare('publish', speaker, undefined, topic, family, payload, said);
    const message = this.envelope(
      words.speaker,
      words,
      lineageOf(speaker.cause, said.correlationId),
    );
    const admit = (): Receipt => this.#fanOut(message, options);
    return this.#nowOrLater(message, said.delayMs, speaker, options, admit);
  }

  /** Nothing but the route decides: no schema, no middleware, nothing to copy. */
  #isPlain(route: Route, payload: unknown): boolean {
    if (!route.plain || this.#parts.middleware.watchesOutgoing) return false;
    if (typeof payload === 'function') return false;
    return typeof payload !== 'object' || payload === null || isOwned(payload);
  }

  /** The short way of `publish`, which most messages take. */
  #tell(from: string, topic: string, route: Route, payload: unknown): Receipt {
    const parts = this.#parts;
    const message = new Envelope(
      parts.origin,
      parts.nextSeq(),
      'event',
      topic,
      route.family,
      from,
      undefined,
      payload,
      NORMAL_PRIORITY,
      undefined,
      undefined,
      parts.instant(),
      undefined,
    );
    return this.#admitTo(message, route.listFor(from, 'event'));
  }

  send(
    speaker: Speaker,
    to: string,
    topic: string,
    payload: unknown,
    options?: SendOptions,
  ): Receipt {
    this.checkOpen(speaker, 'send', topic);
    if (typeof to !== 'string') throw misuse('The recipient', 'the name of an agent', to);
    checkTopic(topic);
    const said = this.#read('send', speaker, options);
    if (said.type === 'reply') this.#parts.ledger.foreignReplies++;
    const known = this.#duplicate(speaker, topic, options);
    if (known !== undefined) return known;
    const family = this.#familyOf(this.#parts.contract?.family('topics', topic), speaker, topic);
    const words = this.prepare('send', speaker, to, topic, family, payload, said);
    const message = this.envelope(
      words.speaker,
      words,
      lineageOf(speaker.cause, said.correlationId),
    );
    const admit = (): Receipt => this.#direct(message, options);
    return this.#nowOrLater(message, said.delayMs, speaker, options, admit);
  }

  /** Refuses what comes from outside while the bus drains, and everything once it is closed. */
  checkOpen(speaker: Speaker, action: string, topic: string): void {
    const status = this.#parts.status();
    if (status === 'open' || (status === 'draining' && speaker.cause?.running === true)) return;
    this.#parts.ledger.refused++;
    throw new ClosedError(`${action} ${String(topic)}`);
  }

  /** Schema, middleware and isolation: what is left is ready for an envelope. */
  prepare(
    action: Draft['action'],
    speaker: Speaker,
    to: string | undefined,
    topic: string,
    family: Family | undefined,
    payload: unknown,
    said: Said,
  ): Words {
    const { keeper, middleware } = this.#parts;
    let words: Words = { action, speaker, to, topic, family, payload, said };
    try {
      if (middleware.watchesOutgoing) words = this.#passMiddleware(words);
      const schema = family?.input;
      const parsed =
        schema === undefined
          ? words.payload
          : parse(schema, words.payload, { what: 'payload', topic });
      return { ...words, payload: keeper.keep(parsed) };
    } catch (error) {
      throw this.refuse(words, error);
    }
  }

  envelope(
    speaker: Speaker,
    words: Words,
    lineage: Lineage | undefined,
    expires: number = Infinity,
  ): Envelope {
    const { origin } = this.#parts;
    const { said, topic, family, to, payload } = words;
    const now = this.#parts.instant();
    const at = now.at + said.delayMs;
    const end = Math.min(expires, at + said.ttlMs);
    return new Envelope(
      origin,
      this.#parts.nextSeq(),
      said.type,
      topic,
      family,
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

  /** Counts a refusal, keeps a letter where one is due, and hands the error back to be thrown. */
  refuse(words: Words, error: unknown): unknown {
    const { ledger, events, letters, keeper } = this.#parts;
    ledger.refused++;
    const reason = letterReason(error);
    if (reason !== undefined) {
      const payload = keeper.keepAnything(words.payload);
      const lineage = lineageOf(words.speaker.cause, words.said.correlationId);
      const message = this.envelope(words.speaker, { ...words, payload }, lineage);
      letters.refuse(message, words.action, reason, error);
    }
    if (events.has('refused')) events.emit('refused', words.topic, words.speaker.name, error);
    return error;
  }

  /**
   * Sends a dead letter again to one subscription: a new message of the same conversation, caused
   * by the first, parsed and owned already, with its whole time to live before it.
   */
  again(letter: KeptLetter, to: Subscription): Receipt {
    const { message, originalId, ttlMs } = letter;
    const said: Said = {
      type: message.type,
      priority: message.priority,
      headers: message.headers,
      ttlMs,
      delayMs: 0,
      correlationId: undefined,
    };
    const speaker: Speaker = { name: message.from, cause: undefined };
    this.checkOpen(speaker, 'redrive', message.topic);
    const { topic, payload, view } = message;
    const words = {
      action: letter.action,
      speaker,
      to: message.to,
      topic,
      family: view,
      payload,
      said,
    };
    const lineage: Lineage = {
      correlationId: message.correlationId,
      causationId: originalId,
      deadline: Infinity,
      depth: 0,
      hops: (message.lineage?.hops ?? 0) + 1,
    };
    const admission = new Admission(this.envelope(speaker, words, lineage), DispatchList.of(to));
    admission.redriveOf = letter;
    this.#admitted(admission);
    return admission;
  }

  #fanOut(message: Envelope, options: PublishOptions | undefined): Receipt {
    const { router, retained } = this.#parts;
    if (options?.retain === true) retained.keep(message);
    const list = router.route(message.topic).listFor(message.from, message.type);
    const admission = this.#admitTo(message, list);
    if (admission.waiting > 0) this.#limitWaiting(admission, options);
    return admission;
  }

  #admitTo(message: Envelope, list: DispatchList): Admission {
    const admission = new Admission(message, list);
    if (list.subscriptions.length === 0) this.#unheard(message);
    this.#admitted(admission);
    return admission;
  }

  #unheard(message: Envelope): void {
    const { ledger, events, unheard } = this.#parts;
    ledger.unrouted++;
    if (events.has('unrouted')) events.emit('unrouted', message);
    unheard(message);
  }

  #direct(message: Envelope, options: SendOptions | undefined): Receipt {
    const { dispatcher } = this.#parts;
    const name = message.to as string;
    const addressee = this.#parts.addressee(name);
    if (addressee === undefined) {
      throw this.refuseMessage(
        message,
        new UnknownRecipientError(name, this.#parts.nearestAgent(name)),
      );
    }
    const { to, handled } = addressee.directed(message.topic, message.type);
    const list = DispatchList.of(to);
    if (dispatcher.refuses(message.priority, list)) {
      const full = new MailboxFullError(name, to.home.mailbox.options.capacity);
      throw this.refuseMessage(message, full);
    }
    const admission = new Admission(message, list);
    if (handled) this.#admitted(admission);
    else this.#unhandled(admission, to);
    if (admission.waiting > 0) this.#limitWaiting(admission, options);
    return admission;
  }

  /** Shows taps and listeners what is about to be delivered. */
  announce({ message, list }: Admission): void {
    const { events, taps } = this.#parts;
    if (taps.any) taps.see(message, list.names);
    if (events.has('admitted')) events.emit('admitted', message, list.names);
  }

  #admitted(admission: Admission): void {
    this.announce(admission);
    this.#parts.dispatcher.dispatch(admission);
  }

  #unhandled(admission: Admission, inbox: Subscription): void {
    this.announce(admission);
    this.#parts.dispatcher.bury(admission, inbox, 'unhandled');
  }

  #nowOrLater(
    message: Envelope,
    delayMs: number,
    speaker: Speaker,
    options: PublishOptions | undefined,
    admit: () => Receipt,
  ): Receipt {
    const receipt = delayMs > 0 ? this.#later(message, delayMs, admit) : admit();
    const key = options?.dedupeKey;
    if (key !== undefined) {
      this.#parts.dedupe.remember(speaker.name, message.topic, key, receipt, this.#parts.now());
    }
    return receipt;
  }

  #later(message: Envelope, delayMs: number, admit: () => Receipt): Receipt {
    return this.#parts.schedule.add(message, delayMs, () => {
      try {
        return admit();
      } catch {
        return undefined; // counted, and a letter where one is due: nobody is left to throw it at
      }
    });
  }

  /** Refuses what has its envelope already; hands the error back to be thrown. */
  refuseMessage(message: Envelope, error: Error): Error {
    const { ledger, events, letters } = this.#parts;
    ledger.refused++;
    const reason = letterReason(error);
    if (reason !== undefined) letters.refuse(message, 'send', reason, error);
    if (events.has('refused')) events.emit('refused', message.topic, message.from, error);
    return error;
  }

  #read(action: 'publish' | 'send', speaker: Speaker, options: PublishOptions | undefined): Said {
    return readTold(action, options, speaker.cause, this.#wall);
  }

  readonly #wall = (): number => this.#parts.env.wall();

  #duplicate(
    speaker: Speaker,
    topic: string,
    options: PublishOptions | undefined,
  ): Receipt | undefined {
    const key = options?.dedupeKey;
    if (key === undefined) return undefined;
    if (typeof key !== 'string' || key === '') throw misuse('dedupeKey', 'a non-empty string', key);
    const { dedupe, ledger } = this.#parts;
    const receipt = dedupe.find(speaker.name, topic, key, this.#parts.now());
    if (receipt !== undefined) ledger.duplicates++;
    return receipt;
  }

  #familyOf(family: Family | undefined, speaker: Speaker, topic: string): Family | undefined {
    if (topic.startsWith('$') && speaker.name !== '$bus') {
      this.#parts.ledger.refused++;
      throw new DeniedError(speaker.name, 'say', topic, 'the bus: its own topics begin with $');
    }
    const { contract } = this.#parts;
    if (
      family === undefined &&
      contract !== undefined &&
      !this.#parts.open &&
      !topic.startsWith('$')
    ) {
      this.#parts.ledger.refused++;
      throw new UnknownTopicError(topic, contract.nearest('topics', topic));
    }
    return family;
  }

  #passMiddleware(words: Words): Words {
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
    this.#parts.middleware.pass(draft);
    const { type, payload, priority, headers } = draft;
    const changed = {
      ...said,
      type,
      priority: toPriority(priority),
      headers: Object.freeze({ ...headers }),
    };
    return { ...words, payload, said: changed };
  }

  /** A copy that waits for a place can be called off, by a signal or by the clock. */
  #limitWaiting(admission: Admission, options: PublishOptions | undefined): void {
    const { dispatcher, env } = this.#parts;
    const timeoutMs = readMs('timeoutMs', options?.timeoutMs) ?? Infinity;
    const withdraw = (reason: unknown): void => dispatcher.withdrawWaiting(admission, reason);
    const offs: (() => void)[] = [];
    if (options?.signal !== undefined) offs.push(onAbort(options.signal, withdraw));
    if (timeoutMs !== Infinity) {
      const { list } = admission;
      const full = new MailboxFullError(list.names.join(', '), list.room);
      const timer = env.setTimer(timeoutMs, () => withdraw(full), { label: 'wait for a place' });
      offs.push(() => timer.cancel());
    }
    admission.onPlaced = () => {
      for (const off of offs) off();
    };
  }
}

/** Only some refusals leave a letter: those of what could be sent again once the cause is gone. */
function letterReason(error: unknown): DeadLetterReason | undefined {
  if (error instanceof ValidationError) return 'validation';
  if (error instanceof UnknownRecipientError) return 'unknown-recipient';
  return error instanceof DeniedError ? 'denied' : undefined;
}
