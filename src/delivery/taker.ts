import { onAbort } from '../kernel/abort.ts';
import type { Env } from '../kernel/env.ts';
import type { Message } from '../message/message.ts';
import type { Delivery } from './delivery.ts';
import type { Permits } from './subscription.ts';

/** Whether a message is one that somebody waits for. */
export type Where = (message: Message) => boolean;

/** How long somebody waits for a message, and for which. */
export interface Patience {
  /** Milliseconds, `Infinity` for no limit. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What fits; anything when it is not said. */
  readonly where?: Where | undefined;
  /** Of the handle that asks. */
  readonly permits?: Permits | undefined;
}

/** One who waits for a message, for as long as the clock and the signal let him. */
export class Taker {
  /** Resolves with `undefined` when the time is over, rejects with the reason of the signal. */
  readonly delivery: Promise<Delivery | undefined>;
  waiting = true;
  readonly where: Where | undefined;
  /** It has looked at everything up to this ticket, and nothing fitted. */
  seen = 0;
  readonly #permits: Permits | undefined;
  #resolve!: (delivery: Delivery | undefined) => void;
  #reject!: (reason: unknown) => void;
  readonly #offs: (() => void)[] = [];

  /** `forget` is called when he waits no longer, unless the signal had aborted before. */
  constructor(env: Env, patience: Patience, forget: (taker: Taker) => void) {
    const { timeoutMs, signal } = patience;
    this.where = patience.where;
    this.#permits = patience.permits;
    this.delivery = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (signal !== undefined) this.#offs.push(onAbort(signal, (reason) => this.refuse(reason)));
    if (!this.waiting) return;
    this.#offs.push(() => forget(this));
    if (timeoutMs === Infinity) return;
    const late = (): void => this.give(undefined);
    const timer = env.setTimer(timeoutMs, late, { keepAlive: true, label: 'receive' });
    this.#offs.push(() => timer.cancel());
  }

  /** False once the handle that asked is revoked. */
  get allowed(): boolean {
    return this.#permits?.alive !== false;
  }

  give(delivery: Delivery | undefined): void {
    if (this.#end()) this.#resolve(delivery);
  }

  refuse(reason: unknown): void {
    if (this.#end()) this.#reject(reason);
  }

  #end(): boolean {
    if (!this.waiting) return false;
    this.waiting = false;
    for (const off of this.#offs) off();
    return true;
  }
}
