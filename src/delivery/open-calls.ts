import { LinkedList } from '../kernel/linked-list.ts';
import { RevokedError } from './bound-errors.ts';
import { ClosedError } from './errors.ts';
import type { Ledger } from './ledger.ts';
import type { ResilientCall } from './resilient-call.ts';

/**
 * The calls that may ask more than once and have not ended. Between two attempts there is no
 * request that the end of the bus, or of the asker, would meet.
 */
export class OpenCalls {
  readonly #calls = new LinkedList<ResilientCall>();
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  add(call: ResilientCall): void {
    this.#calls.add(call);
    this.#ledger.calls++;
  }

  remove(call: ResilientCall): void {
    this.#calls.remove(call);
    this.#ledger.endCall();
  }

  /** The bus takes nothing any more: what is in flight ends with its request, the rest now. */
  close(): void {
    for (const call of this.#calls.toArray()) {
      call.stop(new ClosedError(`another attempt at ${call.topic}`));
    }
  }

  /** An agent has left: it asks nothing more. */
  leave(name: string): void {
    for (const call of this.#calls.toArray()) {
      if (call.asker === name) call.stop(new RevokedError(name, 'left'));
    }
  }

  /** A conversation is called off, between two attempts too. */
  cancel(correlationId: string, reasonOf: (call: ResilientCall) => unknown): void {
    for (const call of this.#calls.toArray()) {
      if (call.correlationId === correlationId) call.stop(reasonOf(call));
    }
  }
}
