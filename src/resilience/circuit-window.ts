import type { RateRule, WindowRule } from './circuit-options.ts';
import type { WindowSnapshot } from './circuit-snapshot.ts';
import type { CircuitReason } from './circuit-transition.ts';

/**
 * What a closed circuit remembers of the calls that have ended. Those that run are not in it: they
 * would make a rate look better than it is.
 */
export interface CircuitWindow {
  /** Counts a call that has ended; says why when that is one too many. */
  record(failed: boolean, slow: boolean, now: number): CircuitReason | undefined;
  /** Whether nothing in it speaks against the callee. */
  isQuiet(now: number): boolean;
  tally(now: number): Tally;
  toSnapshot(now: number): WindowSnapshot;
}

/** How many calls a window holds, and of what kind. */
export interface Tally {
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
}

/** Makes the window that a rule asks for. */
export function makeWindow(rule: WindowRule): CircuitWindow {
  if (rule.kind === 'row') return new FailuresInARow(rule);
  return rule.kind === 'count' ? new LastCalls(rule) : new LastMs(rule);
}

/** The window of a snapshot; `undefined` when it counts something else than the rule. */
export function restoreWindow(
  rule: WindowRule,
  snapshot: WindowSnapshot,
  now: number,
): CircuitWindow | undefined {
  if (rule.kind === 'row' && 'failures' in snapshot)
    return FailuresInARow.from(rule, snapshot, now);
  if (rule.kind === 'count' && 'calls' in snapshot) return LastCalls.from(rule, snapshot, now);
  if (rule.kind === 'time' && 'steps' in snapshot) return LastMs.from(rule, snapshot, now);
  return undefined;
}

type Rule<K extends WindowRule['kind']> = Extract<WindowRule, { kind: K }>;
type Snapshot<K extends string> = Extract<WindowSnapshot, { readonly [Key in K]: unknown }>;

class FailuresInARow implements CircuitWindow {
  readonly #rule: Rule<'row'>;
  #failures = 0;
  #at = 0;

  constructor(rule: Rule<'row'>) {
    this.#rule = rule;
  }

  static from(rule: Rule<'row'>, { failures, ageMs }: Snapshot<'failures'>, now: number) {
    const window = new FailuresInARow(rule);
    window.#failures = failures;
    window.#at = now - ageMs;
    return window;
  }

  record(failed: boolean, _slow: boolean, now: number): CircuitReason | undefined {
    this.#forget(now);
    this.#failures = failed ? this.#failures + 1 : 0;
    this.#at = now;
    return this.#failures >= this.#rule.failures ? 'failures' : undefined;
  }

  isQuiet(now: number): boolean {
    this.#forget(now);
    return this.#failures === 0;
  }

