import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { type CircuitBreakerSnapshot, checkSnapshot } from './circuit-snapshot.ts';
import type { CircuitReason, CircuitStatus } from './circuit-transition.ts';
import type { PolicyOptions } from './policy.ts';

/** Which shares of the calls in a window open a circuit. */
export interface RateOptions {
  /** Share of failed calls, above 0 to 1, from which the circuit opens. @default 0.5 */
  readonly failureRate?: number;
  /** Calls that take at least so long are slow, in milliseconds. @default none is */
  readonly slowMs?: number;
  /** Share of slow calls, above 0 to 1, from which the circuit opens. @default 1, with `slowMs` */
  readonly slowRate?: number;
  /** Below so many calls nothing is concluded: an integer from 1. @default 10, or `lastCalls` if fewer */
  readonly minimumCalls?: number;
}

/** Judges the last so many calls. */
export interface CountWindowOptions extends RateOptions {
  /** Calls that are judged: an integer from 1 to 1 000 000. */
  readonly lastCalls: number;
}

/** Judges the calls that ended within the last so many milliseconds. */
export interface TimeWindowOptions extends RateOptions {
  /** Milliseconds that are judged, in ten steps: above 0. */
  readonly lastMs: number;
}

/** What {@link CircuitBreakerOptions.onChange} is told. */
export interface CircuitChange {
  readonly key: string;
  readonly from: CircuitStatus;
  readonly to: CircuitStatus;
  readonly why: CircuitReason;
}

/** Options of {@link circuitBreaker}. */
export interface CircuitBreakerOptions extends PolicyOptions {
  /** Failures in a row that open the circuit: an integer from 1. Not with `window`. @default 5 */
  readonly failures?: number;
  /** Judges rates over many calls, in place of failures in a row. */
  readonly window?: CountWindowOptions | TimeWindowOptions;
  /** After so long without a result, what was counted is forgotten, in milliseconds. @default 300_000 */
  readonly forgetMs?: number;
  /** How long it stays open before a call may probe, in milliseconds. @default 30_000 */
  readonly openMs?: number;
  /** What that time is multiplied by after each probe that fails: from 1. @default 1 */
  readonly openFactor?: number;
  /** The longest open time, in milliseconds; not below `openMs`. @default 600_000, or `openMs` if that is more */
  readonly maxOpenMs?: number;
  /** Up to this share of the open time is added by chance, so that many do not probe at once: 0 to 1. @default 0 */
  readonly openJitter?: number;
  /** Probes that may run at a time while half open: an integer from 1. @default 1 */
  readonly permits?: number;
  /** Probes that have to succeed before it closes: an integer from 1. @default `permits` */
  readonly successes?: number;
  /**
   * How long a probe may keep others waiting, in milliseconds. Then the next call takes its permit,
   * and its result is ignored: make it longer than a call takes. @default 60_000
   */
  readonly probeLeaseMs?: number;
  /** Asked about every error: one that it says false of counts neither as failure nor as success. @default every error is a failure */
  readonly failureIf?: (error: unknown) => boolean;
  /** Hears of every change of status. What it throws changes nothing. */
  readonly onChange?: (change: CircuitChange) => void;
  /** Circuits of keys that are kept; only idle closed ones are forgotten. @default 10_000 */
  readonly maxCircuits?: number;
  /** Goes on where another breaker stopped: what its `snapshot()` returned. */
  readonly snapshot?: CircuitBreakerSnapshot;
}

/** Checked rules of a window. */
export type WindowRule =
  | { readonly kind: 'row'; readonly failures: number; readonly forgetMs: number }
  | (RateRule & { readonly kind: 'count'; readonly lastCalls: number; readonly forgetMs: number })
  | (RateRule & { readonly kind: 'time'; readonly lastMs: number });

/** Checked {@link RateOptions}; a rate of Infinity is never reached. */
export interface RateRule {
  readonly failureRate: number;
  readonly slowRate: number;
  readonly minimumCalls: number;
}

