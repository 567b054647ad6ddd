import { isA } from '../kernel/is-a.ts';
import type { Target } from '../resilience/call.ts';
import type { Chooser } from './chooser.ts';
import { BusyError, MailboxFullError, RejectedError, ResponderLeftError } from './errors.ts';
import type { Question } from './question.ts';
import type { Eligible } from './responders.ts';
import type { RequestOptions } from './speech.ts';
import type { Subscription } from './subscription.ts';

/**
 * Whom a call asks. It is chosen for each attempt anew, as for any request; or by a breaker, each
 * time that it is called, among those whose circuit lets a call through. The circuit of a responder
 * bears its name.
 */
export class Aim implements Target {
  readonly #chooser: Chooser;
  readonly #question: Question;
  readonly #to: RequestOptions['to'];
  /** The one who is asked and no other: of a gather. */
  readonly #only: Subscription | undefined;
  /** What a breaker has chosen: for all attempts until it chooses again, since it counts them. */
  #chosen: Subscription | undefined;
  #asked: Subscription | undefined;
  /** An error that says nothing about whom was asked. */
  #blameless: unknown = NOTHING;

  constructor(chooser: Chooser, question: Question, to: RequestOptions['to'], only?: Subscription) {
    this.#chooser = chooser;
    this.#question = question;
    this.#to = to;
    this.#only = only;
  }

  /** Who was asked last. */
  get asked(): Subscription | undefined {
    return this.#asked;
  }

  choose(admits: (key: string) => boolean): string {
    // When nobody is let through the usual one is asked for: then the breaker says why not.
    const chosen = this.#only ?? this.#choose(({ owner }) => admits(owner));
    this.#chosen = chosen;
    return chosen.owner;
  }

  blames(error: unknown): boolean {
    // Who says for good that he does not want a message is in good health.
    return error !== this.#blameless && !isA(error, RejectedError);
  }

  /** Whom the attempt that begins now asks. */
  take(): Subscription {
    const asked = this.#only ?? this.#chosen ?? this.#choose();
    this.#asked = asked;
    if (asked.active) return asked;
    throw new ResponderLeftError(asked.owner, this.#question.words.topic);
  }

  /** The attempt was refused before it reached anybody, unless he had no place for it. */
  refused(error: unknown): void {
    if (!isA(error, MailboxFullError) && !isA(error, BusyError)) this.exempt(error);
  }

  exempt(error: unknown): void {
    this.#blameless = error;
  }

  #choose(admitted?: Eligible): Subscription {
    const question = this.#chooser.renew(this.#question);
    if (admitted === undefined) return this.#chooser.choose(question, this.#to);
    return this.#chooser.chooseAdmitted(question, this.#to, admitted);
  }
}

/** What no error is. */
const NOTHING = {};
