import type { Timer, TimerOptions } from './env.ts';

// Eleven levels of 32 slots reach 2^55 ms, beyond every safe integer; 32 slots fit one bit mask.
const SLOTS = 32;
const LEVELS = 11;
const SPAN_MS: readonly number[] = Array.from({ length: LEVELS + 1 }, (_, level) => SLOTS ** level);

const spanMs = (level: number): number => SPAN_MS[level] as number;

/** A timer in a wheel: a node of the doubly linked list of its slot. */
export class WheelTimer implements Timer {
  readonly at: number;
  readonly keepAlive: boolean;
  readonly label: string | undefined;
  slot: Slot | undefined = undefined;
  previous: WheelTimer | undefined = undefined;
  next: WheelTimer | undefined = undefined;
  readonly #wheel: TimerWheel;
  #fn: (() => void) | undefined;

  constructor(wheel: TimerWheel, at: number, fn: () => void, options: TimerOptions) {
    this.#wheel = wheel;
    this.at = at;
    this.#fn = fn;
    this.keepAlive = options.keepAlive === true;
    this.label = options.label;
  }

  cancel(): void {
    // Whoever keeps the handle must not keep what the callback holds.
    this.#fn = undefined;
    this.#wheel.cancel(this);
  }

  /** Runs what was to be run, once. */
  fire(): void {
    const fn = this.#fn;
    this.#fn = undefined;
    fn?.();
  }
}

class Slot {
  readonly level: number;
  readonly index: number;
  first: WheelTimer | undefined = undefined;
  last: WheelTimer | undefined = undefined;

  constructor(level: number, index: number) {
    this.level = level;
    this.index = index;
  }

  /** Links `timer` behind `before`, or in front of all when there is no `before`. */
  insert(timer: WheelTimer, before: WheelTimer | undefined): void {
    const next = before === undefined ? this.first : before.next;
    timer.slot = this;
    timer.previous = before;
    timer.next = next;
    if (before === undefined) this.first = timer;
    else before.next = timer;
    if (next === undefined) this.last = timer;
    else next.previous = timer;
  }

  remove(timer: WheelTimer): void {
    const { previous, next } = timer;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    timer.slot = timer.previous = timer.next = undefined;
  }
}

/**
 * Many timers over one clock: adding and cancelling take constant time, and due timers come out by
 * instant and, at one instant, as they were added. Holds no native timer and reads no clock.
 *
 * A hashed hierarchical timing wheel: Varghese and Lauck, "Hashed and hierarchical timing wheels",
 * SOSP 1987. A timer waits in the level of the highest base-32 digit in which its millisecond
 * differs from the elapsed one, so the lowest level that is not empty always holds what is next.
 */
export class TimerWheel {
  readonly #slots: (Slot | undefined)[] = new Array<Slot | undefined>(LEVELS * SLOTS);
  /** One bit for every slot that is not empty. */
  readonly #masks = new Int32Array(LEVELS);
  readonly #onCancel: () => void;
  #elapsed = 0;
  #size = 0;
  #keepAlive = 0;

  /** @param onCancel called after a pending timer was cancelled. */
  constructor(onCancel: () => void = () => {}) {
    this.#onCancel = onCancel;
  }

  /** How many timers are pending. */
  get size(): number {
    return this.#size;
  }

  /** How many of them keep the process alive. */
  get keepAlive(): number {
    return this.#keepAlive;
  }

  /** Adds a timer for the instant `at`, in milliseconds; an instant in the past is due at once. */
  add(at: number, fn: () => void, options: TimerOptions = {}): WheelTimer {
    const timer = new WheelTimer(this, at, fn, options);
    this.#place(timer);
    this.#count(timer, 1);
    return timer;
  }

  /** Takes a pending timer out; does nothing for any other. */
  cancel(timer: WheelTimer): void {
    if (timer.slot === undefined) return;
    this.#take(timer, timer.slot);
    this.#onCancel();
  }

  /** An instant before which nothing is due: exact within 32 ms, earlier beyond; else Infinity. */
  nextAt(): number {
    const slot = this.#firstSlot();
    if (slot === undefined) return Infinity;
    return slot.level === 0 ? (slot.first as WheelTimer).at : this.#startOf(slot);
  }

  /** Takes out the next timer that is due at `now`, in milliseconds. Never an early one. */
  takeDue(now: number): WheelTimer | undefined {
    let slot = this.#firstSlot();
    while (slot !== undefined && slot.level > 0 && this.#startOf(slot) <= now) {
      this.#elapsed = this.#startOf(slot);
      this.#spread(slot);
      slot = this.#firstSlot();
    }
    if (slot?.level === 0 && (slot.first as WheelTimer).at <= now) {
      return this.#take(slot.first as WheelTimer, slot);
    }
    const limit = slot === undefined ? now : Math.min(now, this.#startOf(slot));
    this.#elapsed = Math.max(this.#elapsed, Math.floor(limit));
    return undefined;
  }

  #place(timer: WheelTimer): void {
    // A late timer, or any timer after the clock was set back, waits in the slot that is next.
    const tick = Math.max(Math.min(Math.floor(timer.at), Number.MAX_SAFE_INTEGER), this.#elapsed);
    const level = this.#levelOf(tick);
    const slot = this.#slotAt(level, Math.floor(tick / spanMs(level)) % SLOTS);
    slot.insert(timer, level === 0 ? lastUpTo(timer.at, slot) : slot.last);
    this.#masks[level] = (this.#masks[level] as number) | (1 << slot.index);
  }

  #levelOf(tick: number): number {
    let level = 0;
    while (Math.floor(tick / spanMs(level + 1)) !== Math.floor(this.#elapsed / spanMs(level + 1))) {
      level += 1;
    }
    return level;
  }

  #slotAt(level: number, index: number): Slot {
    const place = level * SLOTS + index;
    this.#slots[place] ??= new Slot(level, index);
    return this.#slots[place];
  }

  #firstSlot(): Slot | undefined {
    for (let level = 0; level < LEVELS; level += 1) {
      const mask = this.#masks[level] as number;
      if (mask !== 0) return this.#slots[level * SLOTS + 31 - Math.clz32(mask & -mask)];
    }
    return undefined;
  }

  #startOf(slot: Slot): number {
    const turn = spanMs(slot.level + 1);
    return Math.floor(this.#elapsed / turn) * turn + slot.index * spanMs(slot.level);
  }

  /** Moves what waits in `slot` to finer levels, in the order in which it was added. */
  #spread(slot: Slot): void {
    let timer = slot.first;
    slot.first = slot.last = undefined;
    this.#clearBit(slot);
    while (timer !== undefined) {
      const next: WheelTimer | undefined = timer.next;
      this.#place(timer);
      timer = next;
    }
  }

  #take(timer: WheelTimer, slot: Slot): WheelTimer {
    slot.remove(timer);
    if (slot.first === undefined) this.#clearBit(slot);
    this.#count(timer, -1);
    return timer;
  }

  #clearBit(slot: Slot): void {
    this.#masks[slot.level] = (this.#masks[slot.level] as number) & ~(1 << slot.index);
  }

  #count(timer: WheelTimer, by: 1 | -1): void {
    this.#size += by;
    if (timer.keepAlive) this.#keepAlive += by;
  }
}

/** The last timer of the slot that is not later than `at`: nearly always the last of all. */
function lastUpTo(at: number, slot: Slot): WheelTimer | undefined {
  let timer = slot.last;
  while (timer !== undefined && timer.at > at) timer = timer.previous;
  return timer;
}
