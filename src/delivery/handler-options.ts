import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { MailboxOptions } from '../mailbox/mailbox.ts';
import { OVERFLOW, type Overflow } from '../mailbox/overflow.ts';
import type { Message, MessageType } from '../message/message.ts';
import { RETRY_OPTIONS, type RetryOptions } from '../resilience/backoff.ts';
import { checkRate, type RateLimit } from '../resilience/token-bucket.ts';
import { BUSY_POLICIES, type BusyPolicy } from './busy.ts';
import type { Context } from './context.ts';
import type { IdempotencyOptions } from './idempotency.ts';
import { readMs } from './said.ts';
import type { OnHang } from './worker.ts';

/** Options of a mailbox and its worker: of `register`, `bus.subscribe` and `lane: 'own'`. */
export interface MailboxSettings {
  /** Handlers that run at a time, across all subscriptions of the mailbox. @default 1 */
  readonly concurrency?: number;
  /** Places for what is queued or waits for a retry; `Infinity` for no bound. @default 10_000 */
  readonly capacity?: number;
  /** What a full mailbox does with a newcomer. @default 'reject' */
  readonly overflow?: Overflow;
  /** How many takes in a row may pass over the oldest message. @default 16 */
  readonly ageingLimit?: number;
  /**
   * What becomes of the slot of a handler that outlives its time-out. `restart` begins the agent
   * anew, and is for those that are registered with `start`. @default 'release'
   */
  readonly onHang?: OnHang;
}

/** Options of a handler: of `subscribe` and `serve`. */
export interface HandlerSettings<M extends Message = Message> {
  /** @default none */
  readonly retry?: HandlerRetry | false;
  /** Milliseconds. @default 300_000; for a request what its asker still waits */
  readonly timeoutMs?: number;
  /** One at a time and in order for every key; without a key a message runs freely. */
  readonly key?: (message: M) => unknown;
  /** How often the handler may start. */
  readonly rateLimit?: RateLimit;
  /**
   * Holds what the handler tells by `context.publish`, `send` and `broadcast` until it succeeds; what
   * a failed attempt has told is withdrawn. Requests are not held. Gotcha: do not await the `settled`
   * or `accepted` of a held message inside the handler. @default true with more than one attempt
   */
  readonly outbox?: boolean;
}

/** Retry of a handler. */
export interface HandlerRetry extends RetryOptions {
  /**
   * `requeue` frees the agent and goes to the back of its priority; `in-place` holds the agent and
   * keeps the order. @default 'requeue'
   */
  readonly order?: 'requeue' | 'in-place';
}

/** Options of `subscribe`. */
export interface SubscribeOptions<M extends Message = Message> extends HandlerSettings<M> {
  /**
   * What becomes of a message that comes while its `key` is at work; without a `key` the whole
   * subscription is one, and anything but `queue` is one at a time. @default 'queue'
   */
  readonly busy?: BusyPolicy;
  /** Only messages of these types. @default all */
  readonly type?: MessageType | readonly MessageType[];
  /** Hear what the own agent publishes, too. @default false */
  readonly echo?: boolean;
  /** Members of a group share one mailbox and take the next message when they are free. */
  readonly group?: string;
  /** Get the last retained value of every matching topic first. @default false */
  readonly replay?: boolean;
}

/** A mailbox of its own for one subscription of an agent. */
export interface OwnLaneOptions extends MailboxSettings {
  readonly lane: 'own';
}

/** Those of a mailbox only together with `lane: 'own'`. */
export type LaneOptions = { readonly lane?: 'agent' } | OwnLaneOptions;

/** Options of `agent.subscribe`: those of a mailbox only together with `lane: 'own'`. */
export type AgentSubscribeOptions<M extends Message = Message> = SubscribeOptions<M> & LaneOptions;

/** Options of `bus.subscribe`: it has a mailbox and a worker of its own. */
export type HostSubscribeOptions<M extends Message = Message> = SubscribeOptions<M> &
  MailboxSettings;

