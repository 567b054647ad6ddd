import type { Agent, AgentOptions } from '../agents/agent.ts';
import type { AgentRecord } from '../agents/agent-record.ts';
import type { MessageBus } from '../bus.ts';
import { UnknownRecipientError } from '../delivery/errors.ts';
import { type ServedView, servedBy, showServed } from '../delivery/served.ts';
import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import { type A2ACard, type A2AOptions, asA2A } from './a2a.ts';
import { BusSide, type Ended } from './bus-side.ts';
import { type AgentCard, type RegisteredCard, readCard } from './card.ts';
import { CardIndex, type CardQuery } from './card-index.ts';
import { Health } from './health.ts';
import { type BridgedOptions, Heartbeat, readBridged } from './heartbeat.ts';
import { type Presence, statusFrom } from './presence.ts';
import {
  type Probe,
  type ProbeCheck,
  type ProbeOptions,
  RunningProbe,
  readProbe,
} from './probe.ts';
import { type Session, type SessionInfo, type SessionOptions, Sessions } from './sessions.ts';

/** Names of those who have left that are remembered, for a while. */
const MAX_GONE = 1_000;

/** One registration with a card. */
interface Entry {
  readonly card: RegisteredCard;
  readonly record: AgentRecord;
  /** Of an agent behind a bridge. */
  readonly heartbeat: Heartbeat | undefined;
}

/** Options of {@link AgentRegistry}. */
export interface AgentRegistryOptions {
  /** Connections that one agent may have at a time. @default 1_000 */
  readonly maxSessions?: number;
}

/** Options of {@link AgentRegistry.register}: those of `bus.register`, and what a bridge needs. */
export interface RegisterOptions<C extends ContractShape = AnyContract> extends AgentOptions<C> {
  /** The agent lives elsewhere, and is given up when nothing is heard of it. @default it lives here */
  readonly bridged?: BridgedOptions;
}

/** What {@link AgentRegistry.find} looks for. All of what is given has to fit. */
export interface AgentQuery extends CardQuery {
  /** Only those who are healthy, or only those who are not. @default all */
  readonly healthy?: boolean;
}

/** How many there are of what a registry keeps. */
export interface RegistryInspection {
  /** Agents with a card. */
  readonly cards: number;
  /** Names of the agents that are not healthy now. */
  readonly unhealthy: readonly string[];
  readonly probes: number;
  readonly sessions: number;
}

const OPTIONS: ReadonlySet<string> = new Set<keyof AgentRegistryOptions>(['maxSessions']);

const QUERY: ReadonlySet<string> = new Set<keyof AgentQuery>([
  'capability',
  'tag',
  'type',
  'where',
  'healthy',
]);

/**
 * Knows the agents of a bus by their cards: what each can do, whether it is there, and how it is.
 * A card goes when its agent leaves.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { AgentRegistry } from 'tellask/agents';
 * const bus = new MessageBus();
 * const registry = new AgentRegistry(bus);
 * const searcher = registry.register({
 *   name: 'searcher',
 *   version: '1.2.0',
 *   capabilities: [{ id: 'search.web', description: 'Searches the web', tags: ['research'] }],
 * });
 * registry.find({ tag: 'research' }).map(({ name }) => name); // => ['searcher']
 * registry.presence('searcher').status; // => 'idle'
 * await searcher.leave();
 * registry.find({ tag: 'research' }); // => []
 * registry.presence('searcher').status; // => 'gone'
 * ```
 */
export class AgentRegistry<C extends ContractShape = AnyContract> implements Disposable {
  static {
    // biome-ignore lint/complexity/noThisInStatic: its own name would rename it in the bundle
    showServed(this.prototype, (registry) => servedBy(registry.bus) as ServedView);
  }
  /** Whose agents it knows. */
  readonly bus: MessageBus<C>;
  readonly #side: BusSide;
  readonly #entries = new Map<string, Entry>();
  readonly #index = new CardIndex<Entry>();
  readonly #health: Health;
  readonly #sessions: Sessions;
  readonly #probes = new Map<string, Set<Probe>>();
  /** What each had ended when it joined: a successor is not blamed for who had the name before. */
  readonly #before = new Map<string, Ended>();
  /** When those who have left did so. */
  readonly #gone = new Map<string, number>();
  readonly #offs: (() => void)[];

