import { Cancellation } from '../kernel/cancellation.ts';
import type { Env, Timer } from '../kernel/env.ts';
import { isTellaskError, misuse } from '../kernel/errors.ts';
import { isA } from '../kernel/is-a.ts';
import { readCount } from '../kernel/read-count.ts';
import { promiseOf } from '../kernel/thenable.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Health } from './health.ts';

/** Options of {@link AgentRegistry.probe}. */
export interface ProbeOptions {
  /** Milliseconds from the end of one probe to the next. @default 10_000 */
  readonly everyMs?: number;
  /** Milliseconds that one may take. @default 1_000 */
  readonly timeoutMs?: number;
  /** So many in a row have to fail until the agent is unhealthy. @default 3 */
  readonly failures?: number;
  /** So many in a row have to succeed until it has recovered. @default 1 */
  readonly successes?: number;
  /** What is asked on the topic. @default null */
  readonly payload?: unknown;
}

/** Looks whether an agent is well: `false`, what it throws, and a rejection say that it is not. */
export type ProbeCheck = (signal: AbortSignal) => unknown;

/** A probe that goes on until it is stopped, the agent leaves or the bus closes. */
export interface Probe extends Disposable {
  readonly agent: string;
  /** Probes no more; what it said of the agent's health is taken back. */
  stop(): void;
}

/** How a probe goes about it. */
export type ProbeTerms = Required<Omit<ProbeOptions, 'payload'>>;

const OPTIONS: ReadonlySet<string> = new Set<keyof ProbeOptions>([
  'everyMs',
  'timeoutMs',
  'failures',
  'successes',
  'payload',
]);
const MAX_WORDS = 200;

/** @throws TypeError, RangeError for options that make no sense. */
export function readProbe(options: ProbeOptions): ProbeTerms {
  refuseUnknown(options, OPTIONS, 'probe');
  const { everyMs = 10_000, timeoutMs = 1_000, failures = 3, successes = 1 } = options;
  return {
    everyMs: readPositive('everyMs', everyMs),
    timeoutMs: readPositive('timeoutMs', timeoutMs),
    failures: readCount('failures', failures, 1),
    successes: readCount('successes', successes, 1),
  };
}

/** One probe after the other, never two at a time. */
export class RunningProbe implements Probe {
  readonly agent: string;
  readonly #env: Env;
  readonly #health: Health;
  readonly #check: ProbeCheck;
  readonly #terms: ProbeTerms;
  readonly #onStop: () => void;
  #timer: Timer | undefined;
  #current: Cancellation | undefined;
  #failed = 0;
  #succeeded = 0;
  #stopped = false;

  constructor(
    { env, health, onStop }: { env: Env; health: Health; onStop: (probe: Probe) => void },
    agent: string,
    check: ProbeCheck,
    terms: ProbeTerms,
  ) {
    this.agent = agent;
    this.#env = env;
    this.#health = health;
    this.#check = check;
    this.#terms = terms;
    this.#onStop = () => onStop(this);
    this.#next(0);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    this.#current?.abort(new Error(`the probe of ${this.agent} was stopped`));
    this.#health.rose(this.agent, this);
    this.#onStop();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #next(delayMs: number): void {
    this.#timer = this.#env.setTimer(delayMs, () => this.#begin(), { label: 'probe' });
  }

  #begin(): void {
    const current = new Cancellation();
    this.#current = current;
    const { timeoutMs } = this.#terms;
    const late = new Error(`no answer within ${timeoutMs} ms`);
    this.#timer = this.#env.setTimer(timeoutMs, () => this.#ended(current, late), {
      label: 'probe time-out',
    });
    ask(this.#check, current.signal).then(
      (found) => this.#ended(current, found === false ? new Error('it said no') : undefined),
      (error: unknown) => this.#ended(current, error ?? new Error('it rejected')),
    );
  }

  /** Whatever comes first; what comes from an earlier one is not heard. */
  #ended(current: Cancellation, failure: unknown): void {
    if (this.#current !== current || this.#stopped) return;
    this.#current = undefined;
    this.#timer?.cancel();
    if (failure === undefined) this.#success();
    else this.#failure(failure);
    // Whoever hears that it is unhealthy may have stopped it.
    if (!this.#stopped) this.#next(this.#terms.everyMs);
    if (failure !== undefined) current.abort(failure);
  }

  #success(): void {
    this.#failed = 0;
    this.#succeeded++;
    if (this.#succeeded >= this.#terms.successes) this.#health.rose(this.agent, this);
  }

  #failure(error: unknown): void {
    this.#succeeded = 0;
    this.#failed++;
    if (this.#failed < this.#terms.failures) return;
    const times = this.#failed === 1 ? 'a probe' : `${this.#failed} probes`;
    this.#health.fell(this.agent, this, `${times} failed: ${wordsOf(error)}`);
  }
}

async function ask(check: ProbeCheck, signal: AbortSignal): Promise<unknown> {
  return promiseOf(check(signal) as PromiseLike<unknown>);
}

function wordsOf(error: unknown): string {
  if (isTellaskError(error)) return error.code;
  return isA(error, Error) ? String(error.message).slice(0, MAX_WORDS) : 'it threw';
}

function readPositive(what: string, value: number): number {
  if (typeof value !== 'number') throw misuse(what, 'a number of milliseconds', value);
  if (value > 0) return value;
  throw new RangeError(`${what} must be more than 0 milliseconds, but it is ${value}`);
}
