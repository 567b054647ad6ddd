import type { Env } from '../kernel/env.ts';
import type { Policy } from '../resilience/policy.ts';
import type { RetryBudget } from '../resilience/retry-budget.ts';
import type { Admitter } from './admitter.ts';
import type { Chooser } from './chooser.ts';
import type { Asked } from './gathering.ts';
import type { OpenCalls } from './open-calls.ts';
import type { Posing } from './posing.ts';
import type { Answer, AnswerSink, StreamSource, Terms } from './requests.ts';
import type { RequestOptions } from './speech.ts';

/** What a call with attempts needs of its bus. */
export interface ResilientParts {
  readonly env: Env;
  readonly admitter: Admitter;
  readonly chooser: Chooser;
  readonly calls: OpenCalls;
  readonly posing: Posing;
  /** Who is asked for whom, on the whole bus. */
  readonly fallbacks: ReadonlyMap<string, readonly string[]> | undefined;
  /** Undefined when retries have no bound. */
  readonly makeRetryBudget: (() => RetryBudget) | undefined;
  now(): number;
}

/** What is around the attempts of a call, and who hears of it. */
export interface ResilientTerms extends Pick<Terms, 'idleTimeoutMs' | 'onProgress'> {
  readonly policy: Policy | undefined;
  /** Whom the caller named. */
  readonly to?: RequestOptions['to'];
  /** Who is asked, in this order, when the one who was asked has failed. */
  readonly fallback?: readonly string[] | undefined;
  readonly signal: AbortSignal | undefined;
  /** Hears how it ended, once, in place of the promise. */
  readonly onSettled?:
    | ((answer: Answer, call: Asked & { readonly aborted: boolean }) => void)
    | undefined;
  /** Hears how to call it off, where there is a reader who may. */
  readonly opened?: ((source: StreamSource) => void) | undefined;
  /** Gets the chunks of an attempt; tells the call when it has begun to give them on. */
  readonly sinkOf?: ((attempt: StreamAttempt) => AnswerSink) | undefined;
}

/** What the chunks of one attempt decide. */
export interface StreamAttempt {
  /** The first chunk is there: from now on the request ends the stream by itself. */
  committed(): void;
  /** It has ended without a chunk. */
  settled(answer: Answer): void;
}
