import type { Env, Timer } from '../kernel/env.ts';
import { OrderedHeap } from '../kernel/ordered-heap.ts';
import type { KeyRecord } from './history.ts';

/** A key that expired when it was not written again: then its deadline is another. */
interface Due {
  readonly record: KeyRecord;
  /** On the monotonic clock. */
  readonly at: number;
}

/** How many keys expire in one step of the timer; more would hold up everything else. */
const MOST_AT_ONCE = 1_000;
/** How many entries may be stale beyond those that are not. */
const MOST_STALE = 1_000;
/** What a timer can be set to. */
const LONGEST_MS = 2 ** 53;

/** Which keys expire when. One timer for all of them, which keeps no process alive. */
export class Expiry {
  readonly #env: Env;
  readonly #expire: (record: KeyRecord) => void;
  #queue = new OrderedHeap<Due>();
  /** How many keys will expire. */
  #pending = 0;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #closed = false;

  constructor(env: Env, expire: (record: KeyRecord) => void) {
    this.#env = env;
    this.#expire = expire;
  }

  /**
   * A key was written. Its wall-clock instant is a label: what runs is the monotonic clock, so that
   * nothing lives longer or shorter when somebody sets the time.
   */
  plan(record: KeyRecord, expiresAt: number | undefined): void {
    if (record.deadline !== Infinity) this.#pending--;
    record.deadline = Infinity;
    if (expiresAt === undefined) return;
    const { now, at } = this.#read(expiresAt);
    record.deadline = at;
    this.#pending++;
    this.#queue.push(at, { record, at });
    if (this.#queue.size > 2 * this.#pending + MOST_STALE) this.#sweep();
    if (at < this.#timerAt) this.#arm(at, now);
  }

  /** Expires one key, if it is due. */
  check(record: KeyRecord): void {
    if (record.deadline !== Infinity && record.deadline <= this.#env.now()) this.#expire(record);
  }

  /** Expires all that is due, in order. */
  checkAll(most: number = Infinity): void {
    if (this.#queue.size === 0) return;
    const now = this.#env.now();
    for (let left = most; left > 0; left--) {
      const due = this.#queue.peek();
      if (due === undefined || due.at > now) return;
      this.#queue.pop();
      if (due.record.deadline === due.at) this.#expire(due.record);
    }
  }

  /** No timer any more: what is due expires when it is looked at. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #read(expiresAt: number): { now: number; at: number } {
    const now = this.#env.now();
    return { now, at: now + (expiresAt - this.#env.wall()) };
  }

  #arm(at: number, now: number): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    const delayMs = Math.min(Math.max(0, at - now), LONGEST_MS);
    this.#timer = this.#env.setTimer(delayMs, () => this.#ring(), { label: 'state ttl' });
  }

  #ring(): void {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    this.checkAll(MOST_AT_ONCE);
    const next = this.#queue.peek();
    if (next !== undefined) this.#arm(next.at, this.#env.now());
  }

  #sweep(): void {
    const all = this.#queue.toSorted();
    this.#queue = new OrderedHeap();
    for (const due of all) {
      if (due.record.deadline === due.at) this.#queue.push(due.at, due);
    }
  }
}