  /** @throws TypeError, RangeError for options that make no sense. */
  constructor(bus: MessageBus<C>, options: AgentRegistryOptions = {}) {
    refuseUnknown(options, OPTIONS, 'AgentRegistry');
    const maxSessions = readCount('maxSessions', options.maxSessions ?? 1_000, 1);
    this.bus = bus;
    this.#side = new BusSide(bus as never);
    this.#health = new Health(this.#side);
    this.#sessions = new Sessions(this.#side.env, maxSessions);
    this.#offs = [
      bus.events.on('joined', (name) => this.#joined(name)),
      bus.events.on('left', (name) => this.#left(name)),
      bus.events.on('abandoned', ({ recipient }) => this.#abandoned(recipient)),
      bus.events.on('closed', () => this[Symbol.dispose]()),
    ];
  }

  /**
   * Registers an agent with its card and gives back its handle, as `bus.register` does: the ids of
   * its capabilities are those by which `request` finds it.
   *
   * @throws ValidationError `TELLASK_VALIDATION` for a card that does not fit, NameTakenError
   * `TELLASK_NAME_TAKEN`, InvalidNameError `TELLASK_INVALID_NAME`, ClosedError `TELLASK_CLOSED`
   */
  register(card: AgentCard, options: RegisterOptions<C> = {}): Agent<C> {
    const read = readCard(card);
    const { bridged, ...agentOptions } = options;
    const bridge = bridged === undefined ? undefined : readBridged(bridged);
    const capabilities = read.capabilities.map(({ id }) => id);
    const agent = this.bus.register(read.name, { capabilities, ...agentOptions });
    const record = this.#side.record(read.name);
    // Its start has failed, and it may not be restarted.
    if (record === undefined) return agent;
    const heartbeat = bridge && this.#expectBeats(agent, bridge);
    const entry = { card: read, record, heartbeat };
    this.#entries.set(read.name, entry);
    this.#index.add(entry);
    this.#side.say('$bus.agent.registered', { agent: read.name, card: read });
    return agent;
  }

  /** The card of an agent that is there. */
  card(name: string): RegisteredCard | undefined {
    const entry = this.#entries.get(name);
    return entry !== undefined && this.#isThere(entry) ? entry.card : undefined;
  }

  /** The cards of all who are there, in the order in which they came. */
  list(): readonly RegisteredCard[] {
    return this.find();
  }

  /**
   * The cards of those who are there and fit, in the order in which they came.
   *
   * @throws TypeError for options that make no sense.
   */
  find(query: AgentQuery = {}): readonly RegisteredCard[] {
    refuseUnknown(query, QUERY, 'find');
    const { where, healthy } = query;
    if (where !== undefined && typeof where !== 'function') {
      throw misuse('where', 'a predicate on cards', where);
    }
    const found = this.#index.find(query) ?? [...this.#entries.values()];
    return found
      .filter((entry) => this.#isThere(entry))
      .filter(({ card }) => healthy === undefined || this.isHealthy(card.name) === healthy)
      .map(({ card }) => card)
      .filter((card) => where === undefined || where(card));
  }

  /**
   * What is known of an agent of the bus now, with a card or without.
   *
   * @throws UnknownRecipientError `TELLASK_UNKNOWN_RECIPIENT` for a name that was never heard of,
   * or is forgotten: the last 1 000 who have left are remembered.
   */
  presence(name: string): Presence {
    const record = this.#side.record(name);
    if (record === undefined) return this.#absence(name);
    const info = this.#side.info(record);
    const illness = this.#health.illness(name);
    const draining = this.#side.status === 'draining';
    const { queued, waiting, abandoned, busySince } = info;
    const running = info.running + info.runningInLanes;
    const errorRate = this.#errorRate(name);
    return {
      agent: name,
      ...statusFrom({ info, illness, draining }),
      ...(illness === undefined ? {} : { because: illness.because }),
      ...(busySince === undefined ? {} : { busySince }),
      running,
      queued: queued + waiting,
      abandoned,
      ...(errorRate === undefined ? {} : { errorRate }),
      lastSeenAt: this.#lastSeenAt(name),
    };
  }

  /**
   * Whether nothing speaks against asking this agent, in constant time: for strategies such as
   * `leastBusy({ healthy: (agent) => registry.isHealthy(agent) })`.
   */
  isHealthy(name: string): boolean {
    return this.#health.illness(name) === undefined;
  }

  /**
   * Probes an agent of the bus, at once and again and again: by a function, or by a request that it
   * has to answer on the topic. A request waits behind the handler that runs, so serve it with
   * `lane: 'own'`, or give it time.
   *
   * @throws UnknownRecipientError `TELLASK_UNKNOWN_RECIPIENT`, TypeError and RangeError for options
   * that make no sense.
   *
   * @example
   * ```ts
   * import { createTestBus } from 'tellask/testing';
   * import { AgentRegistry, leastBusy } from 'tellask/agents';
   * const t = createTestBus();
   * const registry = new AgentRegistry(t.bus);
   * let well = false;
   * registry.register({ name: 'ann' }).serve('whoami', () => 'ann');
   * registry.register({ name: 'ben' }).serve('whoami', () => 'ben');
   * registry.probe('ann', () => well, { everyMs: 1_000, failures: 2 });
   * await t.clock.advance(1_500);
   * registry.presence('ann').status; // => 'unhealthy'
   * const select = leastBusy({ healthy: (agent) => registry.isHealthy(agent) });
   * const asked = t.bus.request('whoami', {}, { select });
   * await t.settle();
   * await asked; // => 'ben'
   * well = true;
   * await t.clock.advance(1_000);
   * registry.isHealthy('ann'); // => true
   * ```
   */
  probe(name: string, check: ProbeCheck | string, options: ProbeOptions = {}): Probe {
    const terms = readProbe(options);
    if (typeof check !== 'function' && typeof check !== 'string') {
      throw misuse('What a probe does', 'a function or a topic', check);
    }
    this.#checkThere(name);
    const { env } = this.#side;
    const onStop = (probe: Probe): void => this.#stopped(probe);
    const asked = typeof check === 'string' ? this.#asking(name, check, options.payload) : check;
    const probe = new RunningProbe({ env, health: this.#health, onStop }, name, asked, terms);
    const others = this.#probes.get(name) ?? new Set();
    this.#probes.set(name, others.add(probe));
    return probe;
  }

  /**
   * A sign of life of an agent behind a bridge.
   *
   * @throws UnknownRecipientError `TELLASK_UNKNOWN_RECIPIENT`, TypeError for an agent that lives in
   * this process: what it does is known without a word of it.
   */
  beat(name: string): void {
    this.#checkThere(name);
    const heartbeat = this.#entries.get(name)?.heartbeat;
    if (heartbeat === undefined) throw misuse('beat', 'an agent with bridged', name);
    heartbeat.beat();
  }

  /**
   * Notes a connection through which an agent is reached; what comes through it (`touch`) is a sign
   * of life. It ends with its agent at the latest.
   *
   * @throws UnknownRecipientError `TELLASK_UNKNOWN_RECIPIENT`, TypeError and RangeError for options
   * that make no sense, and for more connections than `maxSessions`.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * import { AgentRegistry } from 'tellask/agents';
   * const registry = new AgentRegistry(new MessageBus());
   * registry.register({ name: 'phone' }, { bridged: { heartbeatMs: 5_000 } });
   * const session = registry.openSession('phone', { metadata: { transport: 'websocket' } });
   * registry.sessions('phone').map(({ metadata }) => metadata); // => [{ transport: 'websocket' }]
   * session.close();
   * registry.sessions('phone'); // => []
   * ```
   */
  openSession(name: string, options: SessionOptions = {}): Session {
    this.#checkThere(name);
    const heartbeat = this.#entries.get(name)?.heartbeat;
    return this.#sessions.add(name, options, () => heartbeat?.beat());
  }

  /** The connections of an agent that are open, oldest first. */
  sessions(name: string): readonly SessionInfo[] {
    return this.#sessions.of(name);
  }

  /**
   * The card of an agent with the fields of A2A 1.0, for a server of yours to offer.
   *
   * @throws UnknownRecipientError `TELLASK_UNKNOWN_RECIPIENT` for an agent without a card, TypeError
   * for options that make no sense.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * import { AgentRegistry } from 'tellask/agents';
   * const registry = new AgentRegistry(new MessageBus());
   * registry.register({ name: 'searcher', capabilities: [{ id: 'search.web', tags: ['web'] }] });
   * const { skills, supportedInterfaces } = registry.toA2A('searcher', { url: 'https://a.example' });
   * skills.map(({ id, tags }) => [id, tags]); // => [['search.web', ['web']]]
   * supportedInterfaces[0]?.protocolVersion; // => '1.0'
   * ```
   */
  toA2A(name: string, options: A2AOptions): A2ACard {
    const card = this.card(name);
    if (card === undefined) throw new UnknownRecipientError(name, this.#side.nearest(name));
    return asA2A(card, options);
  }

  /** How many there are of what is kept. */
  inspect(): RegistryInspection {
    let probes = 0;
    for (const { size } of this.#probes.values()) probes += size;
    return {
      cards: this.#entries.size,
      unhealthy: this.#health.names(),
      probes,
      sessions: this.#sessions.size,
    };
  }

  /** Forgets everything and listens no more; the agents stay. */
  [Symbol.dispose](): void {
    for (const off of this.#offs.splice(0)) off();
    for (const name of [...this.#entries.keys(), ...this.#probes.keys()]) this.#drop(name);
    this.#sessions.clear();
    this.#health.clear();
    this.#before.clear();
    this.#gone.clear();
  }

  /** One who is leaving just now has no place on the bus any more. */
  #isThere({ card, record }: Entry): boolean {
    return this.#side.record(card.name) === record;
  }

  #joined(name: string): void {
    this.#drop(name);
    this.#gone.delete(name);
    const ended = this.#side.endedBy(name);
    if (ended !== undefined && ended.handled + ended.deadLettered > 0) {
      this.#before.set(name, ended);
    }
  }

  #left(name: string): void {
    // A successor may have come while the mail of this one was put away.
    if (this.#side.record(name) !== undefined) return;
    this.#drop(name);
    this.#before.delete(name);
    this.#gone.delete(name);
    this.#gone.set(name, Math.round(this.#side.env.wall()));
    for (const oldest of this.#gone.keys()) {
      if (this.#gone.size <= MAX_GONE) break;
      this.#gone.delete(oldest);
    }
  }

  #drop(name: string): void {
    // First the health: that probes end is no recovery.
    this.#health.forget(name);
    for (const probe of [...(this.#probes.get(name) ?? [])]) probe.stop();
    this.#sessions.closeAll(name);
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#index.remove(entry);
    entry.heartbeat?.stop();
  }

  #stopped(probe: Probe): void {
    const others = this.#probes.get(probe.agent);
    others?.delete(probe);
    if (others?.size === 0) this.#probes.delete(probe.agent);
  }

  #asking(name: string, topic: string, payload: unknown = null): ProbeCheck {
    const terms = { to: name, priority: 'critical' } as const;
    return (signal) =>
      this.bus.request(topic as never, payload as never, {
        ...terms,
        signal,
        timeoutMs: Infinity,
      });
  }

  #expectBeats(agent: Agent<C>, bridged: Required<BridgedOptions>): Heartbeat {
    const { env } = this.#side;
    const onLost = (): void => void agent.leave();
    return new Heartbeat({ env, health: this.#health, onLost }, agent.name, bridged);
  }

  /** A handler was given up: whoever keeps its place for it hangs. */
  #abandoned(name: string): void {
    const record = this.#side.record(name);
    if (record?.worker.options.onHang !== 'hold') return;
    this.#side.say('$bus.agent.status', { agent: name, status: 'hung' });
  }

  #checkThere(name: string): void {
    if (this.#side.record(name) !== undefined) return;
    throw new UnknownRecipientError(name, this.#side.nearest(name));
  }

  #lastSeenAt(name: string): number {
    const heartbeat = this.#entries.get(name)?.heartbeat;
    return heartbeat?.lastSeenAt ?? Math.round(this.#side.env.wall());
  }

  #absence(name: string): Presence {
    const leftAt = this.#gone.get(name);
    if (leftAt === undefined) throw new UnknownRecipientError(name, this.#side.nearest(name));
    const nothing = { running: 0, queued: 0, abandoned: 0 };
    return { agent: name, status: 'gone', since: leftAt, ...nothing, lastSeenAt: leftAt };
  }

  #errorRate(name: string): number | undefined {
    const ended = this.#side.endedBy(name);
    if (ended === undefined) return undefined;
    const before = this.#before.get(name);
    const failed = ended.deadLettered - (before?.deadLettered ?? 0);
    const all = failed + ended.handled - (before?.handled ?? 0);
    return all === 0 ? 0 : failed / all;
  }
}
