import { describe, expect, it } from 'vitest';
import {
  type CircuitEvent,
  type CircuitState,
  type Closed,
  type HalfOpen,
  type Isolated,
  NEW_CIRCUIT,
  type Open,
  retryAfterMs,
  type TransitionRules,
  transition,
} from '../../src/resilience/circuit-transition.ts';

const RULES: TransitionRules = {
  openMs: 100,
  openFactor: 2,
  maxOpenMs: 300,
  openJitter: 0,
  permits: 2,
  successes: 2,
  probeLeaseMs: 50,
};
const half = () => 0.5;

const closed: Closed = { status: 'closed', generation: 4, since: 0, why: 'reset' };
const open: Open = {
  ...{ status: 'open', generation: 5, since: 1_000, why: 'failures' },
  ...{ openMs: 100, opens: 1 },
};
const halfOpen: HalfOpen = {
  ...{ status: 'half-open', generation: 6, since: 1_100, why: 'open-time-over' },
  ...{ opens: 1, probes: [{ id: 1, leaseEndsAt: 1_150 }], lastProbe: 1, successes: 0 },
};
const full: HalfOpen = {
  ...halfOpen,
  probes: [...halfOpen.probes, { id: 2, leaseEndsAt: 1_160 }],
  lastProbe: 2,
};
const isolated: Isolated = {
  ...{ status: 'isolated', generation: 7, since: 1_000, why: 'isolated' },
  holds: 2,
};

const call: CircuitEvent = { type: 'call' };
const tripped: CircuitEvent = { type: 'tripped', generation: 4, why: 'failures' };
const probed = (
  outcome: 'success' | 'failed' | 'slow' | 'neutral',
  probe = 1,
  generation = 6,
): CircuitEvent => ({ type: 'probed', generation, probe, outcome });
const isolate: CircuitEvent = { type: 'isolate' };
const release: CircuitEvent = { type: 'release', generation: 7 };
const reset: CircuitEvent = { type: 'reset' };

type Row = readonly [
  state: CircuitState,
  event: CircuitEvent,
  now: number,
  next: Partial<HalfOpen & Open & Isolated> | Partial<CircuitState> | 'the same',
  admitted?: number,
];

const ROWS: readonly Row[] = [
  // closed
  [closed, call, 10, 'the same', 0],
  [closed, tripped, 10, { status: 'open', generation: 5, since: 10, openMs: 100, opens: 1 }],
  [closed, { ...tripped, generation: 3 }, 10, 'the same'],
  [closed, probed('failed', 1, 4), 10, 'the same'],
  [closed, isolate, 10, { status: 'isolated', generation: 5, holds: 1 }],
  [closed, release, 10, 'the same'],
  [closed, reset, 10, { status: 'closed', generation: 5, why: 'reset' }],
  // open: the end of the open time is inclusive
  [open, call, 1_099.9, 'the same'],
  [open, call, 1_100, { status: 'half-open', generation: 6, lastProbe: 1, opens: 1 }, 1],
  [open, call, 1_000_000, { status: 'half-open', since: 1_000_000 }, 1],
  [open, { ...tripped, generation: 5 }, 1_050, 'the same'],
  [open, probed('success', 1, 5), 1_200, 'the same'],
  [open, isolate, 1_050, { status: 'isolated', generation: 6, holds: 1 }],
  [open, reset, 1_050, { status: 'closed', generation: 6, why: 'reset' }],
  // half open: at most two probes, each for 50 ms
  [halfOpen, call, 1_149, { status: 'half-open', generation: 6, lastProbe: 2 }, 2],
  [full, call, 1_149, 'the same'],
  [full, call, 1_150, { probes: [full.probes[1], { id: 3, leaseEndsAt: 1_200 }] } as never, 3],
  [full, call, 9_999, { probes: [{ id: 3, leaseEndsAt: 10_049 }] } as never, 3],
  [halfOpen, probed('success'), 1_120, { status: 'half-open', probes: [], successes: 1 } as never],
  [{ ...full, successes: 1 }, probed('success'), 1_120, { status: 'closed', generation: 7 }],
  [full, probed('failed', 2), 1_120, { status: 'open', generation: 7, openMs: 200, opens: 2 }],
  [full, probed('slow'), 1_120, { status: 'open', why: 'probe-slow', openMs: 200 }],
  [
    full,
    probed('neutral'),
    1_120,
    { status: 'half-open', generation: 6, probes: [full.probes[1]] } as never,
  ],
  [full, probed('success', 3), 1_120, 'the same'],
  [full, probed('failed', 1, 5), 1_120, 'the same'],
  [{ ...full, opens: 2 }, probed('failed'), 1_120, { openMs: 300, opens: 3 }],
  [{ ...full, opens: 9_999 }, probed('failed'), 1_120, { openMs: 300, opens: 10_000 }],
  [full, isolate, 1_120, { status: 'isolated', generation: 7, holds: 1 }],
  [full, reset, 1_120, { status: 'closed', generation: 7 }],
  // a late result counts while nobody has taken its permit
  [halfOpen, probed('failed'), 5_000, { status: 'open', since: 5_000 }],
  // isolated
  [isolated, call, 1e9, 'the same'],
  [isolated, probed('success', 1, 7), 1_100, 'the same'],
  [isolated, isolate, 1_100, { status: 'isolated', generation: 7, since: 1_000, holds: 3 }],
  [isolated, release, 1_100, { status: 'isolated', generation: 7, holds: 1 }],
  [{ ...isolated, holds: 1 }, release, 1_100, { status: 'closed', generation: 8, why: 'released' }],
  [{ ...isolated, holds: 1 }, { ...release, generation: 5 }, 1_100, 'the same'],
  [isolated, reset, 1_100, { status: 'closed', generation: 8, why: 'reset' }],
];

