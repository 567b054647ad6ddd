import type { Env, Lane } from '../kernel/env.ts';
import { Ring } from '../mailbox/ring.ts';
import type { Message } from '../message/message.ts';
import type { Pattern } from '../message/pattern.ts';

/** Watches what is said. It gets no delivery: it changes nothing and nobody waits for it. */
export type Observer = (message: Message, info: { readonly recipients: readonly string[] }) => void;

/** Sightings that an observer has not seen yet; the oldest make room. */
const MAX_BEHIND = 10_000;

interface Sighting {
  readonly message: Message;
  readonly recipients: readonly string[];
}

/** One observer, called in a later turn and in order, so that watching never delays speaking. */
export class Tap implements Lane {
  readonly kind = 'dispatch' as const;
  readonly label: string;
  readonly pattern: Pattern;
  posted = false;
  /** Sightings that were dropped because the observer was too slow. */
  missed = 0;
  readonly #env: Env;
  readonly #observer: Observer;
  readonly #onFault: (error: unknown, where: string) => void;
  readonly #behind = new Ring<Sighting>();

  constructor(
    env: Env,
    pattern: Pattern,
    observer: Observer,
    onFault: (error: unknown, where: string) => void,
  ) {
    this.#env = env;
    this.pattern = pattern;
    this.label = `tap ${pattern.source}`;
    this.#observer = observer;
    this.#onFault = onFault;
  }

  get order(): number {
    return this.#behind.peek()?.message.seq ?? Infinity;
  }

  see(message: Message, recipients: readonly string[]): void {
    if (!this.pattern.matches(message.topic)) return;
    if (this.#behind.size >= MAX_BEHIND) {
      this.#behind.shift();
      this.missed++;
    }
    this.#behind.push({ message, recipients });
    if (!this.posted) this.#env.post(this);
  }

  run(): void {
    const sighting = this.#behind.shift();
    if (sighting === undefined) return;
    try {
      const result: unknown = this.#observer(sighting.message, { recipients: sighting.recipients });
      if (result instanceof Promise) result.catch((error) => this.#onFault(error, this.label));
    } catch (error) {
      this.#onFault(error, this.label);
    }
    if (this.#behind.size > 0) this.#env.post(this);
  }

  close(): void {
    this.#behind.clear();
  }
}
