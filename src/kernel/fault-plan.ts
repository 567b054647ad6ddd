/** A delivery as a plan of faults sees it. */
export interface FaultTarget {
  /** The message's. */
  readonly id: string;
  readonly topic: string;
  readonly from: string;
  /** Who gets it: an agent's name or `$host`. */
  readonly agent: string;
}

/** What befalls a handler that is about to be called. */
export type HandlerFault =
  | { readonly fault: 'crash'; readonly when: 'before' | 'after'; readonly error: Error }
  | { readonly fault: 'hang' }
  | { readonly fault: 'slow'; readonly delayMs: number };

/**
 * Where the library asks whether something legal and rare is to happen: a retry that waits longer,
 * a mailbox that is full before it is, timers that are late because the process was busy.
 */
export type FaultPoint = 'retry' | 'overflow' | 'timer';

/**
 * Faults that a simulation injects. Always undefined in production. Each question is asked once for
 * each occasion, and answered without a look at the order in which others were asked, as far as
 * that can be.
 */
export interface FaultPlan {
  readonly label: string;
  /** The monotonic clock by which it notes what it injects. */
  attach(now: () => number): void;
  /** The copy is lost on its way to a mailbox, and nobody is told. */
  drops(copy: FaultTarget): boolean;
  /** Milliseconds by which the copy comes late; 0 when it comes in time. */
  delays(copy: FaultTarget): number;
  /** Milliseconds after which the copy comes a second time; undefined when it does not. */
  duplicates(copy: FaultTarget): number | undefined;
  /** What befalls this call of a handler. */
  handling(copy: FaultTarget): HandlerFault | undefined;
  /** How much of what is legal and rare happens here: milliseconds, or 1; 0 for nothing. */
  at(point: FaultPoint, occasion: FaultTarget | string): number;
  /** How far the wall clock is off now, in milliseconds. */
  wallShift(): number;
}
