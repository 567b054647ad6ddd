/** Where a delivery is now. */
export type OpenState = 'waiting' | 'queued' | 'inFlight' | 'deferred' | 'retryWait';

/** How a delivery ended. */
export type Outcome = 'handled' | 'deadLettered' | 'expired' | 'cancelled';

/**
 * The bus's books. At any instant outside a library call the admitted deliveries are the sum of
 * the nine states; what stands below the line is counted apart and belongs to no delivery.
 */
export class Ledger {
  admitted = 0;
  waiting = 0;
  queued = 0;
  inFlight = 0;
  deferred = 0;
  retryWait = 0;
  handled = 0;
  deadLettered = 0;
  expired = 0;
  cancelled = 0;

  /** Delayed messages that are not due yet: routed and admitted when they are. */
  scheduled = 0;
  messages = 0;
  refused = 0;
  denied = 0;
  unrouted = 0;
  retries = 0;
  abandoned = 0;
  duplicates = 0;
  lateReplies = 0;
  duplicateReplies = 0;
  foreignReplies = 0;
  faults = 0;
  /** How often any mailbox was touched, so that an empty one need not be looked at again. */
  touches = 0;

  /** Functions and class instances that passed by reference. */
  byReference = 0;

  /** Admitted deliveries without an outcome, counted on its own and not derived. */
  open = 0;
  /** Those of them that nobody waits for: handlers that closed the bus themselves. */
  exempt = 0;
  /** Calls that may ask again and have not ended: between two attempts no delivery is open. */
  calls = 0;
  readonly #onIdle = new Set<() => void>();

  /** All copies count as queued from here, so that the books balance while they are placed. */
  admit(copies: number): void {
    this.messages++;
    this.admitted += copies;
    this.queued += copies;
    this.open += copies;
  }

  move(from: OpenState, to: OpenState): void {
    this[from]--;
    this[to]++;
  }

  /**
   * A copy of the ring is being handed over: it counts as in flight until it is done with, or is
   * taken up because its handler has more to do.
   */
  handing = 0;
  /** Copies of the message in hand that were handled and are not entered in the books yet. */
  gone = 0;

  /** The copy that is handed over becomes a delivery like any other. */
  takeUp(): void {
    this.handing = 0;
    this.queued--;
    this.inFlight++;
  }

  /** Enters the copies that were handed over and handled. */
  enterGone(): number {
    const { gone } = this;
    this.gone = 0;
    this.queued -= gone;
    this.handled += gone;
    this.open -= gone;
    if (this.#onIdle.size > 0) this.idleNow();
    return gone;
  }

  end(from: OpenState, outcome: Outcome): void {
    this[from]--;
    this[outcome]++;
    this.closeOne();
  }

  closeOne(): void {
    this.open--;
    if (this.#onIdle.size > 0) this.idleNow();
  }

  endCall(): void {
    this.calls--;
    if (this.#onIdle.size > 0) this.idleNow();
  }

  /** Nothing that is waited for is admitted and without an outcome, or may be. */
  get idle(): boolean {
    return this.open <= this.exempt && this.calls === 0;
  }

  /** Calls back once, as soon as the bus is idle; at once when it is. Returns how to stop waiting. */
  whenIdle(callback: () => void): () => void {
    if (this.idle) callback();
    else this.#onIdle.add(callback);
    return () => this.#onIdle.delete(callback);
  }

  idleNow(): void {
    if (!this.idle) return;
    const callbacks = [...this.#onIdle];
    this.#onIdle.clear();
    for (const callback of callbacks) callback();
  }
}
