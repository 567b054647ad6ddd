import type { Agent, AgentOptions } from '../agents/agent.ts';
import type { AgentRecord } from '../agents/agent-record.ts';
import type { MessageBus } from '../bus.ts';
import { UnknownRecipientError } from '../delivery/errors.ts';
import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import { BusSide, type Ended } from './bus-side.ts';
import { type AgentCard, type RegisteredCard, readCard } from './card.ts';
import { CardIndex, type CardQuery } from './card-index.ts';
import { Health } from './health.ts';
import { type Presence, statusFrom } from './presence.ts';

/** Names of those who have left that are remembered, for a while. */
const MAX_GONE = 1_000;

/** One registration with a card. */
interface Entry {
  readonly card: RegisteredCard;
  readonly record: AgentRecord;
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
}

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
  readonly #bus: MessageBus<C>;
  readonly #side: BusSide;
  readonly #entries = new Map<string, Entry>();
  readonly #index = new CardIndex<Entry>();
  readonly #health: Health;
  /** What each had ended when it joined: a successor is not blamed for who had the name before. */
  readonly #before = new Map<string, Ended>();
  /** When those who have left did so. */
  readonly #gone = new Map<string, number>();
  readonly #offs: (() => void)[];

  constructor(bus: MessageBus<C>) {
    this.#bus = bus;
    this.#side = new BusSide(bus as never);
    this.#health = new Health(this.#side);
    this.#offs = [
      bus.events.on('joined', (name) => this.#joined(name)),
      bus.events.on('left', (name) => this.#left(name)),
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
  register(card: AgentCard, options: AgentOptions = {}): Agent<C> {
    const read = readCard(card);
    const capabilities = read.capabilities.map(({ id }) => id);
    const agent = this.#bus.register(read.name, { capabilities, ...options });
    const record = this.#side.record(read.name) as AgentRecord;
    this.#drop(read.name);
    const entry = { card: read, record };
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
    const { running, queued, waiting, abandoned, busySince } = info;
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
      lastSeenAt: Math.round(this.#side.env.wall()),
    };
  }

  /**
   * Whether nothing speaks against asking this agent, in constant time: for strategies such as
   * `leastBusy({ healthy: (agent) => registry.isHealthy(agent) })`.
   */
  isHealthy(name: string): boolean {
    return this.#health.illness(name) === undefined;
  }

  /** How many there are of what is kept. */
  inspect(): RegistryInspection {
    return { cards: this.#entries.size, unhealthy: this.#health.names() };
  }

  /** Forgets everything and listens no more; the agents stay. */
  [Symbol.dispose](): void {
    for (const off of this.#offs.splice(0)) off();
    for (const name of [...this.#entries.keys()]) this.#drop(name);
    this.#health.clear();
    this.#before.clear();
    this.#gone.clear();
  }

  /** One who is leaving just now has no place on the bus any more. */
  #isThere({ card, record }: Entry): boolean {
    return this.#side.record(card.name) === record;
  }

  #joined(name: string): void {
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
    this.#health.forget(name);
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#index.remove(entry);
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
