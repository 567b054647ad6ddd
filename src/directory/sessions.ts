import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { own } from '../message/payload.ts';

/** Options of {@link AgentRegistry.openSession}. */
export interface SessionOptions {
  /** By which the connection is known, unique for its agent. @default a new one */
  readonly id?: string;
  /** What is worth knowing of it: address, transport, user. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** A connection through which an agent is reached. Instants are epoch milliseconds. */
export interface SessionInfo {
  readonly id: string;
  readonly agent: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly openedAt: number;
  readonly lastActivityAt: number;
}

/** A connection that is open. */
export interface Session extends SessionInfo, Disposable {
  readonly open: boolean;
  /** Something came through it: a sign of life of its agent. */
  touch(): void;
  /** The connection has ended. */
  close(): void;
}

const OPTIONS: ReadonlySet<string> = new Set<keyof SessionOptions>(['id', 'metadata']);

/** The connections of all agents, at most `max` of one agent. */
export class Sessions {
  readonly #env: Env;
  readonly #max: number;
  readonly #open = new Map<string, Map<string, OpenSession>>();
  #count = 0;
  #size = 0;

  constructor(env: Env, max: number) {
    this.#env = env;
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** @throws TypeError, RangeError for what makes no sense, and for one more than may be open. */
  add(agent: string, options: SessionOptions, onTouch: () => void): Session {
    refuseUnknown(options, OPTIONS, 'openSession');
    const { id = `${agent}#${++this.#count}`, metadata = {} } = options;
    if (typeof id !== 'string' || id === '') throw misuse('id', 'a string', id);
    if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
      throw misuse('metadata', 'an object', metadata);
    }
    const others = this.#open.get(agent) ?? new Map<string, OpenSession>();
    if (others.has(id)) throw new TypeError(`${agent} has a session ${id} already`);
    if (others.size >= this.#max) {
      throw new RangeError(
        `${agent} has ${others.size} sessions: close some, or raise maxSessions`,
      );
    }
    const session = new OpenSession(this.#env, agent, id, own(metadata), onTouch, () =>
      this.#remove(agent, id),
    );
    this.#open.set(agent, others.set(id, session));
    this.#size++;
    return session;
  }

  of(agent: string): readonly SessionInfo[] {
    return [...(this.#open.get(agent)?.values() ?? [])].map((session) => session.info());
  }

  /** The agent has left. */
  closeAll(agent: string): void {
    for (const session of [...(this.#open.get(agent)?.values() ?? [])]) session.close();
  }

  clear(): void {
    for (const agent of [...this.#open.keys()]) this.closeAll(agent);
  }

  #remove(agent: string, id: string): void {
    const others = this.#open.get(agent);
    if (others?.delete(id) !== true) return;
    this.#size--;
    if (others.size === 0) this.#open.delete(agent);
  }
}

class OpenSession implements Session {
  readonly id: string;
  readonly agent: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly openedAt: number;
  readonly #env: Env;
  readonly #onTouch: () => void;
  readonly #onClose: () => void;
  #lastActivityAt: number;
  #open = true;

  constructor(
    env: Env,
    agent: string,
    id: string,
    metadata: Readonly<Record<string, unknown>>,
    onTouch: () => void,
    onClose: () => void,
  ) {
    this.id = id;
    this.agent = agent;
    this.metadata = metadata;
    this.openedAt = Math.round(env.wall());
    this.#lastActivityAt = this.openedAt;
    this.#env = env;
    this.#onTouch = onTouch;
    this.#onClose = onClose;
  }

  get open(): boolean {
    return this.#open;
  }

  get lastActivityAt(): number {
    return this.#lastActivityAt;
  }

  touch(): void {
    if (!this.#open) return;
    this.#lastActivityAt = Math.round(this.#env.wall());
    this.#onTouch();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#onClose();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  info(): SessionInfo {
    const { id, agent, metadata, openedAt, lastActivityAt } = this;
    return { id, agent, metadata, openedAt, lastActivityAt };
  }
}
