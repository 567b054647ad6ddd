import type { SagaResult } from '../../src/index.ts';
import type { WorldState } from '../../src/testing/saga-world.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { SagaWorld } from '../../src/testing.ts';

/** What a call of a saga came to: its result, or the error that it rejected with. */
export type Outcome = SagaResult | { readonly code: string | undefined; readonly error: Error };

/** A process beside others: a clock of its own, in a world that all of them share. */
export class Process {
  readonly env = new SimEnv();
  readonly world: SagaWorld;

  constructor(state: WorldState) {
    this.world = new SagaWorld(this.env, state, () => false);
  }

  /** Lets time pass until the call has settled. */
  async end(call: Promise<SagaResult>): Promise<Outcome> {
    let outcome: Outcome | undefined;
    call.then(
      (result) => {
        outcome = result;
      },
      (error: Error & { code?: string }) => {
        outcome = { code: error.code, error };
      },
    );
    for (let turn = 0; turn < 1_000; turn += 1) {
      await this.env.settle();
      if (outcome !== undefined) return outcome;
      const [next] = this.env.pendingTimers();
      if (next === undefined) break;
      await this.env.advance(next.at - this.env.now());
    }
    throw new Error('It neither ended nor has anything to wait for');
  }
}

/** A world in which nothing has happened yet. */
export function emptyWorld(): WorldState {
  return { standing: new Map(), calls: [] };
}

/** The calls of a world: `run flight`, `undo hotel` and so on. */
export function callsOf({ calls }: WorldState): string[] {
  return calls.map(({ verb, step }) => `${verb} ${step}`);
}

/** `completed`, or the code of the error. */
export function wordOf(outcome: Outcome): string {
  return 'status' in outcome ? outcome.status : `${outcome.code ?? outcome.error.message}`;
}
