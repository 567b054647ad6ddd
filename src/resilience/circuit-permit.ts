import type { Circuit } from './circuit.ts';

/**
 * The permission for one call through a circuit, to be ended by whoever got it; the first end
 * counts. One that nobody ends keeps a half-open circuit waiting until its lease is over.
 */
export interface Permit extends Disposable {
  /** The call went well. */
  succeed(): void;
  /** The call has failed, unless `failureIf` says that this error is none. */
  fail(error?: unknown): void;
  /** The call says nothing about the callee: neither a failure nor a success. */
  release(): void;
}

/** What a call came to. */
export type Outcome = 'success' | 'failure' | 'neutral';

/** A {@link Permit}, and in what it was given. */
export class CircuitPermit implements Permit {
  readonly generation: number;
  /** Which probe it is; 0 for a call through a closed circuit. */
  readonly probe: number;
  /** Monotonic instant; 0 where nobody asks how long the call took. */
  readonly startedAt: number;
  #circuit: Circuit | undefined;

  constructor(circuit: Circuit, generation: number, probe: number, startedAt: number) {
    this.#circuit = circuit;
    this.generation = generation;
    this.probe = probe;
    this.startedAt = startedAt;
  }

  succeed(): void {
    this.#end('success');
  }

  fail(error?: unknown): void {
    this.#end(this.#circuit?.isFailure(error) === false ? 'neutral' : 'failure', error);
  }

  release(): void {
    this.#end('neutral');
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #end(outcome: Outcome, error?: unknown): void {
    const circuit = this.#circuit;
    this.#circuit = undefined;
    circuit?.ended(this, outcome, error);
  }
}
