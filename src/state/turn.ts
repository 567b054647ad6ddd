import type { Env, Lane } from '../kernel/env.ts';

/**
 * Goes on at once in production; on a simulated Env when its turn is chosen, so that the orders of
 * those who wait side by side can be explored.
 */
export function nextTurn(env: Env, label: string, go: () => void): void {
  if (env.direct) go();
  else env.post(new Turn(label, go));
}

/** Goes on when all that was ready before has had its turn, time-outs included. */
export function laterTurn(env: Env, label: string, go: () => void): void {
  env.post(new Turn(label, go));
}

class Turn implements Lane {
  readonly kind = 'state' as const;
  readonly label: string;
  /** Production does not wait: in front of all that the bus still has to do. */
  readonly order = 0;
  posted = false;
  readonly run: () => void;

  constructor(label: string, run: () => void) {
    this.label = label;
    this.run = run;
  }
}
