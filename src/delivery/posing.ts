import { isA } from '../kernel/is-a.ts';
import type { Lineage } from '../message/envelope.ts';
import type { Admitter } from './admitter.ts';
import type { Authority } from './authority.ts';
import type { Chooser } from './chooser.ts';
import { DispatchList } from './dispatch-list.ts';
import type { Dispatcher } from './dispatcher.ts';
import { RejectedError } from './errors.ts';
import type { Guard } from './guard.ts';
import type { Question } from './question.ts';
import { Admission } from './receipt.ts';
import type { Refusals } from './refusals.ts';
import type { Pending, Requests, Terms } from './requests.ts';
import { lineageOf } from './said.ts';
import type { Scribe } from './scribe.ts';
import type { Selection, SelectionEnd } from './selection.ts';
import type { Subscription } from './subscription.ts';
import type { Words } from './words.ts';

/** What putting a question needs of its bus. */
export interface PosingParts {
  readonly admitter: Admitter;
  readonly authority: Authority | undefined;
  readonly chooser: Chooser;
  readonly dispatcher: Dispatcher;
  readonly guard: Guard;
  readonly refusals: Refusals;
  readonly requests: Requests;
  readonly scribe: Scribe;
  now(): number;
  /** Hears what a strategy threw. */
  onFault(error: unknown, where: string): void;
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
    this.#checkStill(words, responder);
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
    if (question.select?.settled !== undefined) this.#teach(question.select, responder, pending);
    const admission = new Admission(message, list, pending);
    admitter.announce(admission);
    dispatcher.dispatch(admission);
    return pending;
  }

  /** Tells a strategy how well its choice has done. */
  #teach(select: Selection, { owner }: Subscription, pending: Pending): void {
    const { now, onFault } = this.#parts;
    const since = now();
    pending.watch = ({ failed, value }, withdrawn) => {
      const ms = now() - since;
      try {
        select.settled?.(owner, endOf(failed ? value : undefined, failed, withdrawn, ms));
      } catch (error) {
        onFault(error, `settled of ${select.name}`);
      }
    };
  }

  /** The rules may have changed since the question was written, or an attempt before was made. */
  #checkStill({ speaker, topic, ...words }: Words, responder: Subscription): void {
    const { authority, refusals } = this.#parts;
    if (authority === undefined) return;
    const denied =
      authority.refusal(speaker.name, 'request', topic) ??
      (authority.reaches(responder, topic) ? undefined : authority.refusalTo(responder, topic));
    if (denied === undefined) return;
    throw refusals.refuse({ ...words, speaker, topic, to: responder.owner }, denied);
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

function endOf(error: unknown, failed: boolean, withdrawn: boolean, ms: number): SelectionEnd {
  if (withdrawn) return { how: 'withdrawn', ms, error };
  // Who says for good that he does not want a message is in good health.
  return failed && !isA(error, RejectedError)
    ? { how: 'failed', ms, error }
    : { how: 'answered', ms };
}
