import type { Env, Lane, Timer, TimerOptions } from '../kernel/env.ts';
import type { FaultPlan } from '../kernel/fault-plan.ts';
import { realEnv } from '../kernel/real-env.ts';

/**
 * The Env of a state that was made before its bus: that of the bus, once it is on one, else the
 * real one. Two clocks in one state would be none, so it decides when it is used first.
 */
export class StateEnv implements Env {
  #env: Env | undefined;
  /** What the user calls the same: a bus may wrap its own. */
  #clock: Env | undefined;

  constructor(given: Env | undefined) {
    this.#env = given;
    this.#clock = given;
  }

  /** @throws TypeError when it runs on another clock already. */
  bind(env: Env, clock: Env): void {
    if (this.#clock === undefined) {
      this.#env = env;
      this.#clock = clock;
    } else if (this.#clock !== clock) {
      throw new TypeError(
        'The state runs on another clock than the bus: give both the same env, or put the state ' +
          'on the bus before it is first written',
      );
    }
  }

  get direct(): boolean {
    return this.#use().direct;
  }

  get faults(): FaultPlan | undefined {
    return this.#use().faults;
  }

  now(): number {
    return this.#use().now();
  }

  wall(): number {
    return this.#use().wall();
  }

  random(): number {
    return this.#use().random();
  }

  idPrefix(): string {
    return this.#use().idPrefix();
  }

  post(lane: Lane): void {
    this.#use().post(lane);
  }

  setTimer(delayMs: number, fn: () => void, options?: TimerOptions): Timer {
    return this.#use().setTimer(delayMs, fn, options);
  }

  #use(): Env {
    if (this.#env !== undefined) return this.#env;
    this.#clock = realEnv();
    this.#env = this.#clock;
    return this.#env;
  }
}
