import type { BusSide } from './bus-side.ts';
import type { Illness } from './presence.ts';

/** Who is not healthy, and by whose word: each probe, and the bridge, speaks for itself. */
export class Health {
  readonly #side: BusSide;
  readonly #ill = new Map<string, Map<object, Illness>>();

  constructor(side: BusSide) {
    this.#side = side;
  }

  /** What was found first, of what still holds. */
  illness(name: string): Illness | undefined {
    const found = this.#ill.get(name);
    if (found === undefined) return undefined;
    for (const illness of found.values()) return illness;
    return undefined;
  }

  names(): string[] {
    return [...this.#ill.keys()];
  }

  /** `by` has found something; what it found before stands. */
  fell(name: string, by: object, because: string): void {
    const found = this.#ill.get(name) ?? new Map<object, Illness>();
    if (found.has(by)) return;
    found.set(by, { because, since: Math.round(this.#side.env.wall()) });
    if (found.size > 1) return;
    this.#ill.set(name, found);
    this.#side.say('$bus.agent.unhealthy', { agent: name, because });
  }

  /** `by` finds nothing any more. */
  rose(name: string, by: object): void {
    const found = this.#ill.get(name);
    if (found?.delete(by) !== true || found.size > 0) return;
    this.#ill.delete(name);
    this.#side.say('$bus.agent.recovered', { agent: name });
  }

  /** It has left: nothing is said. */
  forget(name: string): void {
    this.#ill.delete(name);
  }

  clear(): void {
    this.#ill.clear();
  }
}
