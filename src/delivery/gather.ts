import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import type { Chooser } from './chooser.ts';
import { type Gathered, Gathering, type GatherTerms } from './gathering.ts';
import type { Posing } from './posing.ts';
import { endBy, holderOf, type Question, type Questions } from './question.ts';
import type { ResilientAsk } from './resilient-ask.ts';
import type { Serving } from './responders.ts';
import type { GatherOptions, Speaker } from './speech.ts';
import type { Subscription } from './subscription.ts';
import { checkUntil } from './until.ts';

const NONE: GatherOptions = {};

/** What asking many needs of its bus. */
export interface GatherParts {
  readonly env: Env;
  readonly posing: Posing;
  readonly resilient: ResilientAsk;
  readonly chooser: Chooser;
  readonly questions: Questions;
  /** Milliseconds that a handler gets when nobody waits for it. */
  readonly handlerTimeoutMs: number;
}

/** Asks all who serve a topic: one question, one deadline, one result. */
export class Gather {
  readonly #parts: GatherParts;

  constructor(parts: GatherParts) {
    this.#parts = parts;
  }

  /** Never throws: whatever is wrong is a rejection, as with `request`. */
  async gather(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options: GatherOptions = NONE,
  ): Promise<Gathered> {
    const { env, posing, resilient, questions } = this.#parts;
    checkOptions(options);
    const question = questions.prepare('gather', speaker, topic, payload, options);
    const gathering = new Gathering(env, termsOf(question, options));
    const responders = this.#responders(question, options.to, gathering);
    const asked = this.#lasting(question, options);
    const { policy } = options;
    gathering.ask(responders, (responder, terms) =>
      policy === undefined
        ? posing.put(asked, responder, terms)
        : resilient.one(asked, responder, policy, terms),
    );
    const cause = holderOf(question);
    if (options.signal !== undefined || cause !== undefined) {
      gathering.listen(options.signal, cause);
    }
    return gathering.promise;
  }

  #responders(
    question: Question,
    to: GatherOptions['to'],
    gathering: Gathering,
  ): readonly Subscription[] {
    const { chooser } = this.#parts;
    if (isList(to)) {
      if (to.length === 0) throw chooser.unserved(question, undefined);
      return named(question, to, (name) =>
        gathering.refused(name, chooser.unserved(question, name)),
      );
    }
    const eligible = chooser.eligible(to);
    const self = question.words.speaker.name;
    const responders = voicesOf(question.route).filter(
      (one) => one.owner !== self && (eligible === undefined || eligible(one)),
    );
    if (responders.length === 0) throw chooser.unserved(question, to);
    return responders;
  }

  /** Who may run on when the gather is over gets at least the time that any handler gets. */
  #lasting(question: Question, { stragglers }: GatherOptions): Question {
    if (stragglers !== 'run') return question;
    const { now, timeoutMs, budget } = question;
    const until = now.at + Math.max(timeoutMs, this.#parts.handlerTimeoutMs);
    return { ...question, deadline: endBy(until, holderOf(question), budget) };
  }
}

function termsOf({ words, now, timeoutMs }: Question, options: GatherOptions): GatherTerms {
  const { until, stragglers = 'abort', idleTimeoutMs = Infinity, onProgress } = options;
  const [topic, asker] = [words.topic, words.speaker.name];
  const endsAt = now.at + timeoutMs;
  return { topic, asker, until, stragglers, endsAt, idleTimeoutMs, onProgress };
}

function isList(to: GatherOptions['to']): to is readonly string[] {
  return Array.isArray(to);
}

/** Those who bear the names and serve; `missing` hears of the others. */
function named(
  { route }: Question,
  names: readonly string[],
  missing: (name: string) => void,
): Subscription[] {
  const responders: Subscription[] = [];
  for (const name of new Set(names)) {
    const responder = route.subscriptions.find(({ owner }) => owner === name);
    if (responder === undefined) missing(name);
    else responders.push(responder);
  }
  return responders;
}

/** Who serves a topic twice, by its key and by its name, is one voice. */
function voicesOf(route: Serving): readonly Subscription[] {
  if (route.voices === undefined) {
    const owners = new Set<string>();
    const isFirst = ({ owner }: Subscription): boolean => owners.size < owners.add(owner).size;
    route.voices = route.subscriptions.filter(isFirst);
  }
  return route.voices;
}

function checkOptions(options: GatherOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw misuse('The options of gather', 'an object', options);
  }
  const { to, until, stragglers } = options;
  checkUntil(until);
  if (stragglers !== undefined && stragglers !== 'run' && stragglers !== 'abort') {
    throw misuse('stragglers', "'run' or 'abort'", stragglers);
  }
  if (to === undefined || (isList(to) && to.every((name) => typeof name === 'string'))) return;
  if (isList(to) || typeof to?.capability !== 'string') {
    throw misuse('to', 'a list of names or { capability }', to);
  }
}
