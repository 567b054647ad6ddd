import type { Agent, SubscriptionHandle } from '../agents/agent.ts';
import type { MessageBus } from '../bus.ts';
import { NoResponderError, RequestTimeoutError } from '../delivery/errors.ts';
import { misuse } from '../kernel/errors.ts';
import { isA } from '../kernel/is-a.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import { agreedVersion, isVersion, readVersion } from './protocol-version.ts';

/** The request on which agents greet each other, when no other is named. */
const TOPIC = 'agent.handshake';
const TIMEOUT_MS = 5_000;

/** What one who greets wants of the other. */
export interface HandshakeOptions {
  /** The protocol it speaks, as `'1.4'`: any version from 1.4 and below 2 will do. */
  readonly version: string;
  /** Capabilities that the other must have. @default none */
  readonly needs?: readonly string[];
  /** Milliseconds to wait for an answer. @default 5_000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What one who is greeted offers. */
export interface AcceptOptions {
  /** The versions it speaks: `['1.4', '2.0']`. */
  readonly versions: readonly string[];
  /** What it can do. @default the capabilities it is registered with */
  readonly capabilities?: readonly string[];
  /** The last word: `true`, or why not. @default everybody is welcome */
  readonly decide?: (from: string, hello: Hello) => true | string;
}

/** What is said in greeting. */
export interface Hello {
  readonly version: string;
  readonly needs: readonly string[];
}

/** What two agents have agreed on. */
export interface AcceptedHandshake {
  readonly outcome: 'accepted';
  readonly agent: string;
  /** The version that both speak. */
  readonly version: string;
  /** All that the other can do. */
  readonly capabilities: readonly string[];
}

/** How a greeting has ended. */
export type Handshake =
  | AcceptedHandshake
  | {
      readonly outcome: 'refused';
      readonly agent: string;
      /** `not-served`: the other is there and shakes no hands. */
      readonly reason: 'version' | 'capabilities' | 'declined' | 'not-served';
      /** In words: which versions it speaks, which capabilities it lacks, or why it declined. */
      readonly because: string;
    }
  | { readonly outcome: 'timed-out'; readonly agent: string; readonly afterMs: number };

/** Options of {@link Handshakes}. */
export interface HandshakesOptions {
  /** The request topic; a closed contract has to name it. @default 'agent.handshake' */
  readonly topic?: string;
}

type Answer =
  | Omit<AcceptedHandshake, 'agent'>
  | Omit<Extract<Handshake, { outcome: 'refused' }>, 'agent'>;

interface Greeting {
  readonly agent: string;
  readonly other: string;
  /** One of the two has left since. */
  isOver: boolean;
}

const REASONS: ReadonlySet<unknown> = new Set(['version', 'capabilities', 'declined']);
const OPTIONS: ReadonlySet<string> = new Set<keyof HandshakesOptions>(['topic']);
const SHAKE: ReadonlySet<string> = new Set<keyof HandshakeOptions>([
  'version',
  'needs',
  'timeoutMs',
  'signal',
]);
const ACCEPT: ReadonlySet<string> = new Set<keyof AcceptOptions>([
  'versions',
  'capabilities',
  'decide',
]);

/**
 * Lets agents agree on a protocol before they work together: its version, and what one needs of the
 * other. What was accepted is remembered until either of them leaves; a successor of the same name
 * is greeted anew.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { Handshakes } from 'tellask/agents';
 * const bus = new MessageBus();
 * const handshakes = new Handshakes(bus);
 * const writer = bus.register('writer');
 * const searcher = bus.register('searcher', { capabilities: ['search'] });
 * handshakes.accept(searcher, { versions: ['1.4', '2.0'] });
 * const met = await handshakes.greet(writer, 'searcher', { version: '1.2', needs: ['search'] });
 * met; // => { outcome: 'accepted', agent: 'searcher', version: '1.4', capabilities: ['search'] }
 * ```
 */
export class Handshakes<C extends ContractShape = AnyContract> implements Disposable {
  readonly #topic: string;
  /** What each has agreed with whom. */
  readonly #accepted = new Map<string, Map<string, AcceptedHandshake>>();
  /** Greetings that are under way: who leaves meanwhile is not remembered. */
  readonly #greetings = new Set<Greeting>();
  readonly #off: () => void;

  /** @throws TypeError for options that make no sense. */
  constructor(bus: MessageBus<C>, options: HandshakesOptions = {}) {
    refuseUnknown(options, OPTIONS, 'Handshakes');
    this.#topic = options.topic ?? TOPIC;
    this.#off = bus.events.on('left', (agent) => this.#forget(agent));
  }

