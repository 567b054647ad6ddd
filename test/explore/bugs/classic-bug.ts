import { type BusOptions, StateManager } from '../../../src/index.ts';
import type { TestBus } from '../../../src/testing.ts';

/**
 * A program of a few agents with a bug that only some orders show. It throws when the bug has
 * struck. In production order it does not: a plain test of it passes.
 */
export interface ClassicBug {
  readonly name: string;
  /** What its bus is made with: anew for every run. */
  readonly setup?: () => BusOptions;
  buggy(t: TestBus): Promise<void>;
  /** The same program as it should have been written. */
  mended(t: TestBus): Promise<void>;
}

/** A bus with a state of its own. */
export const withState = (): BusOptions => ({ state: new StateManager() });
