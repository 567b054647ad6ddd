import type { BatchContext } from '../delivery/batch-context.ts';
import type {
  AgentServeBatchOptions,
  AgentSubscribeBatchOptions,
} from '../delivery/batch-options.ts';
import type { HandleBatch } from '../delivery/batcher.ts';
import type { BroadcastReceipt } from '../delivery/broadcast.ts';
import type { Context, Voice } from '../delivery/context.ts';
import type { Gathered } from '../delivery/gathering.ts';
import type {
  AgentServeOptions,
  AgentSubscribeOptions,
  MailboxSettings,
} from '../delivery/handler-options.ts';
import type { ReceiveOptions } from '../delivery/inbox.ts';
import type { Answering } from '../delivery/later.ts';
import type { Receipt } from '../delivery/receipt.ts';
import { type ServedView, showServed } from '../delivery/served.ts';
import type {
  BroadcastOptions,
  GatherOptions,
  PublishOptions,
  Recipients,
  RequestOptions,
  SendOptions,
  Speaker,
  Speaking,
  StreamOptions,
} from '../delivery/speech.ts';
import { failedStream, type MessageStream } from '../delivery/stream.ts';
import type { Invoke } from '../delivery/subscription.ts';
import type { Env } from '../kernel/env.ts';
import { showEnv } from '../kernel/env-of.ts';
import type {
  AnyContract,
  ContractShape,
  MessageOf,
  PatternArg,
  RequestArg,
  RequestChunk,
  RequestInput,
  RequestMessage,
  RequestOutput,
  ResponderOutput,
  ResponderStream,
  ServeArg,
  ServedTopic,
  StateContract,
  TopicArg,
  TopicInput,
} from '../message/contract-types.ts';
import type { Message } from '../message/message.ts';
import type { Logger } from '../observe/logger.ts';
import type { StateView } from '../state/state-view.ts';
import type { AgentRecord } from './agent-record.ts';
import { HandlePermits, type Restriction } from './permits.ts';
import type { RestartOptions } from './restart-terms.ts';
import type { Escalation, StopAgent, SupervisedStatus } from './supervision.ts';

/** Options of `register`. */
export interface AgentOptions<C extends ContractShape = AnyContract> extends MailboxSettings {
  /** What it can do; `request` finds it by them with `to: { capability }`. */
  readonly capabilities?: readonly string[];
  /**
   * Wires the agent with a handle of its own and makes its fresh state: at once, and again at each
   * restart. It may return a function that ends what it began, or a promise. What it throws counts as
   * a failure of the agent.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a start that ends nothing returns nothing
  start?(agent: Agent<C>): StopAgent | void | Promise<StopAgent | void>;
  /** When it is started again, and how often; only with `start`. */
  readonly restart?: RestartOptions;
  /** Hears that the restarts are used up: the agent has left, and its mail is dead-lettered. */
  readonly onEscalate?: (escalation: Escalation) => unknown;
}

/** What a subscription gives back: the way to end it. */
export interface SubscriptionHandle extends Disposable {
  readonly pattern: string;
  readonly active: boolean;
  /** The handler is never started again; what was queued for it ends `cancelled(unsubscribed)`. */
  unsubscribe(): void;
}

/** What the handler of `serveBatch` returns: one output, or an Error, for each request. */
export type BatchOutput<C extends ContractShape, T extends string> = readonly (
  | ResponderOutput<C, ServedTopic<C, T>>
  | Error
)[];

/** What is known of an agent now. */
export interface AgentInfo {
  readonly name: string;
  readonly capabilities: readonly string[];
  readonly status: 'idle' | 'busy' | 'paused' | 'left' | SupervisedStatus;
  /** Handlers that run now, of `concurrency`. */
  readonly running: number;
  /** Handlers that run now in lanes of their own. */
  readonly runningInLanes: number;
  /** When the oldest of them began, in epoch milliseconds. */
  readonly busySince?: number;
  /** Since when one of them has been running on past its time, in epoch milliseconds. */
  readonly hungSince?: number;
  /** Handlers that were given up while they still ran. */
  readonly abandoned: number;
  /** Places taken in its mailbox, of `capacity`. */
  readonly queued: number;
  /** Senders that wait for a place. */
  readonly waiting: number;
  /** The most places that were ever taken. */
  readonly highWater: number;
  readonly capacity: number;
  readonly concurrency: number;
}

