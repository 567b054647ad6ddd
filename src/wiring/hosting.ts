import type { AgentHost, AgentInfo, SubscriptionHandle } from '../agents/agent.ts';
import type { AgentRecord } from '../agents/agent-record.ts';
import type { HandlePermits } from '../agents/permits.ts';
import type { Attempt } from '../delivery/attempt.ts';
import type {
  AgentServeBatchOptions,
  AgentSubscribeBatchOptions,
  HostSubscribeBatchOptions,
} from '../delivery/batch-options.ts';
import { joinBatch } from '../delivery/batch-run.ts';
import type { HandleBatch } from '../delivery/batcher.ts';
import type { BroadcastReceipt } from '../delivery/broadcast.ts';
import { drive, producerOf } from '../delivery/drive.ts';
import { ClosedError, MessageTimeoutError } from '../delivery/errors.ts';
import type { Gathered } from '../delivery/gathering.ts';
import {
  type AgentServeOptions,
  type AgentSubscribeOptions,
  type HostSubscribeOptions,
  type LaneOptions,
  type MailboxSettings,
  readMailbox,
  refuseMailboxOptions,
} from '../delivery/handler-options.ts';
import { Inbox } from '../delivery/inbox.ts';
import type { Receipt } from '../delivery/receipt.ts';
import { readMs } from '../delivery/said.ts';
import type { ShutdownParts } from '../delivery/shutdown.ts';
import type {
  BroadcastOptions,
  GatherOptions,
  PublishOptions,
  Recipients,
  RequestOptions,
  SendOptions,
  Speaker,
  StreamOptions,
} from '../delivery/speech.ts';
import type { MessageStream } from '../delivery/stream.ts';
import type { Invoke, Subscription } from '../delivery/subscription.ts';
import type { Subscriber, Subscriptions } from '../delivery/subscriptions.ts';
import { statusOf } from '../delivery/whereabouts.ts';
import { Worker } from '../delivery/worker.ts';
import { onAbort } from '../kernel/abort.ts';
import type { Env } from '../kernel/env.ts';
import { isThenable } from '../kernel/thenable.ts';
import type { Message } from '../message/message.ts';
import { parse } from '../message/parse.ts';
import { compilePattern } from '../message/pattern.ts';
import type { Logger } from '../observe/logger.ts';
import type { Wiring } from './wiring.ts';

const HOST = '$host';

/** What handles, handlers and the bus itself have done on the wiring. */
export class Hosting implements AgentHost {
  readonly #wiring: Wiring;
  /** Ends those who wait for one message. */
  readonly #waits = new Set<() => void>();

  constructor(wiring: Wiring) {
    this.#wiring = wiring;
  }

  get env(): Env {
    return this.#wiring.env;
  }

  /** It begins a new conversation, unless the bus has ambient context and a handler calls. */
  speaker(name: string, permits?: HandlePermits): Speaker {
    return this.#wiring.ambient?.speaker(name, permits) ?? { name, cause: undefined, permits };
  }

  publish(speaker: Speaker, topic: string, payload: unknown, options?: PublishOptions): Receipt {
    return this.#wiring.admitter.publish(speaker, topic, payload, options);
  }

  send(
    speaker: Speaker,
    to: string,
    topic: string,
    payload: unknown,
    options?: SendOptions,
  ): Receipt {
    return this.#wiring.admitter.send(speaker, to, topic, payload, options);
  }

  request(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options?: RequestOptions,
  ): Promise<unknown> {
    return this.#wiring.ask.request(speaker, topic, payload, options);
  }

  broadcast(
    speaker: Speaker,
    to: Recipients,
    topic: string,
    payload: unknown,
    options?: BroadcastOptions,
  ): BroadcastReceipt {
    return this.#wiring.broadcast.broadcast(speaker, to, topic, payload, options);
  }

  gather(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options?: GatherOptions,
  ): Promise<Gathered> {
    return this.#wiring.gather.gather(speaker, topic, payload, options);
  }

  stream(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options?: StreamOptions,
  ): MessageStream {
    return this.#wiring.ask.stream(speaker, topic, payload, options);
  }

