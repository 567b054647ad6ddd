import type { AgentListening, Member, SubscriptionHandle } from '../agents/agent.ts';
import type { AgentRecord } from '../agents/agent-record.ts';
import type { SubscribeBatchOptions } from '../delivery/batch-options.ts';
import { joinBatch } from '../delivery/batch-run.ts';
import type { HandleBatch } from '../delivery/batcher.ts';
import { ClosedError, MessageTimeoutError } from '../delivery/errors.ts';
import {
  type LaneOptions,
  type MailboxChoice,
  type MailboxSettings,
  readMailbox,
  readTypes,
  refuseMailboxOptions,
  type ServeOptions,
  type SubscribeOptions,
} from '../delivery/handler-options.ts';
import { Inbox } from '../delivery/inbox.ts';
import { readMs } from '../delivery/said.ts';
import type { Invoke, Subscription } from '../delivery/subscription.ts';
import type { Subscriber, Subscriptions } from '../delivery/subscriptions.ts';
import { Worker } from '../delivery/worker.ts';
import { onAbort } from '../kernel/abort.ts';
import type { Message } from '../message/message.ts';
import { compilePattern, type Pattern } from '../message/pattern.ts';
import { withFields } from '../observe/logger.ts';
import type { Answers } from './answers.ts';
import type { Wiring } from './wiring.ts';

/** The one who speaks and listens when no agent does. */
export const HOST = '$host';

/** An agent, or the host itself, whose every subscription has a mailbox of its own. */
type Listener = Member | undefined;
type Options = LaneOptions & MailboxSettings;

/** Who hears what: subscriptions, responders, batches, and those who pull. */
export class Listening implements AgentListening {
  readonly #wiring: Wiring;
  readonly #answers: Answers;
  /** Ends those who wait for one message. */
  readonly #waits = new Set<() => void>();

  constructor(wiring: Wiring, answers: Answers) {
    this.#wiring = wiring;
    this.#answers = answers;
  }

