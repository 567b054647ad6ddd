import { misuse } from '../kernel/errors.ts';
import type { Contract } from '../message/contract.ts';
import type { Family } from '../message/family-index.ts';
import { checkTopic } from '../message/topic.ts';
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
import type { Requests } from './requests.ts';
import type { Eligible, Responders } from './responders.ts';
import { lineageOf, readAsked, readMs } from './said.ts';
import type { RequestOptions, Speaker } from './speech.ts';
import type { Subscription } from './subscription.ts';

const NONE: RequestOptions = {};

/** What asking needs of its bus. */
export interface AskParts {
  readonly admitter: Admitter;
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
  async request(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options: RequestOptions = NONE,
  ): Promise<unknown> {
    const { admitter, requests } = this.#parts;
    admitter.checkOpen(speaker, 'request', topic);
    if (typeof options !== 'object' || options === null) {
      throw misuse('The options of request', 'an object', options);
    }
    options.signal?.throwIfAborted();
    checkTopic(topic);
    const { cause } = speaker;
    const said = readAsked(options, cause);
    const family = this.#familyOf(topic);
    const now = this.#parts.now();
    const timeoutMs = Math.min(
      readMs('timeoutMs', options.timeoutMs) ?? this.#parts.requestTimeoutMs,
      (cause?.deadline ?? Infinity) - now,
    );
    const words = admitter.prepare('request', speaker, undefined, topic, family, payload, said);
    const responder = this.#choose(words, options);
    const deadline = now + timeoutMs;
    const lineage = lineageOf(cause, said.correlationId, deadline, 1);
    const message = admitter.envelope(
      speaker,
      { ...words, to: responder.owner },
      lineage,
      deadline,
    );
    const { asker, answer } = requests.open({ message, timeoutMs, signal: options.signal, cause });
    this.#deliver(new Admission(message, DispatchList.of(responder), asker), responder);
    return answer;
  }

  #deliver(admission: Admission, responder: Subscription): void {
    const { admitter, dispatcher } = this.#parts;
    const { owner, home } = responder;
    if (dispatcher.refuses(admission.message.priority, admission.list)) {
      const full = new MailboxFullError(owner, home.mailbox.options.capacity);
      admission.asker?.fail(admitter.refuseMessage(admission.message, full));
      return;
    }
    admitter.announce(admission);
    dispatcher.dispatch(admission);
  }

  #choose(words: Parameters<Admitter['refuse']>[0], { to }: RequestOptions): Subscription {
    const { responders, admitter } = this.#parts;
    const { topic } = words;
    const chosen = responders.choose(topic, this.#eligible(to));
    if (chosen !== undefined) return chosen;
    if (typeof to === 'string' && !this.#parts.hasAgent(to)) {
      const unknown = new UnknownRecipientError(to, this.#parts.nearestAgent(to));
      throw admitter.refuse({ ...words, to }, unknown);
    }
    const who = typeof to === 'object' ? `agent with ${to.capability}` : to;
    throw admitter.refuse(words, new NoResponderError(topic, who, this.#nearest(topic)));
  }

  #eligible(to: RequestOptions['to']): Eligible | undefined {
    if (to === undefined) return undefined;
    if (typeof to === 'string') return ({ owner }) => owner === to;
    if (typeof to?.capability !== 'string') {
      throw misuse('to', 'the name of an agent or { capability }', to);
    }
    return ({ owner }) => this.#parts.hasCapability(owner, to.capability);
  }

  #familyOf(topic: string): Family | undefined {
    const { contract } = this.#parts;
    const family = contract?.family('requests', topic);
    if (family === undefined && contract !== undefined && !this.#parts.open) {
      throw new UnknownTopicError(topic, this.#nearest(topic));
    }
    return family;
  }

  #nearest(topic: string): string | undefined {
    return this.#parts.contract?.nearest('requests', topic);
  }
}
