import { DeniedError } from '../access/errors.ts';
import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import type { GuardedEvents } from '../kernel/events.ts';
import type { Budget } from '../message/budget.ts';
import type { Contract } from '../message/contract.ts';
import type { Envelope, Lineage } from '../message/envelope.ts';
import type { Family } from '../message/family-index.ts';
import { isOwned } from '../message/payload.ts';
import { checkTopic } from '../message/topic.ts';
import type { Router } from '../routing/router.ts';
import type { Authority } from './authority.ts';
import { BudgetExhaustedError } from './bound-errors.ts';
import type { BusEvents } from './bus-events.ts';
import type { Dedupe } from './dedupe.ts';
import { checkKey, Departures } from './departures.ts';
import { DispatchList } from './dispatch-list.ts';
import type { Dispatcher } from './dispatcher.ts';
import { ClosedError, UnknownRecipientError, UnknownTopicError } from './errors.ts';
import type { Guard } from './guard.ts';
import type { KeptLetter } from './kept-letter.ts';
import type { Ledger } from './ledger.ts';
import type { MiddlewareChain } from './middleware.ts';
import { Admission, type Receipt } from './receipt.ts';
import type { Refusals } from './refusals.ts';
import type { Retained } from './retained.ts';
import type { Route } from './route.ts';
import { budgetOf, lineageOf, PLAIN_EVENT, readTold, type Said } from './said.ts';
import type { Schedule } from './schedule.ts';
import type { Scribe } from './scribe.ts';
import type { Cause, PublishOptions, SendOptions, Speaker } from './speech.ts';
import type { Subscription } from './subscription.ts';
import type { Taps } from './taps.ts';
import { limitWaiting } from './waiting-limit.ts';
import type { Words } from './words.ts';

/** Whether the bus takes what is said. */
export type BusStatus = 'open' | 'draining' | 'closed';

/** How a named agent takes what is sent to it. */
export interface Addressee {
  readonly name: string;
  /** The subscription that a directed message belongs to; its inbox; or none. */
  directed(topic: string, type: string): { readonly to: Subscription; readonly handled: boolean };
}

/** A payload that was checked and taken already, with what became of it. */
interface Taken {
  readonly payload: unknown;
  readonly owned: unknown;
}

/** What admission needs of its bus. */
export interface AdmitterParts {
  readonly env: Env;
  readonly ledger: Ledger;
  readonly events: GuardedEvents<BusEvents>;
  readonly scribe: Scribe;
  readonly refusals: Refusals;
  readonly guard: Guard;
  readonly dispatcher: Dispatcher;
  readonly router: Router<Subscription, Route>;
  readonly contract: Contract | undefined;
  /** Topics that the contract does not name are taken, too. */
  readonly open: boolean;
  readonly middleware: MiddlewareChain;
  readonly dedupe: Dedupe;
  readonly retained: Retained;
  readonly schedule: Schedule;
  readonly taps: Taps;
  readonly authority: Authority | undefined;
  readonly unheard: (message: Envelope) => void;
  /** Milliseconds that a handler may run unless it says otherwise. */
  readonly handlerTimeoutMs: number;
  now(): number;
  status(): BusStatus;
  addressee(name: string): Addressee | undefined;
  nearestAgent(name: string): string | undefined;
}

/**
 * The door of the bus. A call is refused here, with an error and nothing delivered, or admitted:
 * then every copy gets one outcome.
 */
export class Admitter {
  readonly #parts: AdmitterParts;
  readonly #departures: Departures;