/** Options of `serve`. */
export interface ServeOptions<M extends Message = Message> extends HandlerSettings<M> {
  /** What becomes of a request that comes while its `key` is at work. @default 'queue' */
  readonly busy?: Exclude<BusyPolicy, 'steer'>;
  /** Answers a repeated `idempotencyKey` with the first answer. */
  readonly idempotent?: IdempotencyOptions;
  /**
   * Called once, in place of nothing, when a budget is used up before the answer is there: what it
   * returns reaches the asker as `partial` of the BudgetExhaustedError. It can ask for nothing more.
   */
  readonly wrapUp?: (request: M, context: Context) => unknown;
  /** Milliseconds that `wrapUp` may take. @default 1_000, the `graceMs` of the bus */
  readonly wrapUpTimeoutMs?: number;
}

/** Options of `agent.serve`: those of a mailbox only together with `lane: 'own'`. */
export type AgentServeOptions<M extends Message = Message> = ServeOptions<M> & LaneOptions;

const MAILBOX_OPTIONS = ['concurrency', 'capacity', 'overflow', 'ageingLimit', 'onHang'] as const;
const ON_HANG: readonly unknown[] = ['release', 'hold', 'stop', 'restart'];

/** Checked mailbox options with their defaults. */
export interface MailboxChoice extends MailboxOptions {
  readonly concurrency: number;
  readonly onHang: OnHang;
}

/** Fills in and checks the options of a mailbox. */
export function readMailbox(
  settings: MailboxSettings,
  defaults: MailboxChoice,
  supervised: boolean = false,
): MailboxChoice {
  if (!MAILBOX_OPTIONS.some((name) => settings[name] !== undefined)) return defaults;
  const {
    concurrency = defaults.concurrency,
    capacity = defaults.capacity,
    overflow = defaults.overflow,
    ageingLimit = defaults.ageingLimit,
    onHang = defaults.onHang,
  } = settings;
  readCount('concurrency', concurrency, 1);
  readCount('capacity', capacity, 0);
  readCount('ageingLimit', ageingLimit, 0);
  if (!Object.hasOwn(OVERFLOW, overflow)) {
    throw misuse('overflow', `one of ${Object.keys(OVERFLOW).join(', ')}`, overflow);
  }
  if (!ON_HANG.includes(onHang)) throw misuse('onHang', `one of ${ON_HANG.join(', ')}`, onHang);
  if (onHang === 'restart' && !supervised) {
    throw new TypeError("onHang: 'restart' is for an agent that is registered with start");
  }
  return { concurrency, capacity, overflow, ageingLimit, onHang };
}

/** Options of a mailbox have no meaning where many subscriptions share one. */
export function refuseMailboxOptions(options: object, what: string): void {
  for (const name of MAILBOX_OPTIONS) {
    if (!(name in options)) continue;
    throw new TypeError(
      `${name} belongs to the mailbox, which all subscriptions of an agent share: ` +
        `give it to register, or give this ${what} a mailbox of its own with lane: 'own'`,
    );
  }
}

const HANDLER_OPTIONS: ReadonlySet<string> = new Set([
  'retry',
  'timeoutMs',
  'key',
  'rateLimit',
  'outbox',
  'busy',
  'type',
  'echo',
  'group',
  'replay',
  'lane',
  'idempotent',
  'wrapUp',
  'wrapUpTimeoutMs',
  ...MAILBOX_OPTIONS,
]);

/** What `register` takes. */
export const AGENT_OPTIONS: ReadonlySet<string> = new Set([
  'capabilities',
  'start',
  'restart',
  'onEscalate',
  ...MAILBOX_OPTIONS,
]);

