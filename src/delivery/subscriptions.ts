import type { Env } from '../kernel/env.ts';
import type { Message } from '../message/message.ts';
import type { Pattern } from '../message/pattern.ts';
import { toRetryPolicy } from '../resilience/backoff.ts';
import type { RetryBudget } from '../resilience/retry-budget.ts';
import type { Router } from '../routing/router.ts';
import type { Ambient } from './ambient.ts';
import type { Authority } from './authority.ts';
import { type BatchLimits, readBatch, type SubscribeBatchOptions } from './batch-options.ts';
import { Batcher, type BatcherParts } from './batcher.ts';
import type { CancelReason } from './bus-events.ts';
import { BusyKeys } from './busy-keys.ts';
import { type Delivery, NO_FLAGS, type Recipient } from './delivery.ts';
import { DispatchList } from './dispatch-list.ts';
import type { Dispatcher } from './dispatcher.ts';
import { letIn } from './entry.ts';
import { CancelledError } from './errors.ts';
import { Group } from './group.ts';
import { type GroupParts, Groups } from './groups.ts';
import { handOver } from './hand-over.ts';
import type { MailboxChoice, ServeOptions, SubscribeOptions } from './handler-options.ts';
import {
  checkBusy,
  checkGroup,
  checkHandler,
  checkIdempotent,
  checkWrapUp,
  readTypes,
  refuseAnswering,
  refuseListening,
} from './handler-options.ts';
import { Idempotency } from './idempotency.ts';
import type { LostSubscription } from './kept-letter.ts';
import { KeyedOrder } from './keyed-order.ts';
import type { Ledger } from './ledger.ts';
import type { MiddlewareChain } from './middleware.ts';
import type { Outcomes } from './outcomes.ts';
import { RateGate } from './rate-gate.ts';
import { Admission } from './receipt.ts';
import type { Responders } from './responders.ts';
import type { Retained } from './retained.ts';
import type { Route } from './route.ts';
import { type Invoke, type Permits, Subscription, type SubscriptionInit } from './subscription.ts';
import { takeOut } from './take-out.ts';
import { Worker } from './worker.ts';

/** Who subscribes, and into which mailbox. */
export interface Subscriber {
  readonly owner: string;
  readonly home: Recipient;
  readonly permits?: Permits | undefined;
}

/** What subscribing needs of its bus. */
export interface SubscriptionParts {
  readonly env: Env;
  readonly router: Router<Subscription, Route>;
  readonly responders: Responders;
  readonly dispatcher: Dispatcher;
  readonly ledger: Ledger;
  readonly outcomes: Outcomes;
  readonly middleware: MiddlewareChain;
  readonly retained: Retained;
  readonly mailboxDefaults: MailboxChoice;
  /** Milliseconds that a handler may run unless it says otherwise. */
  readonly handlerTimeoutMs: number;
  /** What a batch is bounded by unless it says otherwise. */
  readonly batchDefaults: BatchLimits;
  /** The bus is being drained or closed: nobody waits for more. */
  hurried(): boolean;
  /** Milliseconds that a handler may go on after its time, and a `wrapUp` takes. */
  readonly graceMs: number;
  readonly ambient: Ambient | undefined;
  readonly authority: Authority | undefined;
  /** Wraps a handler as the isolation of the bus asks. */
  isolate(handler: Invoke): Invoke;
  now(): number;
}

/** Makes subscriptions, attaches them in the same turn, and ends them. */
export class Subscriptions {
  readonly #parts: SubscriptionParts;
  readonly #groups: Groups;
  /** All that are attached, in the order of registration. */
  readonly #all = new Set<Subscription>();
  #registered = 0;
  #inboxes = 0;

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    const { router, ledger, mailboxDefaults, authority } = parts;
    const reaches =
      authority && ((one: Subscription, topic: string) => authority.reaches(one, topic));
    const cancel: GroupParts['cancel'] = (delivery, reason) => this.#cancel(delivery, reason);
    this.#groups = new Groups({ router, ledger, mailboxDefaults, reaches, cancel });
    parts.middleware.onChange(() => {
      for (const subscription of this.#all) this.#wrap(subscription);
    });
  }

  /** How many are attached; the inboxes of agents are none. */
  get size(): number {
    return this.#all.size - this.#inboxes;
  }

  /** Attached when this returns; with `replay`, what is retained comes first and nothing twice. */
  subscribe(
    by: Subscriber,
    pattern: Pattern,
    handler: Invoke,
    options: SubscribeOptions,
  ): Subscription {
    checkHandler(handler, options);
    refuseAnswering(options);
    checkGroup(options);
    checkBusy('subscribe', options);
    const timeoutMs = options.timeoutMs ?? this.#parts.handlerTimeoutMs;
    const init = this.#initOf('subscribe', by, pattern, handler, options, timeoutMs);
    const subscription =
      options.group === undefined
        ? this.#attach(init)
        : this.#groups.join(init, options.group, by.home as Worker);
    this.#keep(subscription);
    if (options.replay === true) this.#replay(subscription);
    return subscription;
  }

