/*
 * How a message flows:
 *
 *  context.publish / send / request      agent.… and bus.… (these start a new conversation)
 *    |  the handle stamps `from`; lineage comes from the context
 *    v
 *  admit        closed? allowed? topic? schema? recipient? room?   -> throws, nothing is delivered   (REFUSED)
 *    |          take the payload (own | clone | share), give seq   -> receipt                        (ADMITTED)
 *    v
 *  route        topic -> cached dispatch list; recipient -> mailbox; request -> fewest outstanding
 *    v
 *  offer        mailbox full? reject | drop-oldest | drop-newest | wait
 *    |          the lane becomes ready; the scheduler runs it in a LATER turn, never inside publish
 *    v
 *  take         highest priority first (aged), oldest first inside a priority; too late -> `expired`
 *    v
 *  handle       middleware(handler(message, context)); a handler that returns no promise costs none
 *    |          returned -> ok      threw / timed out -> failed
 *    v
 *  settle       pure function: outcome + attempt + policy -> handled | retry(delayMs) | dead-letter(reason)
 *    |-- handled       answer the asker if there is one; count; event
 *    |-- retry         waits on the clock, keeps its slot; comes back through `offer`
 *    |-- dead-letter   record; event; reject the asker at once; `redrive` goes back to `admit`
 *
 * admit: delivery/admitter, ask · route: routing/router, delivery/route, responders ·
 * offer: delivery/dispatcher, mailbox · take and handle: delivery/worker · settle: delivery/settle,
 * settling, outcomes.
 */

import type { AgentInfo } from './agents/agent.ts';
import { Agent, type AgentOptions, type SubscriptionHandle } from './agents/agent.ts';
import type { AgentRecord } from './agents/agent-record.ts';
import type { HandlePermits } from './agents/permits.ts';
import type { Admitter } from './delivery/admitter.ts';
import type { BatchContext } from './delivery/batch-context.ts';
import type { HostSubscribeBatchOptions } from './delivery/batch-options.ts';
import type { BroadcastReceipt } from './delivery/broadcast.ts';
import type { BusEvents } from './delivery/bus-events.ts';
import type { Context, Voice } from './delivery/context.ts';
import { type Conversation, OpenConversation } from './delivery/conversation.ts';
import { ClosedError } from './delivery/errors.ts';
import { type ExplainOptions, type Explanation, explainTopic } from './delivery/explain.ts';
import type { Gathered } from './delivery/gathering.ts';
import type { HostSubscribeOptions } from './delivery/handler-options.ts';
import { LetterDesk } from './delivery/letter-desk.ts';
import type { Middleware } from './delivery/middleware.ts';
import { listPending, type PendingFilter, type PendingRequest } from './delivery/pending-list.ts';
import type { Permissions } from './delivery/permissions.ts';
import type { Receipt } from './delivery/receipt.ts';
import { readMs } from './delivery/said.ts';
import { showServed } from './delivery/served.ts';
import { type Closed, type CloseOptions, shutDown, untilIdle } from './delivery/shutdown.ts';
import type {
  BroadcastOptions,
  GatherOptions,
  PublishOptions,
  Recipients,
  RequestOptions,
  SendOptions,
  Speaker,
  StreamOptions,
  WhenServedOptions,
} from './delivery/speech.ts';
import type { MessageStream } from './delivery/stream.ts';
import type { Observer } from './delivery/tap.ts';
import { showEnv } from './kernel/env-of.ts';
import { misuse } from './kernel/errors.ts';
import type { GuardedEvents } from './kernel/events.ts';
import type {
  AnyContract,
  ContractShape,
  MessageOf,
  PatternArg,
  RequestArg,
  RequestChunk,
  RequestInput,
  RequestOutput,
  StateContract,
  TopicArg,
  TopicInput,
} from './message/contract-types.ts';
import { compilePattern } from './message/pattern.ts';
import { withFields } from './observe/logger.ts';
import type { MetricsSnapshot } from './observe/metrics.ts';
import type { StateManager } from './state/state-manager.ts';
import { type BusOptions, checkBusOptions, DEFAULTS } from './wiring/bus-options.ts';
import type { Hosting } from './wiring/hosting.ts';
import { type BusInspection, inspectBus } from './wiring/inspection.ts';
import type { InstalledPlugin, Plugin } from './wiring/plugin.ts';
import { Plugins } from './wiring/plugins.ts';
import { Wiring } from './wiring/wiring.ts';

