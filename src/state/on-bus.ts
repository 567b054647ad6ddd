import type { Env } from '../kernel/env.ts';
import type { Contract } from '../message/contract.ts';
import type { StateCore } from './core.ts';
import type { Holder } from './holder.ts';
import type { DeniedListener } from './state-access.ts';
import type { StateEnv } from './state-env.ts';
import { StateView } from './state-view.ts';

/** What a bus tells the state that it is given. */
export interface StateHome {
  readonly env: Env;
  /** The Env as the user gave it: one and the same clock for both. */
  readonly clock: Env;
  readonly contract: Contract | undefined;
  /** Hears of every refusal. */
  readonly onDenied: DeniedListener;
}

/** What a bus has of its state. */
export interface StateSeat {
  view(holder: Holder): StateView;
  /** Who was registered has left: nothing is held in their names any more. */
  left(matches: (registration: unknown) => boolean, reason: unknown): void;
  /** The bus is closed. */
  close(): void;
}

/** Puts a state on a bus: one clock, one contract, and views for whoever has a name there. */
export function seatOf(core: StateCore, env: StateEnv, home: StateHome): StateSeat {
  core.adopt(home.contract);
  env.bind(home.env, home.clock);
  return {
    view: (holder) => new StateView(core, holder),
    close: core.access?.onDenied(home.onDenied) ?? (() => {}),
    left: (matches, reason) => {
      core.locks.leaveAll(matches, reason);
      core.watchers.dismiss(matches, reason);
    },
  };
}
