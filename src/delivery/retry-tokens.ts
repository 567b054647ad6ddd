import type { Lineage } from '../message/envelope.ts';
import type { RetryTokens } from '../resilience/call.ts';
import type { RetryBudget } from '../resilience/retry-budget.ts';

/** What the retries of one call depend on. */
export interface TokenParts {
  /** Of the message whose handler asks, and waits: it is what whoever retries above looks at. */
  readonly above: Lineage | undefined;
  /** Of the attempt that was made last. */
  readonly below: Lineage | undefined;
  /** Of whom was asked last; undefined when nothing bounds it, or nobody was reached. */
  readonly budget: RetryBudget | undefined;
}

/**
 * Gives leave to retry. What a layer below has retried is not retried above, so that retries inside
 * each other add up and do not multiply: each call that was retried, or was refused it, and has not
 * succeeded is counted in the lineage of whoever asked. What remains is bounded for each responder
 * to a part of the calls that it gets.
 *
 * Source: "Handling Overload", Site Reliability Engineering, Google 2016.
 */
export class CallTokens implements RetryTokens {
  readonly #parts: TokenParts;
  #granted = 0;
  #counted = false;

  constructor(parts: TokenParts) {
    this.#parts = parts;
  }

  withdraw(): boolean {
    this.#count();
    if (isRetriedBelow(this.#parts.below)) return false;
    if (this.#parts.budget?.withdraw() === false) return false;
    this.#granted++;
    return true;
  }

  /** An attempt after the first begins: policies of others do not ask before. */
  use(): boolean {
    if (this.#granted === 0 && !this.withdraw()) return false;
    this.#granted--;
    return true;
  }

  /** The call has ended. */
  ended(succeeded: boolean): void {
    const { above } = this.#parts;
    if (!succeeded && isRetriedBelow(this.#parts.below)) this.#count();
    if (succeeded && this.#counted && above !== undefined) above.retries--;
  }

  /** Before it is known how it ends: whoever waits above may lose patience meanwhile. */
  #count(): void {
    if (this.#counted) return;
    this.#counted = true;
    countRetry(this.#parts.above);
  }
}

/** Something that was asked because of a message was retried, and failed all the same. */
export function isRetriedBelow(lineage: Lineage | undefined): boolean {
  return lineage !== undefined && lineage.retries > 0;
}

/** Lets whoever would retry the message know that retries below it have been used up. */
export function countRetry(lineage: Lineage | undefined): void {
  if (lineage !== undefined) lineage.retries++;
}
