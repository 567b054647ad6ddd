import type { BudgetAmounts } from '../message/budget.ts';
import type { Position, Resolution } from './resolution.ts';

/**
 * How a collaboration has ended. `goal`: somebody reached it. `predicate`: `until` was satisfied.
 * `rounds`: they were all held, or nobody had anything to add. `budget` and `time-out`: it was used
 * up. `cancelled`: it was called off. `failed`: it could not go on.
 */
export type Ending =
  | 'goal'
  | 'predicate'
  | 'rounds'
  | 'budget'
  | 'time-out'
  | 'cancelled'
  | 'failed';

/** Which template it is. */
export type CollaborationKind = 'round-robin' | 'supervisor' | 'pipeline';

/** What a participant has said. */
export interface Contribution {
  /** The participant. */
  readonly by: string;
  /** Who sat there then. */
  readonly agent: string;
  readonly round: number;
  readonly value: unknown;
}

/** A turn of which nothing came. */
export interface FailedTurn {
  readonly by: string;
  /** Who was asked last; `undefined` when there was nobody to ask. */
  readonly agent: string | undefined;
  readonly round: number;
  readonly error: unknown;
}

/** What a participant is told when it is its turn: the payload of the request. */
export interface Turn {
  /** The id of the collaboration. */
  readonly collaboration: string;
  readonly goal?: unknown;
  /** The participant that is asked. */
  readonly you: string;
  readonly role: 'speaker' | 'supervisor' | 'worker' | 'stage';
  readonly round: number;
  /** All participants; a supervisor is none. */
  readonly participants: readonly string[];
  /** What the supervisor wants of a worker, or what the stage before has made. */
  readonly task?: unknown;
  /** What was said before, the oldest first; at most `keep`. */
  readonly contributions: readonly Contribution[];
  /** Whose turns came to nothing, and why. */
  readonly failed: readonly ToldFailure[];
}

/** A failed turn as the others are told of it. */
export interface ToldFailure {
  readonly by: string;
  readonly round: number;
  readonly error: { readonly name: string; readonly message: string; readonly code?: string };
}

/** How far a collaboration is. */
export interface CollaborationProgress {
  readonly round: number;
  /** What was said, the oldest first; at most `keep`. */
  readonly contributions: readonly Contribution[];
  /** What each participant said last, in the order of the participants. */
  readonly positions: readonly Position[];
}

/** What came of a collaboration, however it has ended. */
export interface Collaborated extends CollaborationProgress {
  readonly id: string;
  readonly ending: Ending;
  /** With `goal` what was reached; with `resolve` what was settled; else `undefined`. */
  readonly value: unknown;
  /** What `resolve` made of the positions, after `rounds` and `predicate`. */
  readonly resolution: Resolution | undefined;
  /** Contributions that were too old to be kept. */
  readonly dropped: number;
  /** Turns of which nothing came, the latest `keep` of them. */
  readonly failed: readonly FailedTurn[];
  /** Why, when it ended by `budget`, `cancelled` or `failed`. */
  readonly error: unknown;
  /** What it used up, with all that it led to. */
  readonly spent: BudgetAmounts;
}

/** A collaboration that goes on. */
export interface ActiveCollaboration {
  readonly id: string;
  readonly kind: CollaborationKind;
  readonly goal: unknown;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly round: number;
  /** Who participates, the supervisor first, and which agent sits there now. */
  readonly participants: readonly { readonly name: string; readonly agent: string | undefined }[];
  /** Whose turn it is. */
  readonly turnOf: readonly string[];
  /** How much was said so far. */
  readonly contributions: number;
}
