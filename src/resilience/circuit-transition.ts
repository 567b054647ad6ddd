/** Whether calls get through: all (`closed`), none (`open`, `isolated`), or a few probes (`half-open`). */
export type CircuitStatus = 'closed' | 'open' | 'half-open' | 'isolated';

/** What brought a circuit into its status. */
export type CircuitReason =
  | 'new'
  | 'failures'
  | 'failure-rate'
  | 'slow-rate'
  | 'open-time-over'
  | 'probe-failed'
  | 'probe-slow'
  | 'probes-succeeded'
  | 'isolated'
  | 'released'
  | 'reset'
  | 'restored';

interface Entered {
  /** One more for every change of status: a result of an older one is ignored. */
  readonly generation: number;
  /** Monotonic instant; `undefined` since it was made. */
  readonly since: number | undefined;
  readonly why: CircuitReason;
}

/** Calls get through. What they came to is counted in a window beside the state. */
export interface Closed extends Entered {
  readonly status: 'closed';
}

/** Calls are rejected until `openMs` have passed. */
export interface Open extends Entered {
  readonly status: 'open';
  readonly since: number;
  readonly openMs: number;
  /** How often in a row it has opened without closing in between. */
  readonly opens: number;
}

/** Probes get through, as many at a time as there are permits. */
export interface HalfOpen extends Entered {
  readonly status: 'half-open';
  readonly opens: number;
  readonly probes: readonly Probe[];
  readonly lastProbe: number;
  readonly successes: number;
}

/** Calls are rejected until everybody who isolated it has released it. */
export interface Isolated extends Entered {
  readonly status: 'isolated';
  readonly holds: number;
}

/** What a circuit is in. */
export type CircuitState = Closed | Open | HalfOpen | Isolated;

/** A permit that is out while half open. From `leaseEndsAt` on the next call may take it. */
export interface Probe {
  readonly id: number;
  readonly leaseEndsAt: number;
}

/** What a probe came to. */
export type ProbeOutcome = 'success' | 'failed' | 'slow' | 'neutral';

/** What happens to a circuit. */
export type CircuitEvent =
  | { readonly type: 'call' }
  | { readonly type: 'tripped'; readonly generation: number; readonly why: CircuitReason }
  | {
      readonly type: 'probed';
      readonly generation: number;
      readonly probe: number;
      readonly outcome: ProbeOutcome;
    }
  | { readonly type: 'isolate' }
  | { readonly type: 'release'; readonly generation: number }
  | { readonly type: 'reset' };

/** What the transitions depend on. */
export interface TransitionRules {
  readonly openMs: number;
  readonly openFactor: number;
  readonly maxOpenMs: number;
  readonly openJitter: number;
  readonly permits: number;
  readonly successes: number;
  readonly probeLeaseMs: number;
}

/** Where the event leads, and for a call whether it may go on, and as which probe (0: as none). */
export interface Step {
  readonly state: CircuitState;
  readonly admitted?: number;
}

/** What every circuit begins with; one object, since most circuits never leave it. */
export const NEW_CIRCUIT: Closed = {
  status: 'closed',
  generation: 0,
  since: undefined,
  why: 'new',
};

/**
 * The whole life of a circuit, as a pure function.
 *
 * Sources: Michael Nygard, "Release It!", 2007 (the pattern); Resilience4j and Polly (windows,
 * permits, slow calls, isolation).
 */
export function transition(
  state: CircuitState,
  event: CircuitEvent,
  rules: TransitionRules,
  now: number,
  random: () => number,
): Step {
  switch (event.type) {
    case 'call':
      return call(state, rules, now);
    case 'tripped':
      if (state.status !== 'closed' || state.generation !== event.generation) return { state };
      return { state: open(state, 1, event.why, rules, now, random) };
    case 'probed':
      return { state: probed(state, event, rules, now, random) };
    case 'isolate':
      return { state: isolate(state, now) };
    case 'release':
      return { state: release(state, event.generation, now) };
    case 'reset':
      return { state: closed(state, 'reset', now) };
  }
}

