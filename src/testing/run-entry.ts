/** What can happen on a test bus, and what somebody noted. */
export const RUN_EVENTS = [
  'admitted',
  'refused',
  'started',
  'deferred',
  'handled',
  'retry',
  'dead-lettered',
  'expired',
  'cancelled',
  'abandoned',
  'late-reply',
  'joined',
  'left',
  'fault',
  'closed',
  'note',
] as const;

/** One of them. */
export type RunEvent = (typeof RUN_EVENTS)[number];

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
  /** The payload is not what was said: a secret was hidden, or it is not JSON. */
  readonly altered?: true;
  /** How it was said, where nobody caused it: what a replay says again. */
  readonly said?: Input;
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

/** What came from outside of all handlers: how it was said, where that was not the usual way. */
export interface Input {
  readonly verb: 'publish' | 'send' | 'request';
  readonly priority?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** What it had to live, of a request the time for its answer. */
  readonly ttlMs?: number;
  /** The conversation, when it was named. */
  readonly correlationId?: string;
}
