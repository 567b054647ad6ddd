import type { Env } from '../kernel/env.ts';
import type { SagaContext } from '../saga/saga-context.ts';
import { never } from './faulty-store.ts';

/** Who calls the world: the context of a step or of a compensation. */
type Caller = Pick<SagaContext<never, object>, 'step' | 'idempotencyKey' | 'attempt'>;

/** One call of the world. */
export interface WorldCall {
  readonly verb: 'run' | 'undo';
  readonly step: string;
  readonly attempt: number;
}

/** What of a world outlives a crash. */
export interface WorldState {
  /** The steps whose effect is there, by idempotency key. */
  readonly standing: Map<string, string>;
  readonly calls: WorldCall[];
}

/**
 * The world outside of a saga, as far as a proof needs it: effects by idempotency key, which are
 * there until they are undone, whatever becomes of the process that made them. Let each step and
 * each compensation of the saga under test call it, in the place of the services they call.
 */
export class SagaWorld {
  /** For a bus of this life: `new MessageBus({ env: world.env })`. */
  readonly env: Env;
  readonly #state: WorldState;
  readonly #isDead: () => boolean;

  /** @internal */
  constructor(env: Env, state: WorldState, isDead: () => boolean) {
    this.env = env;
    this.#state = state;
    this.#isDead = isDead;
  }

  /** Does what a step does, once for its idempotency key, and gives back `result`. */
  async perform<T>(context: Caller, result: T): Promise<T> {
    if (this.#isDead()) return never();
    this.#called('run', context);
    this.#state.standing.set(context.idempotencyKey, context.step);
    return result;
  }

  /** Does nothing and throws, as a service that refuses. */
  async fail(context: Caller, error: unknown): Promise<never> {
    if (this.#isDead()) return never();
    this.#called(verbOf(context), context);
    throw error;
  }

  /** Undoes what a step did, if it did it. */
  async undo(context: Caller): Promise<void> {
    if (this.#isDead()) return never();
    this.#called('undo', context);
    this.#state.standing.delete(context.idempotencyKey.slice(0, -UNDO.length));
  }

  /** How often a step, or its compensation, has called the world in all lives. */
  times(verb: 'run' | 'undo', step: string): number {
    return this.#state.calls.filter((call) => call.verb === verb && call.step === step).length;
  }

  #called(verb: 'run' | 'undo', { step, attempt }: Caller): void {
    this.#state.calls.push({ verb, step, attempt });
  }
}

const UNDO = '/undo';

function verbOf({ idempotencyKey }: Caller): 'run' | 'undo' {
  return idempotencyKey.endsWith(UNDO) ? 'undo' : 'run';
}

/** A copy that goes its own way. */
export function copyOf({ standing, calls }: WorldState): WorldState {
  return { standing: new Map(standing), calls: [...calls] };
}