/** A registration, by one of the handles to it. */
export interface Member {
  readonly record: AgentRecord;
  readonly permits: HandlePermits;
}

/** How the handle listens, answers and pulls. */
export interface AgentListening {
  subscribe(
    by: Member,
    pattern: string,
    handler: Invoke,
    options: AgentSubscribeOptions,
  ): SubscriptionHandle;
  serve(by: Member, topic: string, handler: Invoke, options: AgentServeOptions): SubscriptionHandle;
  subscribeBatch(
    by: Member,
    pattern: string,
    handle: HandleBatch,
    options: AgentSubscribeBatchOptions,
  ): SubscriptionHandle;
  serveBatch(
    by: Member,
    topic: string,
    handle: HandleBatch,
    options: AgentServeBatchOptions,
  ): SubscriptionHandle;
  messages(by: Member, pattern: string | undefined): AsyncIterableIterator<Message>;
  /** Ends what was made with handles that are revoked now. */
  endRevoked(record: AgentRecord): void;
}

/** What the handle asks of its bus; `wiring/hosting.ts` does it. */
export interface AgentHost extends Speaking {
  readonly env: Env;
  readonly listening: AgentListening;
  /** Whoever bears the name, as the one who speaks. */
  speaker(name: string, permits: HandlePermits): Speaker;
  pause(record: AgentRecord): void;
  resume(record: AgentRecord): void;
  leave(record: AgentRecord): Promise<void>;
  restart(record: AgentRecord, reason: string): Promise<void>;
  log(record: AgentRecord): Logger;
  state(speaker: Speaker): StateView;
  info(record: AgentRecord): AgentInfo;
  /** What an agent may ask for. */
  served(name: string, permits: HandlePermits): ServedView;
}

/**
 * A named handle with one mailbox: the only way to speak as that agent. It belongs to one
 * registration; after `leave` or `revoke` every call throws `TELLASK_REVOKED`.
 *
 * What is said on a handle begins a new conversation: inside a handler, speak through `context`.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * const bus = new MessageBus();
 * const editor = bus.register('editor', { capabilities: ['edit'] });
 * editor.subscribe('report.*.drafted', (message) => console.log(message.topic));
 * editor.name; // => 'editor'
 * ```
 */
