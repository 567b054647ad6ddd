import { Deferred } from '../kernel/deferred.ts';
import { isA } from '../kernel/is-a.ts';
import { isThenable } from '../kernel/thenable.ts';
import type { Message } from '../message/message.ts';
import type { Attempt } from './attempt.ts';
import { RunningBatch } from './batch-context.ts';
import type { Batcher } from './batcher.ts';
import { BatchResultError, FencedError } from './errors.ts';
import type { Invoke } from './subscription.ts';

/** What one message of a batch waits for: its own part of what the handler makes of all. */
class Share extends Deferred<unknown> {
  readonly attempt: Attempt;
  readonly message: Message;

  constructor(attempt: Attempt, message: Message) {
    super();
    this.attempt = attempt;
    this.message = message;
  }
}

/** The innermost step of every message of a batch: it joins the others. */
export const joinBatch: Invoke = (message, attempt) =>
  (attempt.batch as BatchRun).join(message, attempt);

/**
 * One batch on its way through its handler. Every message passes the middleware by itself and joins
 * here; when all have joined or ended, the handler is called once with those that joined, and each
 * gets its own part of the result.
 */
export class BatchRun {
  readonly #batcher: Batcher;
  /** In the order of the batch: who has joined has a share, who ended before is gone. */
  readonly #members = new Map<Attempt, Share | undefined>();
  #missing = 0;
  /** Who has not ended: the batch keeps its slot for them. */
  #left = 0;
  #status: 'entering' | 'joining' | 'running' = 'entering';
  #shares: readonly Share[] = [];
  #context: RunningBatch | undefined = undefined;

  constructor(batcher: Batcher) {
    this.#batcher = batcher;
  }

  expect(attempt: Attempt): void {
    this.#members.set(attempt, undefined);
    this.#missing++;
    this.#left++;
  }

  /** Those that share this call of the handler, the ended ones included. */
  get attempts(): readonly Attempt[] {
    return [...this.#members.keys()];
  }

  /** All messages are under way. */
  begin(): void {
    this.#status = 'joining';
    this.#startWhenComplete();
  }

  join(message: Message, attempt: Attempt): Promise<unknown> {
    const known = this.#members.get(attempt);
    if (known !== undefined) return known.promise;
    const share = new Share(attempt, message);
    if (this.#members.has(attempt)) {
      this.#members.set(attempt, share);
      this.#missing--;
      this.#startWhenComplete();
    } else {
      // Its middleware comes too late: the message has ended, and the others did not wait for it.
      reject(share, new FencedError(attempt.agent, 'join a batch with', message.topic));
    }
    return share.promise;
  }

  /** A message has ended; true when it was the last one. */
  leave(attempt: Attempt): boolean {
    this.#left--;
    this.#context?.forget(attempt);
    if (this.#members.has(attempt) && this.#members.get(attempt) === undefined) {
      this.#members.delete(attempt);
      this.#missing--;
      this.#startWhenComplete();
    }
    return this.#left === 0;
  }

  #startWhenComplete(): void {
    if (this.#status !== 'joining' || this.#missing > 0) return;
    this.#status = 'running';
    const joined = [...this.#members.values()] as Share[];
    this.#shares = joined.filter(({ attempt }) => !attempt.fenced);
    for (const share of joined) if (share.attempt.fenced) share.resolve(undefined);
    if (this.#shares.length > 0) this.#call();
  }

  #call(): void {
    const { owner, log, handle } = this.#batcher;
    const attempts = this.#shares.map(({ attempt }) => attempt);
    const messages = this.#shares.map(({ message }) => message);
    this.#context = new RunningBatch(owner, log, attempts);
    try {
      const result = handle(messages, this.#context as never);
      if (isThenable(result)) {
        Promise.resolve(result).then(
          (value) => this.#settle(value),
          (error: unknown) => this.#failAll(error),
        );
      } else this.#settle(result);
    } catch (error) {
      this.#failAll(error);
    }
  }

  #settle(result: unknown): void {
    try {
      this.#deal(result);
    } catch (error) {
      // An array can throw when it is looked at.
      this.#failAll(error);
    }
  }

  /** Gives every message its part. */
  #deal(result: unknown): void {
    const shares = this.#shares;
    const { answers, owner } = this.#batcher;
    if (!Array.isArray(result) && !answers) {
      for (const share of shares) share.resolve(undefined);
      return;
    }
    const received = Array.isArray(result) ? result.length : undefined;
    if (received !== shares.length) {
      this.#failAll(new BatchResultError(owner, shares.length, received));
      return;
    }
    const parts = [...(result as unknown[])];
    shares.forEach((share, at) => {
      const part = parts[at];
      if (isA(part, Error)) reject(share, part);
      else resolve(share, part);
    });
  }

  #failAll(error: unknown): void {
    for (const share of this.#shares) reject(share, error);
  }
}

/** A part may be a promise that fails. */
function resolve(share: Share, part: unknown): void {
  if (isThenable(part)) share.promise.catch(() => {});
  share.resolve(part);
}

/** A middleware may have dropped the promise: that is no reason for an unhandled rejection. */
function reject(share: Share, error: unknown): void {
  share.promise.catch(() => {});
  share.reject(error);
}
