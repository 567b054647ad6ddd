import { seededRandom } from '../seeded-random.ts';
import type { AnyRule } from './rule.ts';

/** A rule strikes. */
export interface Strike {
  readonly rule: AnyRule;
  /** The same in every run of the seed in which the same thing happens. */
  readonly id: string;
  /** Further numbers from 0 up to, not including, 1. */
  readonly random: () => number;
}

/**
 * The chance of one rule. What it says of an occasion depends on the seed, the rule, the name of
 * the occasion and how often that has come before: never on what else goes on, so that another
 * order of the lanes has the same faults.
 */
export class Die {
  readonly rule: AnyRule;
  readonly #seed: number;
  readonly #index: number;
  readonly #times = new Map<string, number>();
  #occasions = 0;
  #struck = 0;

  constructor(rule: AnyRule, index: number, seed: number) {
    this.rule = rule;
    this.#index = index;
    this.#seed = seed;
  }

  /** Whether the rule strikes at this occasion. */
  roll(occasion: string): Strike | undefined {
    this.#occasions += 1;
    const times = (this.#times.get(occasion) ?? 0) + 1;
    this.#times.set(occasion, times);
    const { probability = 1, nth, max = Infinity } = this.rule;
    if (nth !== undefined && nth !== this.#occasions) return undefined;
    const hash = hashOf(`${this.#index} ${nth ?? `${times} ${occasion}`}`);
    const random = seededRandom(hash ^ Math.imul(this.#seed, 0x9e3779b1));
    if (random() >= probability || this.#struck >= max) return undefined;
    this.#struck += 1;
    return { rule: this.rule, id: `${this.#index}.${hash.toString(36)}`, random };
  }
}

/** Fowler, Noll and Vo's hash FNV-1a, with 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}
