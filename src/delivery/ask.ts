import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import type { Budget } from '../message/budget.ts';
import type { Contract } from '../message/contract.ts';
import type { Lineage } from '../message/envelope.ts';
import type { Family } from '../message/family-index.ts';
import type { Admitter } from './admitter.ts';
import type { Arrivals, WaitTerms } from './arrivals.ts';
import type { Attempt } from './attempt.ts';
import { checkCallOptions } from './call-options.ts';
import { DispatchList } from './dispatch-list.ts';
import type { Dispatcher } from './dispatcher.ts';
import {
  DeadlockError,
  NoResponderError,
  UnknownRecipientError,
  UnknownTopicError,
} from './errors.ts';
import type { ForwardOptions } from './forward.ts';
import type { Guard } from './guard.ts';
import { readCount } from './handler-options.ts';
import { Admission } from './receipt.ts';
import type { Refusals } from './refusals.ts';
import type { Pending, Requests, Terms } from './requests.ts';
import type { Eligible, Responders, Serving } from './responders.ts';
import { budgetOf, lineageOf, readAsked, readMs } from './said.ts';
import type { Scribe } from './scribe.ts';
import type {
  AskOptions,
  Cause,
  RequestOptions,
  Speaker,
  StreamOptions,
  WhenServedOptions,
} from './speech.ts';
import { failedStream, ReplyStream } from './stream.ts';
import type { Subscription } from './subscription.ts';
import type { Instant } from './turn-clock.ts';
import { heldUp, type Standstill, standstillOf } from './wait-for.ts';
import type { Words } from './words.ts';
import type { Worker } from './worker.ts';

const NONE: RequestOptions = {};

/** What asking needs of its bus. */
export interface AskParts {
  readonly env: Env;
  readonly admitter: Admitter;
  readonly scribe: Scribe;
  readonly refusals: Refusals;
  readonly guard: Guard;
  readonly dispatcher: Dispatcher;
  readonly requests: Requests;
  readonly responders: Responders;
  readonly arrivals: Arrivals;
  readonly contract: Contract | undefined;
  /** Topics that the contract does not name are taken, too. */
  readonly open: boolean;
  readonly requestTimeoutMs: number;
  readonly streamIdleTimeoutMs: number;
  readonly highWaterMark: number;
  now(): number;
  hasAgent(name: string): boolean;
  hasCapability(name: string, capability: string): boolean;
  nearestAgent(name: string): string | undefined;
}

