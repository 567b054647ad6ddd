import type { Env } from '../kernel/env.ts';
import { isTellaskError, misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Ask } from './ask.ts';
import { type Attempt, voiceOf } from './attempt.ts';
import type { Deferral } from './deferral.ts';
import type { Deferrals } from './deferrals.ts';
import type { Later } from './later.ts';
import type { ChunkSink } from './receipt.ts';
import type { Answer, AnswerSink, Terms } from './requests.ts';
import { readMs } from './said.ts';
import type { RequestOptions } from './speech.ts';

/** Who is to answer instead. */
export type ForwardTo = NonNullable<RequestOptions['to']>;

/** Options of `context.forward`. */
export interface ForwardOptions {
  /** Milliseconds that the other has, if that is less than the asker has left. */
  readonly timeoutMs?: number;
  /** What the other is asked. @default what this agent was asked */
  readonly payload?: unknown;
}

const OPTIONS: ReadonlySet<string> = new Set<keyof ForwardOptions>(['timeoutMs', 'payload']);

/** Puts the answer off until another agent has given it, on the same topic, to the same asker. */
export function forward(
  parts: { readonly deferrals: Deferrals; readonly ask: Ask; readonly env: Env },
  attempt: Attempt,
  to: ForwardTo,
  options: ForwardOptions = {},
): Later {
  if (typeof to !== 'string' && typeof to?.capability !== 'string') {
    throw misuse('Whom forward asks', 'the name of an agent or { capability }', to);
  }
  if (typeof options !== 'object' || options === null) {
    throw misuse('The options of forward', 'an object', options);
  }
  refuseUnknown(options, OPTIONS, 'forward');
  readMs('timeoutMs', options.timeoutMs);
  const deferral: Deferral = parts.deferrals.openEndless(attempt, () => {
    parts.ask.forward(voiceOf(attempt), to, options, termsOf(deferral, attempt, parts.env));
  });
  return deferral.later;
}

/** Whatever comes from the other goes to the first asker. */
function termsOf(deferral: Deferral, attempt: Attempt, env: Env): Omit<Terms, 'timeoutMs'> {
  const onSettled = (answer: Answer): void => {
    if (!answer.failed) deferral.answerWith(answer.value);
    else if (isOver(answer.value, attempt.deadline - env.now())) {
      deferral.giveUp('expired', answer.value);
    } else deferral.fail(answer.value);
  };
  const sink = attempt.asker?.chunks;
  return {
    idleTimeoutMs: Infinity,
    onProgress: (update) => deferral.progress(update),
    onSettled,
    stream: sink === undefined ? undefined : new Relay(sink, onSettled),
  };
}

/** The other ran out of the asker's own time: that is no failure of who passed it on. */
function isOver(error: unknown, leftMs: number): boolean {
  return leftMs <= 0 && isTellaskError(error, 'TELLASK_TIMEOUT');
}

/** Gives the chunks of one stream to the reader of another, who alone decides how fast. */
class Relay implements AnswerSink {
  readonly #sink: ChunkSink;
  readonly #onEnd: (answer: Answer) => void;

  constructor(sink: ChunkSink, onEnd: (answer: Answer) => void) {
    this.#sink = sink;
    this.#onEnd = onEnd;
  }

  get writable(): boolean {
    return this.#sink.writable;
  }

  get unread(): number {
    return this.#sink.unread;
  }

  push(chunk: unknown): void {
    this.#sink.push(chunk);
  }

  whenWritable(callback: () => void): void {
    this.#sink.whenWritable(callback);
  }

  opened(): void {}

  end(answer: Answer): void {
    this.#onEnd(answer);
  }
}