/** Milliseconds until a call may get through, as far as that is known; 0 when it may now. */
export function retryAfterMs(state: CircuitState, rules: TransitionRules, now: number): number {
  switch (state.status) {
    case 'closed':
      return 0;
    case 'open':
      // 0 at the very end: who waited for exactly so long is not to be sent away again.
      return Math.max(0, state.since + state.openMs - now);
    case 'half-open':
      return nextPermitMs(state, rules, now);
    case 'isolated':
      return Number.POSITIVE_INFINITY;
  }
}

function call(state: CircuitState, rules: TransitionRules, now: number): Step {
  if (state.status === 'closed') return { state, admitted: 0 };
  if (retryAfterMs(state, rules, now) > 0) return { state };
  if (state.status === 'open') return probe(halfOpen(state, now), rules, now);
  return probe(state as HalfOpen, rules, now);
}

/** Lets a call through as a probe; hung ones lose their permit here, and only here. */
function probe(state: HalfOpen, { probeLeaseMs }: TransitionRules, now: number): Step {
  const id = state.lastProbe + 1;
  const probes = [...leased(state, now), { id, leaseEndsAt: now + probeLeaseMs }];
  return { state: { ...state, probes, lastProbe: id }, admitted: id };
}

/** Until the first lease ends: a probe may end before. */
function nextPermitMs(state: HalfOpen, rules: TransitionRules, now: number): number {
  const probes = leased(state, now);
  if (probes.length < rules.permits) return 0;
  return Math.min(...probes.map(({ leaseEndsAt }) => leaseEndsAt)) - now;
}

function leased(state: HalfOpen, now: number): readonly Probe[] {
  return state.probes.filter(({ leaseEndsAt }) => now < leaseEndsAt);
}

function probed(
  state: CircuitState,
  event: Extract<CircuitEvent, { type: 'probed' }>,
  rules: TransitionRules,
  now: number,
  random: () => number,
): CircuitState {
  if (state.status !== 'half-open' || state.generation !== event.generation) return state;
  const probes = state.probes.filter(({ id }) => id !== event.probe);
  if (probes.length === state.probes.length) return state; // its lease went to another
  if (event.outcome === 'neutral') return { ...state, probes };
  if (event.outcome !== 'success') {
    const why = event.outcome === 'slow' ? 'probe-slow' : 'probe-failed';
    return open(state, state.opens + 1, why, rules, now, random);
  }
  const successes = state.successes + 1;
  if (successes >= rules.successes) return closed(state, 'probes-succeeded', now);
  return { ...state, probes, successes };
}

function closed(from: CircuitState, why: CircuitReason, now: number): Closed {
  return { status: 'closed', generation: from.generation + 1, since: now, why };
}

function open(
  from: CircuitState,
  opens: number,
  why: CircuitReason,
  rules: TransitionRules,
  now: number,
  random: () => number,
): Open {
  const generation = from.generation + 1;
  return {
    status: 'open',
    generation,
    since: now,
    why,
    opens,
    openMs: openMs(rules, opens, random),
  };
}

/** Chance only adds: nobody probes earlier than was asked for. */
function openMs(rules: TransitionRules, opens: number, random: () => number): number {
  // 0 * Infinity would be NaN.
  const longer = rules.openMs === 0 ? 0 : rules.openMs * rules.openFactor ** (opens - 1);
  const ms = Math.min(rules.maxOpenMs, longer);
  return rules.openJitter === 0 ? ms : ms * (1 + rules.openJitter * random());
}

function halfOpen(from: Open, now: number): HalfOpen {
  return {
    status: 'half-open',
    generation: from.generation + 1,
    since: now,
    why: 'open-time-over',
    opens: from.opens,
    probes: [],
    lastProbe: 0,
    successes: 0,
  };
}

function isolate(state: CircuitState, now: number): Isolated {
  if (state.status === 'isolated') return { ...state, holds: state.holds + 1 };
  const generation = state.generation + 1;
  return { status: 'isolated', generation, since: now, why: 'isolated', holds: 1 };
}

/** The last who releases it closes it: whoever isolated it says that it is well again. */
function release(state: CircuitState, generation: number, now: number): CircuitState {
  if (state.status !== 'isolated' || state.generation !== generation) return state;
  if (state.holds > 1) return { ...state, holds: state.holds - 1 };
  return closed(state, 'released', now);
}
