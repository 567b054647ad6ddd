import { misuse } from '../kernel/errors.ts';
import {
  type CircuitState,
  type CircuitStatus,
  NEW_CIRCUIT,
  retryAfterMs,
  type TransitionRules,
} from './circuit-transition.ts';
import type { CircuitWindow } from './circuit-window.ts';

/** What `snapshot()` of a breaker returns: JSON, of all circuits that have something to remember. */
export interface CircuitBreakerSnapshot {
  readonly version: 1;
  readonly circuits: readonly CircuitSnapshot[];
}

/** The memory of one circuit, as plain data. Times are what is left or has passed, never instants. */
export interface CircuitSnapshot {
  readonly key: string;
  readonly status: CircuitStatus;
  /** Milliseconds until a call may get through; left out while that is not known. */
  readonly remainingMs?: number;
  /** How often in a row it has opened: the next open time depends on it. */
  readonly opens?: number;
  readonly window?: WindowSnapshot;
}

/** What a closed circuit has counted. */
export type WindowSnapshot =
  | { readonly failures: number; readonly ageMs: number }
  /** One character a call, the oldest first: `.` well, `s` slow, `f` failed, `b` both. */
  | { readonly calls: string; readonly ageMs: number }
  /** Of each step in which calls ended: its age in steps, calls, failures, slow calls. */
  | { readonly steps: readonly (readonly [number, number, number, number])[] };

const STATUSES: readonly unknown[] = ['closed', 'open', 'half-open', 'isolated'];

/** Writes a circuit down; nothing when there is nothing to remember of it. */
export function snapshotOf(
  key: string,
  state: CircuitState,
  window: CircuitWindow | undefined,
  rules: TransitionRules,
  now: number,
): CircuitSnapshot | undefined {
  const { status } = state;
  if (status === 'closed') {
    if (window === undefined || window.isQuiet(now)) return undefined;
    return { key, status, window: window.toSnapshot(now) };
  }
  if (status === 'isolated') return { key, status };
  // The permits of a half-open one are not taken along: whoever holds them is not there any more.
  const ms = status === 'half-open' ? 0 : retryAfterMs(state, rules, now);
  const remaining = ms === Number.POSITIVE_INFINITY ? {} : { remainingMs: ms };
  return { key, status, ...remaining, opens: state.opens };
}

/** The state that a snapshot was made of; a half-open one is open, and its time is over. */
export function restoreState(snapshot: CircuitSnapshot, now: number): CircuitState {
  const { status, remainingMs: openMs = Number.POSITIVE_INFINITY, opens = 1 } = snapshot;
  const entered = { generation: 1, since: now, why: 'restored' } as const;
  if (status === 'closed') return NEW_CIRCUIT;
  if (status === 'isolated') return { ...entered, status, holds: 1 };
  return { ...entered, status: 'open', openMs, opens };
}

/** @throws TypeError for what no breaker has written. */
export function checkSnapshot(snapshot: CircuitBreakerSnapshot): void {
  const fits =
    isObject(snapshot) &&
    snapshot['version'] === 1 &&
    Array.isArray(snapshot['circuits']) &&
    snapshot['circuits'].every(isCircuit);
  if (!fits) throw misuse('snapshot', 'what snapshot() of a breaker returned', snapshot);
}

function isCircuit(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { key, status, remainingMs = 0, opens = 1, window } = value;
  if (typeof key !== 'string' || !STATUSES.includes(status)) return false;
  return isAmount(remainingMs) && isAmount(opens) && (window === undefined || isWindow(window));
}

function isWindow(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { failures, calls, ageMs, steps } = value;
  if (Array.isArray(steps)) return steps.every(isStep);
  if (!isAmount(ageMs)) return false;
  return typeof calls === 'string' ? /^[.fsb]*$/.test(calls) : isAmount(failures);
}

function isStep(value: unknown): boolean {
  return Array.isArray(value) && value.length === 4 && value.every(isAmount);
}

const isAmount = (value: unknown): boolean => typeof value === 'number' && value >= 0;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
