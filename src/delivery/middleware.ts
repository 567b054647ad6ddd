import { DeniedError } from '../access/errors.ts';
import { misuse } from '../kernel/errors.ts';
import { isThenable } from '../kernel/thenable.ts';
import type { Message, MessageType } from '../message/message.ts';
import type { Attempt } from './attempt.ts';
import type { Context } from './context.ts';
import type { Invoke } from './subscription.ts';

/** What is about to be said, before it is admitted. A middleware may change these fields. */
export interface Draft {
  readonly action: 'publish' | 'send' | 'request';
  readonly from: string;
  readonly to: string | undefined;
  readonly topic: string;
  type: MessageType;
  payload: unknown;
  priority: number;
  headers: Record<string, string>;
}

/**
 * A step around every message, installed with `bus.use`; outer to inner as installed.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * const bus = new MessageBus();
 * bus.use({
 *   name: 'shout',
 *   outgoing: (draft, next) => {
 *     draft.payload = String(draft.payload).toUpperCase();
 *     next();
 *   },
 * });
 * bus.register('echo').serve('echo', (request) => request.payload);
 * await bus.request('echo', 'hello'); // => 'HELLO'
 * ```
 */
export interface Middleware {
  readonly name: string;
  /**
   * Sees what is said, synchronously, and passes it on with `next()`. Throwing vetoes: the speaker
   * gets the error. It does not run again on a retry.
   */
  outgoing?(draft: Draft, next: () => void): void;
  /**
   * Runs around every handler and returns what `next()` returned, or something else. Not calling
   * `next` ends the delivery `cancelled(skipped)`.
   */
  handle?(message: Message, context: Context, next: () => unknown): unknown;
}

/** Thrown inside a handler chain that did not call `next`; never seen by users. */
export const SKIPPED: unique symbol = Symbol('skipped');

/** The installed middleware. */
export class MiddlewareChain {
  readonly #outgoing: Middleware[] = [];
  readonly #handle: Middleware[] = [];
  #onChange: () => void = () => {};

  /** @returns how to take it out again. */
  add(middleware: Middleware): () => void {
    if (typeof middleware !== 'object' || middleware === null) {
      throw misuse('middleware', 'an object with a name', middleware);
    }
    if (typeof middleware.name !== 'string') {
      throw misuse('middleware.name', 'a string', middleware.name);
    }
    if (middleware.outgoing !== undefined) this.#outgoing.push(middleware);
    if (middleware.handle !== undefined) this.#handle.push(middleware);
    this.#onChange();
    return () => {
      remove(this.#outgoing, middleware);
      remove(this.#handle, middleware);
      this.#onChange();
    };
  }

  get watchesOutgoing(): boolean {
    return this.#outgoing.length > 0;
  }

  /** Passes a draft through all of them. */
  pass(draft: Draft): void {
    this.#passFrom(0, draft);
  }

  #passFrom(index: number, draft: Draft): void {
    const middleware = this.#outgoing[index];
    if (middleware === undefined) return;
    let passed = false;
    const next = (): void => {
      passed = true;
      this.#passFrom(index + 1, draft);
    };
    const result: unknown = middleware.outgoing?.(draft, next);
    if (isThenable(result)) {
      // The caller has its answer when this returns; a later veto would come too late.
      Promise.resolve(result).catch(() => {});
      throw new TypeError(
        `Middleware ${middleware.name}: outgoing must be synchronous, but it returned a promise`,
      );
    }
    if (!passed) throw new DeniedError(draft.from, draft.action, draft.topic, middleware.name);
  }

  /** The handler with all of them around it, or bare when there are none. */
  wrap(handler: Invoke): Invoke {
    if (this.#handle.length === 0) return handler;
    return (message, context) => this.#runFrom(0, handler, message, context);
  }

  /** Calls back when what `wrap` makes has changed. */
  onChange(callback: () => void): void {
    this.#onChange = callback;
  }

  #runFrom(index: number, handler: Invoke, message: Message, context: Attempt): unknown {
    const middleware = this.#handle[index];
    if (middleware === undefined) return handler(message, context);
    let called = false;
    const next = (): unknown => {
      called = true;
      const result = this.#runFrom(index + 1, handler, message, context);
      // It may drop the promise: that is no reason for an unhandled rejection.
      if (result instanceof Promise) result.catch(() => {});
      return result;
    };
    const result = middleware.handle?.(message, context as unknown as Context, next);
    if (called) return result;
    if (!isThenable(result)) return SKIPPED;
    return Promise.resolve(result).then((value) => (called ? value : SKIPPED));
  }
}

function remove<T>(items: T[], item: T): void {
  const at = items.indexOf(item);
  if (at >= 0) items.splice(at, 1);
}
