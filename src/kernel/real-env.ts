import { nanoid } from 'nanoid';
import type { Env, Lane, Timer, TimerOptions } from './env.ts';
import { OrderedHeap } from './ordered-heap.ts';
import { TimerWheel } from './timer-wheel.ts';

const STEPS_PER_TURN = 1_000;
const MS_PER_TURN = 5;
const STEPS_PER_LOOK = 32;
/** Node runs a longer time-out at once. */
const MAX_NATIVE_MS = 2 ** 31 - 1;
const PREFIX_LENGTH = 8;

const SETTLED = Promise.resolve();

let shared: RealEnv | undefined;

/** The Env of this process, made when it is first asked for. */
export function realEnv(): Env {
  shared ??= new RealEnv();
  return shared;
}

/**
 * Real time, order, chance and names. All timers share one native timer, which exists only while
 * one is pending and holds the process only while one asks for that. Ready lanes run in a
 * microtask; after 1 000 steps or 5 ms the event loop gets a turn.
 *
 * Globals are read when called, so that the fake timers of a host's tests reach it.
 */
export class RealEnv implements Env {
  readonly direct = true;
  readonly faults = undefined;

  // A single ready lane, which is the rule, never enters the heap.
  #only: Lane | undefined;
  #onlyOrder = 0;
  readonly #crowd = new OrderedHeap<Lane>();
  /** Whether a drain is running or queued as a microtask. */
  #awake = false;
  /** The global that will run the rest of the lanes in the next turn of the event loop. */
  #yieldedTo: typeof setImmediate | undefined;

  // Counted from one turn of the event loop that is known to the next, not per drain: drains that
  // wake each other through promises would starve I/O too.
  #steps = 0;
  #lookAt = STEPS_PER_LOOK;
  #turnAt = 0;

  readonly #wheel = new TimerWheel(() => this.#relax());
  #native: NativeTimer | undefined;
  /** The global that will clear a native timer nobody needs, in the next turn. */
  #clearsIn: typeof setImmediate | undefined;

  now(): number {
    return performance.now();
  }

  wall(): number {
    return Date.now();
  }

  random(): number {
    return Math.random();
  }

  idPrefix(): string {
    return `${nanoid(PREFIX_LENGTH)}-`;
  }

  post(lane: Lane): void {
    if (lane.posted) return;
    lane.posted = true;
    if (this.#only === undefined && this.#crowd.size === 0) {
      this.#only = lane;
      this.#onlyOrder = lane.order;
    } else {
      this.#join(lane);
    }
    if (!this.#awake) this.#wake();
  }

  setTimer(delayMs: number, fn: () => void, options?: TimerOptions): Timer {
    const at = performance.now() + (delayMs > 0 ? delayMs : 0);
    const timer = this.#wheel.add(at, fn, options);
    if (this.#native === undefined || !this.#native.covers(at)) this.#arm(at);
    else if (timer.keepAlive) this.#native.hold(true);
    return timer;
  }

  #join(lane: Lane): void {
    if (this.#only !== undefined) this.#crowd.push(this.#onlyOrder, this.#only);
    this.#only = undefined;
    this.#crowd.push(lane.order, lane);
  }

  #wake(): void {
    // When fake timers come or go, what they took with them never runs: wake again.
    if (this.#yieldedTo === setImmediate) return;
    this.#yieldedTo = undefined;
    this.#awake = true;
    // A reaction of a settled promise: `queueMicrotask` makes an AsyncResource for each call.
    void SETTLED.then(this.#drain);
  }

  readonly #drain = (): void => {
    try {
      for (let lane = this.#next(); lane !== undefined; lane = this.#next()) {
        lane.posted = false;
        lane.run();
      }
    } finally {
      // Also when a lane broke its promise and threw: the others go on, the error surfaces.
      this.#awake = false;
      if (this.#only !== undefined || this.#crowd.size > 0) this.#yield();
    }
  };

  #yield(): void {
    this.#yieldedTo = setImmediate;
    setImmediate(() => {
      this.#yieldedTo = undefined;
      this.#beginTurn();
      this.#drain();
    });
  }

  #next(): Lane | undefined {
    if (!this.#mayStep()) return undefined;
    const only = this.#only;
    if (only === undefined) return this.#crowd.pop();
    this.#only = undefined;
    return only;
  }

  #beginTurn(): void {
    this.#steps = 0;
    this.#lookAt = STEPS_PER_LOOK;
  }

  #mayStep(): boolean {
    this.#steps += 1;
    return this.#steps < this.#lookAt || this.#look();
  }

  #look(): boolean {
    const now = performance.now();
    // The clock costs more than a step, so a turn of a few steps never reads it.
    if (this.#steps === STEPS_PER_LOOK) this.#turnAt = now;
    this.#lookAt = Math.min(this.#steps + STEPS_PER_LOOK, STEPS_PER_TURN);
    return this.#steps < STEPS_PER_TURN && now - this.#turnAt < MS_PER_TURN;
  }

  readonly #fire = (): void => {
    this.#native = undefined;
    this.#beginTurn();
    const now = performance.now();
    try {
      while (this.#mayStep()) {
        const timer = this.#wheel.takeDue(now);
        if (timer === undefined) break;
        timer.fire();
      }
    } finally {
      if (this.#wheel.size > 0) this.#arm(this.#wheel.nextAt());
    }
  };

  #arm(at: number): void {
    this.#native?.clear();
    this.#native = new NativeTimer(at, this.#fire, this.#wheel.keepAlive > 0);
  }

  /** A timer was cancelled. The native one may now be early, which costs less than setting it anew. */
  #relax(): void {
    if (this.#wheel.size === 0) this.#clearSoon();
    else if (this.#wheel.keepAlive === 0) this.#native?.hold(false);
  }

  /**
   * Most requests are answered in the turn in which they are asked. A native timer costs as much
   * as ten messages, so it is kept until the turn is over, for the next one.
   */
  #clearSoon(): void {
    if (this.#clearsIn === setImmediate) return;
    this.#clearsIn = setImmediate;
    setImmediate(() => {
      this.#clearsIn = undefined;
      if (this.#wheel.size > 0) return;
      this.#native?.clear();
      this.#native = undefined;
    });
  }
}

class NativeTimer {
  readonly #at: number;
  readonly #handle: NodeJS.Timeout;
  // Fake timers cannot clear a real one, nor the other way round.
  readonly #set: typeof setTimeout = setTimeout;
  readonly #clear: typeof clearTimeout = clearTimeout;
  #holds = true;

  constructor(at: number, fire: () => void, holds: boolean) {
    this.#at = at;
    // Rounded up: Node rounds down, and would wake before anything is due.
    const delayMs = Math.ceil(Math.max(0, at - performance.now()));
    this.#handle = setTimeout(fire, Math.min(delayMs, MAX_NATIVE_MS));
    this.hold(holds);
  }

  /** Whether this timer will run by `at`, under the timers that the process has now. */
  covers(at: number): boolean {
    return this.#at <= at && this.#set === setTimeout;
  }

  /** Whether the process waits for it. */
  hold(holds: boolean): void {
    if (holds === this.#holds) return;
    this.#holds = holds;
    // Some fake timers are numbers.
    if (holds) this.#handle.ref?.();
    else this.#handle.unref?.();
  }

  clear(): void {
    this.#clear(this.#handle);
  }
}