  tally(now: number): Tally {
    this.#forget(now);
    return { calls: this.#failures, failures: this.#failures, slow: 0 };
  }

  toSnapshot(now: number): WindowSnapshot {
    return { failures: this.#failures, ageMs: now - this.#at };
  }

  #forget(now: number): void {
    if (now - this.#at >= this.#rule.forgetMs) this.#failures = 0;
  }
}

const FAILED = 1;
const SLOW = 2;
const MARKS = '.fsb';

class LastCalls implements CircuitWindow {
  readonly #rule: Rule<'count'>;
  /** A ring: the bits FAILED and SLOW of each call. */
  readonly #marks: Uint8Array;
  readonly #tally = new Counts();
  #next = 0;
  #at = 0;

  constructor(rule: Rule<'count'>) {
    this.#rule = rule;
    this.#marks = new Uint8Array(rule.lastCalls);
  }

  static from(rule: Rule<'count'>, { calls, ageMs }: Snapshot<'calls'>, now: number) {
    const window = new LastCalls(rule);
    for (const mark of calls) window.#push(MARKS.indexOf(mark));
    window.#at = now - ageMs;
    return window;
  }

  record(failed: boolean, slow: boolean, now: number): CircuitReason | undefined {
    this.#forget(now);
    this.#push((failed ? FAILED : 0) | (slow ? SLOW : 0));
    this.#at = now;
    return judge(this.#tally, this.#rule);
  }

  isQuiet(now: number): boolean {
    this.#forget(now);
    return this.#tally.failures === 0 && this.#tally.slow === 0;
  }

  tally(now: number): Tally {
    this.#forget(now);
    return this.#tally.read();
  }

  toSnapshot(now: number): WindowSnapshot {
    const { calls } = this.#tally;
    let marks = '';
    for (let age = calls; age > 0; age -= 1) {
      const place = (this.#next - age + this.#marks.length) % this.#marks.length;
      marks += MARKS.charAt(this.#marks[place] as number);
    }
    return { calls: marks, ageMs: now - this.#at };
  }

  #push(mark: number): void {
    const full = this.#tally.calls === this.#marks.length;
    if (full) this.#count(this.#marks[this.#next] as number, -1);
    this.#marks[this.#next] = mark;
    this.#count(mark, 1);
    this.#next = (this.#next + 1) % this.#marks.length;
  }

  #count(mark: number, by: 1 | -1): void {
    this.#tally.add(by, (mark & FAILED) === 0 ? 0 : by, (mark & SLOW) === 0 ? 0 : by);
  }

  #forget(now: number): void {
    if (now - this.#at < this.#rule.forgetMs) return;
    this.#tally.clear();
    this.#next = 0;
  }
}

const STEPS = 10;

class LastMs implements CircuitWindow {
  readonly #rule: Rule<'time'>;
  /** A ring: what ended in each tenth of the time. */
  readonly #steps: Counts[] = Array.from({ length: STEPS }, () => new Counts());
  readonly #tally = new Counts();
  readonly #stepMs: number;
  #step = 0;

  constructor(rule: Rule<'time'>) {
    this.#rule = rule;
    this.#stepMs = rule.lastMs / STEPS;
  }

  static from(rule: Rule<'time'>, { steps }: Snapshot<'steps'>, now: number) {
    const window = new LastMs(rule);
    window.#turn(now);
    for (const [age, calls, failures, slow] of steps) {
      if (age < STEPS) window.#add(window.#step - age, calls, failures, slow);
    }
    return window;
  }

  record(failed: boolean, slow: boolean, now: number): CircuitReason | undefined {
    this.#turn(now);
    this.#add(this.#step, 1, failed ? 1 : 0, slow ? 1 : 0);
    return judge(this.#tally, this.#rule);
  }

  isQuiet(now: number): boolean {
    this.#turn(now);
    return this.#tally.failures === 0 && this.#tally.slow === 0;
  }

  tally(now: number): Tally {
    this.#turn(now);
    return this.#tally.read();
  }

  toSnapshot(now: number): WindowSnapshot {
    this.#turn(now);
    const steps: [number, number, number, number][] = [];
    for (let age = STEPS - 1; age >= 0; age -= 1) {
      const { calls, failures, slow } = this.#countsOf(this.#step - age);
      if (calls > 0) steps.push([age, calls, failures, slow]);
    }
    return { steps };
  }

  #add(step: number, calls: number, failures: number, slow: number): void {
    this.#countsOf(step).add(calls, failures, slow);
    this.#tally.add(calls, failures, slow);
  }

  /** Empties the steps that time has passed since the last look, however long that is ago. */
  #turn(now: number): void {
    const step = Math.floor(now / this.#stepMs);
    const passed = Math.min(step - this.#step, STEPS);
    for (let behind = 0; behind < passed; behind += 1) {
      const counts = this.#countsOf(step - behind);
      this.#tally.add(-counts.calls, -counts.failures, -counts.slow);
      counts.clear();
    }
    this.#step = step;
  }

  #countsOf(step: number): Counts {
    // A clock may begin anywhere: what is left of a negative step is negative, too.
    return this.#steps[((step % STEPS) + STEPS) % STEPS] as Counts;
  }
}

class Counts implements Tally {
  calls = 0;
  failures = 0;
  slow = 0;

  add(calls: number, failures: number, slow: number): void {
    this.calls += calls;
    this.failures += failures;
    this.slow += slow;
  }

  clear(): void {
    this.calls = this.failures = this.slow = 0;
  }

  read(): Tally {
    return { calls: this.calls, failures: this.failures, slow: this.slow };
  }
}

/** Divided, not multiplied: 3 / 10 is exactly what 0.3 is written as, and 0.3 * 10 may not be 3. */
function judge({ calls, failures, slow }: Tally, rule: RateRule): CircuitReason | undefined {
  if (calls < rule.minimumCalls) return undefined;
  if (failures / calls >= rule.failureRate) return 'failure-rate';
  return slow / calls >= rule.slowRate ? 'slow-rate' : undefined;
}
