import type { Env, Lane, Timer, TimerOptions } from '../kernel/env.ts';
import type { FaultPlan } from '../kernel/fault-plan.ts';
import { OrderedHeap } from '../kernel/ordered-heap.ts';
import { FanOut } from '../workflow/fan-out.ts';
import { provideFanOut } from '../workflow/places.ts';
import { seededRandom } from './seeded-random.ts';

// Taken when loaded, so that a host's fake timers cannot stop the simulation.
const realSetImmediate = setImmediate;

const WALL_START = Date.UTC(2026, 0, 1);
const MAX_STEPS = 1_000_000;

/** Chooses which ready lane runs next. They come in production order: 0 is what would run there. */
export type Choose = (lanes: readonly Lane[]) => number;

/** Options of {@link SimEnv}. */
export interface SimEnvOptions {
  /** Same seed, same run. @default 1 */
  readonly seed?: number;
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
  readonly #maxSteps: number;
  readonly #timers = new OrderedHeap<SimTimer>();
  /** In production order: by the order that the lane had when posted, then as posted. */
  readonly #ready: Ready[] = [];
  #now = 0;
  #prefixes = 0;
  #stepsLeft = 0;

  constructor(options: SimEnvOptions = {}) {
    const { seed = 1, choose = () => 0, faults, maxSteps = MAX_STEPS } = options;
    this.faults = faults;
    faults?.attach(() => this.#now);
    this.random = seededRandom(seed);
    this.#choose = choose;
    this.#maxSteps = maxSteps;
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
    while (place > 0 && (this.#ready[place - 1] as Ready).order > order) place -= 1;
    this.#ready.splice(place, 0, { lane, order });
  }

  setTimer(delayMs: number, fn: () => void, options: TimerOptions = {}): Timer {
    const at = this.#now + (delayMs > 0 ? delayMs : 0);
    const timer = new SimTimer(at, fn, options.label ?? 'timer');
    this.#timers.push(at, timer);
    return timer;
  }

  /** What waits for the clock, by instant. */
  pendingTimers(): { label: string; at: number }[] {
    const pending = this.#timers.toSorted().filter((timer) => !timer.cancelled);
    return pending.map(({ label, at }) => ({ label, at }));
  }

  /** The labels of the lanes that could run now, in production order. */
  readyLanes(): string[] {
    return this.#ready.map(({ lane }) => lane.label);
  }

  /** Runs one step of one ready lane. False when no lane is ready. */
  step(): boolean {
    const choice = this.#ready.length < 2 ? 0 : this.#choose(this.#ready.map(({ lane }) => lane));
    const [chosen] = this.#ready.splice(choice, 1);
    if (chosen === undefined) return this.#nothingChosen(choice);
    chosen.lane.posted = false;
    chosen.lane.run();
    return true;
  }

  /** Runs everything that can run without time passing, promises of the handlers included. */
  async settle(): Promise<void> {
    this.#stepsLeft = this.#maxSteps;
    await this.#settle();
  }

  /** Lets `ms` pass, timer by timer; everything that can run at an instant runs before the next. */
  async advance(ms: number): Promise<void> {
    this.#stepsLeft = this.#maxSteps;
    const target = this.#now + ms;
    await this.#settleUntil(target);
    this.#now = Math.max(this.#now, target);
  }

  /** Runs until nothing is left to run and no timer is pending, skipping the time between. */
  async run(): Promise<void> {
    this.#stepsLeft = this.#maxSteps;
    await this.#settleUntil(Infinity);
  }

  async #settleUntil(target: number): Promise<void> {
    await this.#settle();
    for (let at = this.#nextTimerAt(); at <= target && at < Infinity; at = this.#nextTimerAt()) {
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
      while (this.step()) this.#spendStep();
      await new Promise<void>((resolve) => realSetImmediate(resolve));
    } while (this.#ready.length > 0 || this.#postDueTimers());
  }

  /** Timers of one instant become ready together, in front of all other lanes, as in production. */
  #postDueTimers(): boolean {
    const at = this.#nextTimerAt();
    // Who was due earlier is not overtaken, however late both are.
    while (at <= this.#now && this.#nextTimerAt() === at) this.post(this.#timers.pop() as SimTimer);
    return this.#ready.length > 0;
  }

  #nextTimerAt(): number {
    while (this.#timers.peek()?.cancelled) this.#timers.pop();
    return this.#timers.peek()?.at ?? Infinity;
  }

  #spendStep(): void {
    this.#stepsLeft -= 1;
    if (this.#stepsLeft > 0) return;
    const ready = this.readyLanes().slice(0, 5).join(', ') || 'none';
    const timers = this.pendingTimers().slice(0, 5);
    const pending = timers.map(({ label, at }) => `${label} at ${at} ms`).join(', ') || 'none';
    throw new Error(
      `The simulation took ${this.#maxSteps} steps without coming to rest. ` +
        `Now: ${this.#now} ms. Ready lanes: ${ready}. Pending timers: ${pending}.`,
    );
  }

  #nothingChosen(choice: number): false {
    if (this.#ready.length === 0) return false;
    throw new RangeError(`choose() must give 0 to ${this.#ready.length - 1}, but gave ${choice}`);
  }
}

interface Ready {
  readonly lane: Lane;
  readonly order: number;
}

class SimTimer implements Timer, Lane {
  readonly kind = 'timer';
  /** Below every seq. */
  readonly order = 0;
  readonly at: number;
  readonly label: string;
  posted = false;
  #fn: (() => void) | undefined;

  constructor(at: number, fn: () => void, label: string) {
    this.at = at;
    this.#fn = fn;
    this.label = label;
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