/** Checked {@link CircuitBreakerOptions}. */
export interface CircuitSettings {
  readonly window: WindowRule;
  /** `undefined` when no call is slow: then no clock is read around a call. */
  readonly slowMs: number | undefined;
  readonly openMs: number;
  readonly openFactor: number;
  readonly maxOpenMs: number;
  readonly openJitter: number;
  readonly permits: number;
  readonly successes: number;
  readonly probeLeaseMs: number;
  readonly failureIf: ((error: unknown) => boolean) | undefined;
  readonly onChange: ((change: CircuitChange) => void) | undefined;
  readonly maxCircuits: number;
  readonly snapshot: CircuitBreakerSnapshot | undefined;
}

/** What is left out. `docs/defaults.md` is generated from it. */
export const CIRCUIT_DEFAULTS = {
  failures: 5,
  openMs: 30_000,
  permits: 1,
  forgetMs: 300_000,
  openFactor: 1,
  maxOpenMs: 600_000,
  openJitter: 0,
  probeLeaseMs: 60_000,
  maxCircuits: 10_000,
  failureRate: 0.5,
  minimumCalls: 10,
} as const;

const KNOWN: ReadonlySet<string> = new Set<keyof CircuitBreakerOptions>([
  'failures',
  'window',
  'forgetMs',
  'openMs',
  'openFactor',
  'maxOpenMs',
  'openJitter',
  'permits',
  'successes',
  'probeLeaseMs',
  'failureIf',
  'onChange',
  'maxCircuits',
  'snapshot',
  'env',
]);
const RATES = ['failureRate', 'slowMs', 'slowRate', 'minimumCalls'];
const COUNT_WINDOW: ReadonlySet<string> = new Set(['lastCalls', ...RATES]);
const TIME_WINDOW: ReadonlySet<string> = new Set(['lastMs', ...RATES]);
const MAX_LAST_CALLS = 1_000_000;

/**
 * Checks the options of a breaker and fills in what they leave out.
 *
 * @throws RangeError for a number out of range, TypeError for anything else that does not fit.
 */
export function readCircuitOptions(options: CircuitBreakerOptions): CircuitSettings {
  checkObject('circuitBreaker', options);
  refuseUnknown(options, KNOWN, 'circuitBreaker');
  const d = CIRCUIT_DEFAULTS;
  const { openMs = d.openMs, openFactor = d.openFactor, openJitter = d.openJitter } = options;
  const { maxOpenMs = Math.max(d.maxOpenMs, openMs), probeLeaseMs = d.probeLeaseMs } = options;
  const { permits = d.permits, successes = permits, maxCircuits = d.maxCircuits } = options;
  const { failureIf, onChange, snapshot, window } = options;
  checkNumber('openMs', openMs, { from: 0 });
  checkNumber('openFactor', openFactor, { from: 1 });
  checkNumber('maxOpenMs', maxOpenMs, { from: openMs });
  checkNumber('openJitter', openJitter, { from: 0, to: 1 });
  checkNumber('permits', permits, { from: 1, whole: true });
  checkNumber('successes', successes, { from: 1, whole: true });
  checkNumber('probeLeaseMs', probeLeaseMs, { above: 0 });
  checkNumber('maxCircuits', maxCircuits, { from: 1, whole: true, infinite: true });
  checkFunction('failureIf', failureIf);
  checkFunction('onChange', onChange);
  if (snapshot !== undefined) checkSnapshot(snapshot);
  // Written out: an object that is spread together takes more memory, and there may be many.
  return {
    window: readWindow(options),
    slowMs: window?.slowMs,
    openMs,
    openFactor,
    maxOpenMs,
    openJitter,
    permits,
    successes,
    probeLeaseMs,
    failureIf,
    onChange,
    maxCircuits,
    snapshot,
  };
}

