import { onAbort } from '../kernel/abort.ts';
import type { Env, Lane, Timer } from '../kernel/env.ts';
import type { Envelope } from '../message/envelope.ts';
import type { Delivery } from './delivery.ts';
import { RequestTimeoutError } from './errors.ts';
import type { Asker } from './receipt.ts';
import type { Cause } from './speech.ts';
import { whereabouts } from './whereabouts.ts';

/** What the table of requests needs of its bus. */
export interface RequestParts {
  readonly env: Env;
  now(): number;
  /** The asker has gone: what is left of the delivery is not wanted. */
  abandon(asker: Asker, how: 'expired' | 'withdrawn', reason: unknown): void;
  /** An answer that nobody waits for any more. */
  late(message: Envelope, value: unknown): void;
}

/** How long an asker waits, and who may call it off. */
export interface Waiting {
  readonly message: Envelope;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly cause: Cause | undefined;
}

/** All requests that wait for an answer. */
export class Requests {
  readonly #parts: RequestParts;
  readonly #open = new Set<Pending>();

  constructor(parts: RequestParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Opens a request; the promise settles exactly once. */
  open(waiting: Waiting): { readonly asker: Asker; readonly answer: Promise<unknown> } {
    const asker = new Pending(this.#parts, waiting, (pending) => this.#open.delete(pending));
    this.#open.add(asker);
    asker.listen();
    return { asker, answer: asker.promise };
  }

  /** Rejects everything that is open. */
  failAll(error: (message: Envelope) => unknown): void {
    for (const pending of [...this.#open]) pending.fail(error(pending.message));
  }
}

class Pending implements Asker {
  delivery: Delivery | undefined = undefined;
  readonly message: Envelope;
  readonly promise: Promise<unknown>;
  readonly #parts: RequestParts;
  readonly #waiting: Waiting;
  readonly #close: (pending: Pending) => void;
  #resolve!: (value: unknown) => void;
  #reject!: (reason: unknown) => void;
  #settled = false;
  #timer: Timer | undefined;
  #offSignal: (() => void) | undefined;
  #offCause: (() => void) | undefined;

  constructor(parts: RequestParts, waiting: Waiting, close: (pending: Pending) => void) {
    this.message = waiting.message;
    this.#parts = parts;
    this.#waiting = waiting;
    this.#close = close;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Begins to wait: for the clock, for the caller's signal, for the end of the asking handler. */
  listen(): void {
    const { timeoutMs, signal, cause } = this.#waiting;
    if (timeoutMs !== Infinity) {
      this.#timer = this.#parts.env.setTimer(timeoutMs, () => this.#timedOut(), {
        keepAlive: true,
        label: 'request time-out',
      });
    }
    if (signal !== undefined) this.#offSignal = onAbort(signal, (why) => this.#withdraw(why));
    if (cause !== undefined && !this.#settled) {
      this.#offCause = cause.onAbort((why) => this.#withdraw(why));
    }
    if (this.#settled) this.#stop();
  }

  answer(value: unknown): boolean {
    if (this.#settled) {
      this.#parts.late(this.message, value);
      return false;
    }
    this.#settle(() => this.#resolve(value));
    return true;
  }

  fail(error: unknown): void {
    if (!this.#settled) this.#settle(() => this.#reject(error));
  }

  #timedOut(): void {
    const { message, timeoutMs } = this.#waiting;
    const where = whereabouts(this.delivery, this.#parts.now());
    const responder = message.to ?? 'nobody';
    const error = new RequestTimeoutError(message.topic, responder, timeoutMs, where);
    this.#giveUp('expired', error);
  }

  #withdraw(reason: unknown): void {
    this.#giveUp('withdrawn', reason);
  }

  #giveUp(how: 'expired' | 'withdrawn', reason: unknown): void {
    if (this.#settled) return;
    this.#settle(() => this.#reject(reason));
    this.#parts.abandon(this, how, reason);
  }

  #settle(tell: () => void): void {
    this.#settled = true;
    this.#stop();
    this.#close(this);
    const { env } = this.#parts;
    if (env.direct) tell();
    else env.post(new ReplyLane(this.message, tell));
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#offSignal?.();
    this.#offCause?.();
  }
}

/** The way of one answer back to its asker, as a lane that a simulation can order. */
class ReplyLane implements Lane {
  readonly kind = 'reply' as const;
  readonly label: string;
  readonly order: number;
  posted = false;
  readonly #tell: () => void;

  constructor(message: Envelope, tell: () => void) {
    this.label = `reply to ${message.from}`;
    this.order = message.seq;
    this.#tell = tell;
  }

  run(): void {
    this.#tell();
  }
}
