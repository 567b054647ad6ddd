import type { Lineage } from '../message/envelope.ts';
import type { Admitter } from './admitter.ts';
import type { Chooser } from './chooser.ts';
import { DispatchList } from './dispatch-list.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Guard } from './guard.ts';
import type { Question } from './question.ts';
import { Admission } from './receipt.ts';
import type { Refusals } from './refusals.ts';
import type { Pending, Requests, Terms } from './requests.ts';
import { lineageOf } from './said.ts';
import type { Scribe } from './scribe.ts';
import type { Subscription } from './subscription.ts';
import type { Words } from './words.ts';

/** What putting a question needs of its bus. */
export interface PosingParts {
  readonly admitter: Admitter;
  readonly chooser: Chooser;
  readonly dispatcher: Dispatcher;
  readonly guard: Guard;
  readonly refusals: Refusals;
  readonly requests: Requests;
  readonly scribe: Scribe;
}

/** Makes a request of a question. */
export class Posing {
  readonly #parts: PosingParts;

  constructor(parts: PosingParts) {
    this.#parts = parts;
  }

  /** Puts the question to one responder. Who asks has to listen for what calls it off. */
  put(
    question: Question,
    responder: Subscription,
    terms: Terms,
    isAttempt: boolean = false,
  ): Pending {
    const { admitter, chooser, dispatcher, scribe, requests, refusals } = this.#parts;
    const { words, now, owned, deadline, budget, detached } = question;
    const { cause } = words.speaker;
    const depth = detached ? 0 : 1;
    const lineage = lineageOf(cause, words.said.correlationId, deadline, depth, budget);
    this.#checkGuards(words, responder.owner, lineage);
    chooser.refuseStandstill(question, responder);
    const message = scribe.envelope(words, responder.owner, owned, lineage, deadline, now);
    const list = DispatchList.of(responder);
    const refusal = dispatcher.refusal(message, list);
    if (refusal !== undefined) throw refusals.refuseMessage(message, refusal);
    admitter.draw(cause, message, 'request');
    const pending = requests.open(message, terms);
    pending.isAttempt = isAttempt;
    if (question.holds !== undefined) pending.holdsUp(question.holds);
    const admission = new Admission(message, list, pending);
    admitter.announce(admission);
    dispatcher.dispatch(admission);
    return pending;
  }

  #checkGuards(words: Words, to: string, lineage: Lineage | undefined): void {
    const { guard, refusals } = this.#parts;
    try {
      guard.check(words, to, lineage);
    } catch (error) {
      throw refusals.refuse({ ...words, to }, error);
    }
  }
}
