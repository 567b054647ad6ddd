import type { Env } from '../kernel/env.ts';
import type { Message } from '../message/message.ts';
import type { Logger } from '../observe/logger.ts';
import type { BatchContext } from './batch-context.ts';
import { BatchLine } from './batch-line.ts';
import type { Delivery, Recipient } from './delivery.ts';

/** The handler of a batch, as the user wrote it. */
export type HandleBatch = (messages: readonly Message[], context: BatchContext) => unknown;

/** What a batcher is made of. */
export interface BatcherParts {
  readonly env: Env;
  readonly home: Recipient;
  readonly owner: string;
  readonly handle: HandleBatch;
  /** Each message needs an output of its own. */
  readonly answers: boolean;
  /** Most messages in a batch. */
  readonly max: number;
  /** Milliseconds that the first of a batch waits for others. */
  readonly waitMs: number;
  readonly log: Logger;
  /** The bus is being drained: nobody waits for others. */
  hurried(): boolean;
}

/**
 * Holds the messages of one subscription until a batch of them is due: `max` have come, the first
 * has waited `waitMs`, the mailbox is full, or the bus is drained. Then the first of the line
 * stands in the mailbox for all, and takes the others along when it is its turn: who comes until
 * then comes along, too.
 */
export class Batcher {
  readonly owner: string;
  readonly handle: HandleBatch;
  readonly answers: boolean;
  readonly log: Logger;
  readonly #parts: BatcherParts;
  readonly #lines = new Map<unknown, BatchLine>();
  /** Lines that wait for more. */
  readonly #gathering = new Set<BatchLine>();

  constructor(parts: BatcherParts) {
    this.#parts = parts;
    this.owner = parts.owner;
    this.handle = parts.handle;
    this.answers = parts.answers;
    this.log = parts.log;
  }

  /** Takes in a delivery that is new, or comes back for another attempt. */
  add(delivery: Delivery): void {
    const { env, home } = this.#parts;
    const line = this.#lineOf(delivery.key);
    home.mailbox.hold();
    if (!line.out.has(delivery)) home.mailbox.stamp(delivery);
    line.add(delivery, env.now());
    const { front } = line;
    if (front === undefined) this.#look(line);
    else if (line.key === undefined && delivery.priority > front.priority) {
      this.#overtake(line, front);
    }
    // Nobody else can come, so whoever waits for more would wait in vain.
    if (this.#full) this.flush();
  }

  /**
   * Takes a batch out of its line: the front, and as many others as it may have. Who is too late is
   * left out, and handed to `expire`.
   */
  collect(front: Delivery, now: number, expire: (delivery: Delivery) => void): Delivery[] {
    const line = this.#lineOf(front.key);
    const members = [front];
    line.dropFront();
    const keyed = line.key !== undefined;
    if (keyed) line.out.add(front);
    // `expire` tells listeners, who may say more: that is looked at next time.
    for (let looks = line.waiting.size; looks > 0 && members.length < this.#parts.max; looks--) {
      if (line.waiting.size === 0) break;
      const delivery = line.take();
      this.#parts.home.mailbox.held--;
      if (delivery.message.expires <= now) expire(delivery);
      else {
        members.push(delivery);
        if (keyed) line.out.add(delivery);
      }
    }
    this.#look(line);
    return members;
  }

  /** A delivery has its outcome: the next batch of its line may be free to go. */
  leave(delivery: Delivery): void {
    const line = this.#lines.get(delivery.key);
    if (line === undefined) return;
    if (line.front === delivery) line.dropFront();
    else if (!line.out.delete(delivery)) return;
    this.#look(line);
  }

  /** Takes one out that waits behind the front. */
  discard(delivery: Delivery): boolean {
    const line = this.#lines.get(delivery.key);
    if (line?.discard(delivery) !== true) return false;
    this.#look(line);
    return true;
  }

  /** Takes out all who wait behind a front and fit `matches`. */
  removeWhere(matches: (delivery: Delivery) => boolean): Delivery[] {
    const removed: Delivery[] = [];
    for (const line of [...this.#lines.values()]) {
      const fitting = line.removeWhere(matches);
      if (fitting.length === 0) continue;
      removed.push(...fitting);
      this.#look(line);
    }
    return removed;
  }

  /** Lets go what is there: nobody waits for more. */
  flush(): void {
    for (const line of [...this.#gathering]) this.#stepForward(line);
  }

  close(): void {
    for (const line of [...this.#gathering]) this.#stopGathering(line);
  }

  get #full(): boolean {
    const { mailbox } = this.#parts.home;
    return mailbox.size >= mailbox.options.capacity;
  }

  #lineOf(key: unknown): BatchLine {
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = new BatchLine(key, this.#parts.home.mailbox.options.ageingLimit);
      this.#lines.set(key, line);
    }
    return line;
  }

  /** Decides whether the next batch of a line is due, waits for more, or for the one before. */
  #look(line: BatchLine): void {
    if (line.front !== undefined) return;
    if (line.size === 0 || line.out.size > 0) this.#stopGathering(line);
    else if (this.#isDue(line)) this.#stepForward(line);
    else this.#gather(line);
    if (line.empty && line.key !== undefined) this.#lines.delete(line.key);
  }

  #isDue(line: BatchLine): boolean {
    const { env, max, waitMs, hurried } = this.#parts;
    if (line.size >= max || waitMs === 0 || this.#full || hurried()) return true;
    return env.now() >= line.since + waitMs;
  }

  #gather(line: BatchLine): void {
    this.#gathering.add(line);
    const { env, waitMs } = this.#parts;
    if (line.timer !== undefined || waitMs === Infinity) return;
    const due = (): void => {
      line.timer = undefined;
      this.#stepForward(line);
    };
    const delayMs = Math.max(0, line.since + waitMs - env.now());
    line.timer = env.setTimer(delayMs, due, { keepAlive: true, label: 'batch' });
  }

  #stopGathering(line: BatchLine): void {
    line.timer?.cancel();
    line.timer = undefined;
    this.#gathering.delete(line);
  }

  #stepForward(line: BatchLine): void {
    const { home } = this.#parts;
    this.#stopGathering(line);
    const front = line.stepForward();
    home.mailbox.held--;
    home.mailbox.lanes.restore(front);
    home.wake();
  }

  /** A batch stands in the mailbox with the priority of its most urgent message. */
  #overtake(line: BatchLine, front: Delivery): void {
    const { mailbox } = this.#parts.home;
    // Who has passed the rate limit, or waits before it, goes on: its token is for the batch.
    if (front.flags.cleared || !mailbox.lanes.discard(front)) return;
    mailbox.hold();
    line.stepBack(front);
    this.#stepForward(line);
  }
}