function readWindow(options: CircuitBreakerOptions): WindowRule {
  const { window, forgetMs = CIRCUIT_DEFAULTS.forgetMs } = options;
  checkNumber('forgetMs', forgetMs, { above: 0 });
  if (window === undefined) {
    const { failures = CIRCUIT_DEFAULTS.failures } = options;
    checkNumber('failures', failures, { from: 1, whole: true });
    return { kind: 'row', failures, forgetMs };
  }
  if (options.failures !== undefined) {
    throw new TypeError('failures counts failures in a row: leave it out, or leave window out');
  }
  checkObject('window', window);
  if ('lastCalls' in window && 'lastMs' in window) {
    throw new TypeError('window has lastCalls or lastMs, not both');
  }
  if ('lastCalls' in window) return { ...readCountWindow(window), forgetMs };
  return readTimeWindow(window);
}

function readCountWindow(window: CountWindowOptions) {
  refuseUnknown(window, COUNT_WINDOW, 'window');
  const { lastCalls } = window;
  checkNumber('window.lastCalls', lastCalls, { from: 1, to: MAX_LAST_CALLS, whole: true });
  const rates = readRates(window, Math.min(CIRCUIT_DEFAULTS.minimumCalls, lastCalls));
  if (rates.minimumCalls > lastCalls) {
    const expected = `at most lastCalls (${lastCalls})`;
    throw new RangeError(misuse('window.minimumCalls', expected, rates.minimumCalls).message);
  }
  return { kind: 'count', lastCalls, ...rates } as const;
}

function readTimeWindow(window: TimeWindowOptions) {
  refuseUnknown(window, TIME_WINDOW, 'window');
  const { lastMs } = window;
  checkNumber('window.lastMs', lastMs, { above: 0, to: Number.MAX_SAFE_INTEGER });
  return { kind: 'time', lastMs, ...readRates(window, CIRCUIT_DEFAULTS.minimumCalls) } as const;
}

function readRates(window: RateOptions, fewest: number): RateRule {
  const { failureRate = CIRCUIT_DEFAULTS.failureRate, minimumCalls = fewest, slowMs } = window;
  const { slowRate = slowMs === undefined ? Number.POSITIVE_INFINITY : 1 } = window;
  checkNumber('window.failureRate', failureRate, { above: 0, to: 1 });
  checkNumber('window.minimumCalls', minimumCalls, { from: 1, whole: true });
  if (slowMs !== undefined) checkNumber('window.slowMs', slowMs, { from: 0 });
  if (window.slowRate !== undefined) {
    checkNumber('window.slowRate', slowRate, { above: 0, to: 1 });
    if (slowMs === undefined) throw misuse('window.slowMs', 'given with slowRate', slowMs);
  }
  return { failureRate, slowRate, minimumCalls };
}

interface Bounds {
  readonly from?: number;
  readonly above?: number;
  readonly to?: number;
  readonly whole?: boolean;
  /** Whether a whole number may be Infinity. */
  readonly infinite?: boolean;
}

function checkNumber(option: string, value: unknown, bounds: Bounds): void {
  const { from, above, to = Number.POSITIVE_INFINITY, whole = false, infinite = false } = bounds;
  const start = above === undefined ? `from ${from}` : `above ${above}`;
  const end = to === Number.POSITIVE_INFINITY ? '' : ` to ${to}`;
  const expected = `${whole ? 'an integer' : 'a number'} ${start}${end}`;
  if (typeof value !== 'number') throw misuse(option, expected, value);
  const inside = (above === undefined ? value >= (from as number) : value > above) && value <= to;
  const fits = !whole || Number.isSafeInteger(value) || (infinite && value === Infinity);
  if (!inside || !fits) throw new RangeError(misuse(option, expected, value).message);
}

function checkFunction(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') {
    throw misuse(option, 'a function', value);
  }
}

function checkObject(what: string, value: unknown): void {
  if (typeof value !== 'object' || value === null)
    throw misuse(what, 'an object of options', value);
}