const TABLE = ROWS.map(([state, event, now, next, admitted]) => ({
  state,
  event,
  now,
  next,
  admitted,
}));

describe('the transitions of a circuit', () => {
  // R:H1
  it.each(TABLE)(
    'lead from $state with $event at $now to $next',
    ({ state, event, now, next, admitted }) => {
      const frozen = structuredClone(state);

      const step = transition(state, event, RULES, now, half);

      expect(step.admitted).toBe(admitted);
      if (next === 'the same') expect(step.state).toBe(state);
      else expect(step.state).toMatchObject(next);
      expect(state).toEqual(frozen);
    },
  );

  it('add chance to the open time and never take from it', () => {
    const rules = { ...RULES, openJitter: 0.4 };

    const opened = [0, 0.5, 0.999].map(
      (chance) => transition(closed, tripped, rules, 0, () => chance).state as Open,
    );

    expect(opened.map(({ openMs }) => Math.round(openMs))).toEqual([100, 120, 140]);
  });

  it('open for no time at all when openMs is 0, and for good when it is Infinity', () => {
    const openedWith = (openMs: number) =>
      transition(closed, tripped, { ...RULES, openMs, maxOpenMs: Infinity, openFactor: 1 }, 5, half)
        .state;

    expect(retryAfterMs(openedWith(0), RULES, 5)).toBe(0);
    expect(retryAfterMs(openedWith(Infinity), RULES, 1e15)).toBe(Infinity);
  });
});

describe('retryAfterMs', () => {
  // R:H1
  it.each(TABLE.filter(({ event }) => event.type === 'call'))(
    'is 0 of $state at $now exactly when a call gets through',
    ({ state, now, admitted }) => {
      expect(retryAfterMs(state, RULES, now) === 0).toBe(admitted !== undefined);
    },
  );

  // R:H1
  it.each([
    [closed, 10, 0],
    [NEW_CIRCUIT, 10, 0],
    [open, 1_030, 70],
    [open, 2_000, 0],
    [halfOpen, 1_120, 0],
    [full, 1_120, 30],
    [isolated, 1_120, Infinity],
  ])('of %o at %d is %d', (state, now, expected) => {
    expect(retryAfterMs(state as CircuitState, RULES, now)).toBe(expected);
  });
});