  /** A subscription of the host: its mailbox and its worker serve it alone. */
  subscribeHost(
    pattern: string,
    handler: Invoke,
    options: HostSubscribeOptions,
  ): SubscriptionHandle {
    this.#refuseWhenClosed(pattern);
    // The host cannot leave: what hangs ends this subscription alone.
    const home = this.#ownWorker(HOST, pattern, options);
    const by = { owner: HOST, home };
    const compiled = compilePattern(pattern);
    const subscription = this.#wiring.subscriptions.subscribe(by, compiled, handler, options);
    home.ends = new Handle(subscription, this.#wiring.subscriptions);
    return home.ends as Handle;
  }

  subscribe(
    record: AgentRecord,
    permits: HandlePermits,
    pattern: string,
    handler: Invoke,
    options: AgentSubscribeOptions,
  ): SubscriptionHandle {
    this.#refuseWhenClosed(pattern);
    const home = this.#homeOf(record, pattern, options, 'subscription');
    const by: Subscriber = { owner: record.name, home, permits };
    const compiled = compilePattern(pattern);
    const subscription = this.#wiring.subscriptions.subscribe(by, compiled, handler, options);
    return this.#belongsTo(record, subscription);
  }

  serve(
    record: AgentRecord,
    permits: HandlePermits,
    topic: string,
    handler: Invoke,
    options: AgentServeOptions,
  ): SubscriptionHandle {
    this.#refuseWhenClosed(topic);
    const home = this.#homeOf(record, topic, options, 'handler');
    const by: Subscriber = { owner: record.name, home, permits };
    const answering = this.#answering(handler);
    const compiled = compilePattern(topic);
    const subscription = this.#wiring.subscriptions.serve(by, compiled, answering, options);
    return this.#belongsTo(record, subscription);
  }

  /** As `subscribeHost`, for many messages at once. */
  batchHost(
    pattern: string,
    handle: HandleBatch,
    options: HostSubscribeBatchOptions,
  ): SubscriptionHandle {
    this.#refuseWhenClosed(pattern);
    const home = this.#ownWorker(HOST, pattern, options);
    const by = { owner: HOST, home };
    const { subscriptions, logger } = this.#wiring;
    const log = withFields(logger, () => ({ agent: HOST }));
    const setup = { handle, answers: false, log };
    const compiled = compilePattern(pattern);
    const subscription = subscriptions.batch(by, compiled, joinBatch, options, setup);
    home.ends = new Handle(subscription, subscriptions);
    return home.ends as Handle;
  }

  subscribeBatch(
    record: AgentRecord,
    permits: HandlePermits,
    pattern: string,
    handle: HandleBatch,
    options: AgentSubscribeBatchOptions,
  ): SubscriptionHandle {
    this.#refuseWhenClosed(pattern);
    const home = this.#homeOf(record, pattern, options, 'subscription');
    const by: Subscriber = { owner: record.name, home, permits };
    const setup = { handle, answers: false, log: this.log(record) };
    const compiled = compilePattern(pattern);
    const { subscriptions } = this.#wiring;
    const subscription = subscriptions.batch(by, compiled, joinBatch, options, setup);
    return this.#belongsTo(record, subscription);
  }

  serveBatch(
    record: AgentRecord,
    permits: HandlePermits,
    topic: string,
    handle: HandleBatch,
    options: AgentServeBatchOptions,
  ): SubscriptionHandle {
    this.#refuseWhenClosed(topic);
    const home = this.#homeOf(record, topic, options, 'handler');
    const by: Subscriber = { owner: record.name, home, permits };
    const setup = { handle, answers: true, log: this.log(record) };
    const answering = this.#answering(joinBatch);
    const compiled = compilePattern(topic);
    const { subscriptions } = this.#wiring;
    const subscription = subscriptions.batch(by, compiled, answering, options, setup);
    return this.#belongsTo(record, subscription);
  }

  messages(
    record: AgentRecord,
    permits: HandlePermits,
    pattern: string | undefined,
  ): AsyncIterableIterator<Message> {
    if (pattern === undefined) return record.inbox.messages(() => {}, permits);
    return this.messagesOf(record.name, pattern, { record, permits });
  }

  /** Pulls from a mailbox of its own, which fills from now on. */
  messagesOf(
    owner: string,
    pattern: string,
    { record, permits }: { record?: AgentRecord; permits?: HandlePermits } = {},
  ): AsyncIterableIterator<Message> {
    this.#refuseWhenClosed(pattern);
    const { shop, mailboxDefaults, subscriptions } = this.#wiring;
    const inbox = new Inbox(shop, `${owner} reads ${pattern}`, mailboxDefaults);
    const by: Subscriber = { owner, home: inbox, permits };
    const subscription = subscriptions.pull(by, compilePattern(pattern), true);
    record?.add(subscription);
    return inbox.messages(() => {
      record?.remove(subscription);
      subscriptions.end(subscription);
      inbox.close();
    });
  }

  /** Their subscriptions end, and whoever pulled with them gets nothing more. */
  endRevoked(record: AgentRecord): void {
    const { subscriptions, outcomes } = this.#wiring;
    record.inbox.dismiss();
    for (const subscription of [...record.subscriptions]) {
      if (subscription.permits?.alive !== false) continue;
      subscriptions.end(subscription);
      record.remove(subscription);
      if (!(subscription.home instanceof Inbox)) continue;
      subscription.home.close((delivery) => outcomes.cancelled(delivery, 'unsubscribed'));
    }
  }

  once(
    pattern: string,
    { timeoutMs, signal }: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<Message> {
    const limit = readMs('timeoutMs', timeoutMs) ?? Infinity;
    const { env } = this.#wiring;
    return new Promise((resolve, reject) => {
      const closed = (): void => finish(() => reject(new ClosedError(`once ${pattern}`)));
      const ends: (() => void)[] = [() => this.#waits.delete(closed)];
      const finish = (settle: () => void): void => {
        for (const end of ends) end();
        settle();
      };
      const heard = this.subscribeHost(pattern, (message) => finish(() => resolve(message)), {});
      ends.push(() => heard.unsubscribe());
      this.#waits.add(closed);
      if (limit !== Infinity) {
        const late = (): void => finish(() => reject(new MessageTimeoutError(pattern, limit)));
        const timer = env.setTimer(limit, late, { keepAlive: true, label: 'once' });
        ends.push(() => timer.cancel());
      }
      if (signal !== undefined) {
        ends.push(onAbort(signal, (reason) => finish(() => reject(reason))));
      }
    });
  }

  /** Nobody waits for a message of a bus that is closed. */
  endWaits(): void {
    for (const end of this.#waits) end();
  }

  pause(record: AgentRecord): void {
    this.#wiring.dispatcher.spill();
    for (const worker of record.workers) {
      if (worker.status === 'open') worker.status = 'paused';
    }
  }

  resume(record: AgentRecord): void {
    for (const worker of record.workers) {
      if (worker.status === 'paused') worker.status = 'open';
      worker.wake();
    }
  }

  leave(record: AgentRecord): Promise<void> {
    return this.#wiring.membership.leave(record);
  }

  log(record: AgentRecord): Logger {
    return withFields(this.#wiring.logger, () => ({ agent: record.name }));
  }

  info(record: AgentRecord): AgentInfo {
    this.#wiring.dispatcher.spill();
    const { name, capabilities, worker } = record;
    const { mailbox, options } = worker;
    return {
      name,
      capabilities: [...capabilities],
      status: statusOf(worker),
      running: worker.running,
      queued: mailbox.size,
      waiting: mailbox.waiting,
      highWater: mailbox.highWater,
      capacity: options.capacity,
      concurrency: options.concurrency,
    };
  }

  // ---- for the contexts of running handlers

  reply(attempt: Attempt, value: unknown): boolean {
    const { ledger } = this.#wiring;
    if (attempt.deferral !== undefined) return attempt.deferral.answer(value);
    const { asker } = attempt.delivery.admission;
    if (asker === undefined) {
      ledger.foreignReplies++;
      return false;
    }
    if (attempt.delivery.replied) {
      ledger.duplicateReplies++;
      return false;
    }
    // An answer that is refused here is none: what the handler returns may still be one.
    const answer = this.answerOf(attempt.message, value);
    attempt.delivery.replied = true;
    attempt.delivery.flags = { ...attempt.delivery.flags, reply: { value: answer } };
    return asker.answer(answer);
  }

  /** Like everything that is said, an update belongs to the library once it was given. */
  progress({ asker }: Attempt, update: unknown): void {
    asker?.progress(this.#wiring.keeper.keep(update));
  }

  close(attempt: Attempt, closeBus: () => Promise<unknown>): Promise<void> {
    const { registry, membership, ledger } = this.#wiring;
    const { delivery } = attempt;
    const { permits } = delivery.subscription;
    if (permits !== undefined) {
      // Who has left may have a successor of the same name: that one is not his to end.
      const record = permits.alive ? registry.get(attempt.agent) : undefined;
      return record === undefined ? Promise.resolve() : membership.leave(record, delivery);
    }
    // The messages of a batch share one handler: nobody waits for any of them.
    for (const one of attempt.batch?.attempts ?? [attempt]) this.#exempt(one);
    ledger.idleNow();
    return closeBus().then(() => undefined);
  }

  #exempt({ running, delivery }: Attempt): void {
    if (!running || delivery.flags.exempt) return;
    delivery.flags = { ...delivery.flags, exempt: true };
    this.#wiring.ledger.exempt++;
  }

  logOf(attempt: Attempt): Logger {
    const { agent, message } = attempt;
    return withFields(this.#wiring.logger, () => ({
      agent,
      topic: message.topic,
      messageId: message.id,
      correlationId: message.correlationId,
    }));
  }

  // ---- for the bus

  speakerNamed(name: string): Speaker | undefined {
    if (name !== HOST && this.#wiring.registry.get(name) === undefined) return undefined;
    return { name, cause: undefined };
  }

  shutdownParts(): ShutdownParts {
    const { subscriptions } = this.#wiring;
    return Object.assign(Object.create(null) as object, this.#wiring, {
      households: () => subscriptions.households(),
      seal: () => {
        this.#wiring.status = 'closed';
      },
    }) as unknown as ShutdownParts;
  }

  #homeOf(record: AgentRecord, pattern: string, options: LaneOptions, what: string): Worker {
    if (options?.lane !== 'own') {
      refuseMailboxOptions(options ?? {}, what);
      return record.worker;
    }
    const worker = this.#ownWorker(record.name, pattern, options);
    worker.ends = record.worker.ends;
    if (record.worker.status === 'paused') worker.status = 'paused';
    return worker;
  }

  #ownWorker(owner: string, pattern: string, options: MailboxSettings): Worker {
    const { shop, mailboxDefaults } = this.#wiring;
    return new Worker(shop, readMailbox(options ?? {}, mailboxDefaults), owner, pattern);
  }

  /** A closed bus says nothing any more, so whoever listens to it would wait for ever. */
  #refuseWhenClosed(pattern: string): void {
    if (this.#wiring.status === 'closed') throw new ClosedError(`listening to ${pattern}`);
  }

  #belongsTo(record: AgentRecord, subscription: Subscription): SubscriptionHandle {
    record.add(subscription);
    return new Handle(subscription, this.#wiring.subscriptions, record);
  }

  /** What a responder returns is checked and taken in like everything that is said. */
  #answering(handler: Invoke): Invoke {
    const answering: Invoke = (message, context) => {
      const answer = handler(message, context);
      // By a promise of our own: the `then` of another kind may give nothing back.
      return isThenable(answer)
        ? Promise.resolve(answer).then((value) => this.#given(message, context, value))
        : this.#given(message, context, answer);
    };
    // A time-out says in which handler it was: in that of the user.
    return Object.defineProperty(answering, 'name', { value: handler?.name ?? '' });
  }

  /** A generator is driven to its end; what it returns then is the answer. */
  #given(message: Message, context: Attempt, value: unknown): unknown {
    const producer = producerOf(value);
    if (producer === undefined) return this.#returned(message, context, value);
    const driven = drive(producer, context, {
      env: this.#wiring.env,
      take: (chunk) => this.#taken('chunk', message, chunk),
    });
    return driven.then((answer) => this.#returned(message, context, answer));
  }

  /** What a handler returns that has put its answer off is none. */
  #returned(message: Message, context: Attempt, value: unknown): unknown {
    return context.deferral === undefined ? this.answerOf(message, value) : undefined;
  }

