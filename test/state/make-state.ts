import type { Env } from '../../src/kernel/env.ts';
import { realEnv } from '../../src/kernel/real-env.ts';
import { StateCore } from '../../src/state/core.ts';
import type { StateAccess } from '../../src/state/state-access.ts';
import { StateManager, type StateOptions } from '../../src/state/state-manager.ts';
import { StateView } from '../../src/state/state-view.ts';
import type { StateWatch } from '../../src/state/watcher.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

/** A state for a test, and how to let everything happen that can happen now. */
export function makeState(
  env: 'real' | 'simulated',
  options: StateOptions = {},
): { state: StateManager; settle: () => Promise<void> } {
  if (env === 'real') {
    const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
    return { state: new StateManager({ env: realEnv(), ...options }), settle };
  }
  const sim = new SimEnv();
  return { state: new StateManager({ env: sim, ...options }), settle: () => sim.settle() };
}

/** The state from within: what commits several keys at once is not here yet. */
export function makeCore(
  env: Env = new SimEnv(),
  access?: StateAccess,
): { core: StateCore; view: StateView } {
  const core = new StateCore({
    env,
    contract: undefined,
    open: true,
    values: { maxDepth: 100, maxBytes: 1_000 },
    history: { maxVersions: 100, maxBytes: Infinity },
    maxTombstones: 2,
    access,
  });
  return { core, view: new StateView(core, { actor: 'ann', author: () => AUTHOR }) };
}

const AUTHOR = { actor: 'ann', causationId: undefined };

/** Writes keys in one commit. */
export function commitAll(core: StateCore, keys: readonly string[], value: unknown = 1): void {
  core.commit(
    AUTHOR,
    keys.map((key) => core.draft(key, 'set', value, undefined)),
  );
}

/** Reads on until it is told to stop; a line of the log for each version, and for how it ends. */
export function readOn(watch: StateWatch, log: string[]): Promise<void> {
  return (async () => {
    try {
      for await (const { revision, key, version, action } of watch) {
        log.push(`${revision} ${key}@${version} ${action}`);
      }
      log.push('end');
    } catch (error) {
      log.push((error as { code?: string }).code ?? String(error));
    }
  })();
}

/** What a call throws. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}