/** A call that was checked and written down, before anybody is asked. */
export interface Question {
  readonly words: Words;
  readonly route: Serving;
  /** The payload, in the library's own. */
  readonly owned: unknown;
  readonly now: Instant;
  /** Milliseconds, never longer than what the asker itself has left. */
  readonly timeoutMs: number;
  /** Monotonic instant at which its responder has to be done: a budget may set it earlier. */
  readonly deadline: number;
  /** What is said because of it draws from. */
  readonly budget: Budget | undefined;
  /** The handler that asks does not wait for the answer. */
  readonly detached: boolean;
  /** Who goes on when it is answered: the running handler that asks, or one that passes it on. */
  readonly holds: Attempt | undefined;
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
    const question = this.prepare('request', speaker, topic, payload, options);
    const { waitForMs } = options;
    if (readMs('waitForMs', waitForMs) === undefined) return this.#askOne(question, options);
    return this.#askOnceServed(question, options);
  }

  #askOne(question: Question, options: RequestOptions): Promise<unknown> {
    const responder = this.#choose(question, options.to);
    const { signal } = options;
    const pending = this.put(question, responder, termsOf(question, options));
    const cause = holderOf(question);
    if (signal !== undefined || cause !== undefined) pending.listen(signal, cause);
    return pending.promise;
  }

  /** What was waited for a responder is gone from the time of the request. */
  async #askOnceServed(question: Question, options: RequestOptions): Promise<unknown> {
    const { admitter, responders } = this.#parts;
    const { words, now, timeoutMs } = question;
    const { topic, speaker } = words;
    const { signal, to, waitForMs = 0 } = options;
    const terms = { timeoutMs: Math.min(waitForMs, timeoutMs), signal, cause: holderOf(question) };
    await this.#untilServed(topic, to, terms);
    admitter.checkOpen(speaker, 'request', topic);
    const at = this.#parts.now();
    const left = timeoutMs - (at - now.at);
    const route = responders.route(topic);
    // The handler may have ended meanwhile.
    const holds = heldUp(holderOf(question));
    return this.#askOne({ ...question, route, now: { at }, timeoutMs: left, holds }, options);
  }

  /** Resolves when somebody serves the topic, at once when somebody does. */
  async whenServed(
    speaker: Speaker,
    topic: string,
    options: WhenServedOptions = {},
  ): Promise<void> {
    this.#parts.admitter.checkOpen(speaker, 'whenServed', topic);
    if (typeof options !== 'object' || options === null) {
      throw misuse('The options of whenServed', 'an object', options);
    }
    const { signal, to } = options;
    const timeoutMs = readMs('timeoutMs', options.timeoutMs) ?? Infinity;
    signal?.throwIfAborted();
    this.#knownFamily(this.#parts.responders.route(topic), topic);
    const terms = { timeoutMs, signal, cause: speaker.cause };
    if (await this.#untilServed(topic, to, terms)) return;
    throw new NoResponderError(topic, to, this.#nearestServed(topic));
  }

  /** False when the time was over first. Who comes may have left again before he is looked at. */
  async #untilServed(topic: string, to: RequestOptions['to'], terms: WaitTerms): Promise<boolean> {
    const { responders, arrivals } = this.#parts;
    const eligible = this.eligible(to);
    const until = this.#parts.now() + terms.timeoutMs;
    while (!responders.serves(topic, eligible)) {
      const timeoutMs = until - this.#parts.now();
      if (!(await arrivals.wait(topic, eligible, { ...terms, timeoutMs }))) return false;
    }
    return true;
  }

  /** Never throws: whatever is wrong is how the stream ends. */
  stream(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options: StreamOptions = NONE,
  ): ReplyStream {
    try {
      return this.#stream(speaker, topic, payload, options);
    } catch (error) {
      return failedStream(error);
    }
  }

  /**
   * Asks another in the place of the one who was asked: the same, as it was taken in, unless there
   * is a payload; never the one who speaks.
   */
  forward(
    speaker: Speaker & { readonly cause: Cause },
    to: NonNullable<RequestOptions['to']>,
    options: ForwardOptions,
    terms: Omit<Terms, 'timeoutMs'>,
  ): void {
    const { cause, name } = speaker;
    const { topic, payload: given, headers } = cause.message;
    const { timeoutMs, payload = given } = options;
    const said = timeoutMs === undefined ? { headers } : { headers, timeoutMs };
    const taken = payload === given;
    const asked = this.prepare('forward', speaker, topic, payload, said, Infinity, taken);
    // Who passes it on holds no slot, but whoever asked him waits for the answer.
    const question = { ...asked, holds: cause as Attempt };
    const responder = this.#choose(question, to, name);
    this.put(question, responder, { ...terms, timeoutMs: question.timeoutMs }).listen(
      undefined,
      cause,
    );
  }

  #stream(speaker: Speaker, topic: string, payload: unknown, options: StreamOptions): ReplyStream {
    const { env, streamIdleTimeoutMs } = this.#parts;
    const question = this.prepare('stream', speaker, topic, payload, options, Infinity);
    const { highWaterMark = this.#parts.highWaterMark, idleTimeoutMs = streamIdleTimeoutMs } =
      options;
    const stream = new ReplyStream(env, readCount('highWaterMark', highWaterMark, 1));
    const responder = this.#choose(question, options.to);
    const terms = { ...termsOf(question, options), idleTimeoutMs, stream };
    this.put(question, responder, terms).listen(options.signal, holderOf(question));
    return stream;
  }

  /** Reads and checks a call and writes down what it asks; nobody is asked yet. */
  prepare(
    verb: 'request' | 'stream' | 'gather' | 'forward',
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options: AskOptions & { readonly onProgress?: unknown },
    defaultMs: number = this.#parts.requestTimeoutMs,
    taken: boolean = false,
  ): Question {
    this.#parts.admitter.checkOpen(speaker, verb, topic);
    if (typeof options !== 'object' || options === null) {
      throw misuse(`The options of ${verb}`, 'an object', options);
    }
    if (verb !== 'forward') checkCallOptions(verb, options);
    checkTerms(options);
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
    const { draft, owned } = this.#write(words, route, taken);
    // A deadline is counted from the call itself, not from the beginning of a long turn.
    const now: Instant = { at: this.#parts.now() };
    const { detached = false } = options;
    const cause = detached ? undefined : speaker.cause;
    const holds = heldUp(cause);
    const budget = budgetOf(said, speaker.cause, () => now.at);
    const timeoutMs = limitOf(options.timeoutMs ?? defaultMs, cause, now.at, budget);
    const deadline = Math.min(
      now.at + timeoutMs,
      cause?.deadline ?? Infinity,
      budget?.deadline ?? Infinity,
    );
    return { words: draft, route, owned, now, timeoutMs, deadline, budget, detached, holds };
  }

  /** `taken`: the payload was parsed and taken in before, and is not again unless it is changed. */
  #write(
    words: Words,
    route: Serving,
    taken: boolean,
  ): { readonly draft: Words; readonly owned: unknown } {
    const { scribe, refusals, guard } = this.#parts;
    let draft = words;
    try {
      if (guard.rated) guard.checkSender(words);
      draft = scribe.draft(words);
      const { payload } = draft;
      const owned = taken && payload === words.payload;
      return { draft, owned: owned ? payload : scribe.payload(draft, route.family) };
    } catch (error) {
      throw refusals.refuse(words, error);
    }
  }

  /**
   * Puts the question to one responder, whose time is over at the monotonic instant `until`. Who
   * asks has to listen for what calls it off.
   */
  put(
    question: Question,
    responder: Subscription,
    terms: Terms,
    until: number = question.deadline,
  ): Pending {
    const { admitter, dispatcher, scribe, requests, refusals } = this.#parts;
    const { words, now, owned, budget, detached } = question;
    const { cause } = words.speaker;
    const deadline = budget === undefined ? until : Math.min(until, budget.deadline);
    const depth = detached ? 0 : 1;
    const lineage = lineageOf(cause, words.said.correlationId, deadline, depth, budget);
    this.#checkGuards(words, responder.owner, lineage);
    this.#refuseStandstill(question, responder);
    const message = scribe.envelope(words, responder.owner, owned, lineage, deadline, now);
    const list = DispatchList.of(responder);
    const refusal = dispatcher.refusal(message, list);
    if (refusal !== undefined) throw refusals.refuseMessage(message, refusal);
    admitter.draw(cause, message, 'request');
    const pending = requests.open(message, terms);
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

  #choose(question: Question, to: RequestOptions['to'], except?: string): Subscription {
    const { responders, dispatcher } = this.#parts;
    const { route } = question;
    // What lies in the ring is outstanding, too: a choice between several has to see it.
    if (route.subscriptions.length > 1) dispatcher.spill();
    const eligible = but(except, this.eligible(to));
    const chosen = responders.choose(route, eligible);
    if (chosen !== undefined) return this.#spared(question, chosen, eligible);
    throw this.unserved(question, to);
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
      new NoResponderError(words.topic, to, this.#nearestServed(words.topic)),
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

  #refuseStandstill(question: Question, responder: Subscription): void {
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

  #knownFamily({ family }: Serving, topic: string): Family | undefined {
    const { contract, open, refusals } = this.#parts;
    if (family === undefined && contract !== undefined && !open) {
      throw refusals.count(new UnknownTopicError(topic, this.#nearest(topic)));
    }
    return family;
  }

  /** What is served comes first: a topic that only the contract knows has nobody either. */
  #nearestServed(topic: string): string | undefined {
    const named = this.#nearest(topic);
    return this.#parts.responders.nearest(topic) ?? (named === topic ? undefined : named);
  }

  #nearest(topic: string): string | undefined {
    return this.#parts.contract?.nearest('requests', topic);
  }
}

/** The handler whose end is the end of what it asks. */
export function holderOf({ words, detached }: Question): Cause | undefined {
  return detached ? undefined : words.speaker.cause;
}

function checkTerms({
  timeoutMs,
  idleTimeoutMs,
  onProgress,
  detached,
}: AskOptions & { readonly onProgress?: unknown }): void {
  if (detached !== undefined && typeof detached !== 'boolean') {
    throw misuse('detached', 'true or false', detached);
  }
  readMs('timeoutMs', timeoutMs);
  readMs('idleTimeoutMs', idleTimeoutMs);
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw misuse('onProgress', 'a function of the update', onProgress);
  }
}

function but(except: string | undefined, eligible: Eligible | undefined): Eligible | undefined {
  if (except === undefined) return eligible;
  return (one) => one.owner !== except && eligible?.(one) !== false;
}

function termsOf({ timeoutMs }: Question, { idleTimeoutMs, onProgress }: RequestOptions): Terms {
  return { timeoutMs, idleTimeoutMs: idleTimeoutMs ?? Infinity, onProgress };
}

/**
 * Never longer than what the asker itself has left. Where a budget ends the asker's time, what it
 * asks may end a little later, with a partial result.
 */
function limitOf(
  own: number,
  cause: Cause | undefined,
  now: number,
  budget: Budget | undefined,
): number {
  if (cause === undefined) return own;
  if (budget !== undefined && budget.deadline <= cause.deadline) return own;
  return Math.min(own, cause.deadline - now);
}