  subscribe(
    by: Listener,
    pattern: string,
    handler: Invoke,
    options: SubscribeOptions & Options,
  ): SubscriptionHandle {
    const { subscriptions } = this.#wiring;
    return this.#attach(by, pattern, options, 'subscribe', (subscriber, compiled) =>
      subscriptions.subscribe(subscriber, compiled, handler, options),
    );
  }

  serve(
    by: Member,
    topic: string,
    handler: Invoke,
    options: ServeOptions & Options,
  ): SubscriptionHandle {
    const { subscriptions } = this.#wiring;
    const answering = this.#answers.answering(handler);
    return this.#attach(by, topic, options, 'serve', (subscriber, compiled) =>
      subscriptions.serve(subscriber, compiled, answering, options),
    );
  }

  subscribeBatch(
    by: Listener,
    pattern: string,
    handle: HandleBatch,
    options: SubscribeBatchOptions & Options,
  ): SubscriptionHandle {
    return this.#batch(by, pattern, handle, options, false);
  }

  serveBatch(
    by: Member,
    topic: string,
    handle: HandleBatch,
    options: SubscribeBatchOptions & Options,
  ): SubscriptionHandle {
    return this.#batch(by, topic, handle, options, true);
  }

  /** Pulls: without a pattern from the agent's own mailbox, else from one that fills from now on. */
  messages(by: Listener, pattern: string | undefined): AsyncIterableIterator<Message> {
    if (pattern === undefined && by !== undefined) {
      return by.record.inbox.messages(() => {}, by.permits);
    }
    return this.#messagesOn(by, pattern as string);
  }

  #messagesOn(by: Listener, pattern: string): AsyncIterableIterator<Message> {
    this.#refuseWhenClosed(pattern);
    const { shop, mailboxDefaults, subscriptions } = this.#wiring;
    const owner = by?.record.name ?? HOST;
    this.#wiring.checkListener(owner, 'subscribe', compilePattern(pattern));
    const home = new Inbox(shop, `${owner} reads ${pattern}`, mailboxDefaults);
    const subscriber: Subscriber = { owner, home, permits: by?.permits };
    const subscription = subscriptions.pull(subscriber, compilePattern(pattern), true);
    by?.record.add(subscription);
    return home.messages(() => {
      by?.record.remove(subscription);
      subscriptions.end(subscription);
      home.close();
    });
  }

  /** Their subscriptions end, and whoever pulled with them gets nothing more. */
  endRevoked(record: AgentRecord): void {
    const { subscriptions, outcomes } = this.#wiring;
    this.#wiring.endStateOf(record.name, 'revoked');
    record.inbox.dismiss();
    for (const subscription of [...record.subscriptions]) {
      if (subscription.permits?.alive !== false) continue;
      if (record.supervision?.keeps(subscription)) continue;
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
      const heard = this.subscribe(
        undefined,
        pattern,
        (message) => finish(() => resolve(message)),
        {},
      );
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

  #batch(
    by: Listener,
    pattern: string,
    handle: HandleBatch,
    options: SubscribeBatchOptions & Options,
    answers: boolean,
  ): SubscriptionHandle {
    const { subscriptions, logger } = this.#wiring;
    const join = answers ? this.#answers.answering(joinBatch) : joinBatch;
    const action = answers ? 'serve' : 'subscribe';
    return this.#attach(by, pattern, options, action, (subscriber, compiled) => {
      const log = withFields(logger, () => ({ agent: subscriber.owner }));
      return subscriptions.batch(subscriber, compiled, join, options, { handle, answers, log });
    });
  }

  /** The one way in: whose mailbox, what goes into it, and how it ends. */
  #attach(
    by: Listener,
    pattern: string,
    options: Options,
    action: 'subscribe' | 'serve',
    make: (subscriber: Subscriber, pattern: Pattern) => Subscription,
  ): SubscriptionHandle {
    this.#refuseWhenClosed(pattern);
    this.#wiring.checkListener(by?.record.name ?? HOST, action, compilePattern(pattern));
    const home = this.#homeOf(by, pattern, options, action);
    const owner = by?.record.name ?? HOST;
    const subscriber: Subscriber = { owner, home, permits: by?.permits };
    const subscription = make(subscriber, compilePattern(pattern));
    by?.record.add(subscription);
    by?.record.supervision?.adopt(subscription);
    const handle = new Handle(subscription, this.#wiring.subscriptions, by?.record);
    // The host cannot leave: what hangs ends this subscription alone.
    if (by === undefined) home.ends = handle;
    return handle;
  }

  #homeOf(by: Listener, pattern: string, options: Options, action: 'subscribe' | 'serve'): Worker {
    if (by === undefined) {
      return new Worker(this.#wiring.shop, this.#choose(options, false), HOST, pattern);
    }
    const { record } = by;
    if (options?.lane !== 'own') {
      refuseMailboxOptions(options ?? {}, action === 'serve' ? 'handler' : 'subscription');
      return record.worker;
    }
    const { supervision } = record;
    const choice = this.#choose(options, supervision !== undefined);
    if (supervision !== undefined) {
      const { source } = compilePattern(pattern);
      const seat = {
        kind: action,
        pattern: { source },
        types: readTypes((options as SubscribeOptions).type),
      };
      const known = supervision.laneFor(by.permits, seat, choice);
      if (known !== undefined) return known;
    }
    const worker = new Worker(this.#wiring.shop, choice, record.name, pattern);
    worker.ends = record.worker.ends;
    if (record.worker.status === 'paused') worker.status = 'paused';
    return worker;
  }

  #choose(options: MailboxSettings, supervised: boolean): MailboxChoice {
    return readMailbox(options ?? {}, this.#wiring.mailboxDefaults, supervised);
  }

  /** A closed bus says nothing any more, so whoever listens to it would wait for ever. */
  #refuseWhenClosed(pattern: string): void {
    if (this.#wiring.status === 'closed') throw new ClosedError(`listening to ${pattern}`);
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
    // Of a life that has ended: its mail is for the next one.
    if (this.#record?.supervision?.keeps(this.#subscription)) return;
    this.#subscriptions.end(this.#subscription);
    this.#record?.remove(this.#subscription);
  }

  [Symbol.dispose](): void {
    this.unsubscribe();
  }
}
