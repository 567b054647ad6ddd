import type { DeniedError } from '../access/errors.ts';
import type { Attempt } from '../delivery/attempt.ts';
import { RevokedError } from '../delivery/bound-errors.ts';
import type { BusEvents } from '../delivery/bus-events.ts';
import type { Deferrals } from '../delivery/deferrals.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Dispatcher } from '../delivery/dispatcher.ts';
import { ClosedError, NameTakenError, ResponderLeftError } from '../delivery/errors.ts';
import { Group } from '../delivery/group.ts';
import { AGENT_OPTIONS, type MailboxChoice, readMailbox } from '../delivery/handler-options.ts';
import { Inbox } from '../delivery/inbox.ts';
import type { OpenCalls } from '../delivery/open-calls.ts';
import { emptyOut } from '../delivery/shutdown.ts';
import type { Subscription } from '../delivery/subscription.ts';
import type { Subscriptions } from '../delivery/subscriptions.ts';
import { Worker, type Workshop } from '../delivery/worker.ts';
import { misuse } from '../kernel/errors.ts';
import type { GuardedEvents } from '../kernel/events.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { compilePattern } from '../message/pattern.ts';
import { checkName } from '../message/topic.ts';
import type { AgentOptions } from './agent.ts';
import { AgentRecord } from './agent-record.ts';
import { HandlePermits } from './permits.ts';
import type { Registry } from './registry.ts';
import { type RestartTerms, readRestart } from './restart-terms.ts';
import { Supervision } from './supervision.ts';

/** What coming and going needs of its bus. */
export interface MembershipParts {
  readonly shop: Workshop;
  readonly registry: Registry;
  readonly subscriptions: Subscriptions;
  readonly dispatcher: Dispatcher;
  readonly calls: OpenCalls;
  readonly deferrals: Deferrals;
  readonly events: GuardedEvents<BusEvents>;
  readonly mailboxDefaults: MailboxChoice;
  /** What else belongs to an agent is let go of. */
  readonly onLeft: (name: string) => void;
  /** Hears what restricted handles refuse. */
  readonly onDenied: (refusal: DeniedError) => void;
  /** Says something as the bus itself, if anybody listens. */
  readonly say: (topic: string, notice: unknown) => void;
  readonly graceMs: number;
  /** Ends what was made with handles that are revoked now. */
  readonly endRevoked: (record: AgentRecord) => void;
}

/** Makes a handle, for a life of a supervised agent. */
export type MakeHandle = (record: AgentRecord, permits: HandlePermits) => unknown;

