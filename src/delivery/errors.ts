import { TellaskError } from '../kernel/errors.ts';
import type { AgentStatus, Whereabouts } from './whereabouts.ts';

// Expected rejections are made without a stack: `{ stack: false }`. What a person has to find in
// his own code keeps it.

/** The bus is closed or draining. Code `TELLASK_CLOSED`. */
export class ClosedError extends TellaskError {
  constructor(what: string) {
    super('TELLASK_CLOSED', `The bus is closed: ${what} was refused`, { stack: false });
  }
}

/** The mailbox of a directed message has no place. Code `TELLASK_MAILBOX_FULL`. */
export class MailboxFullError extends TellaskError {
  readonly recipient: string;
  readonly capacity: number;

  constructor(recipient: string, capacity: number) {
    super('TELLASK_MAILBOX_FULL', `The mailbox of ${recipient} is full (capacity ${capacity})`, {
      stack: false,
    });
    this.recipient = recipient;
    this.capacity = capacity;
  }
}

/** The subscription turns away what comes while it works (`busy: 'reject'`). Code `TELLASK_BUSY`. */
export class BusyError extends TellaskError {
  readonly recipient: string;
  readonly topic: string;
  /** Milliseconds since what it is busy with was said. */
  readonly busyForMs: number;

  constructor(recipient: string, topic: string, busyForMs: number) {
    super(
      'TELLASK_BUSY',
      `${recipient} has been busy for ${Math.round(busyForMs)} ms and takes no ${topic} meanwhile`,
      { stack: false },
    );
    this.recipient = recipient;
    this.topic = topic;
    this.busyForMs = busyForMs;
  }
}

/** No agent of that name is registered. Code `TELLASK_UNKNOWN_RECIPIENT`. */
export class UnknownRecipientError extends TellaskError {
  readonly recipient: string;
  readonly didYouMean: string | undefined;

  constructor(recipient: string, didYouMean?: string) {
    super('TELLASK_UNKNOWN_RECIPIENT', `No agent is named ${recipient}${suggest(didYouMean)}`);
    this.recipient = recipient;
    this.didYouMean = didYouMean;
  }
}

/** The contract does not name the topic. Code `TELLASK_UNKNOWN_TOPIC`. */
export class UnknownTopicError extends TellaskError {
  readonly topic: string;
  readonly didYouMean: string | undefined;

  constructor(topic: string, didYouMean?: string) {
    super('TELLASK_UNKNOWN_TOPIC', `The contract has no ${topic}${suggest(didYouMean)}`);
    this.topic = topic;
    this.didYouMean = didYouMean;
  }
}

/** Nobody serves the topic now. Code `TELLASK_NO_RESPONDER`. */
export class NoResponderError extends TellaskError {
  readonly topic: string;
  readonly didYouMean: string | undefined;

  constructor(
    topic: string,
    to: string | { readonly capability: string } | undefined,
    didYouMean?: string,
  ) {
    const message = `${nobodyOf(to)} ${topic}${suggest(didYouMean)}`;
    super('TELLASK_NO_RESPONDER', message, { stack: false });
    this.topic = topic;
    this.didYouMean = didYouMean;
  }
}

function nobodyOf(to: string | { readonly capability: string } | undefined): string {
  if (to === undefined) return 'Nobody serves';
  return typeof to === 'string' ? `${to} does not serve` : `No agent with ${to.capability} serves`;
}

/** No answer in time. Code `TELLASK_TIMEOUT`. */
export class RequestTimeoutError extends TellaskError {
  readonly topic: string;
  readonly responder: string;
  /** Milliseconds that the asker waited. */
  readonly timeoutMs: number;
  /** Where the request was when the time was up, in words. */
  readonly where: string;
  /** How many would have been taken before it, if it was queued. */
  readonly behind: number | undefined;
  /** Milliseconds for which its handler, or what held up the responder, had been running. */
  readonly runningForMs: number | undefined;
  /** What the responder did then. */
  readonly agentStatus: AgentStatus | undefined;
  /**
   * What was waited for: the `answer`, a sign of life of the responder (`idle`), or the `reader` of
   * a stream, who left no room for another chunk.
   */
  readonly limit: 'answer' | 'idle' | 'reader';

  constructor(
    topic: string,
    responder: string,
    timeoutMs: number,
    seen: Whereabouts,
    limit: RequestTimeoutError['limit'] = 'answer',
  ) {
    const what = TIMED_OUT[limit](responder, topic);
    super('TELLASK_TIMEOUT', `${what} ${Math.round(timeoutMs)} ms: ${seen.where}`, {
      stack: false,
    });
    this.limit = limit;
    this.topic = topic;
    this.responder = responder;
    this.timeoutMs = timeoutMs;
    this.where = seen.where;
    this.behind = seen.behind;
    this.runningForMs = seen.runningForMs;
    this.agentStatus = seen.agentStatus;
  }
}

/** No message came in time. Code `TELLASK_TIMEOUT`. */
export class MessageTimeoutError extends TellaskError {
  readonly pattern: string;
  readonly timeoutMs: number;

  constructor(pattern: string, timeoutMs: number) {
    super('TELLASK_TIMEOUT', `No message on ${pattern} came within ${timeoutMs} ms`, {
      stack: false,
    });
    this.pattern = pattern;
    this.timeoutMs = timeoutMs;
  }
}

/** A handler ran past its `timeoutMs`. Code `TELLASK_HANDLER_TIMEOUT`. */
export class HandlerTimeoutError extends TellaskError {
  readonly recipient: string;
  readonly topic: string;
  readonly timeoutMs: number;

