/** What can happen on a test bus, and what somebody noted. */
export type RunEvent =
  | 'admitted'
  | 'refused'
  | 'started'
  | 'deferred'
  | 'handled'
  | 'retry'
  | 'dead-lettered'
  | 'expired'
  | 'cancelled'
  | 'abandoned'
  | 'late-reply'
  | 'joined'
  | 'left'
  | 'fault'
  | 'closed'
  | 'note';

/** One thing that happened, as plain data: names, codes, ids and outcomes. */
export interface RunEntry {
  /** On the clock of the test. */
  readonly atMs: number;
  readonly what: RunEvent;
  readonly id?: string;
  readonly type?: string;
  readonly topic?: string;
  /** Who said it; of `joined` and `left` the agent. */
  readonly from?: string;
  /** Who gets it: all recipients where it is admitted, one afterwards. */
  readonly to?: readonly string[];
  /** Only where it is admitted. */
  readonly payload?: unknown;
  /** The message whose handling caused this one. */
  readonly causedBy?: string | undefined;
  /** From 2 on. */
  readonly attempt?: number;
  /** Until a retry. */
  readonly delayMs?: number;
  /** A reason of the library, and the code or the name of an error. */
  readonly reason?: string;
  /** Of a note. */
  readonly text?: string;
}
