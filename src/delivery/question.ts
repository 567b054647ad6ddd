import { misuse } from '../kernel/errors.ts';
import type { Budget } from '../message/budget.ts';
import type { Admitter } from './admitter.ts';
import type { Attempt } from './attempt.ts';
import type { Authority } from './authority.ts';
import { checkCallOptions } from './call-options.ts';
import type { Chooser } from './chooser.ts';
import type { Guard } from './guard.ts';
import type { Refusals } from './refusals.ts';
import type { Responders, Serving } from './responders.ts';
import { budgetOf, readAsked, readMs } from './said.ts';
import type { Scribe } from './scribe.ts';
import { checkSelection, type Selection } from './selection.ts';
import type { AskOptions, Cause, Speaker } from './speech.ts';
import type { Instant } from './turn-clock.ts';
import { heldUp } from './wait-for.ts';
import type { Words } from './words.ts';

/** What writing down a question needs of its bus. */
export interface QuestionParts {
  readonly admitter: Admitter;
  readonly scribe: Scribe;
  readonly refusals: Refusals;
  readonly guard: Guard;
  readonly responders: Responders;
  readonly chooser: Chooser;
  readonly authority: Authority | undefined;
  readonly requestTimeoutMs: number;
  /** Of all calls that bring none. */
  readonly select: Selection | undefined;
  now(): number;
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
  /** Says who of those who could answer is asked. */
  readonly select: Selection | undefined;
}

/** Reads calls, checks them, and writes down what they ask. */
export class Questions {
  readonly #parts: QuestionParts;

  constructor(parts: QuestionParts) {
    this.#parts = parts;
  }

  /** Nobody is asked yet. */
  prepare(
    verb: 'request' | 'stream' | 'gather' | 'forward',
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options: AskOptions & { readonly onProgress?: unknown; readonly select?: Selection },
    defaultMs: number = this.#parts.requestTimeoutMs,
    taken: boolean = false,
  ): Question {
    this.#parts.admitter.checkOpen(speaker, verb, topic);
    if (typeof options !== 'object' || options === null) {
      throw misuse(`The options of ${verb}`, 'an object', options);
    }
    if (verb !== 'forward') checkCallOptions(verb, options);
    checkTerms(options);
    if (speaker.said !== undefined) speaker.said(verb, topic, options);
    options.signal?.throwIfAborted();
    const route = this.#parts.responders.route(topic);
    const family = this.#parts.chooser.knownFamily(route, topic);
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
    const denied = this.#parts.authority?.refusal(speaker.name, 'request', topic);
    if (denied !== undefined) throw this.#parts.refusals.refuse(words, denied);
    const { draft, owned } = this.#write(words, route, taken);
    // A deadline is counted from the call itself, not from the beginning of a long turn.
    const now: Instant = { at: this.#parts.now() };
    const { detached = false } = options;
    const cause = detached ? undefined : speaker.cause;
    const holds = heldUp(cause);
    const budget = budgetOf(said, speaker.cause, () => now.at);
    const timeoutMs = limitOf(options.timeoutMs ?? defaultMs, cause, now.at, budget);
    const deadline = endBy(now.at + timeoutMs, cause, budget);
    // A gather asks them all.
    const select =
      verb === 'gather' ? undefined : (checkSelection(options.select) ?? this.#parts.select);
    return {
      words: draft,
      route,
      owned,
      now,
      timeoutMs,
      deadline,
      budget,
      detached,
      holds,
      select,
    };
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
}

/** The handler whose end is the end of what it asks. */
export function holderOf({ words, detached }: Question): Cause | undefined {
  return detached ? undefined : words.speaker.cause;
}

/** The same question in other words. Field by field: this is on the way of every call. */
export function withWords(question: Question, words: Words): Question {
  const { route, owned, now, timeoutMs, deadline, budget, detached, holds, select } = question;
  return { words, route, owned, now, timeoutMs, deadline, budget, detached, holds, select };
}

/** The earliest of an instant and those at which the asker and its budget end. */
export function endBy(at: number, cause: Cause | undefined, budget: Budget | undefined): number {
  return Math.min(at, cause?.deadline ?? Infinity, budget?.deadline ?? Infinity);
}

function checkTerms({
  timeoutMs,
  idleTimeoutMs,
  onProgress,
  detached,
  policy,
  fallback,
}: AskOptions & { readonly onProgress?: unknown; readonly fallback?: unknown }): void {
  if (detached !== undefined && typeof detached !== 'boolean') {
    throw misuse('detached', 'true or false', detached);
  }
  if (policy !== undefined) checkPolicy(policy);
  if (fallback !== undefined) checkNames('fallback', fallback);
  readMs('timeoutMs', timeoutMs);
  readMs('idleTimeoutMs', idleTimeoutMs);
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw misuse('onProgress', 'a function of the update', onProgress);
  }
}

/** @throws TypeError unless it is a list of names. */
export function checkNames(option: string, names: unknown): void {
  const isName = (one: unknown): boolean => typeof one === 'string' && one !== '';
  if (!Array.isArray(names) || !names.every(isName)) {
    throw misuse(option, 'a list of names of agents', names);
  }
}

function checkPolicy(policy: unknown): void {
  const given = policy as { readonly execute?: unknown } | null;
  if (typeof given?.execute === 'function') return;
  throw misuse('policy', 'a policy: something with execute(fn, signal)', policy);
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