  serve(by: Subscriber, pattern: Pattern, handler: Invoke, options: ServeOptions): Subscription {
    checkHandler(handler, options);
    refuseListening(options);
    checkIdempotent(options);
    checkBusy('serve', options);
    checkWrapUp(options);
    const { idempotent } = options;
    const idempotency =
      idempotent === undefined ? undefined : new Idempotency(idempotent, this.#parts.now);
    const answering = idempotency === undefined ? handler : idempotency.around(handler);
    // The deadline of the request bounds it: see HandlerWatch.
    const timeoutMs = options.timeoutMs ?? Infinity;
    const init = this.#initOf('serve', by, pattern, answering, options, timeoutMs);
    const subscription = new Subscription({
      ...init,
      handlerName: nameOf(handler),
      wrapUp: this.#wrapUpOf(options),
    });
    this.#parts.responders.add(subscription);
    this.#keep(subscription);
    return subscription;
  }

  /**
   * Collects messages for one call of a handler. `join` is the innermost step of each of them, with
   * what the bus puts around it.
   */
  batch(
    by: Subscriber,
    pattern: Pattern,
    join: Invoke,
    options: SubscribeBatchOptions,
    { handle, answers, log }: Pick<BatcherParts, 'handle' | 'answers' | 'log'>,
  ): Subscription {
    const { env, batchDefaults, handlerTimeoutMs, hurried, ambient } = this.#parts;
    const { limits, rest } = readBatch(options, batchDefaults);
    checkHandler(handle, rest);
    refuseAnswering(rest);
    if (answers) refuseListening(rest);
    const { owner, home } = by;
    // Its messages may belong to different conversations: there is none to inherit.
    const outside = ambient === undefined ? handle : ambient.outside(handle);
    const parts = { env, home, owner, handle: outside, answers, log, hurried, ...limits };
    const batcher = new Batcher(parts);
    const timeoutMs = rest.timeoutMs ?? handlerTimeoutMs;
    const kind = answers ? 'serve' : 'subscribe';
    const init = this.#initOf(kind, by, pattern, join, rest, timeoutMs);
    const subscription = new Subscription({
      ...init,
      handlerName: nameOf(handle),
      keyed: undefined,
      batcher,
    });
    if (answers) this.#parts.responders.add(subscription);
    else this.#parts.router.add(subscription);
    this.#keep(subscription);
    if (rest.replay === true) this.#replay(subscription);
    return subscription;
  }

  /** Lets go the batches that wait for more. */
  hurry(): void {
    for (const { batcher } of this.#all) batcher?.flush();
  }

  #wrapUpOf({ wrapUp, wrapUpTimeoutMs }: ServeOptions): SubscriptionInit['wrapUp'] {
    if (wrapUp === undefined) return undefined;
    const { ambient, isolate } = this.#parts;
    const call = isolate(wrapUp as never);
    const invoke = ambient === undefined ? call : ambient.around(call);
    return { invoke, timeoutMs: wrapUpTimeoutMs ?? this.#parts.graceMs };
  }

  /** A subscription whose messages wait to be pulled. */
  pull(by: Subscriber, pattern: Pattern, attach: boolean): Subscription {
    const init = this.#initOf('pull', by, pattern, NOTHING, NO_OPTIONS, Infinity);
    const subscription = attach ? this.#attach(init) : new Subscription(init);
    if (!attach) this.#inboxes++;
    this.#keep(subscription);
    return subscription;
  }

  /** The subscription itself, or the one that took its place under the same name. */
  successor(of: Subscription | LostSubscription): Subscription | undefined {
    if (of.active) return of;
    for (const other of this.#all) {
      const same = other.owner === of.owner && other.kind === of.kind;
      if (same && other.pattern.source === of.pattern.source) return other;
    }
    return undefined;
  }

  /** All mailboxes with what feeds them; those of groups, too. */
  households(): Map<Recipient, Subscription[]> {
    const households = new Map<Recipient, Subscription[]>();
    for (const subscription of [...this.#all, ...this.#groups.faces]) {
      const others = households.get(subscription.home);
      if (others === undefined) households.set(subscription.home, [subscription]);
      else others.push(subscription);
    }
    // Retries of a group wait with its members, whose workers may have no other subscription.
    for (const worker of this.#groups.workers) {
      if (!households.has(worker)) households.set(worker, []);
    }
    return households;
  }

  /** Its handler is never started again: what has not begun ends `cancelled`. */
  end(subscription: Subscription, reason: CancelReason = 'unsubscribed'): void {
    const { dispatcher, ledger } = this.#parts;
    if (!subscription.active) return;
    dispatcher.spill();
    const home = this.#detach(subscription);
    subscription.active = false;
    ledger.touches++;
    this.#all.delete(subscription);
    if (isInbox(subscription)) this.#inboxes--;
    subscription.rate?.close();
    subscription.batcher?.close();
    if (home === undefined) return;
    if (home.mailbox.size === 0 && home.mailbox.waiting === 0) return;
    const matches = (delivery: Delivery): boolean => delivery.subscription === subscription;
    for (const delivery of takeOut(home, [subscription], matches)) this.#cancel(delivery, reason);
    letIn(home, ledger);
    home.wake();
  }

  /** Another has taken its place, on the same mailbox: it gets the mail of this one. */
  supersede(old: Subscription, heir: Subscription): void {
    const { dispatcher, ledger } = this.#parts;
    dispatcher.spill();
    const home = this.#detach(old);
    old.active = false;
    ledger.touches++;
    this.#all.delete(old);
    if (home !== undefined) handOver(old, heir);
    old.rate?.close();
    old.batcher?.close();
    heir.home.wake();
  }

  #cancel(delivery: Delivery, reason: CancelReason): void {
    const waited = delivery.state === 'waiting';
    this.#parts.outcomes.cancelled(delivery, reason);
    if (waited) delivery.admission.placed(new CancelledError(delivery.message.topic, reason));
  }

  #keep(subscription: Subscription): void {
    this.#all.add(subscription);
    this.#wrap(subscription);
  }

  #wrap(subscription: Subscription): void {
    const { middleware, ambient } = this.#parts;
    const invoke = middleware.wrap(subscription.handler);
    subscription.invoke = ambient === undefined ? invoke : ambient.around(invoke);
  }

