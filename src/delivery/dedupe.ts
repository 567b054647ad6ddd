import type { Admission, Receipt, Settled } from './receipt.ts';

/** How long, and how many, keys of admitted messages are remembered. */
export interface DedupeLimits {
  /** Milliseconds. @default 300_000 */
  readonly windowMs: number;
  /** @default 10_000 */
  readonly maxKeys: number;
}

interface Seen {
  readonly receipt: Receipt;
  readonly at: number;
}

/** Receipts by sender, topic and `dedupeKey`. Old ones are forgotten when new ones come. */
export class Dedupe {
  readonly #limits: DedupeLimits;
  // A Map keeps the order of insertion, so the oldest stand in front.
  readonly #seen = new Map<string, Seen>();

  constructor(limits: DedupeLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#seen.size;
  }

  find(from: string, topic: string, key: string, now: number): Receipt | undefined {
    const seen = this.#seen.get(keyOf(from, topic, key));
    if (seen === undefined || now - seen.at >= this.#limits.windowMs) return undefined;
    return duplicateOf(seen.receipt);
  }

  /** What was taken back, or never left, keeps nobody from saying it. */
  forget(from: string, topic: string, key: string, receipt: Receipt): void {
    const id = keyOf(from, topic, key);
    if (this.#seen.get(id)?.receipt === receipt) this.#seen.delete(id);
  }

  remember(from: string, topic: string, key: string, receipt: Receipt, now: number): void {
    const id = keyOf(from, topic, key);
    this.#seen.delete(id);
    this.#seen.set(id, { receipt, at: now });
    for (const [oldest, { at }] of this.#seen) {
      if (this.#seen.size <= this.#limits.maxKeys && now - at < this.#limits.windowMs) return;
      this.#seen.delete(oldest);
    }
  }
}

/** No part of a key can hold a NUL: topics and names refuse it, and the user's part is last. */
function keyOf(from: string, topic: string, key: string): string {
  return `${from}\0${topic}\0${key}`;
}

/** The receipt of the first message, given again for its duplicate. */
export function duplicateOf(first: Receipt): Receipt {
  return new DuplicateReceipt(first);
}

class DuplicateReceipt implements Receipt {
  readonly duplicate = true;
  readonly #first: Receipt;

  constructor(first: Receipt) {
    this.#first = first;
  }

  get id(): string {
    return this.#first.id;
  }

  get recipients(): Admission['recipients'] {
    return this.#first.recipients;
  }

  get overflowed(): readonly string[] {
    return this.#first.overflowed;
  }

  get accepted(): Promise<void> {
    return this.#first.accepted;
  }

  get settled(): Promise<Settled> {
    return this.#first.settled;
  }

  cancel(): boolean {
    return this.#first.cancel();
  }
}