export class Agent<C extends ContractShape = AnyContract> implements Voice<C>, AsyncDisposable {
  static {
    // biome-ignore lint/complexity/noThisInStatic: its own name would rename it in the bundle
    showEnv(this.prototype, (agent) => agent.#host.env);
    // biome-ignore lint/complexity/noThisInStatic: the same
    showServed(this.prototype, (agent) => agent.#host.served(agent.name, agent.#permits));
  }
  readonly #host: AgentHost;
  readonly #record: AgentRecord;
  readonly #permits: HandlePermits;
  readonly #speaker: Speaker;

  /** @internal */
  constructor(host: AgentHost, record: AgentRecord, permits: HandlePermits) {
    this.#host = host;
    this.#record = record;
    this.#permits = permits;
    this.#speaker = host.speaker(record.name, permits);
  }

  /** The name under which it was registered. */
  get name(): string {
    return this.#record.name;
  }

  /** What it said at `register` that it can do. */
  get capabilities(): readonly string[] {
    return [...this.#record.capabilities];
  }

  /** The bus's logger, with the agent's name in its fields. */
  get log(): Logger {
    return this.#host.log(this.#record);
  }

  /**
   * The shared state as this agent sees it: what is written through it is signed with its name.
   * Once the handle is revoked or the agent has left, every use throws `TELLASK_REVOKED`.
   *
   * @throws TypeError when the bus has no state.
   * @example
   * ```ts
   * import { MessageBus, StateManager } from 'tellask';
   * const bus = new MessageBus({ state: new StateManager() });
   * const writer = bus.register('writer');
   * const doc = writer.state.create('doc.7', { content: '' });
   * writer.state.compareAndSet('doc.7', doc.version, { content: 'draft' });
   * bus.state.history('doc.7').map(({ actor, version }) => `${actor} ${version}`);
   * // => ['writer 1', 'writer 2']
   * ```
   */
  get state(): StateView<StateContract<C>> {
    return this.#host.state(this.#speaker) as unknown as StateView<StateContract<C>>;
  }

  publish<const T extends string>(
    topic: TopicArg<C, T>,
    payload: TopicInput<C, T>,
    options?: PublishOptions,
  ): Receipt {
    this.#permits.check('publish', topic);
    return this.#host.publish(this.#speaker, topic, payload, options);
  }

  send<const T extends string>(
    to: string,
    topic: TopicArg<C, T>,
    payload: TopicInput<C, T>,
    options?: SendOptions,
  ): Receipt {
    this.#permits.check('send', topic);
    return this.#host.send(this.#speaker, to, topic, payload, options);
  }

  broadcast<const T extends string>(
    to: Recipients,
    topic: TopicArg<C, T>,
    payload: TopicInput<C, T>,
    options?: BroadcastOptions,
  ): BroadcastReceipt {
    this.#permits.check('send', topic);
    return this.#host.broadcast(this.#speaker, to, topic, payload, options);
  }

  async request<const T extends string>(
    topic: RequestArg<C, T>,
    input: RequestInput<C, T>,
    options?: RequestOptions,
  ): Promise<RequestOutput<C, T>> {
    this.#permits.check('request', topic);
    return this.#host.request(this.#speaker, topic, input, options) as Promise<RequestOutput<C, T>>;
  }

  async gather<const T extends string>(
    topic: RequestArg<C, T>,
    input: RequestInput<C, T>,
    options?: GatherOptions<RequestOutput<C, T>>,
  ): Promise<Gathered<RequestOutput<C, T>>> {
    this.#permits.check('request', topic);
    const gathered = this.#host.gather(this.#speaker, topic, input, options as GatherOptions);
    return gathered as Promise<Gathered<RequestOutput<C, T>>>;
  }

  stream<const T extends string>(
    topic: RequestArg<C, T>,
    input: RequestInput<C, T>,
    options?: StreamOptions,
  ): MessageStream<RequestChunk<C, T>, RequestOutput<C, T>> {
    return this.#stream(topic, input, options) as MessageStream<
      RequestChunk<C, T>,
      RequestOutput<C, T>
    >;
  }

  #stream(topic: string, input: unknown, options: StreamOptions | undefined): MessageStream {
    try {
      this.#permits.check('request', topic);
    } catch (error) {
      return failedStream(error);
    }
    return this.#host.stream(this.#speaker, topic, input, options);
  }

  /**
   * Listens. Attached when this returns; every subscription gets its own delivery.
   *
   * @throws InvalidPatternError `TELLASK_INVALID_PATTERN`, DeniedError `TELLASK_DENIED`;
   * TypeError for options of a mailbox without `lane: 'own'`.
   */
  subscribe<const P extends string>(
    pattern: PatternArg<C, P>,
    handler: (message: MessageOf<C, P>, context: Context<C>) => unknown,
    options: AgentSubscribeOptions<MessageOf<C, P>> = {},
  ): SubscriptionHandle {
    this.#permits.check('subscribe', pattern);
    const { listening } = this.#host;
    return listening.subscribe(this.#member, pattern, handler as never, options as never);
  }

  /**
   * Answers requests: what the handler returns is the answer, what it throws rejects the asker. A
   * generator streams: what it yields are the chunks, what it returns is the answer, and its
   * `finally` runs when the asker leaves. So does any async iterable that it returns.
   *
   * @throws InvalidPatternError `TELLASK_INVALID_PATTERN`, DeniedError `TELLASK_DENIED`;
   * TypeError for options of a mailbox without `lane: 'own'`.
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * bus.register('clock').serve('time.in', (request, context) => {
   *   context.log.info('somebody asks', { from: request.from });
   *   return `tea time in ${request.payload}`;
   * });
   * await bus.request('time.in', 'London'); // => 'tea time in London'
   * ```
   */
  serve<const T extends string>(
    topic: ServeArg<C, T>,
    handler: (
      request: RequestMessage<C, ServedTopic<C, T>>,
      context: Context<C>,
    ) => Answering<ResponderOutput<C, ServedTopic<C, T>>> | ResponderStream<C, ServedTopic<C, T>>,
    options: AgentServeOptions<RequestMessage<C, ServedTopic<C, T>>> = {},
  ): SubscriptionHandle {
    this.#permits.check('serve', topic);
    const { listening } = this.#host;
    return listening.serve(this.#member, topic, handler as never, options as never);
  }

  /**
   * Listens to many messages at once: one call for up to `batch.max` of them, started when so many
   * have come or the first has waited `batch.waitMs`. Each stays a delivery of its own, with its
   * own outcome and retry. Return nothing when all went well, else an array with one entry for each
   * message: an `Error` fails that message alone. What is thrown fails all. Gotcha: any array that
   * is returned is read so; one of another length fails all with BatchResultError
   * `TELLASK_BATCH_RESULT`.
   *
   * @throws as `subscribe`; TypeError for `group` and for a retry `in-place`.
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * const sizes: number[] = [];
   * const archive = bus.register('archive');
   * archive.subscribeBatch('log.**', (lines) => void sizes.push(lines.length), {
   *   batch: { max: 2, waitMs: 50 },
   * });
   * for (const line of [1, 2, 3]) bus.publish('log.web', line);
   * await bus.drain();
   * sizes; // => [2, 1]
   * ```
   */
  subscribeBatch<const P extends string>(
    pattern: PatternArg<C, P>,
    handler: (messages: readonly MessageOf<C, P>[], context: BatchContext<C>) => unknown,
    options: AgentSubscribeBatchOptions<MessageOf<C, P>> = {},
  ): SubscriptionHandle {
    this.#permits.check('subscribe', pattern);
    const { listening } = this.#host;
    return listening.subscribeBatch(this.#member, pattern, handler as never, options as never);
  }

  /**
   * Answers many requests with one call. The handler returns an array with one output for each
   * request, in their order; an `Error` in it rejects that asker alone, and so does an output that
   * the contract refuses. A wrong length, or no array, fails all with BatchResultError
   * `TELLASK_BATCH_RESULT`. `timeoutMs` is 300 000 unless given; each request keeps its own
   * deadline besides.
   *
   * @throws as `serve`; TypeError for `idempotent` and for a retry `in-place`.
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * bus.register('embedder').serveBatch('embed.text', (requests) => {
   *   return requests.map(({ payload }) => String(payload).length);
   * });
   * const ask = (text: string) => bus.request('embed.text', text);
   * await Promise.all(['tea', 'coffee'].map(ask)); // => [3, 6]
   * ```
   */
  serveBatch<const T extends string>(
    topic: ServeArg<C, T>,
    handler: (
      requests: readonly RequestMessage<C, ServedTopic<C, T>>[],
      context: BatchContext<C>,
    ) => BatchOutput<C, T> | PromiseLike<BatchOutput<C, T>>,
    options: AgentServeBatchOptions<RequestMessage<C, ServedTopic<C, T>>> = {},
  ): SubscriptionHandle {
    this.#permits.check('serve', topic);
    const { listening } = this.#host;
    return listening.serveBatch(this.#member, topic, handler as never, options as never);
  }

  /**
   * Takes the next message that no handler took; `undefined` when `timeoutMs` is over. With `where`
   * it is the next one that fits, and the rest stays in its place. Rejects with the reason of
   * `signal`, and with what `where` throws.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * const clerk = bus.register('clerk');
   * bus.send('clerk', 'form.sign', 'A38');
   * (await clerk.receive({ timeoutMs: 1_000 }))?.payload; // => 'A38'
   * await clerk.receive({ timeoutMs: 0 }); // => undefined
   * bus.send('clerk', 'form.sign', 'B12');
   * bus.send('clerk', 'form.stamp', 'A39');
   * (await clerk.receive({ where: ({ topic }) => topic === 'form.stamp' }))?.payload; // => 'A39'
   * (await clerk.receive())?.payload; // => 'B12'
   * ```
   */
  async receive(options?: ReceiveOptions): Promise<Message | undefined> {
    this.#permits.checkAlive();
    return this.#record.inbox.receive(options, this.#permits);
  }

  /**
   * Pulls messages one after the other; each is handled when the next one is asked for. With a
   * pattern it is a subscription, attached at once; without, it reads what no handler takes.
   */
  messages<const P extends string>(
    pattern?: PatternArg<C, P>,
  ): AsyncIterableIterator<MessageOf<C, P>> {
    if (pattern === undefined) this.#permits.checkAlive();
    else this.#permits.check('subscribe', pattern);
    return this.#host.listening.messages(this.#member, pattern) as AsyncIterableIterator<
      MessageOf<C, P>
    >;
  }

  /** Begins with no further message until `resume`; what runs goes on, what comes is queued. */
  pause(): void {
    this.#permits.checkAlive();
    this.#host.pause(this.#record);
  }

  /** Goes on after `pause`. */
  resume(): void {
    this.#permits.checkAlive();
    this.#host.resume(this.#record);
  }

  /**
   * Leaves the bus: its mail is dead-lettered, its askers fail at once, and running handlers are
   * aborted and get a second to end. Resolves when they have. May be called again.
   */
  async leave(): Promise<void> {
    this.#permits.checkMayLeave();
    return this.#host.leave(this.#record);
  }

  /**
   * Begins anew: running handlers are aborted and get a second to end, then `start` is called again;
   * what is queued stays. Resolves when the new life has begun. It counts as a restart: when they are
   * used up it escalates, and this rejects with RevokedError `TELLASK_REVOKED`. Inside a handler throw
   * RestartError instead.
   *
   * @throws TypeError for an agent without `start`.
   */
  async restart(reason: string = 'it was asked to'): Promise<void> {
    this.#permits.checkAlive();
    return this.#host.restart(this.#record, reason);
  }

  /** Leaves at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#permits.mayLeave) await this.leave();
  }

  /**
   * Makes a second handle to the same agent that may do less: what is named is all that is left of
   * it, what is not named stays as it is. A call beyond it throws DeniedError `TELLASK_DENIED`.
   *
   * @example
   * ```ts
   * import { isTellaskError, MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * const guest = bus.register('guest').restrict({ publish: ['report.**'], send: [] });
   * guest.publish('report.7.drafted', {}).recipients; // => []
   * try {
   *   guest.publish('alarm.fire', {});
   * } catch (error) {
   *   isTellaskError(error, 'TELLASK_DENIED'); // => true
   * }
   * ```
   */
  restrict(restriction: Restriction): Agent<C> {
    this.#permits.checkAlive();
    const permits = new HandlePermits(this.name, this.#permits, restriction);
    return handleOf(this.#host, this.#record, permits);
  }

  /** Makes this handle, and those that were made from it, useless, and ends their subscriptions. */
  revoke(): void {
    this.#permits.revoke('revoked');
    this.#host.listening.endRevoked(this.#record);
  }

  /** What is known of the agent now. */
  inspect(): AgentInfo {
    return this.#host.info(this.#record);
  }

  get #member(): Member {
    return { record: this.#record, permits: this.#permits };
  }
}

/** Apart from the class: one that names itself inside would be renamed when it is bundled. */
function handleOf<C extends ContractShape>(
  host: AgentHost,
  record: AgentRecord,
  permits: HandlePermits,
): Agent<C> {
  return new Agent<C>(host, record, permits);
}