  #attach(init: SubscriptionInit): Subscription {
    const subscription = new Subscription(init);
    // Whoever is in the ring was not meant for the newcomer; what comes next is.
    this.#parts.router.add(subscription);
    return subscription;
  }

  /** Takes it out of the routes; returns the mailbox that may still hold its messages. */
  #detach(subscription: Subscription): Recipient | undefined {
    const { router, responders } = this.#parts;
    if (subscription.kind === 'serve') responders.remove(subscription);
    if (subscription.home instanceof Group) {
      this.#groups.leave(subscription, subscription.home);
      return undefined;
    }
    if (subscription.kind !== 'serve') router.remove(subscription);
    return subscription.home;
  }

  #initOf(
    kind: SubscriptionInit['kind'],
    by: Subscriber,
    pattern: Pattern,
    handler: Invoke,
    options: SubscribeOptions,
    timeoutMs: number,
  ): SubscriptionInit {
    const { retry, outbox, key, rateLimit, busy: policy = 'queue' } = options;
    const busy = policy === 'queue' ? undefined : new BusyKeys(policy);
    const keyOf = key ?? (busy === undefined ? undefined : oneKey);
    const again = retry === undefined || retry === false ? undefined : toRetryPolicy(retry);
    return {
      kind,
      timeoutMs,
      types: readTypes(options.type),
      echo: options.echo ?? false,
      owner: by.owner,
      home: by.home,
      permits: by.permits,
      pattern,
      order: ++this.#registered,
      handler: this.#parts.isolate(this.#paying(again?.budget, handler)),
      handlerName: nameOf(handler),
      retry: again,
      retryInPlace: retry !== undefined && retry !== false && retry.order === 'in-place',
      // Only who may be called again could say the same thing twice.
      outbox: outbox ?? (again !== undefined && again.maxAttempts > 1),
      keyOf: keyOf as ((message: Message) => unknown) | undefined,
      keyed: busy ?? (key === undefined ? undefined : new KeyedOrder<Delivery>()),
      busy,
      rate:
        rateLimit === undefined
          ? undefined
          : new RateGate<Delivery>(this.#parts.env, rateLimit, readmit),
    };
  }

  /** Only where a budget was given does a first attempt pay into it. */
  #paying(budget: RetryBudget | undefined, handler: Invoke): Invoke {
    if (budget === undefined) return handler;
    budget.bind(this.#parts.env);
    return (message, context) => {
      if (context.attempt === 1) budget.deposit();
      return handler(message, context);
    };
  }

  #replay(subscription: Subscription): void {
    const { retained, dispatcher, ledger, authority } = this.#parts;
    dispatcher.spill();
    for (const message of retained.matching(subscription.pattern, this.#parts.now())) {
      if (!subscription.accepts(message.type)) continue;
      if (authority?.reaches(subscription, message.topic) === false) continue;
      ledger.admit(1);
      const delivery = dispatcher.offer(
        new Admission(message, DispatchList.of(subscription)),
        subscription,
      );
      delivery.flags = { ...NO_FLAGS, replayed: true };
    }
  }
}

const NO_OPTIONS: SubscribeOptions = {};
const NOTHING: Invoke = () => undefined;

/** A class may have a static `name` that is anything. */
function nameOf({ name }: { readonly name: unknown }): string {
  return typeof name === 'string' ? name : '';
}

/** Without a key of its own, all of a subscription with a busy policy is one. */
const oneKey = (): unknown => ANY_MESSAGE;
const ANY_MESSAGE = 'any message';

/** The inbox of an agent feeds on what no handler takes: it is in no route. */
function isInbox({ kind, home }: Subscription): boolean {
  return kind === 'pull' && home instanceof Worker;
}

/** A delivery got its token: back into the lanes at its old place. */
function readmit(delivery: Delivery): void {
  delivery.flags = { ...delivery.flags, cleared: true };
  delivery.home.mailbox.held--;
  delivery.home.mailbox.lanes.restore(delivery);
  delivery.home.wake();
}