/** Who joins or leaves belongs to no conversation. */
const NOBODY: Speaker = { name: '$host', cause: undefined };

/** The parts of a bus, for the test bus, which looks at what no one else has to see. */
export let wiringOf: (bus: MessageBus<never>) => Wiring;

/** Options of `once`. */
export interface OnceOptions {
  /** Milliseconds to wait. @default Infinity */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * A message bus inside one process: pattern-matched publish and subscribe, a priority mailbox for
 * each agent, requests with deadlines, dead letters. It is the authority: give agents handles and
 * never the bus.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * const bus = new MessageBus();
 * const heard: string[] = [];
 * bus.subscribe('report.*.drafted', (message) => heard.push(message.topic));
 * bus.publish('report.7.drafted', { text: 'hello' });
 * await bus.drain();
 * heard; // => ['report.7.drafted']
 * await bus.close();
 * ```
 */
export class MessageBus<C extends ContractShape = AnyContract>
  implements Voice<C>, AsyncDisposable
{
  static {
    // biome-ignore lint/complexity/noThisInStatic: its own name would rename it in the bundle
    showEnv(this.prototype, (bus) => bus.#wiring.env);
    // biome-ignore lint/complexity/noThisInStatic: the same
    showServed(this.prototype, (bus) => bus.#hosting.served('$host'));
    wiringOf = (bus) => bus.#wiring;
  }
  readonly #wiring: Wiring;
  readonly #hosting: Hosting;
  readonly #admitter: Admitter;
  /** The host, as the one who speaks. */
  readonly #speaker: Speaker;
  /** Dead letters: list, watch, purge, redrive. */
  readonly deadLetters: LetterDesk;
  #closing: Promise<Closed> | undefined;
  /** Made with the first. */
  #plugins: Plugins | undefined;
  /** How many wait for `drain`. */
  #drains = 0;

  constructor(options: BusOptions<C> = {}) {
    checkBusOptions(options as BusOptions);
    this.#wiring = new Wiring(options as BusOptions, () => this.close());
    this.#admitter = this.#wiring.admitter;
    this.#hosting = this.#wiring.hosting;
    this.#speaker = this.#hosting.speaker('$host');
    this.deadLetters = new LetterDesk({
      letters: this.#wiring.letters,
      admitter: this.#wiring.admitter,
      events: this.#wiring.events,
      env: this.#wiring.env,
      dispatcher: this.#wiring.dispatcher,
      responders: this.#wiring.responders,
      isOpen: () => this.#wiring.status === 'open',
      addressee: (name) => this.#wiring.registry.get(name),
      nearestAgent: (name) => this.#wiring.registry.nearest(name),
      speaker: (name) => this.#hosting.speakerNamed(name),
      successor: (of) => this.#wiring.subscriptions.successor(of),
      request: (speaker, { message }, to) =>
        this.#wiring.ask.request(
          speaker,
          message.topic,
          message.payload,
          to === undefined ? {} : { to },
        ),
    });
  }

  /** The library about itself: for watching, nothing in it depends on who listens. */
  get events(): Pick<GuardedEvents<BusEvents>, 'on' | 'once' | 'off'> {
    return this.#wiring.events;
  }

  /**
   * The shared state that was given to the bus, as the host sees it: signed `$host`, and bound by no
   * access rule. Agents use `agent.state` and `context.state`. Closing the bus does not close it.
   *
   * @throws TypeError when the bus has none.
   * @example
   * ```ts
   * import { MessageBus, StateManager } from 'tellask';
   * const bus = new MessageBus({ state: new StateManager() });
   * bus.state.set('settings', { tone: 'friendly' });
   * bus.register('writer').state.get('settings')?.value; // => { tone: 'friendly' }
   * ```
   */
  get state(): StateManager<StateContract<C>> {
    return this.#wiring.desk().manager as unknown as StateManager<StateContract<C>>;
  }

  /**
   * Who may do what on this bus: `explain` says what decides, `add` and `set` change it.
   *
   * @throws TypeError when the bus was made without `permissions`.
   */
  get permissions(): Permissions {
    const { permissions } = this.#wiring;
    if (permissions !== undefined) return permissions;
    throw new TypeError(
      "The bus has no permissions: new MessageBus({ permissions: { default: 'allow' } })",
    );
  }

  /**
   * Registers an agent and gives back the only way to speak as it.
   *
   * @throws InvalidNameError `TELLASK_INVALID_NAME`, NameTakenError `TELLASK_NAME_TAKEN`,
   * ClosedError `TELLASK_CLOSED`
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * const editor = bus.register('editor', { capabilities: ['edit'], concurrency: 2 });
   * editor.inspect().status; // => 'idle'
   * ```
   */
  register(name: string, options: AgentOptions<C> = {}): Agent<C> {
    this.#wiring.admitter.checkOpen(NOBODY, 'register', name);
    const makeHandle = (of: AgentRecord, may: HandlePermits): Agent<C> =>
      new Agent<C>(this.#hosting, of, may);
    const { membership } = this.#wiring;
    const { record, permits } = membership.join(
      name,
      options as unknown as AgentOptions,
      makeHandle,
    );
    return makeHandle(record, permits);
  }

  /**
   * Agents that are registered now, narrowed by name or capability.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * bus.register('ann', { capabilities: ['edit'] });
   * bus.register('bob');
   * bus.agents({ capability: 'edit' }).map(({ name }) => name); // => ['ann']
   * ```
   */
  agents(filter: { readonly name?: string; readonly capability?: string } = {}): AgentInfo[] {
    const { registry, running } = this.#wiring;
    const { name, capability } = filter;
    const records = name === undefined ? registry.all() : [registry.get(name)];
    const runs = running.byWorker();
    return records
      .filter((record) => record !== undefined)
      .filter(({ capabilities }) => capability === undefined || capabilities.has(capability))
      .map((record) => this.#hosting.info(record, runs));
  }

  /** Tells every matching subscription, as `$host`. */
  publish<const T extends string>(
    topic: TopicArg<C, T>,
    payload: TopicInput<C, T>,
    options?: PublishOptions,
  ): Receipt {
    return this.#admitter.publish(this.#speaker, topic, payload, options);
  }

  /** Puts one message into one agent's mailbox, as `$host`. */
  send<const T extends string>(
    to: string,
    topic: TopicArg<C, T>,
    payload: TopicInput<C, T>,
    options?: SendOptions,
  ): Receipt {
    return this.#wiring.admitter.send(this.#speaker, to, topic, payload, options);
  }

  /** Puts one message into the mailbox of each of many agents, as `$host`. */
  broadcast<const T extends string>(
    to: Recipients,
    topic: TopicArg<C, T>,
    payload: TopicInput<C, T>,
    options?: BroadcastOptions,
  ): BroadcastReceipt {
    return this.#wiring.broadcast.broadcast(this.#speaker, to, topic, payload, options);
  }

  /** Asks one of those who serve the topic, as `$host`. Never throws: whatever is wrong rejects. */
  request<const T extends string>(
    topic: RequestArg<C, T>,
    input: RequestInput<C, T>,
    options?: RequestOptions,
  ): Promise<RequestOutput<C, T>> {
    const answer = this.#wiring.ask.request(this.#speaker, topic, input, options);
    return answer as Promise<RequestOutput<C, T>>;
  }

  /** Asks all who serve the topic, as `$host`, and keeps what has come however it ends. */
  gather<const T extends string>(
    topic: RequestArg<C, T>,
    input: RequestInput<C, T>,
    options?: GatherOptions<RequestOutput<C, T>>,
  ): Promise<Gathered<RequestOutput<C, T>>> {
    const gathered = this.#wiring.gather.gather(
      this.#speaker,
      topic,
      input,
      options as GatherOptions,
    );
    return gathered as Promise<Gathered<RequestOutput<C, T>>>;
  }

  /** Asks as `$host` and reads the answer chunk by chunk. Never throws. */
  stream<const T extends string>(
    topic: RequestArg<C, T>,
    input: RequestInput<C, T>,
    options?: StreamOptions,
  ): MessageStream<RequestChunk<C, T>, RequestOutput<C, T>> {
    const stream: MessageStream = this.#wiring.ask.stream(this.#speaker, topic, input, options);
    return stream as MessageStream<RequestChunk<C, T>, RequestOutput<C, T>>;
  }

  /**
   * Listens as the host, with a mailbox and a one-at-a-time worker of its own: a slow logger keeps
   * its order and delays nobody.
   *
   * @throws InvalidPatternError `TELLASK_INVALID_PATTERN`
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * const lines: string[] = [];
   * using log = bus.subscribe('{report,alarm}.**', ({ topic }) => lines.push(topic));
   * bus.publish('alarm.tea', {});
   * await bus.drain();
   * lines; // => ['alarm.tea']
   * log.active; // => true
   * ```
   */
  subscribe<const P extends string>(
    pattern: PatternArg<C, P>,
    handler: (message: MessageOf<C, P>, context: Context<C>) => unknown,
    options: HostSubscribeOptions<MessageOf<C, P>> = {},
  ): SubscriptionHandle {
    return this.#hosting.listening.subscribe(
      undefined,
      pattern,
      handler as never,
      options as never,
    );
  }

