import type { Envelope } from '../message/envelope.ts';
import type { Pattern } from '../message/pattern.ts';

/** The last retained message of each topic, of at most `maxTopics` topics. */
export class Retained {
  readonly #maxTopics: number;
  readonly #last = new Map<string, Envelope>();

  constructor(maxTopics: number) {
    this.#maxTopics = maxTopics;
  }

  get size(): number {
    return this.#last.size;
  }

  keep(message: Envelope): void {
    this.#last.delete(message.topic);
    this.#last.set(message.topic, message);
    if (this.#last.size <= this.#maxTopics) return;
    for (const [oldest] of this.#last) {
      this.#last.delete(oldest);
      return;
    }
  }

  /** What fits and has not expired, oldest first. */
  matching(pattern: Pattern, now: number): Envelope[] {
    const found: Envelope[] = [];
    for (const [topic, message] of this.#last) {
      if (message.expires <= now) this.#last.delete(topic);
      else if (pattern.matches(topic)) found.push(message);
    }
    return found.sort((a, b) => a.seq - b.seq);
  }
}