  /**
   * Answers greetings as this agent, until the handle that is returned is unsubscribed.
   *
   * @throws TypeError for a version that is none.
   */
  accept(agent: Agent<C>, options: AcceptOptions): SubscriptionHandle {
    refuseUnknown(options, ACCEPT, 'accept');
    const { versions, capabilities = agent.capabilities, decide } = options;
    if (!Array.isArray(versions) || versions.length === 0) {
      throw misuse('versions', "a list of versions such as ['1.4']", versions);
    }
    for (const version of versions) readVersion('versions', version);
    const answer = (from: string, hello: Hello): Answer =>
      judge(hello, versions, capabilities, () => decide?.(from, hello) ?? true);
    const handler = (request: { from: string; payload: unknown }): Answer =>
      answer(request.from, readHello(request.payload));
    return agent.serve(this.#topic as never, handler as never);
  }

  /**
   * Greets another agent, or gives what was agreed with it before.
   *
   * @throws UnknownRecipientError `TELLASK_UNKNOWN_RECIPIENT`, TypeError for options that make no
   * sense, and `signal.reason`.
   */
  async greet(agent: Agent<C>, other: string, options: HandshakeOptions): Promise<Handshake> {
    refuseUnknown(options, SHAKE, 'greet');
    const { version, needs = [], timeoutMs = TIMEOUT_MS, signal } = options;
    readVersion('version', version);
    const known = this.with(agent.name, other);
    if (known !== undefined && suits(known, version, needs)) return known;
    const hello: Hello = { version, needs };
    const terms = { to: other, timeoutMs, ...(signal === undefined ? {} : { signal }) };
    const greeting: Greeting = { agent: agent.name, other, isOver: false };
    this.#greetings.add(greeting);
    try {
      const answer: unknown = await agent.request(this.#topic as never, hello as never, terms);
      return this.#keep(greeting, readAnswer(answer, other, hello));
    } catch (error) {
      return ended(error, other, timeoutMs);
    } finally {
      this.#greetings.delete(greeting);
    }
  }

  /** What these two have agreed on; `undefined` when they have not, or one has left since. */
  with(agent: string, other: string): AcceptedHandshake | undefined {
    return this.#accepted.get(agent)?.get(other);
  }

  /** Forgets everything and listens no more; who accepts goes on to do so. */
  [Symbol.dispose](): void {
    this.#off();
    this.#accepted.clear();
    for (const greeting of this.#greetings) greeting.isOver = true;
  }

  #keep({ agent, isOver }: Greeting, shaken: Handshake): Handshake {
    if (shaken.outcome !== 'accepted' || isOver) return shaken;
    const partners = this.#accepted.get(agent) ?? new Map<string, AcceptedHandshake>();
    this.#accepted.set(agent, partners.set(shaken.agent, shaken));
    return shaken;
  }

  #forget(agent: string): void {
    this.#accepted.delete(agent);
    for (const partners of this.#accepted.values()) partners.delete(agent);
    for (const greeting of this.#greetings) {
      if (greeting.agent === agent || greeting.other === agent) greeting.isOver = true;
    }
  }
}

function judge(
  { version, needs }: Hello,
  versions: readonly string[],
  capabilities: readonly string[],
  decide: () => true | string,
): Answer {
  const agreed = agreedVersion(version, versions);
  if (agreed === undefined) {
    const because = `speaks ${versions.join(', ')}, not ${version}`;
    return { outcome: 'refused', reason: 'version', because };
  }
  const missing = needs.filter((need) => !capabilities.includes(need));
  if (missing.length > 0) {
    return { outcome: 'refused', reason: 'capabilities', because: `lacks ${missing.join(', ')}` };
  }
  const decided = decide();
  if (decided === true) return { outcome: 'accepted', version: agreed, capabilities };
  return { outcome: 'refused', reason: 'declined', because: String(decided) };
}

/** Greetings are said by anybody who can ask: what they hold is looked at. */
function readHello(payload: unknown): Hello {
  const { version, needs } = (payload ?? {}) as Partial<Hello>;
  readVersion('version', version);
  if (Array.isArray(needs) && needs.every((need) => typeof need === 'string')) {
    return { version: version as string, needs };
  }
  throw misuse('needs', 'a list of capabilities', needs);
}

/** Anybody can serve the topic: what is no answer to this greeting agrees on nothing. */
function readAnswer(answer: unknown, agent: string, { version, needs }: Hello): Handshake {
  const { outcome, ...said } = (answer ?? {}) as Record<string, unknown>;
  const { reason, because } = said;
  if (outcome === 'refused' && REASONS.has(reason) && typeof because === 'string') {
    return { ...said, outcome, agent } as Handshake;
  }
  const shaken = { ...said, outcome, agent } as AcceptedHandshake;
  if (outcome === 'accepted' && isAgreement(shaken) && suits(shaken, version, needs)) return shaken;
  const misread = `${agent} has answered what is no answer to this greeting`;
  return { outcome: 'refused', agent, reason: 'not-served', because: misread };
}

function isAgreement({ version, capabilities }: AcceptedHandshake): boolean {
  return isVersion(version) && isTexts(capabilities);
}

function isTexts(texts: unknown): boolean {
  return Array.isArray(texts) && texts.every((text) => typeof text === 'string');
}

function suits(
  { version, capabilities }: AcceptedHandshake,
  wanted: string,
  needs: readonly string[],
): boolean {
  if (agreedVersion(wanted, [version]) === undefined) return false;
  return needs.every((need) => capabilities.includes(need));
}

function ended(error: unknown, agent: string, afterMs: number): Handshake {
  if (isA(error, RequestTimeoutError)) return { outcome: 'timed-out', agent, afterMs };
  if (!isA(error, NoResponderError)) throw error;
  const because = `${agent} does not answer greetings`;
  return { outcome: 'refused', agent, reason: 'not-served', because };
}