  /**
   * Listens as the host to many messages at once, as `agent.subscribeBatch` does.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * const rows: string[] = [];
   * bus.subscribeBatch('audit.*', (messages) => {
   *   rows.push(messages.map(({ topic }) => topic).join());
   * });
   * bus.publish('audit.login', {});
   * bus.publish('audit.logout', {});
   * await bus.drain();
   * rows; // => ['audit.login,audit.logout']
   * ```
   */
  subscribeBatch<const P extends string>(
    pattern: PatternArg<C, P>,
    handler: (messages: readonly MessageOf<C, P>[], context: BatchContext<C>) => unknown,
    options: HostSubscribeBatchOptions<MessageOf<C, P>> = {},
  ): SubscriptionHandle {
    return this.#hosting.listening.subscribeBatch(
      undefined,
      pattern,
      handler as never,
      options as never,
    );
  }

  /**
   * The next message that fits. Rejects with MessageTimeoutError `TELLASK_TIMEOUT`, or with the
   * reason of `signal`.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * const next = bus.once('report.*.drafted', { timeoutMs: 1_000 });
   * bus.publish('report.7.drafted', 'Tea');
   * (await next).payload; // => 'Tea'
   * ```
   */
  once<const P extends string>(
    pattern: PatternArg<C, P>,
    options: OnceOptions = {},
  ): Promise<MessageOf<C, P>> {
    return this.#hosting.listening.once(pattern, options) as Promise<MessageOf<C, P>>;
  }

  /**
   * Resolves as soon as somebody serves the topic, at once when somebody does: for start-up. Rejects
   * with NoResponderError `TELLASK_NO_RESPONDER` when the time is over, with ClosedError
   * `TELLASK_CLOSED`, or with the reason of `signal`. Who served may have left when you ask:
   * `request` with `waitForMs` waits and asks in one.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * const ready = bus.whenServed('double', { timeoutMs: 1_000 });
   * bus.register('clerk').serve('double', (request) => Number(request.payload) * 2);
   * await ready;
   * await bus.request('double', 21); // => 42
   * ```
   */
  whenServed<const T extends string>(
    topic: RequestArg<C, T>,
    options?: WhenServedOptions,
  ): Promise<void> {
    return this.#wiring.ask.whenServed(this.#speaker, topic, options);
  }

  /**
   * Pulls messages one after the other, from a bounded mailbox that is attached at once. Leaving
   * the loop ends the subscription.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * const news = bus.messages('news.*');
   * bus.publish('news.tea', 'ready');
   * for await (const message of news) {
   *   message.payload; // => 'ready'
   *   break;
   * }
   * ```
   */
  messages<const P extends string>(
    pattern: PatternArg<C, P>,
  ): AsyncIterableIterator<MessageOf<C, P>> {
    return this.#hosting.listening.messages(undefined, pattern) as AsyncIterableIterator<
      MessageOf<C, P>
    >;
  }

  /**
   * Watches everything that is admitted, in order and in a later turn; gets no delivery. Answers
   * are no messages: `events.on('handled')` shows them. Returns how to stop.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * const seen: string[] = [];
   * const stop = bus.tap('**', ({ from, topic }, { recipients }) => {
   *   seen.push(`${from} says ${topic} to ${recipients.length}`);
   * });
   * bus.publish('hello', {});
   * await bus.drain();
   * stop();
   * seen; // => ['$host says hello to 0']
   * ```
   */
  tap(pattern: string, observer: Observer): () => void {
    if (typeof observer !== 'function') throw misuse('The observer', 'a function', observer);
    const compiled = compilePattern(pattern);
    this.#wiring.checkListener('$host', 'tap', compiled);
    return this.#wiring.taps.add(compiled, observer);
  }

  /** Installs a middleware: inside those that were installed before. Returns how to remove it. */
  use(middleware: Middleware): () => void {
    return this.#wiring.middleware.add(middleware);
  }

  /**
   * Installs a plugin: whole, or not at all. What it makes on its host goes with it, and it goes with
   * the bus.
   *
   * @throws TypeError for what is no plugin or is installed already, and what its `install` throws.
   * @example
   * ```ts
   * import { MessageBus, type Plugin } from 'tellask';
   * const counting: Plugin = {
   *   name: 'counting',
   *   install(host) {
   *     let count = 0;
   *     host.on('handled', () => host.say('counted', ++count));
   *   },
   * };
   * const bus = new MessageBus();
   * const counted = bus.once('$plugin.counting.*');
   * const installed = bus.install(counting);
   * bus.subscribe('tea', () => {});
   * bus.publish('tea', {});
   * (await counted).payload; // => 1
   * await installed.uninstall();
   * bus.plugins(); // => []
   * ```
   */
  install(plugin: Plugin): InstalledPlugin {
    this.#admitter.checkOpen(NOBODY, 'install', String(plugin?.name));
    const { env, graceMs, fault, logger, admitter } = this.#wiring;
    this.#plugins ??= new Plugins({
      bus: this as never,
      env,
      graceMs,
      logOf: (name) => withFields(logger, () => ({ plugin: name })),
      say: (topic, notice) => admitter.sayOwn(topic, notice, undefined),
      onFault: fault,
    });
    return this.#plugins.install(plugin);
  }

  /** The plugins that are installed now, in the order in which they came. */
  plugins(): readonly InstalledPlugin[] {
    return this.#plugins?.list() ?? [];
  }

  /**
   * The books, the limits and how far they are used, in constant time.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * bus.subscribe('job', () => {});
   * await bus.publish('job', {}).settled;
   * const { admitted, handled, queued, limits } = bus.inspect();
   * [admitted, handled, queued, limits.capacity]; // => [1, 1, 0, 10_000]
   * ```
   */
  inspect(): BusInspection {
    return inspectBus(this.#wiring);
  }

  /**
   * The requests that have no answer yet, oldest first: what a person's desk shows.
   *
   * @throws InvalidPatternError `TELLASK_INVALID_PATTERN`
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * bus.register('boss').serve('approve', (_request, context) => context.defer());
   * const asked = bus.request('approve', { euros: 40 });
   * bus.pending({ topic: 'approve' }).map(({ to, input }) => ({ to, input }));
   * // => [{ to: 'boss', input: { euros: 40 } }]
   * bus.conversation(bus.pending()[0]?.correlationId ?? '').cancel(); // => 1
   * await asked.catch((error: Error) => error.message); // => 'approve was cancelled: withdrawn'
   * ```
   */
  pending(filter: PendingFilter = {}): PendingRequest[] {
    return listPending(this.#wiring, filter);
  }

  /** What is open of one conversation, to look at and to cancel; `id` is its `correlationId`. */
  conversation(id: string): Conversation {
    if (typeof id !== 'string' || id === '') {
      throw misuse('The conversation', 'the correlationId of a message', id);
    }
    return new OpenConversation(this.#wiring, id);
  }

  /** Counts and latencies for each topic family and each pair of agents. */
  metrics(): MetricsSnapshot {
    return this.#wiring.metrics.snapshot();
  }

  /**
   * Who would get a message on this topic, who would not, and why; and of those who serve it, what
   * speaks for asking each of them. Nothing is said, and no turn is taken.
   *
   * @throws InvalidTopicError `TELLASK_INVALID_TOPIC`
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * bus.register('ann').subscribe('report.*', () => {}, { type: 'task' });
   * bus.explain('report.7').excluded;
   * // => [{ owner: 'ann', pattern: 'report.*', because: 'type' }]
   * ```
   */
  explain(topic: string, options: ExplainOptions = {}): Explanation {
    return explainTopic(this.#wiring, topic, options);
  }

  /**
   * Waits until everything admitted has its outcome; meanwhile calls from outside are refused and
   * those on a context go on. Then the bus is open again. False when the time was over first.
   * `timeoutMs` is 30 000 unless given; what is scheduled is not waited for.
   */
  async drain({ timeoutMs }: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    const wiring = this.#wiring;
    const limit = readMs('timeoutMs', timeoutMs) ?? DEFAULTS.drainTimeoutMs;
    if (wiring.status === 'open') wiring.status = 'draining';
    this.#drains++;
    wiring.subscriptions.hurry();
    const idle = await untilIdle(wiring.env, wiring.ledger, limit);
    // Who gives up first must not open the bus to who still drains it.
    if (--this.#drains === 0 && this.#closing === undefined) wiring.status = 'open';
    return idle;
  }

  /**
   * Ends the bus: drains for `timeoutMs` (5 000 unless given), then cancels what is left. When it
   * resolves nothing is queued, no timer and no listener is left and every promise is settled. May
   * be called again. Inside a handler use `context.close()`, which waits for no one.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * bus.publish('report.due', {}, { delayMs: 60_000 });
   * const { drained, unsent } = await bus.close();
   * [drained, unsent]; // => [true, 1]
   * ```
   */
  close(options: CloseOptions = {}): Promise<Closed> {
    this.#closing ??= this.#close(readClose(options));
    return this.#closing;
  }

  /** Closes the bus at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close().then(() => undefined);
  }

  async #close(options: Required<CloseOptions>): Promise<Closed> {
    const wiring = this.#wiring;
    wiring.letters.stopPasses(() => new ClosedError('what was to be redriven'));
    wiring.status = options.mode === 'drain' ? 'draining' : 'closed';
    if (options.mode === 'drain') wiring.subscriptions.hurry();
    const endsAt = wiring.env.now() + options.timeoutMs;
    const closed = await shutDown(this.#hosting.shutdownParts(), options);
    wiring.status = 'closed';
    // No turn is taken for what is not there.
    if (wiring.membership.supervises) await wiring.membership.finish();
    if (this.#plugins !== undefined) await this.#plugins.close();
    // What was drained for too long leaves the letters as much as a handler would get.
    await wiring.letters.close(Math.max(endsAt - wiring.env.now(), wiring.graceMs));
    this.#hosting.listening.endWaits();
    wiring.leaveState();
    wiring.arrivals.close();
    wiring.taps.close();
    wiring.events.emit('closed');
    wiring.events.removeAll();
    return { ...closed, unsavedLetters: wiring.letters.unsaved };
  }
}

/** Checked before anything is closed, so that a misspelt option leaves the bus as it was. */
function readClose({ mode = 'drain', timeoutMs }: CloseOptions): Required<CloseOptions> {
  if (mode !== 'drain' && mode !== 'abort') throw misuse('mode', "'drain' or 'abort'", mode);
  return { mode, timeoutMs: readMs('timeoutMs', timeoutMs) ?? DEFAULTS.closeTimeoutMs };
}
