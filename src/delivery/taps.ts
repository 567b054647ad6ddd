import type { Env } from '../kernel/env.ts';
import type { Message } from '../message/message.ts';
import type { Pattern } from '../message/pattern.ts';
import type { Authority } from './authority.ts';
import { type Observer, Tap } from './tap.ts';

/** Everyone who watches what is said. */
export class Taps {
  readonly #env: Env;
  readonly #onFault: (error: unknown, where: string) => void;
  readonly #taps = new Set<Tap>();
  readonly #authority: Authority | undefined;

  constructor(
    env: Env,
    onFault: (error: unknown, where: string) => void,
    authority: Authority | undefined,
  ) {
    this.#authority = authority;
    this.#env = env;
    this.#onFault = onFault;
  }

  get any(): boolean {
    return this.#taps.size > 0;
  }

  /** @returns how to stop watching. */
  add(pattern: Pattern, observer: Observer): () => void {
    const tap = new Tap(this.#env, pattern, observer, this.#onFault);
    this.#taps.add(tap);
    return () => {
      this.#taps.delete(tap);
      tap.close();
    };
  }

  see(message: Message, recipients: readonly string[]): void {
    // Nobody but the host taps, and only rules that name it bind it.
    if (this.#authority?.allows('$host', 'tap', message.topic) === false) return;
    for (const tap of this.#taps) tap.see(message, recipients);
  }

  close(): void {
    for (const tap of this.#taps) tap.close();
    this.#taps.clear();
  }
}