  /** `itself`: it has looked at what becomes of a message that is held until it succeeds. */
  constructor(recipient: string, topic: string, timeoutMs: number, itself: boolean = false) {
    const how = itself ? `, and may have waited for what its own outbox holds` : '';
    super(
      'TELLASK_HANDLER_TIMEOUT',
      `The handler of ${recipient} ran longer than ${Math.round(timeoutMs)} ms on ${topic}${how}`,
      { stack: false },
    );
    this.recipient = recipient;
    this.topic = topic;
    this.timeoutMs = timeoutMs;
  }
}

/** The agent that was asked is gone. Code `TELLASK_RESPONDER_LEFT`. */
export class ResponderLeftError extends TellaskError {
  readonly responder: string;
  readonly topic: string;

  constructor(responder: string, topic: string) {
    super('TELLASK_RESPONDER_LEFT', `${responder} left before it answered ${topic}`, {
      stack: false,
    });
    this.responder = responder;
    this.topic = topic;
  }
}

/** A request became a dead letter without an error of a handler. Code `TELLASK_DEAD_LETTERED`. */
export class DeadLetteredError extends TellaskError {
  readonly topic: string;
  readonly reason: string;

  constructor(topic: string, reason: string) {
    super('TELLASK_DEAD_LETTERED', `${topic} became a dead letter: ${reason}`, { stack: false });
    this.topic = topic;
    this.reason = reason;
  }
}

/** The request was taken back before it was handled. Code `TELLASK_CANCELLED`. */
export class CancelledError extends TellaskError {
  readonly topic: string;
  readonly reason: string;

  constructor(topic: string, reason: string, options?: { readonly cause?: unknown }) {
    super('TELLASK_CANCELLED', `${topic} was cancelled: ${reason}`, { ...options, stack: false });
    this.topic = topic;
    this.reason = reason;
  }
}

/** A handler threw something that is no Error; the cause is what it threw. Code `TELLASK_HANDLER_ERROR`. */
export class HandlerError extends TellaskError {
  constructor(thrown: unknown) {
    super('TELLASK_HANDLER_ERROR', `A handler threw ${nameOf(thrown)} instead of an Error`, {
      cause: thrown,
    });
  }
}

/**
 * Throw it from a handler to refuse a message for good: no retry, a letter with reason `rejected`.
 * Code `TELLASK_REJECTED`.
 *
 * @example
 * ```ts
 * import { MessageBus, RejectedError } from 'tellask';
 * const bus = new MessageBus();
 * const refuse = () => Promise.reject(new RejectedError('An empty page is not printed'));
 * bus.register('printer').subscribe('print', refuse, { retry: { maxAttempts: 5 } });
 * await bus.publish('print', '').settled;
 * bus.deadLetters.list().map(({ reason, attempts }) => `${reason}, ${attempts} attempt`);
 * // => ['rejected, 1 attempt']
 * ```
 */
export class RejectedError extends TellaskError {
  constructor(why: string, options?: { readonly cause?: unknown }) {
    super('TELLASK_REJECTED', why, options);
  }
}

/** The delivery is over for its handler. Code `TELLASK_FENCED`. */
export class FencedError extends TellaskError {
  readonly agent: string;
  readonly action: string;
  readonly topic: string;

  constructor(agent: string, action: string, topic: string) {
    super('TELLASK_FENCED', `${agent} tried to ${action} ${topic} after its delivery was over`);
    this.agent = agent;
    this.action = action;
    this.topic = topic;
  }
}

/** A newer message took over (`busy: 'interrupt'`): the reason of `context.signal`. Code `TELLASK_INTERRUPTED`. */
export class InterruptedError extends TellaskError {
  readonly agent: string;
  readonly topic: string;
  /** Id of the message that is handled instead. */
  readonly by: string;

  constructor(agent: string, topic: string, by: string) {
    super('TELLASK_INTERRUPTED', `${agent} was interrupted on ${topic}: a newer message came`, {
      stack: false,
    });
    this.agent = agent;
    this.topic = topic;
    this.by = by;
  }
}

/** What a batch handler returned does not fit the batch. Code `TELLASK_BATCH_RESULT`. */
export class BatchResultError extends TellaskError {
  readonly agent: string;
  /** Messages in the batch. */
  readonly expected: number;
  /** Entries of the array that came; undefined when none came. */
  readonly received: number | undefined;

  constructor(agent: string, expected: number, received: number | undefined) {
    const came = received === undefined ? 'no array' : `an array of ${received}`;
    super('TELLASK_BATCH_RESULT', `${agent} returned ${came} for a batch of ${expected}`);
    this.agent = agent;
    this.expected = expected;
    this.received = received;
  }
}

/** Another agent has the name. Code `TELLASK_NAME_TAKEN`. */
export class NameTakenError extends TellaskError {
  readonly agent: string;

  constructor(agent: string) {
    super('TELLASK_NAME_TAKEN', `An agent named ${agent} is registered already`);
    this.agent = agent;
  }
}

const TIMED_OUT: Readonly<
  Record<RequestTimeoutError['limit'], (responder: string, topic: string) => string>
> = {
  answer: (responder, topic) => `${responder} did not answer ${topic} within`,
  idle: (responder, topic) => `${responder} gave no sign of life on ${topic} for`,
  reader: (responder, topic) => `${responder} could not go on with ${topic} for`,
};

function suggest(didYouMean: string | undefined): string {
  return didYouMean === undefined ? '' : ` (did you mean ${didYouMean}?)`;
}

function nameOf(thrown: unknown): string {
  return thrown === null ? 'null' : typeof thrown;
}
