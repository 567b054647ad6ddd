import type { GuardedEvents } from '../kernel/events.ts';
import type { BusEvents } from './bus-events.ts';
import type { DeadLetter, LetterFilter } from './dead-letters.ts';
import { type Redriven, type RedriveOptions, type RedriveParts, redrive } from './redrive.ts';

/** What the public side of the dead letters needs. */
export interface LetterDeskParts extends RedriveParts {
  readonly events: GuardedEvents<BusEvents>;
}

/** Dead letters, as `bus.deadLetters` shows them. */
export class LetterDesk {
  readonly #parts: LetterDeskParts;

  constructor(parts: LetterDeskParts) {
    this.#parts = parts;
  }

  /** Letters that are kept now. */
  get size(): number {
    return this.#parts.letters.size;
  }

  /** The letters that fit, oldest first. */
  list(filter?: LetterFilter): readonly DeadLetter[] {
    return this.#parts.letters.list(filter);
  }

  /**
   * Calls back for every delivery that is dead-lettered; a listener cannot make letters. What
   * expired, was refused or was cut off by `close` has a letter in `list`, and events of its own.
   */
  subscribe(listener: (letter: DeadLetter) => void): () => void {
    return this.#parts.events.on('dead-lettered', listener);
  }

  /**
   * Takes in the letters that are in the store, whichever process left them there, as far as there
   * is room; resolves with how many those were. Rejects when the store does.
   *
   * @throws TypeError without `deadLetters.store`
   * @example
   * ```ts
   * import { MemoryStore, MessageBus } from 'tellask';
   * const store = new MemoryStore();
   * const yesterday = new MessageBus({ deadLetters: { store } });
   * yesterday.subscribe('print', () => {
   *   throw new Error('Out of paper');
   * });
   * yesterday.publish('print', 'page one');
   * await yesterday.close();
   *
   * const today = new MessageBus({ deadLetters: { store } });
   * const printed: unknown[] = [];
   * today.subscribe('print', ({ payload }) => void printed.push(payload));
   * await today.deadLetters.load(); // => 1
   * await today.deadLetters.redrive();
   * await today.drain();
   * printed; // => ['page one']
   * ```
   */
  load(): Promise<number> {
    return this.#parts.letters.load();
  }

  /**
   * Resolves with true when the store has every letter that it can have, at once without a store;
   * with false when it was tried in vain: the letters are in memory then.
   */
  flushed(): Promise<boolean> {
    return this.#parts.letters.flushed();
  }

  /** Throws away the letters that fit; returns how many. */
  purge(filter?: LetterFilter): number {
    return this.#parts.letters.purge(filter);
  }

  /**
   * Sends the letters that fit again, each only to the subscriber that failed: a new message with
   * the first one as its cause, attempts from 0 and its whole time to live before it. A refused
   * call is made again as a new call. With a `rate` it takes its time: when the bus closes or
   * `signal` aborts meanwhile, what was not sent stays a letter.
   *
   * What died again after `maxRedrives` of the bus is in quarantine and left alone, unless the
   * filter says `quarantined: true`.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * let paper = 0;
   * bus.register('printer').subscribe('print', () => {
   *   if (paper-- === 0) throw new Error('Out of paper');
   * });
   * await bus.publish('print', 'page one').settled;
   * paper = 500;
   * const { redriven, receipts } = await bus.deadLetters.redrive({ topic: 'print' });
   * redriven.length; // => 1
   * (await receipts[0]?.settled)?.handled; // => 1
   * ```
   */
  redrive(filter?: LetterFilter, options?: RedriveOptions): Promise<Redriven> {
    return redrive(this.#parts, filter, options);
  }
}