/** Lets agents in and out. */
export class Membership {
  readonly #parts: MembershipParts;
  readonly #permits = new WeakMap<AgentRecord, HandlePermits>();
  readonly #leaving = new WeakMap<AgentRecord, Promise<void>>();
  /** Those that are given one life after the other. */
  readonly #supervised = new Set<Supervision>();

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  /** @throws InvalidNameError `TELLASK_INVALID_NAME`, NameTakenError `TELLASK_NAME_TAKEN` */
  join(
    name: string,
    options: AgentOptions,
    makeHandle: MakeHandle,
  ): { record: AgentRecord; permits: HandlePermits } {
    checkName(name);
    if (typeof options !== 'object' || options === null) {
      throw misuse('The options of register', 'an object', options);
    }
    refuseUnknown(options, AGENT_OPTIONS, 'register');
    const terms = readTerms(options);
    const { registry, events } = this.#parts;
    if (registry.get(name) !== undefined) throw new NameTakenError(name);
    const record = this.#makeRecord(name, options);
    const permits = new HandlePermits(name, undefined, {}, this.#parts.onDenied);
    this.#permits.set(record, permits);
    registry.add(record);
    if (terms !== undefined) this.#supervise(record, permits, terms, makeHandle);
    events.emit('joined', name);
    this.#parts.say('$bus.agent.joined', { agent: name, capabilities: [...record.capabilities] });
    record.supervision?.run();
    return { record, permits };
  }

  /** The bus ends: nobody is given a new life. */
  halt(): void {
    for (const one of this.#supervised) one.halt(new ClosedError('the restart of an agent'));
  }

  /** Somebody is given one life after the other. */
  get supervises(): boolean {
    return this.#supervised.size > 0;
  }

  /** The last lives of all have ended. */
  async finish(): Promise<void> {
    await Promise.all([...this.#supervised].map((one) => one.finish()));
    this.#supervised.clear();
  }

  #supervise(
    record: AgentRecord,
    root: HandlePermits,
    { start, onEscalate, restart }: Terms,
    makeHandle: MakeHandle,
  ): void {
    const { shop, subscriptions, deferrals, events, graceMs, endRevoked, say } = this.#parts;
    const leave = (left: AgentRecord): Promise<void> => this.leave(left);
    const parts = { shop, subscriptions, deferrals, events, graceMs, endRevoked, say, leave };
    const supervision = new Supervision(parts, record, root, {
      ...restart,
      start: (permits) => start(makeHandle(record, permits) as never),
      onEscalate,
    });
    record.supervision = supervision;
    record.worker.ends = {
      unsubscribe: () => void this.leave(record),
      failed: (failure, attempt, hung) => supervision.failed(failure, attempt, hung),
    };
    this.#supervised.add(supervision);
  }

  /** The mail is dead-lettered and askers fail at once; running handlers get the grace to end. */
  leave(record: AgentRecord, except?: Delivery): Promise<void> {
    const known = this.#leaving.get(record);
    if (known !== undefined) return known;
    const leaving = this.#leave(record, except);
    this.#leaving.set(record, leaving);
    return leaving;
  }

  async #leave(record: AgentRecord, except: Delivery | undefined): Promise<void> {
    const { shop, registry, subscriptions, dispatcher, calls, events } = this.#parts;
    record.supervision?.halt(new RevokedError(record.name, 'left'));
    this.#permits.get(record)?.revoke('left');
    registry.remove(record);
    calls.leave(record.name);
    dispatcher.spill();
    const { workers } = record;
    for (const worker of workers) worker.status = 'stopped';
    const end = (delivery: Delivery): void =>
      shop.outcomes.deadLettered(delivery, 'recipient-stopped', undefined);
    const isMail = ({ home }: Delivery): boolean => home === record.worker;
    emptyOut(record.worker, [...record.subscriptions, record.pulls], end, isMail);
    for (const subscription of record.subscriptions) {
      endMail(subscription, end);
      subscriptions.end(subscription, 'left');
      if (subscription.home instanceof Inbox) subscription.home.close(end);
    }
    subscriptions.end(record.pulls, 'left');
    record.inbox.close(end);
    this.#parts.deferrals.leave(workers);
    this.#parts.onLeft(record.name);
    events.emit('left', record.name);
    this.#parts.say('$bus.agent.left', { agent: record.name });
    // A handler that calls this before its first `await` counts as running only when it returns.
    await undefined;
    await this.#endRunning(record, workers, except, end);
    if (record.supervision === undefined) return;
    await record.supervision.finish();
    this.#supervised.delete(record.supervision);
  }

  async #endRunning(
    record: AgentRecord,
    workers: ReadonlySet<Worker>,
    except: Delivery | undefined,
    end: (delivery: Delivery) => void,
  ): Promise<void> {
    const { shop, graceMs } = this.#parts;
    const attempts = shop.running.matching(
      (one) => one.running && workers.has(one.worker) && !sharesHandler(one, except),
    );
    for (const { delivery, message } of attempts) {
      delivery.admission.asker?.fail(new ResponderLeftError(record.name, message.topic));
    }
    const reason = new RevokedError(record.name, 'left');
    for (const attempt of await shop.running.end(shop.env, attempts, reason, graceMs)) {
      attempt.worker.abandon(attempt, end);
    }
  }

  #makeRecord(name: string, options: AgentOptions): AgentRecord {
    const { shop, subscriptions, mailboxDefaults } = this.#parts;
    const choice = readMailbox(options, mailboxDefaults, options.start !== undefined);
    const capabilities = readCapabilities(options.capabilities);
    const worker = new Worker(shop, choice, name);
    worker.ends = { unsubscribe: () => void this.leave(record) };
    const inbox = new Inbox(shop, `inbox of ${name}`, worker.mailbox);
    worker.inbox = inbox;
    const pulls = subscriptions.pull({ owner: name, home: worker }, compilePattern('**'), false);
    const record = new AgentRecord(name, capabilities, worker, inbox, pulls);
    return record;
  }
}

/** Whether an attempt is that of the delivery, or runs in one batch with it. */
function sharesHandler({ delivery, batch }: Attempt, other: Delivery | undefined): boolean {
  if (delivery === other) return true;
  return batch !== undefined && batch === other?.current?.batch;
}

/** What lies in a mailbox of its own; the mail of a group is for those who stay. */
function endMail(subscription: Subscription, end: (delivery: Delivery) => void): void {
  const { home } = subscription;
  if (home instanceof Group) return;
  emptyOut(home, [subscription], end, (one) => one.subscription === subscription);
}

interface Terms {
  readonly start: NonNullable<AgentOptions['start']>;
  readonly onEscalate: AgentOptions['onEscalate'];
  readonly restart: RestartTerms;
}

function readTerms({ start, restart, onEscalate }: AgentOptions): Terms | undefined {
  if (start === undefined) {
    if (restart === undefined && onEscalate === undefined) return undefined;
    throw new TypeError('restart and onEscalate need start, which wires the agent anew');
  }
  if (typeof start !== 'function') throw misuse('start', 'a function of a handle', start);
  if (onEscalate !== undefined && typeof onEscalate !== 'function') {
    throw misuse('onEscalate', 'a function', onEscalate);
  }
  return { start, onEscalate, restart: readRestart(restart) };
}

function readCapabilities(capabilities: readonly string[] | undefined): readonly string[] {
  if (capabilities === undefined) return [];
  if (!Array.isArray(capabilities) || !capabilities.every((one) => typeof one === 'string')) {
    throw misuse('capabilities', 'a list of strings', capabilities);
  }
  return capabilities;
}
