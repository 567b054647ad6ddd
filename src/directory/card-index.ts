import type { RegisteredCard } from './card.ts';

/** What `find` looks for. All of what is given has to fit. */
export interface CardQuery {
  /** The id of a capability. */
  readonly capability?: string;
  /** A tag of any of its capabilities. */
  readonly tag?: string;
  readonly type?: string;
  /** The last word, on those that fit otherwise. */
  readonly where?: (card: RegisteredCard) => boolean;
}

/** Whatever bears a card. */
interface Bearer {
  readonly card: RegisteredCard;
}

/** Finds cards by what is asked of them, without a look at all of them. */
export class CardIndex<T extends Bearer> {
  readonly #capabilities = new Map<string, Set<T>>();
  readonly #tags = new Map<string, Set<T>>();
  readonly #types = new Map<string, Set<T>>();

  add(bearer: T): void {
    for (const [index, key] of this.#places(bearer.card)) {
      const others = index.get(key);
      if (others === undefined) index.set(key, new Set([bearer]));
      else others.add(bearer);
    }
  }

  remove(bearer: T): void {
    for (const [index, key] of this.#places(bearer.card)) {
      const others = index.get(key);
      others?.delete(bearer);
      if (others?.size === 0) index.delete(key);
    }
  }

  /** In the order in which they came; `undefined` when nothing is asked that it has an index for. */
  find({ capability, tag, type }: CardQuery): readonly T[] | undefined {
    const asked = [
      capability === undefined ? undefined : (this.#capabilities.get(capability) ?? NOBODY),
      tag === undefined ? undefined : (this.#tags.get(tag) ?? NOBODY),
      type === undefined ? undefined : (this.#types.get(type) ?? NOBODY),
    ].filter((found) => found !== undefined) as ReadonlySet<T>[];
    const [fewest, ...others] = asked.sort((a, b) => a.size - b.size);
    if (fewest === undefined) return undefined;
    return [...fewest].filter((one) => others.every((found) => found.has(one)));
  }

  *#places({ capabilities, type }: RegisteredCard): Iterable<[Map<string, Set<T>>, string]> {
    yield [this.#types, type];
    for (const { id, tags } of capabilities) {
      yield [this.#capabilities, id];
      for (const tag of tags) yield [this.#tags, tag];
    }
  }
}

const NOBODY: ReadonlySet<never> = new Set();
