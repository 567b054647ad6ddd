import { realEnv } from '../../src/kernel/real-env.ts';
import { StateCore } from '../../src/state/core.ts';
import { StateView } from '../../src/state/state-view.ts';
import { type Choose, SimEnv } from '../../src/testing/sim-env.ts';

/** The state on an Env, and how to bring what it waits for to an end. */
export interface StateWorld {
  readonly core: StateCore;
  /** As the host sees it. */
  readonly state: StateView;
  /** As an actor sees it. */
  as(actor: string): StateView;
  /** Undefined on the real Env. */
  readonly sim: SimEnv | undefined;
  /** What a promise gives, when all that needs no time has come to rest. */
  ended<T>(promise: Promise<T>): Promise<T>;
}

export function makeWorld(kind: 'real' | 'simulated', choose?: Choose): StateWorld {
  const sim = kind === 'real' ? undefined : new SimEnv(choose === undefined ? {} : { choose });
  const core = new StateCore({
    env: sim ?? realEnv(),
    contract: undefined,
    open: true,
    values: { maxDepth: 100, maxBytes: 1_000_000 },
    history: { maxVersions: 1_000, maxBytes: 1_000_000 },
    maxTombstones: 1_000,
  });
  const as = (actor: string): StateView =>
    new StateView(core, { actor, author: () => ({ actor, causationId: undefined }) });
  return {
    core,
    state: as('$host'),
    as,
    sim,
    ended: async (promise) => {
      promise.catch(() => {});
      await sim?.settle();
      return promise;
    },
  };
}

/** The code of what a promise was rejected with, or the name where it is no error of the library. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).name;
  }
  return 'nothing was thrown';
}
