import type { CircuitSettings, WindowRule } from './circuit-options.ts';
import {
  type CircuitReason,
  type CircuitState,
  type CircuitStatus,
  retryAfterMs,
} from './circuit-transition.ts';
import type { Tally } from './circuit-window.ts';

/** What `explain()` says about a circuit. */
export interface CircuitExplanation {
  readonly key: string;
  readonly status: CircuitStatus;
  /** What brought it there. */
  readonly why: CircuitReason;
  /** For how long it has been so, in milliseconds; `undefined` when since it was made. */
  readonly sinceMs: number | undefined;
  /** What would change it. */
  readonly next: string;
  /** All of it, as a sentence or two. */
  readonly text: string;
}

const NOTHING: Tally = { calls: 0, failures: 0, slow: 0 };

/** Says what state a circuit is in, why, for how long, and what would change it. */
export function explainCircuit(
  key: string,
  state: CircuitState,
  tally: Tally | undefined,
  settings: CircuitSettings,
  now: number,
): CircuitExplanation {
  const { status, why } = state;
  const sinceMs = state.since === undefined ? undefined : now - state.since;
  const next = whatNext(state, tally ?? NOTHING, settings, now);
  const is =
    sinceMs === undefined ? `is ${status}` : `has been ${status} for ${Math.round(sinceMs)} ms`;
  const named = key === '' ? 'The circuit' : `The circuit of ${key}`;
  const text = `${named} ${is}: ${BECAUSE[why]}. ${next}`;
  return { key, status, why, sinceMs, next, text };
}

const BECAUSE: Readonly<Record<CircuitReason, string>> = {
  new: 'it has never been otherwise',
  failures: 'too many calls in a row have failed',
  'failure-rate': 'too large a share of the calls has failed',
  'slow-rate': 'too large a share of the calls was slow',
  'open-time-over': 'its open time is over',
  'probe-failed': 'a probe has failed',
  'probe-slow': 'a probe was slow',
  'probes-succeeded': 'enough probes have succeeded',
  isolated: 'somebody has isolated it',
  released: 'whoever isolated it has released it',
  reset: 'somebody has reset it',
  restored: 'a snapshot says so',
};

function whatNext(
  state: CircuitState,
  tally: Tally,
  settings: CircuitSettings,
  now: number,
): string {
  switch (state.status) {
    case 'closed':
      return `It opens ${opensAt(settings.window, tally)}.`;
    case 'open':
      return whenProbed(retryAfterMs(state, settings, now));
    case 'half-open': {
      const { permits, successes } = settings;
      const missing = successes - state.successes;
      const probes = missing === 1 ? 'probe succeeds' : 'probes succeed';
      const taken = `${state.probes.length} of ${permits} permits is taken`;
      return `It closes when ${missing} more ${probes} and opens at the first that fails; ${taken}.`;
    }
    case 'isolated':
      return `It closes when all who isolated it (${state.holds}) have released it, or it is reset.`;
  }
}

function opensAt(rule: WindowRule, { calls, failures, slow }: Tally): string {
  if (rule.kind === 'row') return `at ${rule.failures} failures in a row; there are ${failures}`;
  const share = `when a share of ${rule.failureRate} fails`;
  const slowShare =
    rule.slowRate === Number.POSITIVE_INFINITY ? '' : ` or of ${rule.slowRate} is slow`;
  return `${share}${slowShare}, given ${rule.minimumCalls} calls; of ${calls}, ${failures} failed and ${slow} were slow`;
}

function whenProbed(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return 'It stays so until it is reset.';
  return ms === 0
    ? 'The next call is let through as a probe.'
    : `In ${Math.ceil(ms)} ms a call is let through as a probe.`;
}
