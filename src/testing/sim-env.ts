import type { Env, Lane, Timer, TimerOptions } from '../kernel/env.ts';
import type { FaultPlan } from '../kernel/fault-plan.ts';
import { OrderedHeap } from '../kernel/ordered-heap.ts';
import { FanOut } from '../workflow/fan-out.ts';
import { provideFanOut } from '../workflow/places.ts';
import { LivelockError } from './errors.ts';
import { OutsideWorks } from './outside.ts';
import { seededRandom } from './seeded-random.ts';

// Taken when loaded, so that a host's fake timers cannot stop the simulation.
const realSetImmediate = setImmediate;
const realNextTick = process.nextTick;

const WALL_START = Date.UTC(2026, 0, 1);
const MAX_STEPS = 1_000_000;

/** Chooses which ready lane runs next. They come in production order: 0 is what would run there. */
export type Choose = (lanes: readonly Lane[]) => number;

/**
 * Decides every step of an explored run, also where one lane alone is ready. While there is one,
 * the promises that a step has settled are one more lane, the last: what waits for them goes on
 * when that lane is chosen, or when no other is ready, as in production.
 */
export interface Explorer {
  choose(lanes: readonly Lane[], step: number): number;
}

/** Options of {@link SimEnv}. */
export interface SimEnvOptions {
  /** Same seed, same run. @default 1 */
  readonly seed?: number;
  /** Asked at every step, instead of `choose`. @default nobody */
  readonly explorer?: Explorer;
  /** Asked whenever two or more lanes are ready. @default always 0 */
  readonly choose?: Choose;
  /** What is injected. @default nothing */
  readonly faults?: FaultPlan;
  /** How many steps one `settle`, `advance` or `run` may take before it gives up. @default 1_000_000 */
  readonly maxSteps?: number;
}

/**
 * An Env that stands still until it is driven: a virtual clock that starts at 0 (and at the wall
 * time 2026-01-01T00:00Z), seeded chance, ids that count, and lanes that run one at a time.
 */
export class SimEnv implements Env {
  readonly direct = false;
  readonly faults: FaultPlan | undefined;
  readonly random: () => number;
  readonly #choose: Choose;
  readonly #explorer: Explorer | undefined;
  /** How many steps one drive may take before it gives up. */
  maxSteps: number;
  readonly #timers = new OrderedHeap<SimTimer>();
  /** In production order: by the order that the lane had when posted, then as posted. */
  readonly #ready: Lane[] = [];
  /** The orders that they had when posted. */
  readonly #orders: number[] = [];
  readonly #promises = new PromiseLane();
  /** Workers, some of whose handlers had not ended when that was looked at last. */
  readonly #awaiting = new Set<Busy>();
  /** What is waited for in real time. */
  readonly outside: OutsideWorks = new OutsideWorks();
  #now = 0;
  #prefixes = 0;
  #steps = 0;
  #stepsLeft = 0;
  /** Calls of `settle`, `advance` and `run` under way. */
  #drivers = 0;
  #undriven: (() => void) | undefined;