  constructor(parts: AdmitterParts) {
    this.#parts = parts;
    this.#departures = new Departures(parts, {
      draw: (cause, message) =>
        this.draw(cause, message, message.to === undefined ? 'publish' : 'send'),
      checkRecipient: (message) => void this.#recipientOf(message),
    });
  }

  publish(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options?: PublishOptions,
    taken?: Taken,
  ): Receipt {
    this.checkOpen(speaker, 'publish', topic);
    if (speaker.said !== undefined) speaker.said('publish', topic, options);
    const route = this.#parts.router.route(topic);
    const denied = this.#parts.authority?.refusal(speaker.name, 'publish', topic);
    const bare = options === undefined && speaker.cause === undefined && denied === undefined;
    if (bare && this.#isPlain(route, payload)) {
      return this.#publishPlain(speaker, topic, route, payload);
    }
    const said = readTold('publish', options, speaker.cause, this.#wall);
    if (denied !== undefined) throw this.#denied('publish', speaker, topic, payload, said, denied);
    const known = this.#departures.duplicate(speaker, topic, options);
    if (known !== undefined) return known;
    const family = this.#familyOf(route.family, speaker, topic);
    const words = {
      action: 'publish',
      speaker,
      to: undefined,
      topic,
      family,
      payload,
      said,
    } as const;
    const message = this.#write(words, family, taken);
    return this.#departures.say(message, speaker, options, (said) => this.#fanOut(said, options));
  }

  send(
    speaker: Speaker,
    to: string,
    topic: string,
    payload: unknown,
    options?: SendOptions,
    taken?: Taken,
  ): Receipt {
    this.checkOpen(speaker, 'send', topic);
    if (speaker.said !== undefined) speaker.said('send', topic, options);
    if (typeof to !== 'string') throw misuse('The recipient', 'the name of an agent', to);
    checkTopic(topic);
    const said = readTold('send', options, speaker.cause, this.#wall);
    if (said.type === 'reply') this.#parts.ledger.foreignReplies++;
    const denied = this.#parts.authority?.refusal(speaker.name, 'send', topic, to);
    if (denied !== undefined) throw this.#denied('send', speaker, topic, payload, said, denied, to);
    const known = this.#departures.duplicate(speaker, topic, options);
    if (known !== undefined) return known;
    const family = this.#familyOf(this.#parts.contract?.family('topics', topic), speaker, topic);
    const message = this.#write(
      { action: 'send', speaker, to, topic, family, payload, said },
      family,
      taken,
    );
    return this.#departures.say(message, speaker, options, (said) => this.#direct(said, options));
  }

  /** Checks what is to be published later, and takes the payload; what it returns says it. */
  publisher(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options: PublishOptions | undefined,
  ): () => Receipt {
    this.checkOpen(speaker, 'publish', topic);
    const said = readTold('publish', options, speaker.cause, this.#wall);
    const denied = this.#parts.authority?.refusal(speaker.name, 'publish', topic);
    if (denied !== undefined) throw this.#denied('publish', speaker, topic, payload, said, denied);
    const family = this.#familyOf(this.#parts.router.route(topic).family, speaker, topic);
    const action = 'publish';
    const words = { action, speaker, to: undefined, topic, family, payload, said } as const;
    const taken = { payload, owned: this.#take(words, family) };
    return () => this.publish(speaker, topic, payload, options, taken);
  }

  /**
   * Checks what is to be sent to many, and takes the payload once; what it returns sends to one.
   * A key against duplicates is a key for each of them.
   */
  sender(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options: SendOptions,
  ): (to: string) => Receipt {
    this.checkOpen(speaker, 'send', topic);
    checkTopic(topic);
    const said = readTold('send', options, speaker.cause, this.#wall);
    const denied = this.#parts.authority?.refusal(speaker.name, 'send', topic);
    if (denied !== undefined) throw this.#denied('send', speaker, topic, payload, said, denied);
    const family = this.#familyOf(this.#parts.contract?.family('topics', topic), speaker, topic);
    const words = { action: 'send', speaker, to: undefined, topic, family, payload, said } as const;
    const taken = { payload, owned: this.#take(words, family) };
    const { dedupeKey } = options;
    if (dedupeKey === undefined) {
      return (to) => this.send(speaker, to, topic, payload, options, taken);
    }
    checkKey(dedupeKey);
    return (to) => {
      const own = { ...options, dedupeKey: `${to}\0${dedupeKey}` };
      return this.send(speaker, to, topic, payload, own, taken);
    };
  }

  /**
   * Sends a dead letter again to one subscription: a new message of the same conversation, caused
   * by the first, parsed and owned already, with its whole time to live before it. `name` is who
   * gets it instead of the recipient that it had.
   */
  again(letter: KeptLetter, to: Subscription, name: string | undefined): Receipt {
    const { message, originalId, ttlMs } = letter;
    const action = name !== undefined && letter.action === 'publish' ? 'send' : letter.action;
    const recipient = name ?? message.to;
    const { topic, payload, view: family, type, priority, headers } = message;
    const speaker: Speaker = { name: message.from, cause: undefined };
    this.checkOpen(speaker, 'redrive', topic);
    this.#checkAgain(letter, to);
    const said: Said = {
      type,
      priority,
      headers,
      ttlMs,
      delayMs: 0,
      correlationId: undefined,
      budget: undefined,
    };
    const lineage: Lineage = {
      correlationId: message.correlationId,
      causationId: originalId,
      // Nobody waits for a redriven request: its handler gets the time that any handler gets.
      deadline: action === 'request' ? this.#parts.now() + this.#parts.handlerTimeoutMs : Infinity,
      depth: 0,
      hops: (message.lineage?.hops ?? 0) + 1,
      budget: undefined,
      retries: 0,
    };
    const words = { action, speaker, to: recipient, topic, family, payload, said };
    const envelope = this.#parts.scribe.envelope(words, recipient, payload, lineage);
    const admission = new Admission(envelope, DispatchList.of(to));
    admission.redriveOf = letter;
    this.#deliver(admission);
    return admission;
  }

  /** Says a message once more to one of those who got it, as a fault: the answer goes nowhere. */
  repeat(again: Admission, afterMs: number): void {
    if (afterMs === 0) {
      this.#deliver(again);
      return;
    }
    const admit = (): Admission | undefined => {
      const [to] = again.list.subscriptions;
      if (to?.active !== true || this.#deaf(to, again.message.topic)) return undefined;
      this.#deliver(again);
      return again;
    };
    this.#parts.schedule.add(again.message, afterMs, { admit });
  }

  /** Refuses what comes from outside while the bus drains, and everything once it is closed. */
  checkOpen(speaker: Speaker, action: string, topic: string): void {
    const status = this.#parts.status();
    if (status === 'open' || (status === 'draining' && speaker.cause?.heard === true)) return;
    throw this.#parts.refusals.count(new ClosedError(`${action} ${String(topic)}`));
  }

  /** What was begun while the bus was open may go on while it drains. */
  checkNotClosed(action: string, topic: string): void {
    if (this.#parts.status() !== 'closed') return;
    throw this.#parts.refusals.count(new ClosedError(`${action} ${topic}`));
  }

  /** Says something as the bus itself, on a topic of its own; not made when nobody listens. */
  sayOwn(topic: string, payload: unknown, lineage: Lineage | undefined): void {
    if (this.#parts.status() === 'closed') return;
    const list = this.#parts.router.route(topic).listFor('$host', PLAIN_EVENT.type);
    if (list.subscriptions.length === 0) return;
    const words = {
      action: 'publish',
      speaker: { name: '$host', cause: undefined },
      to: undefined,
      topic,
      family: undefined,
      payload,
      said: PLAIN_EVENT,
    } as const;
    const owned = this.#parts.scribe.payload(words, undefined);
    const message = this.#parts.scribe.envelope(words, undefined, owned, lineage);
    this.#deliver(new Admission(message, list));
  }

  /**
   * Draws a message from every budget above, synchronously; refuses it when one has none left, or
   * when its speaker only wraps up. Returns what it may be given back to.
   */
  draw(cause: Cause | undefined, message: Envelope, action: Words['action']): Budget | undefined {
    const own = message.lineage?.budget;
    // A budget that several calls share is above each of them.
    const shared = own?.shared === true ? own : undefined;
    if (cause === undefined && shared === undefined) return undefined;
    const budget = shared ?? cause?.message.lineage?.budget;
    const error = cause?.exhausted ?? this.#shortage(budget);
    if (error !== undefined) throw this.#parts.refusals.refuseMessage(message, error, action);
    return budget;
  }

  #shortage(budget: Budget | undefined): BudgetExhaustedError | undefined {
    const short = budget?.draw(this.#parts.env.now());
    return short === undefined ? undefined : new BudgetExhaustedError(short);
  }

  /** Shows taps and listeners what is about to be delivered. */
  announce({ message, list }: Admission): void {
    const { events, taps } = this.#parts;
    if (taps.any) taps.see(message, list.names);
    if (events.has('admitted')) events.emit('admitted', message, list.names);
  }

  // ---- publish

  /** Nothing but the route decides: no schema, no middleware, no rate, nothing to copy. */
  #isPlain(route: Route, payload: unknown): boolean {
    if (!route.plain || this.#parts.middleware.watchesOutgoing) return false;
    if (this.#parts.guard.rated) return false;
    if (typeof payload === 'function') return false;
    return typeof payload !== 'object' || payload === null || isOwned(payload);
  }

  /** The short way, which most messages take. */
  #publishPlain(speaker: Speaker, topic: string, route: Route, payload: unknown): Receipt {
    const message = this.#parts.scribe.plainEvent(speaker.name, topic, route.family, payload);
    return this.#admitTo(message, route.listFor(speaker.name, PLAIN_EVENT.type));
  }

  #fanOut(message: Envelope, options: PublishOptions | undefined): Receipt {
    this.#checkStill('publish', message);
    const { router, retained, env, dispatcher } = this.#parts;
    if (options?.retain === true) retained.keep(message);
    const list = router.route(message.topic).listFor(message.from, message.type);
    const admission = this.#admitTo(message, list);
    if (admission.waiting > 0) limitWaiting(env, dispatcher, admission, options);
    return admission;
  }

  #admitTo(message: Envelope, list: DispatchList): Admission {
    const admission = new Admission(message, list);
    if (list.subscriptions.length === 0) this.#unheard(message);
    this.#deliver(admission);
    return admission;
  }

  #unheard(message: Envelope): void {
    const { ledger, events, unheard } = this.#parts;
    ledger.unrouted++;
    if (events.has('unrouted')) events.emit('unrouted', message);
    unheard(message);
  }

  // ---- send

  #direct(message: Envelope, options: SendOptions | undefined): Receipt {
    this.#checkStill('send', message);
    const { dispatcher, env } = this.#parts;
    const { to, handled, list } = this.#recipientOf(message);
    const admission = new Admission(message, list);
    if (handled) this.#deliver(admission);
    else this.#bury(admission, to);
    if (admission.waiting > 0) limitWaiting(env, dispatcher, admission, options);
    return admission;
  }

  /** Who takes a directed message now; refuses it when nobody does, or when he is full. */
  #recipientOf(message: Envelope): ReturnType<Addressee['directed']> & { list: DispatchList } {
    const { dispatcher, refusals } = this.#parts;
    const name = message.to as string;
    const addressee = this.#parts.addressee(name);
    if (addressee === undefined) {
      const unknown = new UnknownRecipientError(name, this.#parts.nearestAgent(name));
      throw refusals.refuseMessage(message, unknown);
    }
    const { to, handled } = addressee.directed(message.topic, message.type);
    if (this.#deaf(to, message.topic)) {
      throw refusals.refuseMessage(message, this.#refusalTo(to, message.topic));
    }
    const list = DispatchList.of(to);
    const refusal = dispatcher.refusal(message, list);
    if (refusal !== undefined) throw refusals.refuseMessage(message, refusal);
    return { to, handled, list };
  }

  #bury(admission: Admission, inbox: Subscription): void {
    this.announce(admission);
    this.#parts.dispatcher.bury(admission, inbox, 'unhandled');
  }

  // ---- permissions

  /** A delayed or held message leaves under the rules that hold then. */
  #checkStill(action: 'publish' | 'send', message: Envelope): void {
    const { authority, refusals } = this.#parts;
    if (authority === undefined || message.seq > authority.changedAt) return;
    const denied = authority.refusal(message.from, action, message.topic, message.to);
    if (denied !== undefined) throw refusals.refuseMessage(message, denied, action);
  }

  /** A letter is said again only as long as its speaker may say it, and to who may hear it. */
  #checkAgain({ message, action }: KeptLetter, to: Subscription): void {
    const { authority, refusals } = this.#parts;
    const { from, topic, to: first } = message;
    const denied = authority?.refusal(from, action, topic, action === 'send' ? first : undefined);
    if (denied !== undefined) throw refusals.count(denied);
    if (this.#deaf(to, topic)) throw refusals.count(this.#refusalTo(to, topic));
  }

  #deaf(subscription: Subscription, topic: string): boolean {
    return this.#parts.authority?.reaches(subscription, topic) === false;
  }

  #refusalTo(subscription: Subscription, topic: string): DeniedError {
    return (this.#parts.authority as Authority).refusalTo(subscription, topic);
  }

  #denied(
    action: 'publish' | 'send',
    speaker: Speaker,
    topic: string,
    payload: unknown,
    said: Said,
    denied: DeniedError,
    to?: string,
  ): unknown {
    const family = this.#parts.contract?.family('topics', topic);
    return this.#parts.refusals.refuse(
      { action, speaker, to, topic, family, payload, said },
      denied,
    );
  }

  // ---- both

  #deliver(admission: Admission): void {
    this.announce(admission);
    this.#parts.dispatcher.dispatch(admission);
  }

  #take(words: Words, family: Family | undefined): unknown {
    try {
      return this.#parts.scribe.payload(words, family);
    } catch (error) {
      throw this.#parts.refusals.refuse(words, error);
    }
  }

  #write(words: Words, family: Family | undefined, taken?: Taken): Envelope {
    const { scribe, refusals, guard } = this.#parts;
    try {
      if (guard.rated) guard.checkSender(words);
      const draft = scribe.draft(words);
      const { cause } = words.speaker;
      const budget = budgetOf(words.said, cause, this.#now);
      const lineage = lineageOf(cause, words.said.correlationId, Infinity, 0, budget);
      const isTaken = taken !== undefined && draft.payload === taken.payload;
      const payload = isTaken ? taken.owned : scribe.payload(draft, family);
      if (lineage !== undefined || guard.rated) guard.check(words, words.to, lineage);
      return scribe.envelope(draft, words.to, payload, lineage);
    } catch (error) {
      throw refusals.refuse(words, error);
    }
  }

  #familyOf(family: Family | undefined, speaker: Speaker, topic: string): Family | undefined {
    const { contract, open, refusals } = this.#parts;
    if (topic.startsWith('$')) {
      const by = 'the bus: its own topics begin with $';
      throw refusals.count(new DeniedError(speaker.name, 'say', topic, by));
    }
    if (family === undefined && contract !== undefined && !open) {
      throw refusals.count(new UnknownTopicError(topic, contract.nearest('topics', topic)));
    }
    return family;
  }

  readonly #now = (): number => this.#parts.env.now();

  readonly #wall = (): number => this.#parts.env.wall();
}
