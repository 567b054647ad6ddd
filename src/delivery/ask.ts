import { misuse } from '../kernel/errors.ts';
import type { Contract } from '../message/contract.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Family } from '../message/family-index.ts';
import type { Admitter } from './admitter.ts';
import { DispatchList } from './dispatch-list.ts';
import type { Dispatcher } from './dispatcher.ts';
import {
  MailboxFullError,
  NoResponderError,
  UnknownRecipientError,
  UnknownTopicError,
} from './errors.ts';
import { Admission } from './receipt.ts';
import type { Refusals } from './refusals.ts';
import type { Requests } from './requests.ts';
import type { Eligible, Responders, Serving } from './responders.ts';
import { lineageOf, readAsked, readMs } from './said.ts';
import type { Scribe } from './scribe.ts';
import type { Cause, RequestOptions, Speaker } from './speech.ts';
import type { Subscription } from './subscription.ts';
import type { Instant } from './turn-clock.ts';
import type { Words } from './words.ts';

const NONE: RequestOptions = {};

/** What asking needs of its bus. */
export interface AskParts {
  readonly admitter: Admitter;
  readonly scribe: Scribe;
  readonly refusals: Refusals;
  readonly dispatcher: Dispatcher;
  readonly requests: Requests;
  readonly responders: Responders;
  readonly contract: Contract | undefined;
  /** Topics that the contract does not name are taken, too. */
  readonly open: boolean;
  readonly requestTimeoutMs: number;
  now(): number;
  hasAgent(name: string): boolean;
  hasCapability(name: string, capability: string): boolean;
  nearestAgent(name: string): string | undefined;
}

/** Asks: one responder, one answer, one deadline. */
export class Ask {
  readonly #parts: AskParts;

  constructor(parts: AskParts) {
    this.#parts = parts;
  }

  /** Never throws: whatever is wrong is a rejection, so `catch` sees it all. */
  request(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options: RequestOptions = NONE,
  ): Promise<unknown> {
    try {
      return this.#request(speaker, topic, payload, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #request(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options: RequestOptions,
  ): Promise<unknown> {
    this.#parts.admitter.checkOpen(speaker, 'request', topic);
    if (typeof options !== 'object' || options === null) {
      throw misuse('The options of request', 'an object', options);
    }
    readMs('timeoutMs', options.timeoutMs);
    options.signal?.throwIfAborted();
    const route = this.#parts.responders.route(topic);
    const family = this.#knownFamily(route, topic);
    const said = readAsked(options, speaker.cause);
    const words: Words = {
      action: 'request',
      speaker,
      to: undefined,
      topic,
      family,
      payload,
      said,
    };
    return this.#write(words, route, options);
  }

  #write(words: Words, route: Serving, options: RequestOptions): Promise<unknown> {
    const { scribe, refusals } = this.#parts;
    const { cause } = words.speaker;
    let draft = words;
    let owned: unknown;
    try {
      draft = scribe.draft(words);
      owned = scribe.payload(draft, route.family);
    } catch (error) {
      throw refusals.refuse(words, error);
    }
    const responder = this.#choose(draft, route, options);
    // A deadline is counted from the call itself, not from the beginning of a long turn.
    const now: Instant = { at: this.#parts.now() };
    const timeoutMs = this.#timeoutOf(options, cause, now.at);
    const deadline = now.at + timeoutMs;
    const lineage = lineageOf(cause, draft.said.correlationId, deadline, 1);
    const message = scribe.envelope(draft, responder.owner, owned, lineage, deadline, now);
    return this.#ask(message, responder, timeoutMs, options.signal, cause);
  }

  #ask(
    message: Envelope,
    responder: Subscription,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    cause: Cause | undefined,
  ): Promise<unknown> {
    const { admitter, dispatcher, refusals, requests } = this.#parts;
    const list = DispatchList.of(responder);
    if (dispatcher.refuses(message.priority, list)) {
      const { owner, home } = responder;
      throw refusals.refuseMessage(
        message,
        new MailboxFullError(owner, home.mailbox.options.capacity),
      );
    }
    const pending = requests.open(message, timeoutMs);
    const admission = new Admission(message, list, pending);
    admitter.announce(admission);
    dispatcher.dispatch(admission);
    if (signal !== undefined || cause !== undefined) pending.listen(signal, cause);
    return pending.promise;
  }

  /** Never longer than what the asker itself has left. */
  #timeoutOf({ timeoutMs }: RequestOptions, cause: Cause | undefined, now: number): number {
    const own = timeoutMs ?? this.#parts.requestTimeoutMs;
    return cause === undefined ? own : Math.min(own, cause.deadline - now);
  }

  #choose(words: Words, route: Serving, { to }: RequestOptions): Subscription {
    const { responders, refusals, dispatcher } = this.#parts;
    // What lies in the ring is outstanding, too: a choice between several has to see it.
    if (route.subscriptions.length > 1) dispatcher.spill();
    const chosen = responders.choose(route, this.#eligible(to));
    if (chosen !== undefined) return chosen;
    if (typeof to === 'string' && !this.#parts.hasAgent(to)) {
      const unknown = new UnknownRecipientError(to, this.#parts.nearestAgent(to));
      throw refusals.refuse({ ...words, to }, unknown);
    }
    const who = typeof to === 'object' ? `agent with ${to.capability}` : to;
    throw refusals.refuse(
      words,
      new NoResponderError(words.topic, who, this.#nearest(words.topic)),
    );
  }

  #eligible(to: RequestOptions['to']): Eligible | undefined {
    if (to === undefined) return undefined;
    if (typeof to === 'string') return ({ owner }) => owner === to;
    if (typeof to?.capability !== 'string') {
      throw misuse('to', 'the name of an agent or { capability }', to);
    }
    return ({ owner }) => this.#parts.hasCapability(owner, to.capability);
  }

  #knownFamily({ family }: Serving, topic: string): Family | undefined {
    const { contract, open, refusals } = this.#parts;
    if (family === undefined && contract !== undefined && !open) {
      throw refusals.count(new UnknownTopicError(topic, this.#nearest(topic)));
    }
    return family;
  }

  #nearest(topic: string): string | undefined {
    return this.#parts.contract?.nearest('requests', topic);
  }
}
