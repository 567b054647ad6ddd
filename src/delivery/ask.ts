import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import type { Admitter } from './admitter.ts';
import type { Arrivals, WaitTerms } from './arrivals.ts';
import type { Attempt } from './attempt.ts';
import type { Chooser } from './chooser.ts';
import { NoResponderError } from './errors.ts';
import type { ForwardOptions } from './forward.ts';
import type { Posing } from './posing.ts';
import { holderOf, type Question, type Questions } from './question.ts';
import type { Terms } from './requests.ts';
import type { ResilientAsk } from './resilient-ask.ts';
import type { Responders } from './responders.ts';
import { readMs } from './said.ts';
import type { Cause, RequestOptions, Speaker, StreamOptions, WhenServedOptions } from './speech.ts';
import { failedStream, ReplyStream } from './stream.ts';
import { heldUp } from './wait-for.ts';

const NONE: RequestOptions = {};

/** What asking needs of its bus. */
export interface AskParts {
  readonly env: Env;
  readonly admitter: Admitter;
  readonly responders: Responders;
  readonly arrivals: Arrivals;
  readonly chooser: Chooser;
  readonly questions: Questions;
  readonly posing: Posing;
  readonly resilient: ResilientAsk;
  readonly streamIdleTimeoutMs: number;
  readonly highWaterMark: number;
  now(): number;
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
    const question = this.#parts.questions.prepare('request', speaker, topic, payload, options);
    const { waitForMs } = options;
    if (readMs('waitForMs', waitForMs) === undefined) return this.#askOne(question, options);
    return this.#askOnceServed(question, options);
  }

  #askOne(question: Question, options: RequestOptions): Promise<unknown> {
    const { resilient } = this.#parts;
    if (resilient.concerns(options)) return resilient.request(question, options);
    const responder = this.#parts.chooser.choose(question, options.to);
    const { signal } = options;
    const pending = this.#parts.posing.put(question, responder, termsOf(question, options));
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
    this.#parts.chooser.knownFamily(this.#parts.responders.route(topic), topic);
    const terms = { timeoutMs, signal, cause: speaker.cause };
    if (await this.#untilServed(topic, to, terms)) return;
    throw new NoResponderError(topic, to, this.#parts.chooser.nearestServed(topic));
  }

  /** False when the time was over first. Who comes may have left again before he is looked at. */
  async #untilServed(topic: string, to: RequestOptions['to'], terms: WaitTerms): Promise<boolean> {
    const { responders, arrivals } = this.#parts;
    const eligible = this.#parts.chooser.eligible(to);
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
    const asked = this.#parts.questions.prepare(
      'forward',
      speaker,
      topic,
      payload,
      said,
      Infinity,
      taken,
    );
    // Who passes it on holds no slot, but whoever asked him waits for the answer.
    const question = { ...asked, holds: cause as Attempt };
    const responder = this.#parts.chooser.choose(question, to, name);
    this.#parts.posing
      .put(question, responder, { ...terms, timeoutMs: question.timeoutMs })
      .listen(undefined, cause);
  }

  #stream(speaker: Speaker, topic: string, payload: unknown, options: StreamOptions): ReplyStream {
    const { env, streamIdleTimeoutMs } = this.#parts;
    const question = this.#parts.questions.prepare(
      'stream',
      speaker,
      topic,
      payload,
      options,
      Infinity,
    );
    const { highWaterMark = this.#parts.highWaterMark, idleTimeoutMs = streamIdleTimeoutMs } =
      options;
    const stream = new ReplyStream(env, readCount('highWaterMark', highWaterMark, 1));
    if (this.#parts.resilient.concerns(options)) {
      this.#parts.resilient.stream(question, options, stream, idleTimeoutMs);
      return stream;
    }
    const responder = this.#parts.chooser.choose(question, options.to);
    const terms = { ...termsOf(question, options), idleTimeoutMs, stream };
    this.#parts.posing.put(question, responder, terms).listen(options.signal, holderOf(question));
    return stream;
  }
}

function termsOf({ timeoutMs }: Question, { idleTimeoutMs, onProgress }: RequestOptions): Terms {
  return { timeoutMs, idleTimeoutMs: idleTimeoutMs ?? Infinity, onProgress };
}