  /** An answer as the contract gives it back, in the library's own. */
  answerOf(message: Message, value: unknown): unknown {
    return this.#taken('output', message, value);
  }

  #taken(what: 'output' | 'chunk', message: Message, value: unknown): unknown {
    const { contract, keeper } = this.#wiring;
    const schema = contract?.family('requests', message.topic)?.[what];
    if (schema === undefined) return keeper.keep(value);
    return keeper.keep(parse(schema, value, { what, topic: message.topic }));
  }
}

/** What a subscription gives back. */
class Handle implements SubscriptionHandle {
  readonly #subscription: Subscription;
  readonly #subscriptions: Subscriptions;
  readonly #record: AgentRecord | undefined;

  constructor(subscription: Subscription, subscriptions: Subscriptions, record?: AgentRecord) {
    this.#subscription = subscription;
    this.#subscriptions = subscriptions;
    this.#record = record;
  }

  get pattern(): string {
    return this.#subscription.pattern.source;
  }

  get active(): boolean {
    return this.#subscription.active;
  }

  unsubscribe(): void {
    this.#subscriptions.end(this.#subscription);
    this.#record?.remove(this.#subscription);
  }

  [Symbol.dispose](): void {
    this.unsubscribe();
  }
}

/** The logger with some fields in every line, read when a line is written. */
function withFields(logger: Logger, fields: () => Record<string, unknown>): Logger {
  return {
    debug: (message, more) => logger.debug(message, { ...fields(), ...more }),
    info: (message, more) => logger.info(message, { ...fields(), ...more }),
    warn: (message, more) => logger.warn(message, { ...fields(), ...more }),
    error: (message, more) => logger.error(message, { ...fields(), ...more }),
  };
}