  constructor(options: SimEnvOptions = {}) {
    const { seed = 1, choose = () => 0, explorer, faults, maxSteps = MAX_STEPS } = options;
    this.faults = faults;
    faults?.attach(() => this.#now);
    this.random = seededRandom(seed);
    this.#choose = choose;
    this.#explorer = explorer;
    this.maxSteps = maxSteps;
    provideFanOut(FanOut);
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return WALL_START + this.#now + (this.faults === undefined ? 0 : this.faults.wallShift());
  }

  /** `m` for the first bus, so that its messages are m1, m2 and so on; `b2.m` for the second. */
  idPrefix(): string {
    this.#prefixes += 1;
    return this.#prefixes === 1 ? 'm' : `b${this.#prefixes}.m`;
  }

  post(lane: Lane): void {
    if (lane.posted) return;
    lane.posted = true;
    const { order } = lane;
    let place = this.#ready.length;
    while (place > 0 && (this.#orders[place - 1] as number) > order) place -= 1;
    insert(this.#ready, place, lane);
    insert(this.#orders, place, order);
  }

  setTimer(delayMs: number, fn: () => void, options: TimerOptions = {}): Timer {
    const at = this.#now + (delayMs > 0 ? delayMs : 0);
    const { label = 'timer', keepAlive = false } = options;
    const timer = new SimTimer(at, fn, label, keepAlive);
    this.#timers.push(at, timer);
    return timer;
  }

  /** What waits for the clock, by instant. */
  pendingTimers(): { label: string; at: number }[] {
    const pending = this.#timers.toSorted().filter((timer) => !timer.cancelled);
    return pending.map(({ label, at }) => ({ label, at }));
  }

  /** Those of them for which production would keep the process alive: somebody waits for them. */
  awaitedTimers(): { label: string; at: number }[] {
    const pending = this.#timers.toSorted().filter((timer) => timer.keepAlive && !timer.cancelled);
    return pending.map(({ label, at }) => ({ label, at }));
  }

  /** The instant of the next timer; `Infinity` when there is none. */
  get nextTimerAt(): number {
    return this.#nextTimerAt();
  }

  /** The labels of the lanes that could run now, in production order. */
  readyLanes(): string[] {
    return this.#ready.map(({ label }) => label);
  }

  /** How many steps were taken. */
  get steps(): number {
    return this.#steps;
  }

  /** Runs one step of one ready lane. False when no lane is ready. */
  step(): boolean {
    if (this.#ready.length === 0) return false;
    const choice = this.#chosen();
    const lane = this.#ready[choice];
    if (lane === undefined) throw this.#nothingChosen(choice);
    remove(this.#ready, choice);
    remove(this.#orders, choice);
    this.#steps += 1;
    lane.posted = false;
    if (this.#explorer === undefined) lane.run();
    else this.#runWatched(lane);
    return true;
  }

  /** Runs everything that can run without time passing, promises of the handlers included. */
  settle(): Promise<void> {
    return this.#drive(() => this.#settle());
  }

  /** Lets `ms` pass, timer by timer; everything that can run at an instant runs before the next. */
  advance(ms: number): Promise<void> {
    return this.#drive(async () => {
      const target = this.#now + ms;
      await this.#settleUntil(target);
      this.#now = Math.max(this.#now, target);
    });
  }

  /**
   * Runs until nothing is left to run and no timer is pending, skipping the time between.
   * `beforeSkip` hears for which timer time is about to be skipped, and may throw.
   */
  run(beforeSkip?: (label: string) => void): Promise<void> {
    return this.#drive(() => this.#settleUntil(Infinity, beforeSkip));
  }

  /**
   * Runs whatever there is, skipping the time between, as long as somebody waits who does not drive
   * by himself. False when he waits for something that will not come from here.
   */
  async runWhile(waits: () => boolean): Promise<boolean> {
    this.#stepsLeft = this.maxSteps;
    await rest();
    while (waits()) {
      if (this.#drivers > 0) await this.#whenUndriven();
      else if (!this.step()) {
        if (!(await this.#cameToRest(waits))) return false;
      } else if (this.#spendStep()) await rest();
    }
    return true;
  }

  /** False when nothing is left that could run, at any time. */
  async #cameToRest(waits: () => boolean): Promise<boolean> {
    await immediate();
    if (this.#ready.length > 0 || this.#drivers > 0 || !waits()) return true;
    if (await this.#postOutside()) return true;
    const at = this.#nextTimerAt();
    if (at === Infinity) return false;
    this.#now = Math.max(this.#now, at + this.#busyAt(at));
    return this.#postDueTimers();
  }

  async #whenUndriven(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#undriven = resolve;
    });
    await rest();
  }

  async #drive(work: () => Promise<void>): Promise<void> {
    this.#stepsLeft = this.maxSteps;
    this.#drivers += 1;
    try {
      await work();
    } finally {
      this.#drivers -= 1;
      if (this.#drivers === 0) this.#undriven?.();
    }
  }

  #chosen(): number {
    if (this.#explorer !== undefined) return this.#explorer.choose(this.#ready, this.#steps + 1);
    return this.#ready.length < 2 ? 0 : this.#choose(this.#ready);
  }

  #runWatched(lane: Lane): void {
    const worker = lane as Partial<Busy>;
    const before = worker.running;
    lane.run();
    if (lane === this.#promises) return;
    if (worker.running !== undefined && worker.running > 0) this.#awaiting.add(worker as Busy);
    // A handler that returned no promise has nothing to go on with, unless others wait for it.
    const quiet = before !== undefined && before === worker.running && !this.#isAwaited();
    if (!quiet) this.post(this.#promises);
  }

  /** Whether handlers, or a scenario that does not drive, may wait for what a step has done. */
  #isAwaited(): boolean {
    if (this.#drivers === 0) return true;
    for (const worker of this.#awaiting) {
      if (worker.running > 0) return true;
      this.#awaiting.delete(worker);
    }
    return false;
  }

  async #settleUntil(target: number, beforeSkip?: (label: string) => void): Promise<void> {
    await this.#settle();
    for (let at = this.#nextTimerAt(); at <= target && at < Infinity; at = this.#nextTimerAt()) {
      beforeSkip?.((this.#timers.peek() as SimTimer).label);
      this.#now = Math.min(target, at + this.#busyAt(at));
      await this.#settle();
    }
  }

  /** So long the process was busy with something else when timers were due: they are late. */
  #busyAt(at: number): number {
    return this.faults === undefined ? 0 : this.faults.at('timer', `${at} ms`);
  }

  async #settle(): Promise<void> {
    do {
      while (this.step()) {
        if (this.#spendStep()) await rest();
      }
      await immediate();
    } while (this.#ready.length > 0 || this.#postDueTimers() || (await this.#postOutside()));
  }

  /** Timers of one instant become ready together, in front of all other lanes, as in production. */
  #postDueTimers(): boolean {
    const at = this.#nextTimerAt();
    // Who was due earlier is not overtaken, however late both are.
    while (at <= this.#now && this.#nextTimerAt() === at) this.post(this.#timers.pop() as SimTimer);
    return this.#ready.length > 0;
  }

  /** Waits for what goes on outside of the simulation; false when there is nothing. */
  async #postOutside(): Promise<boolean> {
    if (this.outside.size === 0) return false;
    for (const lane of await this.outside.ended()) this.post(lane);
    return this.#ready.length > 0;
  }

  #nextTimerAt(): number {
    while (this.#timers.peek()?.cancelled) this.#timers.pop();
    return this.#timers.peek()?.at ?? Infinity;
  }

  /** True when it was the turn of the promises. */
  #spendStep(): boolean {
    this.#stepsLeft -= 1;
    if (this.#stepsLeft > 0) return this.#promises.takeRun();
    const ready = this.readyLanes().slice(0, 5).join(', ') || 'none';
    const timers = this.pendingTimers().slice(0, 5);
    const pending = timers.map(({ label, at }) => `${label} at ${at} ms`).join(', ') || 'none';
    const lines = [`now: ${this.#now} ms`, `ready lanes: ${ready}`, `pending timers: ${pending}`];
    throw new LivelockError(this.maxSteps, lines);
  }

  #nothingChosen(choice: number): RangeError {
    return new RangeError(`choose() must give 0 to ${this.#ready.length - 1}, but gave ${choice}`);
  }
}

/** As `splice` does it, without an array for what is taken out: it is done at every step. */
function insert<T>(list: T[], place: number, value: T): void {
  for (let at = list.length; at > place; at -= 1) list[at] = list[at - 1] as T;
  list[place] = value;
}

function remove<T>(list: T[], place: number): void {
  for (let at = place + 1; at < list.length; at += 1) list[at - 1] = list[at] as T;
  list.length -= 1;
}

/** What a worker tells of itself. */
interface Busy {
  readonly running: number;
}

/** Resolves when the promises that can go on have gone on: a tick comes after the last of them. */
function rest(): Promise<void> {
  return new Promise((resolve) => {
    // A tick asked for outside of a promise would come before them.
    void SETTLED.then(() => realNextTick(resolve));
  });
}

/** Resolves in a turn of its own, behind whatever else the process had to do at once. */
function immediate(): Promise<void> {
  return new Promise((resolve) => {
    realSetImmediate(resolve);
  });
}

const SETTLED = Promise.resolve();

/** Lets promises go on, which nobody can do step by step: all that can go on goes on. */
class PromiseLane implements Lane {
  readonly kind = 'promise';
  readonly label = 'promises';
  /** Behind all others, as in production. */
  readonly order = Infinity;
  posted = false;
  #ran = false;

  run(): void {
    this.#ran = true;
  }

  /** Whether it has run since it was last asked. */
  takeRun(): boolean {
    const ran = this.#ran;
    this.#ran = false;
    return ran;
  }
}

class SimTimer implements Timer, Lane {
  readonly kind = 'timer';
  /** Below every seq. */
  readonly order = 0;
  readonly at: number;
  readonly label: string;
  /** Somebody waits for it. */
  readonly keepAlive: boolean;
  posted = false;
  #fn: (() => void) | undefined;

  constructor(at: number, fn: () => void, label: string, keepAlive: boolean) {
    this.at = at;
    this.#fn = fn;
    this.label = label;
    this.keepAlive = keepAlive;
  }

  get cancelled(): boolean {
    return this.#fn === undefined;
  }

  cancel(): void {
    this.#fn = undefined;
  }

  run(): void {
    const fn = this.#fn;
    this.#fn = undefined;
    fn?.();
  }
}
