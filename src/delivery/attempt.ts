import type { Logger } from '../observe/logger.ts';
import type { Delivery } from './delivery.ts';
import { FencedError } from './errors.ts';
import type { Receipt } from './receipt.ts';
import type { Cause, PublishOptions, RequestOptions, SendOptions, Speaker } from './speech.ts';
import type { Worker } from './worker.ts';

/** What a running handler may ask of the bus; `bus.ts` fills it in. */
export interface House {
  now(): number;
  publish(speaker: Speaker, topic: string, payload: unknown, options?: PublishOptions): Receipt;
  send(
    speaker: Speaker,
    to: string,
    topic: string,
    payload: unknown,
    options?: SendOptions,
  ): Receipt;
  request(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options?: RequestOptions,
  ): Promise<unknown>;
  reply(attempt: Attempt, value: unknown): boolean;
  close(attempt: Attempt): Promise<void>;
  log(attempt: Attempt): Logger;
}

/**
 * One call of a handler, and the context that the handler is given: the only way to inherit the
 * conversation. `Context` has its public type.
 */
export class Attempt implements Speaker, Cause {
  readonly delivery: Delivery;
  /** Which call of the handler this is, from 1. */
  readonly attempt: number;
  /** Monotonic instant. */
  readonly startedAt: number;
  /** Who runs it. */
  readonly worker: Worker;
  /** It was fenced, and its slot waits until it really ends. */
  holdsSlot = false;
  readonly #house: House;
  #state: 'running' | 'over' | 'fenced' = 'running';
  #aborted: { readonly reason: unknown } | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #listeners: Set<(reason: unknown) => void> | undefined = undefined;

  constructor(delivery: Delivery, worker: Worker, house: House, startedAt: number) {
    this.delivery = delivery;
    this.worker = worker;
    this.attempt = ++delivery.attempts;
    this.startedAt = startedAt;
    this.#house = house;
  }

  get agent(): string {
    return this.delivery.subscription.owner;
  }

  get replayed(): boolean {
    return this.delivery.flags.replayed;
  }

  /** Made when first read: a signal costs more than a whole delivery. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  get remainingMs(): number {
    const until = Math.min(this.deadline, this.startedAt + this.delivery.subscription.timeoutMs);
    return Math.max(0, until - this.#house.now());
  }

  get log(): Logger {
    return this.#house.log(this);
  }

  publish(topic: string, payload: unknown, options?: PublishOptions): Receipt {
    this.#mayStill('publish', topic);
    return this.#house.publish(this, topic, payload, options);
  }

  send(to: string, topic: string, payload: unknown, options?: SendOptions): Receipt {
    this.#mayStill('send', topic);
    return this.#house.send(this, to, topic, payload, options);
  }

  async request(topic: string, payload: unknown, options?: RequestOptions): Promise<unknown> {
    this.#mayStill('request', topic);
    return this.#house.request(this, topic, payload, options);
  }

  reply(value: unknown): boolean {
    this.#mayStill('reply to', this.delivery.message.topic);
    return this.#house.reply(this, value);
  }

  close(): Promise<void> {
    return this.#house.close(this);
  }

  get name(): string {
    return this.delivery.subscription.owner;
  }

  get cause(): Cause {
    return this;
  }

  get message(): Cause['message'] {
    return this.delivery.admission.message;
  }

  get deadline(): number {
    return this.message.lineage?.deadline ?? Infinity;
  }

  get running(): boolean {
    return this.#state === 'running';
  }

  get fenced(): boolean {
    return this.#state === 'fenced';
  }

  /** The handler has returned or thrown. */
  end(): void {
    if (this.#state === 'running') this.#state = 'over';
  }

  /** The handler runs on, but what it says is no longer heard. */
  fence(): void {
    if (this.#state === 'running') this.#state = 'fenced';
  }

  /** Why its handler was told to stop, if it was. */
  get abortReason(): unknown {
    return this.#aborted?.reason;
  }

  /** Tells the handler, and what it waits for on this bus, that nobody waits. */
  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) listener(reason);
    this.#controller?.abort(reason);
  }

  onAbort(callback: (reason: unknown) => void): () => void {
    if (this.#aborted !== undefined) {
      callback(this.#aborted.reason);
      return () => {};
    }
    this.#listeners ??= new Set();
    this.#listeners.add(callback);
    return () => this.#listeners?.delete(callback);
  }

  #mayStill(action: string, topic: string): void {
    if (this.#state === 'fenced') throw new FencedError(this.agent, action, topic);
    this.delivery.subscription.permits?.check(action, topic);
  }
}
