import { misuse } from '../kernel/errors.ts';
import type { Contract } from '../message/contract.ts';
import type { Family } from '../message/family-index.ts';
import { DeadlockError } from './bound-errors.ts';
import type { Dispatcher } from './dispatcher.ts';
import { NoResponderError, UnknownRecipientError, UnknownTopicError } from './errors.ts';
import type { Guard } from './guard.ts';
import { holderOf, type Question } from './question.ts';
import type { Refusals } from './refusals.ts';
import type { Eligible, Responders, Serving } from './responders.ts';
import { selected } from './selection.ts';
import type { RequestOptions } from './speech.ts';
import type { Subscription } from './subscription.ts';
import { heldUp, type Standstill, standstillOf } from './wait-for.ts';
import type { Worker } from './worker.ts';

/** What choosing a responder needs of its bus. */
export interface ChooserParts {
  readonly refusals: Refusals;
  readonly guard: Guard;
  readonly dispatcher: Dispatcher;
  readonly responders: Responders;
  readonly contract: Contract | undefined;
  /** Topics that the contract does not name are taken, too. */
  readonly open: boolean;
  random(): number;
  now(): number;
  hasAgent(name: string): boolean;
  hasCapability(name: string, capability: string): boolean;
  nearestAgent(name: string): string | undefined;
}

/** Says who is asked, and what to tell who asks when there is nobody. */
export class Chooser {
  readonly #parts: ChooserParts;

  constructor(parts: ChooserParts) {
    this.#parts = parts;
  }

  choose(question: Question, to: RequestOptions['to'], except?: string): Subscription {
    const chosen = this.#among(question, but(except, this.eligible(to)));
    if (chosen !== undefined) return chosen;
    throw this.unserved(question, to);
  }

  /** One of those who are `admitted`, too; the usual one when none of them is. */
  chooseAdmitted(question: Question, to: RequestOptions['to'], admitted: Eligible): Subscription {
    const eligible = this.eligible(to);
    const both: Eligible = (one) => eligible?.(one) !== false && admitted(one);
    return this.#among(question, both) ?? this.choose(question, to);
  }

  #among(question: Question, eligible: Eligible | undefined): Subscription | undefined {
    const { dispatcher } = this.#parts;
    const { route } = question;
    // What lies in the ring is outstanding, too: a choice between several has to see it.
    if (route.subscriptions.length > 1) dispatcher.spill();
    const chosen = this.#chosen(question, eligible);
    return chosen === undefined ? undefined : this.#spared(question, chosen, eligible);
  }

  #chosen(question: Question, eligible: Eligible | undefined): Subscription | undefined {
    const { responders, random, now } = this.#parts;
    const { route, select, words, owned } = question;
    if (select === undefined) return responders.choose(route, eligible);
    const { subscriptions } = route;
    const among = eligible === undefined ? subscriptions : subscriptions.filter(eligible);
    const { topic, speaker } = words;
    return selected(select, among, { topic, payload: owned, from: speaker.name, random, now });
  }

  /** As it is now: who serves, and who waits, may have changed since the question was written. */
  renew(question: Question): Question {
    const route = this.#parts.responders.route(question.words.topic);
    const holds = heldUp(holderOf(question));
    if (route === question.route && holds === question.holds) return question;
    return { ...question, route, holds };
  }

  /** Counts a question that there is nobody for, and says so. */
  unserved({ words }: Question, to: RequestOptions['to']): unknown {
    const { refusals } = this.#parts;
    if (typeof to === 'string' && !this.#parts.hasAgent(to)) {
      const unknown = new UnknownRecipientError(to, this.#parts.nearestAgent(to));
      return refusals.refuse({ ...words, to }, unknown);
    }
    return refusals.refuse(
      words,
      new NoResponderError(words.topic, to, this.nearestServed(words.topic)),
    );
  }

  /** Another one, when waiting for the chosen one would never end. */
  #spared(question: Question, chosen: Subscription, eligible: Eligible | undefined): Subscription {
    const { route } = question;
    if (route.subscriptions.length === 1) return chosen;
    if (this.#standstill(question, chosen) === undefined) return chosen;
    const other = this.#parts.responders.choose(
      route,
      (one) => eligible?.(one) !== false && this.#standstill(question, one) === undefined,
    );
    return other ?? chosen;
  }

  refuseStandstill(question: Question, responder: Subscription): void {
    const standstill = this.#standstill(question, responder);
    if (standstill === undefined) return;
    const { guard, refusals } = this.#parts;
    const { agents, topics } = standstill;
    const words = { ...question.words, to: responder.owner };
    const error = new DeadlockError(agents, topics);
    const path = topics.map((topic, i) => `${agents[i]} -${topic}-> ${error.cycle[i + 1]}`);
    guard.tell('deadlock', words, { to: responder.owner, path, limit: undefined });
    throw refusals.refuse(words, error);
  }

  /** Nothing is looked at while the responder has a free slot. */
  #standstill({ words, holds }: Question, { home }: Subscription): Standstill | undefined {
    if (holds === undefined || (home as Worker).full !== true) return undefined;
    // Whose budget is used up is told so: it may ask nobody at all.
    if (!holds.heard || holds.exhausted !== undefined) return undefined;
    this.#parts.dispatcher.spill();
    return standstillOf(holds, home, words.topic);
  }

  /** Whom the caller wants to be asked; undefined for anybody. */
  eligible(to: RequestOptions['to']): Eligible | undefined {
    if (to === undefined) return undefined;
    if (typeof to === 'string') return ({ owner }) => owner === to;
    if (typeof to?.capability !== 'string') {
      throw misuse('to', 'the name of an agent or { capability }', to);
    }
    return ({ owner }) => this.#parts.hasCapability(owner, to.capability);
  }

  knownFamily({ family }: Serving, topic: string): Family | undefined {
    const { contract, open, refusals } = this.#parts;
    if (family === undefined && contract !== undefined && !open) {
      throw refusals.count(new UnknownTopicError(topic, this.#nearest(topic)));
    }
    return family;
  }

  /** What is served comes first: a topic that only the contract knows has nobody either. */
  nearestServed(topic: string): string | undefined {
    const named = this.#nearest(topic);
    return this.#parts.responders.nearest(topic) ?? (named === topic ? undefined : named);
  }

  #nearest(topic: string): string | undefined {
    return this.#parts.contract?.nearest('requests', topic);
  }
}

function but(except: string | undefined, eligible: Eligible | undefined): Eligible | undefined {
  if (except === undefined) return eligible;
  return (one) => one.owner !== except && eligible?.(one) !== false;
}
