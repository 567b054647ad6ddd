import type { Policy } from '../resilience/policy.ts';
import { Aim } from './aim.ts';
import type { Ambient } from './ambient.ts';
import { FirstChunk } from './first-chunk.ts';
import type { AskedTerms } from './gathering.ts';
import { IDEMPOTENCY_HEADER } from './idempotency.ts';
import { type Question, withWords } from './question.ts';
import type { Answer } from './requests.ts';
import { ResilientCall } from './resilient-call.ts';
import type { ResilientParts, ResilientTerms } from './resilient-terms.ts';
import type { Said } from './said.ts';
import type { RequestOptions, Speaker, StreamOptions } from './speech.ts';
import type { ReplyStream } from './stream.ts';
import type { Subscription } from './subscription.ts';
import type { Words } from './words.ts';

/** What asking with a policy needs of its bus. */
export interface ResilientAskParts extends ResilientParts {
  readonly ambient: Ambient | undefined;
  readonly idPrefix: string;
}

/** Who gathers has asked the others already. */
const NOBODY: readonly string[] = [];

/** Asks with a policy around the requests. */
export class ResilientAsk {
  readonly #parts: ResilientAskParts;
  #keys = 0;

  constructor(parts: ResilientAskParts) {
    this.#parts = parts;
  }

  /** Whether there may be more than one request. */
  concerns({ policy, fallback, to }: RequestOptions): boolean {
    if (policy !== undefined || fallback !== undefined) return true;
    const { fallbacks } = this.#parts;
    return fallbacks !== undefined && (typeof to !== 'string' || fallbacks.has(to));
  }

  request(question: Question, options: RequestOptions): Promise<unknown> {
    const { policy, fallback, signal, to, idleTimeoutMs = Infinity, onProgress } = options;
    return new Promise((resolve, reject) => {
      const onSettled = ({ value, failed }: Answer): void =>
        failed ? reject(value) : resolve(value);
      const terms: ResilientTerms = {
        policy,
        to,
        fallback,
        signal,
        idleTimeoutMs,
        onProgress,
        onSettled,
        opened: undefined,
        sinkOf: undefined,
      };
      this.#begin(question, terms);
    });
  }

  /** One of those whom a gather asks. */
  one(
    question: Question,
    responder: Subscription,
    policy: Policy | undefined,
    { onSettled, onProgress, idleTimeoutMs }: AskedTerms,
  ): ResilientCall {
    const terms: ResilientTerms = {
      policy,
      to: undefined,
      fallback: NOBODY,
      signal: undefined,
      idleTimeoutMs,
      onProgress,
      onSettled,
      opened: undefined,
      sinkOf: undefined,
    };
    return this.#begin(question, terms, responder);
  }

  stream(
    question: Question,
    options: StreamOptions,
    stream: ReplyStream,
    idleTimeoutMs: number,
  ): void {
    const { policy, fallback, signal, to, onProgress } = options;
    const terms: ResilientTerms = {
      policy,
      to,
      fallback,
      signal,
      idleTimeoutMs,
      onProgress,
      sinkOf: (attempt) => new FirstChunk(stream, attempt),
      opened: (source) => stream.opened(source),
      onSettled: (answer, { aborted }) => stream.end(answer, aborted),
    };
    this.#begin(question, terms);
  }

  #begin(question: Question, terms: ResilientTerms, only?: Subscription): ResilientCall {
    const keyed = this.#keyed(question);
    const aim = new Aim(this.#parts.chooser, keyed, terms.to, only);
    return new ResilientCall(this.#parts, keyed, aim, terms).begin();
  }

  /** The same for all attempts, so that an `idempotent` responder does once what is asked twice. */
  #keyed(question: Question): Question {
    const { words } = question;
    const headers = this.#keyedHeaders(words.said.headers);
    return withWords(question, withHeaders(words, this.#speaking(words.speaker), headers));
  }

  #keyedHeaders(given: Said['headers']): Said['headers'] {
    if (given?.[IDEMPOTENCY_HEADER] !== undefined) return given;
    const key = `${this.#parts.idPrefix}call${++this.#keys}`;
    if (given === undefined) return Object.freeze({ [IDEMPOTENCY_HEADER]: key });
    const headers: Record<string, string> = Object.assign(Object.create(null), given);
    headers[IDEMPOTENCY_HEADER] = key;
    return Object.freeze(headers);
  }

  /** Who speaks as the handler around it goes on to do so when that has moved on. */
  #speaking(speaker: Speaker): Speaker {
    if (this.#parts.ambient === undefined) return speaker;
    const { name, cause, permits } = speaker;
    return { name, cause, permits };
  }
}

// Field by field: to spread an object costs more than a whole delivery.
function withHeaders(words: Words, speaker: Speaker, headers: Said['headers']): Words {
  const { action, to, topic, family, payload, said } = words;
  const { type, priority, ttlMs, delayMs, correlationId, budget } = said;
  const keyed = { type, priority, headers, ttlMs, delayMs, correlationId, budget };
  return { action, speaker, to, topic, family, payload, said: keyed };
}