/** Checks what is common to all handlers. */
export function checkHandler(handler: unknown, options: HandlerSettings): void {
  if (typeof handler !== 'function') throw misuse('The handler', 'a function', handler);
  if (typeof options !== 'object' || options === null) {
    throw misuse('The options', 'an object', options);
  }
  refuseUnknown(options, HANDLER_OPTIONS, 'A handler');
  readMs('timeoutMs', options.timeoutMs);
  if (options.key !== undefined && typeof options.key !== 'function') {
    throw misuse('key', 'a function of the message', options.key);
  }
  const { retry, rateLimit, outbox } = options;
  if (outbox !== undefined && typeof outbox !== 'boolean') {
    throw misuse('outbox', 'true or false', outbox);
  }
  if (retry !== undefined && retry !== false) checkRetry(retry);
  if (rateLimit !== undefined) checkRate(rateLimit, 'rateLimit');
}

/** Checks how a handler takes what comes while it works. */
export function checkBusy(kind: 'subscribe' | 'serve', options: SubscribeOptions): void {
  const { busy = 'queue', group } = options;
  if (!BUSY_POLICIES.includes(busy)) {
    throw misuse('busy', `one of ${BUSY_POLICIES.join(', ')}`, busy);
  }
  if (busy === 'queue') return;
  if (group !== undefined) {
    throw new TypeError(
      `busy: '${busy}' and group exclude each other: in a group whoever is free takes the next message`,
    );
  }
  if (busy === 'steer' && kind === 'serve') {
    throw new TypeError(
      "busy: 'steer' is for subscribe: a request that is read by the handler of another has no answer",
    );
  }
}

/** Checks what only responders have. */
export function checkIdempotent({ idempotent }: ServeOptions): void {
  if (idempotent === undefined) return;
  const { windowMs, maxKeys } = idempotent;
  if (typeof windowMs !== 'number') {
    throw misuse('idempotent.windowMs', 'a number of milliseconds', windowMs);
  }
  readMs('idempotent.windowMs', windowMs);
  if (maxKeys !== undefined) readCount('idempotent.maxKeys', maxKeys, 0);
}

/** Checks the last call of a responder. */
export function checkWrapUp({ wrapUp, wrapUpTimeoutMs }: ServeOptions): void {
  if (wrapUp !== undefined && typeof wrapUp !== 'function') {
    throw misuse('wrapUp', 'a function of the request and its context', wrapUp);
  }
  readMs('wrapUpTimeoutMs', wrapUpTimeoutMs);
}

/** Nobody waits for what a listener has, and a batch answers one by one. */
export function refuseAnswering(options: object): void {
  refuseAll(['idempotent', 'wrapUp', 'wrapUpTimeoutMs'], options, (name) => {
    return `${name} belongs to serve: only there is one asker to hear it`;
  });
}

/** A request goes to one who serves its topic, whatever else he listens to. */
export function refuseListening(options: object): void {
  refuseAll(['type', 'echo', 'group', 'replay'], options, (name) => {
    return `${name} belongs to subscribe: of those who serve a topic one is asked`;
  });
}

function refuseAll(names: readonly string[], options: object, why: (name: string) => string): void {
  for (const name of names) if (name in options) throw new TypeError(why(name));
}

/** Checks what only listeners have. */
export function checkGroup({ group }: SubscribeOptions): void {
  if (group === undefined || (typeof group === 'string' && group !== '')) return;
  throw misuse('group', 'a non-empty string', group);
}

const HANDLER_RETRY: ReadonlySet<string> = new Set(['order', ...RETRY_OPTIONS]);

function checkRetry(retry: HandlerRetry): void {
  if (typeof retry !== 'object' || retry === null) {
    throw misuse('retry', 'an object of options or false', retry);
  }
  refuseUnknown(retry, HANDLER_RETRY, 'The retry of a handler');
  const { order } = retry;
  if (order !== undefined && order !== 'requeue' && order !== 'in-place') {
    throw misuse('retry.order', "'requeue' or 'in-place'", order);
  }
}

/** The types a subscription listens for. */
export function readTypes(
  type: MessageType | readonly MessageType[] | undefined,
): readonly MessageType[] | undefined {
  if (type === undefined) return undefined;
  const types = typeof type === 'string' ? [type] : type;
  if (!Array.isArray(types) || types.length === 0 || !types.every((t) => typeof t === 'string')) {
    throw misuse('type', 'a message type, or a list of them', type);
  }
  return [...types];
}
