import type { Message, MessageType } from '../message/message.ts';
import type { Pattern } from '../message/pattern.ts';
import type { Metrics, Series } from '../observe/metrics.ts';
import type { RetryPolicy } from '../resilience/backoff.ts';
import type { RetryBudget } from '../resilience/retry-budget.ts';
import type { Attempt } from './attempt.ts';
import type { Batcher } from './batcher.ts';
import type { BusyKeys } from './busy-keys.ts';
import type { Delivery, Recipient } from './delivery.ts';
import type { Idempotency } from './idempotency.ts';
import type { KeyedOrder } from './keyed-order.ts';
import type { RateGate } from './rate-gate.ts';

/** A handler inside the library, with its middleware around it. */
export type Invoke = (message: Message, context: Attempt) => unknown;

/** What a responder is asked for when its budget is used up. */
export interface WrapUpCall {
  readonly invoke: Invoke;
  /** Milliseconds. */
  readonly timeoutMs: number;
}

/** What a restricted handle may still do: throws `DeniedError` or `RevokedError`. */
export interface Permits {
  /** The handle may still be used. */
  readonly alive: boolean;
  check(action: string, target: string): void;
  /** Some topics are not for it. */
  readonly guardsHearing: boolean;
  /** Some keys of the state are not for it. */
  readonly guardsState: boolean;
  /** The handle may do it, as far as its restriction goes. */
  allows(action: string, target: string): boolean;
}

/** What a subscription is made of. Everything is decided when it subscribes. */
export interface SubscriptionInit {
  /** `subscribe` and `serve` have a handler, a `pull` waits for whoever asks. */
  readonly kind: 'subscribe' | 'serve' | 'pull';
  readonly pattern: Pattern;
  /** Place in the order of registration, unique on a bus. */
  readonly order: number;
  /** Who gets the message: an agent's name or `$host`. */
  readonly owner: string;
  /** Whose mailbox it feeds. */
  readonly home: Recipient;
  readonly handler: Invoke;
  /** The name of the function that was given, whatever stands around it. */
  readonly handlerName?: string;
  readonly types?: readonly MessageType[] | undefined;
  readonly echo?: boolean;
  readonly retry?: RetryPolicy | undefined;
  readonly retryInPlace?: boolean;
  /** What its handler tells is held until the attempt has succeeded. */
  readonly outbox?: boolean;
  /** Milliseconds, `Infinity` for none. */
  readonly timeoutMs?: number;
  readonly keyOf?: ((message: Message) => unknown) | undefined;
  readonly keyed?: KeyedOrder<Delivery> | undefined;
  /** The same as `keyed`, when it has a busy policy. */
  readonly busy?: BusyKeys | undefined;
  readonly rate?: RateGate<Delivery> | undefined;
  readonly idempotency?: Idempotency | undefined;
  readonly batcher?: Batcher | undefined;
  readonly permits?: Permits | undefined;
  readonly wrapUp?: WrapUpCall | undefined;
}

/** A pattern and a handler. It holds no messages: the mailbox of its home does. */
export class Subscription {
  readonly kind: SubscriptionInit['kind'];
  readonly pattern: Pattern;
  readonly order: number;
  readonly owner: string;
  readonly home: Recipient;
  readonly types: readonly MessageType[] | undefined;
  readonly echo: boolean;
  readonly retry: RetryPolicy | undefined;
  readonly retryInPlace: boolean;
  readonly outbox: boolean;
  readonly timeoutMs: number;
  readonly keyOf: ((message: Message) => unknown) | undefined;
  readonly keyed: KeyedOrder<Delivery> | undefined;
  readonly busy: BusyKeys | undefined;
  readonly rate: RateGate<Delivery> | undefined;
  readonly idempotency: Idempotency | undefined;
  readonly batcher: Batcher | undefined;
  readonly permits: Permits | undefined;
  readonly wrapUp: WrapUpCall | undefined;
  /** What people call the handler; empty when it has no name. */
  readonly handlerName: string;
  /** The handler alone. */
  readonly handler: Invoke;
  /** The handler with the middleware that is installed now. */
  invoke: Invoke;
  active = true;
  /** When it was last chosen to answer, counted in choices: equals take turns. */
  chosenAt = 0;
  /** The dispatch list of what is sent to this subscription alone, once it was needed. */
  alone: unknown = undefined;
  /** What its askers may retry together, once one of them asked with a policy. */
  retryBudget: RetryBudget | undefined = undefined;
  #lastFrom: string | undefined;
  #lastSeries: Series | undefined;

  constructor(init: SubscriptionInit) {
    this.kind = init.kind;
    this.pattern = init.pattern;
    this.order = init.order;
    this.owner = init.owner;
    this.home = init.home;
    this.handler = init.handler;
    this.handlerName = init.handlerName ?? '';
    this.invoke = init.handler;
    this.types = init.types;
    this.echo = init.echo ?? false;
    this.retry = init.retry;
    this.retryInPlace = init.retryInPlace ?? false;
    this.outbox = init.outbox ?? false;
    this.timeoutMs = init.timeoutMs ?? Infinity;
    this.keyOf = init.keyOf;
    this.keyed = init.keyed;
    this.busy = init.busy;
    this.rate = init.rate;
    this.idempotency = init.idempotency;
    this.batcher = init.batcher;
    this.permits = init.permits;
    this.wrapUp = init.wrapUp;
  }

  /** The series of what this speaker says to the owner; most hear one speaker at a time. */
  heardFrom(from: string, metrics: Metrics): Series {
    if (from === this.#lastFrom) return this.#lastSeries as Series;
    this.#lastFrom = from;
    this.#lastSeries = metrics.pair(from, this.owner);
    return this.#lastSeries;
  }

  accepts(type: MessageType): boolean {
    return this.types === undefined || this.types.includes(type);
  }
}
