import type { Env } from '../kernel/env.ts';
import { isThenable, promiseOf } from '../kernel/thenable.ts';
import { CircuitOpenError } from './circuit-errors.ts';
import { type CircuitExplanation, explainCircuit } from './circuit-explain.ts';
import type { CircuitSettings } from './circuit-options.ts';
import { CircuitPermit, type Outcome } from './circuit-permit.ts';
import { type CircuitSnapshot, restoreState, snapshotOf } from './circuit-snapshot.ts';
import {
  type CircuitEvent,
  type CircuitState,
  NEW_CIRCUIT,
  retryAfterMs,
  transition,
} from './circuit-transition.ts';
import { type CircuitWindow, makeWindow, restoreWindow } from './circuit-window.ts';

/** What all circuits of a breaker share. */
export interface CircuitOwner {
  readonly env: Env;
  readonly settings: CircuitSettings;
}

/**
 * One circuit: a state, and beside it the window of a closed one, made when there is something to
 * remember. A hundred thousand idle ones have to stay small.
 */
export class Circuit {
  readonly key: string;
  readonly #owner: CircuitOwner;
  #state: CircuitState = NEW_CIRCUIT;
  #window: CircuitWindow | undefined;
  #running = 0;
  #cause: unknown;

  constructor(owner: CircuitOwner, key: string) {
    this.#owner = owner;
    this.key = key;
  }

  static restored(owner: CircuitOwner, snapshot: CircuitSnapshot): Circuit {
    const circuit = new Circuit(owner, snapshot.key);
    const now = owner.env.now();
    circuit.#state = restoreState(snapshot, now);
    if (snapshot.window !== undefined) {
      circuit.#window = restoreWindow(owner.settings.window, snapshot.window, now);
    }
    return circuit;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** Milliseconds until a call may get through; 0 when it may now. Reads no clock while closed. */
  waitMs(): number {
    if (this.#state.status === 'closed') return 0;
    return retryAfterMs(this.#state, this.#owner.settings, this.#owner.env.now());
  }

  /** The permit for a call that need not wait. */
  enter(): CircuitPermit {
    const { env, settings } = this.#owner;
    const probe = this.#state.status === 'closed' ? 0 : this.#step({ type: 'call' });
    this.#running += 1;
    const startedAt = settings.slowMs === undefined ? 0 : env.now();
    return new CircuitPermit(this, this.#state.generation, probe ?? 0, startedAt);
  }

  /** A call that it let through has ended. */
  ended(permit: CircuitPermit, outcome: Outcome, error?: unknown): void {
    this.#running -= 1;
    if (this.#state.status !== 'closed') this.#probed(permit, outcome, error);
    else if (permit.generation === this.#state.generation) this.#counted(permit, outcome, error);
  }

  /** Whether an error speaks against the callee. A predicate that throws has said nothing. */
  isFailure(error: unknown): boolean {
    const { failureIf } = this.#owner.settings;
    return failureIf === undefined || Boolean(unharmed(() => failureIf(error), true));
  }

  refusal(retryAfterMs: number): CircuitOpenError {
    const { key, state } = this;
    return new CircuitOpenError(key, state.status, retryAfterMs, this.#cause);
  }

  isolate(): Disposable {
    this.#step({ type: 'isolate' });
    const { generation } = this.#state;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#step({ type: 'release', generation });
      },
    };
  }

  reset(): void {
    this.#cause = undefined;
    this.#step({ type: 'reset' });
  }

  /** Whether nothing is lost when it is forgotten. */
  isIdle(): boolean {
    if (this.#running > 0 || this.#state.status !== 'closed') return false;
    return this.#window === undefined || this.#window.isQuiet(this.#owner.env.now());
  }

  /** Nothing when there is nothing to remember. */
  snapshot(): CircuitSnapshot | undefined {
    const { env, settings } = this.#owner;
    return snapshotOf(this.key, this.#state, this.#window, settings, env.now());
  }

  explain(): CircuitExplanation {
    const { env, settings } = this.#owner;
    const now = env.now();
    return explainCircuit(this.key, this.#state, this.#window?.tally(now), settings, now);
  }

  #counted(permit: CircuitPermit, outcome: Outcome, error: unknown): void {
    if (outcome === 'neutral') return;
    const failed = outcome === 'failure';
    const { env, settings } = this.#owner;
    const rule = settings.window;
    // A success after successes leaves no trace in a row of failures: no clock, no window.
    if (!failed && this.#window === undefined && rule.kind === 'row') return;
    const now = env.now();
    this.#window ??= makeWindow(rule);
    const why = this.#window.record(failed, this.#isSlow(permit, now), now);
    if (failed) this.#cause = error;
    if (why !== undefined) {
      this.#step({ type: 'tripped', generation: permit.generation, why });
    } else if (!failed && rule.kind === 'row') {
      this.#window = undefined;
      this.#cause = undefined;
    }
  }

  #probed({ generation, probe, startedAt }: CircuitPermit, outcome: Outcome, error: unknown): void {
    const slow = outcome === 'success' && this.#isSlow({ startedAt }, this.#owner.env.now());
    const came = outcome === 'failure' ? 'failed' : slow ? 'slow' : outcome;
    const before = this.#state;
    this.#step({ type: 'probed', generation, probe, outcome: came });
    // A probe that has lost its lease changes nothing, also not what callers are told.
    if (came === 'failed' && this.#state !== before) this.#cause = error;
  }

  #isSlow({ startedAt }: { readonly startedAt: number }, now: number): boolean {
    const { slowMs } = this.#owner.settings;
    return slowMs !== undefined && now - startedAt >= slowMs;
  }

  /** The only place where the state changes. Says as which probe a call was let through. */
  #step(event: CircuitEvent): number | undefined {
    const { env, settings } = this.#owner;
    const from = this.#state;
    const { state, admitted } = transition(from, event, settings, env.now(), () => env.random());
    this.#state = state;
    if (state.generation !== from.generation) this.#changed(from, state);
    return admitted;
  }

  #changed(from: CircuitState, to: CircuitState): void {
    this.#window = undefined;
    if (to.status === 'closed') this.#cause = undefined;
    if (from.status === to.status) return;
    const { onChange } = this.#owner.settings;
    if (onChange === undefined) return;
    const change = { key: this.key, from: from.status, to: to.status, why: to.why };
    unharmed(() => onChange(change), undefined);
  }
}

/** Runs a hook: what it throws, now or later, changes nothing, for nobody's call fails by it. */
function unharmed(hook: () => unknown, otherwise: unknown): unknown {
  try {
    const result = hook();
    if (isThenable(result)) void promiseOf(result).then(undefined, () => {});
    return result;
  } catch {
    return otherwise;
  }
}
