import type { FaultPlan } from './fault-plan.ts';

/**
 * What a lane belongs to. The simulation explores orders between lanes and never inside one.
 */
export type LaneKind =
  | 'mailbox'
  | 'dispatch'
  | 'reply'
  | 'stream'
  | 'state'
  | 'store'
  | 'timer'
  | 'external'
  | 'promise';

/**
 * What the scheduler chooses between: one per mailbox, reply path, stream, state grant and due
 * timer. A lane does one step when it runs, and posts itself again while it has more to do.
 */
export interface Lane {
  readonly kind: LaneKind;
  readonly label: string;
  /** The seq of the lane's next step: of several ready lanes the lowest runs first. */
  readonly order: number;
  /** Written by the Env alone: true from `post` until just before `run`. */
  posted: boolean;
  /** Does one step. Never throws. */
  run(): void;
}

/** A timer that can be taken back. Cancelling twice, or after it ran, does nothing. */
export interface Timer {
  /** Its function will not run; harmless when it already has. */
  cancel(): void;
}

/** Options of {@link Env.setTimer}. */
export interface TimerOptions {
  /** Keeps the process alive until the timer has run or was cancelled. @default false */
  readonly keepAlive?: boolean;
  /** What the timer is for, as the test bus shows it. */
  readonly label?: string;
}

/**
 * The only source of time, order, chance and names. Production has the real one; tests run the
 * same bus on a simulated one, so that a run is repeated exactly from its seed.
 */
export interface Env {
  /** Idle subscriptions may be served straight from the ring. True in production only. */
  readonly direct: boolean;
  /** What a simulation injects. Undefined in production. */
  readonly faults: FaultPlan | undefined;
  /** Monotonic milliseconds. Every duration is measured with it. */
  now(): number;
  /** Epoch milliseconds: labels, never durations. */
  wall(): number;
  /** A number from 0 up to, not including, 1. */
  random(): number;
  /** A new prefix for every bus; an id is the prefix and a seq. */
  idPrefix(): string;
  /** Makes the lane run one step in a later turn. Does nothing while the lane is posted. */
  post(lane: Lane): void;
  /** Runs `fn` after `delayMs` (0 to 2^53), in a later turn. `fn` never throws. */
  setTimer(delayMs: number, fn: () => void, options?: TimerOptions): Timer;
}
