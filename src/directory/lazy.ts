import type { Agent } from '../agents/agent.ts';
import type { MessageBus } from '../bus.ts';
import type { Context } from '../delivery/context.ts';
import type { HandlerRetry } from '../delivery/handler-options.ts';
import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import type { Message } from '../message/message.ts';
import { LazyPool } from './lazy-pool.ts';

/** What there is of one key. */
export interface LazyInstance {
  /** Handles what came for its key, one after the other; of a request it returns the answer. */
  handle(message: Message, context: Context): unknown;
  /** Called when it is put away; what it returns, or resolves with, the next `start` is given. */
  passivate?(): unknown;
}

/** What `start` is given besides the key. */
export interface LazyStart {
  /** What `passivate` has returned last; undefined at first, and when it was forgotten. */
  readonly kept: unknown;
  /** The agent that all instances speak as. */
  readonly agent: Agent;
}

/** Options of {@link lazy}. */
export interface LazyOptions {
  /** Patterns that it listens to. */
  readonly subscribe?: readonly string[];
  /** Topics that it answers. */
  readonly serve?: readonly string[];
  /** Which instance a message is for. @default its conversation, the `correlationId` */
  readonly key?: (message: Message) => string;
  /** Makes the instance of a key; may return a promise. What it throws fails the message. */
  readonly start: (key: string, start: LazyStart) => LazyInstance | Promise<LazyInstance>;
  /** Milliseconds without a message after which an instance is put away. @default 60_000 */
  readonly idleMs?: number;
  /** Instances that may work at the same time. @default 16 */
  readonly concurrency?: number;
  /** Instances there may be; the least recently used is put away. @default 1_000 */
  readonly maxInstances?: number;
  /** Keys of which is remembered what `passivate` has returned; the oldest is forgotten. @default 10_000 */
  readonly maxKept?: number;
  /** What the mailbox of all of them holds. @default 10_000 */
  readonly capacity?: number;
  /** @default none */
  readonly retry?: HandlerRetry | false;
  /** Of one message, in milliseconds. @default that of the bus */
  readonly timeoutMs?: number;
}

/** The instances of one kind. */
export interface LazyAgents extends AsyncDisposable {
  readonly name: string;
  /** The keys that have an instance now. */
  instances(): readonly string[];
  /** Puts the instance of a key away as soon as it is idle; without a key all of them. */
  passivate(key?: string): Promise<void>;
  /** Leaves the bus, and puts all away. */
  leave(): Promise<void>;
}

const OPTIONS: ReadonlySet<string> = new Set<keyof LazyOptions>([
  'subscribe',
  'serve',
  'key',
  'start',
  'idleMs',
  'concurrency',
  'maxInstances',
  'maxKept',
  'capacity',
  'retry',
  'timeoutMs',
]);

/**
 * Agents that are there when a message comes for them: one instance for each key, made by the first
 * message, put away when it is idle. There is never more than one of a key, and what comes while it
 * comes or goes waits in its order: what it listens to in one line, what it answers in another. All of
 * them share one mailbox and speak as one agent. Gotcha: an answer that streams is handed on before it
 * has ended, so the next message of the key may begin meanwhile.
 *
 * @throws TypeError or RangeError for options that make no sense, NameTakenError `TELLASK_NAME_TAKEN`
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { lazy } from 'tellask/agents';
 * const bus = new MessageBus();
 * const sessions = lazy(bus, 'session', {
 *   serve: ['chat.{id}.say'],
 *   key: ({ topic }) => topic.split('.')[1] ?? '',
 *   start: (_key, { kept }) => {
 *     let lines = Number(kept ?? 0);
 *     return { handle: () => ++lines, passivate: () => lines };
 *   },
 * });
 * await bus.request('chat.7.say', 'hello'); // => 1
 * sessions.instances(); // => ['7']
 * await sessions.passivate('7');
 * sessions.instances(); // => []
 * await bus.request('chat.7.say', 'are you there?'); // => 2
 * ```
 */
export function lazy<C extends ContractShape = AnyContract>(
  bus: MessageBus<C>,
  name: string,
  options: LazyOptions,
): LazyAgents {
  const read = readLazy(options);
  const { concurrency, capacity, key, listens, serves, handler } = read;
  let pool!: LazyPool;
  const agent = (bus as unknown as MessageBus).register(name, {
    concurrency,
    ...(capacity === undefined ? {} : { capacity }),
    start: (self) => {
      pool = new LazyPool({ ...read, agent: self });
      const handle = (message: Message, context: Context): unknown => pool.handle(message, context);
      // One subscription for all patterns: then whoever waits in the line of a key takes no slot.
      if (listens !== undefined) self.subscribe(listens, handle, { ...handler, key });
      if (serves !== undefined) self.serve(serves, handle as never, { ...handler, key });
      return () => pool.close();
    },
    // A hung instance is given up, and no other instance suffers for it.
    restart: { maxRestarts: 0 },
  });
  return {
    name,
    instances: () => pool.keys(),
    passivate: (one) => pool.passivate(one),
    leave: () => agent.leave(),
    [Symbol.asyncDispose]: () => agent.leave(),
  };
}

/** Checked {@link LazyOptions}. */
export interface LazyTerms {
  readonly start: LazyOptions['start'];
  readonly key: (message: Message) => string;
  readonly idleMs: number;
  readonly concurrency: number;
  readonly maxInstances: number;
  readonly maxKept: number;
  readonly capacity: number | undefined;
  readonly listens: string | undefined;
  readonly serves: string | undefined;
  readonly handler: { readonly retry?: HandlerRetry | false; readonly timeoutMs?: number };
}

function readLazy(options: LazyOptions): LazyTerms {
  if (typeof options !== 'object' || options === null) {
    throw misuse('The options of lazy', 'an object', options);
  }
  refuseUnknown(options, OPTIONS, 'lazy');
  const { start, key = conversationOf, idleMs = 60_000, concurrency = 16 } = options;
  const { maxInstances = 1_000, maxKept = 10_000, capacity, retry, timeoutMs } = options;
  if (typeof start !== 'function') throw misuse('start', 'a function of the key', start);
  if (typeof key !== 'function') throw misuse('key', 'a function of the message', key);
  if (typeof idleMs !== 'number') throw misuse('idleMs', 'a number of milliseconds', idleMs);
  if (!(idleMs >= 0)) throw new RangeError(`idleMs must be a number from 0, but it is ${idleMs}`);
  readCount('concurrency', concurrency, 1);
  readCount('maxKept', maxKept, 0);
  readCount('maxInstances', maxInstances, 1);
  const listens = oneOf('subscribe', options.subscribe);
  const serves = oneOf('serve', options.serve);
  if (listens === undefined && serves === undefined) {
    throw new TypeError('lazy needs what it listens to (subscribe) or answers (serve)');
  }
  const handler = {
    ...(retry === undefined ? {} : { retry }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  const limits = { idleMs, maxInstances, maxKept, capacity };
  // Whoever works cannot be put away, so no more may work than there may be.
  const working = Math.min(concurrency, maxInstances);
  return { start, key, listens, serves, handler, concurrency: working, ...limits };
}

function conversationOf({ correlationId }: Message): string {
  return correlationId;
}

function oneOf(option: string, patterns: readonly string[] | undefined): string | undefined {
  if (patterns === undefined) return undefined;
  if (!Array.isArray(patterns) || !patterns.every((one) => typeof one === 'string')) {
    throw misuse(option, 'a list of patterns', patterns);
  }
  if (patterns.length === 0) return undefined;
  return patterns.length === 1 ? patterns[0] : `{${patterns.join(',')}}`;
}
