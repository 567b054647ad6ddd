import type { Env } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { isA } from '../kernel/is-a.ts';
import { isThenable, promiseOf } from '../kernel/thenable.ts';
import type { Call } from './call.ts';
import type { Circuit } from './circuit.ts';
import type { CircuitExplanation } from './circuit-explain.ts';
import {
  type CircuitBreakerOptions,
  type CircuitSettings,
  readCircuitOptions,
} from './circuit-options.ts';
import type { Permit } from './circuit-permit.ts';
import { CircuitRegistry } from './circuit-registry.ts';
import type { CircuitBreakerSnapshot } from './circuit-snapshot.ts';
import type { CircuitStatus } from './circuit-transition.ts';
import { BulkheadFullError, PolicyTimeoutError, RateLimitedError } from './errors.ts';
import { OwnPolicy, type Work } from './policy.ts';
import { rejection } from './rejection.ts';

/**
 * Makes a circuit breaker: calls that have failed too often are rejected at once, with a
 * `CircuitOpenError`, until a few that are let through as probes have succeeded.
 *
 * A caller who aborts says nothing about the callee, nor does a full bulkhead or a rate limit inside
 * of the breaker; a time that is over counts as a failure, and so does everything else that is
 * thrown, unless `failureIf` says no.
 *
 * Sources: Michael Nygard, "Release It!", 2007; windows and slow calls as in Resilience4j,
 * isolation as in Polly.
 *
 * @throws TypeError or RangeError for options that do not fit.
 * @example
 * ```ts
 * import { circuitBreaker, isTellaskError } from 'tellask';
 * const breaker = circuitBreaker({ failures: 2, openMs: 30_000 });
 * const ask = () => breaker.execute(() => Promise.reject(new Error('no route')));
 * await ask().catch(() => {});
 * await ask().catch(() => {});
 * const refused = await ask().catch((error: unknown) => error);
 * isTellaskError(refused, 'TELLASK_CIRCUIT_OPEN'); // => true
 * breaker.status; // => 'open'
 * ```
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  return new CircuitBreaker(options);
}

/** What {@link CircuitBreaker} and the view of one of its circuits have in common. */
export interface CircuitControl {
  /** Where the circuit is; an open one stays `open` until the first call after its open time. */
  readonly status: CircuitStatus;
  /** Whether a call would get through now. Changes nothing. */
  admits(): boolean;
  /** A permit for one call, to be ended by the caller; nothing when it is rejected. */
  tryAcquire(): Permit | undefined;
  /** What state it is in, why, for how long, and what would change it. */
  explain(): CircuitExplanation;
  /**
   * Rejects all calls until it is released. Who isolates it twice has to release it twice; the last
   * release closes it. Also a `using` declaration can hold it.
   */
  isolate(): Disposable;
  /** Closes it, whatever it was, and forgets what was counted: isolations end, too. */
  reset(): void;
}

/**
 * A circuit breaker: one circuit, and one more for every key that is asked for with `for`. On the
 * bus the key is the responder, so one that fails does not keep others from being asked.
 */
export class CircuitBreaker extends OwnPolicy implements CircuitControl {
  readonly #settings: CircuitSettings;
  /** Made with the first use: only then is it known whose clock counts. */
  #circuits: CircuitRegistry | undefined;

  /** @internal */
  constructor(options: CircuitBreakerOptions) {
    super(options?.env);
    this.#settings = readCircuitOptions(options);
  }

  /** @internal */
  run<T>(fn: Work<T>, call: Call): Promise<T> {
    return through(this.#all, undefined, fn, call);
  }

  /**
   * The circuit of a key, with the same methods: `breaker.for('openai').execute(fn)`. A circuit that
   * is idle and closed is forgotten when there are more than `maxCircuits`.
   *
   * @example
   * ```ts
   * import { circuitBreaker } from 'tellask';
   * const models = circuitBreaker({ failures: 1 });
   * await models.for('large').execute(() => Promise.reject(new Error('503'))).catch(() => {});
   * models.for('large').status; // => 'open'
   * await models.for('small').execute(() => 'well'); // => 'well'
   * ```
   */
  for(key: string): KeyedCircuit {
    if (typeof key !== 'string') throw misuse('key', 'a string', key);
    return new KeyedCircuit(this, () => this.#all, key);
  }

  get status(): CircuitStatus {
    return this.#all.main.state.status;
  }

  admits(): boolean {
    return this.#all.main.waitMs() === 0;
  }

  /**
   * Asks for one call without an exception; whoever gets a permit has to end it.
   *
   * @example
   * ```ts
   * import { circuitBreaker } from 'tellask';
   * const breaker = circuitBreaker({ failures: 1 });
   * const permit = breaker.tryAcquire();
   * permit?.fail(new Error('no route'));
   * breaker.tryAcquire(); // => undefined
   * breaker.explain().why; // => 'failures'
   * ```
   */
  tryAcquire(): Permit | undefined {
    return acquire(this.#all.main);
  }

  explain(): CircuitExplanation {
    return this.#all.main.explain();
  }

  isolate(): Disposable {
    return this.#all.main.isolate();
  }

  reset(): void {
    this.#all.main.reset();
  }

  /**
   * All circuits that have something to remember, as JSON: give it to another breaker as its
   * `snapshot` option. Half-open circuits go on as open ones whose time is over.
   */
  snapshot(): CircuitBreakerSnapshot {
    return this.#all.snapshot();
  }

  get #all(): CircuitRegistry {
    this.#circuits ??= new CircuitRegistry(this.env, this.#settings);
    return this.#circuits;
  }
}

/** The view of one circuit of a {@link CircuitBreaker}; it may be made anew for every call. */
export class KeyedCircuit extends OwnPolicy implements CircuitControl {
  readonly key: string;
  readonly #breaker: CircuitBreaker;
  readonly #all: () => CircuitRegistry;

  /** @internal */
  constructor(breaker: CircuitBreaker, all: () => CircuitRegistry, key: string) {
    super(undefined);
    this.key = key;
    this.#breaker = breaker;
    this.#all = all;
  }

  /** @internal */
  override get env(): Env {
    return this.#breaker.env;
  }

  /** @internal */
  override bind(env: Env): void {
    this.#breaker.bind(env);
  }

  /** @internal */
  run<T>(fn: Work<T>, call: Call): Promise<T> {
    return through(this.#all(), this.key, fn, call);
  }

  get status(): CircuitStatus {
    return this.#all().peek(this.key)?.state.status ?? 'closed';
  }

  admits(): boolean {
    return admits(this.#all(), this.key);
  }

  tryAcquire(): Permit | undefined {
    return acquire(this.#all().take(this.key));
  }

  explain(): CircuitExplanation {
    return this.#all().take(this.key).explain();
  }

  isolate(): Disposable {
    return this.#all().own(this.key).isolate();
  }

  reset(): void {
    this.#all().peek(this.key)?.reset();
  }
}

function admits(circuits: CircuitRegistry, key: string): boolean {
  const circuit = circuits.peek(key);
  return circuit === undefined || circuit.waitMs() === 0;
}

function acquire(circuit: Circuit): Permit | undefined {
  return circuit.waitMs() > 0 ? undefined : circuit.enter();
}

/** The whole policy: in with a permit, out with what the call came to. */
function through<T>(
  circuits: CircuitRegistry,
  key: string | undefined,
  fn: Work<T>,
  call: Call,
): Promise<T> {
  // Who has gone away already is not let in: a probe would be wasted on him.
  if (call.aborted) return Promise.reject(call.reason);
  let circuit: Circuit;
  try {
    circuit = choose(circuits, key, call);
  } catch (error) {
    return Promise.reject(error);
  }
  const waitMs = circuit.waitMs();
  if (waitMs > 0) return rejection(circuit.refusal(waitMs));
  return attempt(fn, call, circuit.enter());
}

/** With `then` and not with `await`, which costs a call that succeeds one promise more. */
function attempt<T>(fn: Work<T>, call: Call, permit: Permit): Promise<T> {
  let result: T | PromiseLike<T>;
  try {
    result = fn(call);
  } catch (error) {
    return Promise.reject(failed(call, permit, error));
  }
  if (!isThenable(result)) {
    permit.succeed();
    return Promise.resolve(result);
  }
  return (promiseOf(result) as Promise<T>).then(
    (value) => {
      permit.succeed();
      return value;
    },
    (error: unknown) => {
      throw failed(call, permit, error);
    },
  );
}

function failed(call: Call, permit: Permit, error: unknown): unknown {
  if (isCalledOff(call) || isBlameless(call, error)) permit.release();
  else permit.fail(error);
  return error;
}

function choose(circuits: CircuitRegistry, key: string | undefined, call: Call): Circuit {
  if (key !== undefined) return circuits.take(key);
  if (call.target === undefined) return circuits.main;
  return circuits.take(call.target.choose((one) => admits(circuits, one)));
}

/** Whether the error says nothing about the callee: the call did not begin, or not get to him. */
function isBlameless(call: Call, error: unknown): boolean {
  return wasNotBegun(error) || call.target?.blames?.(error) === false;
}

/**
 * Whether the caller has lost interest, which says nothing about the callee. A caller whose time is
 * over has not lost interest: it was too slow for him.
 */
function isCalledOff(call: Call): boolean {
  return call.aborted && call.remainingMs > 0 && !isTimeout(call.reason);
}

/** Turned away by a policy between the breaker and the work, which says nothing about the callee. */
function wasNotBegun(error: unknown): boolean {
  if (isA(error, BulkheadFullError)) return true;
  return isA(error, RateLimitedError) && error.agent === undefined;
}

/** Of a `timeout` policy above, or of the platform's `AbortSignal.timeout`. */
function isTimeout(reason: unknown): boolean {
  try {
    if (reason instanceof PolicyTimeoutError) return true;
    return reason instanceof Error && reason.name === 'TimeoutError';
  } catch {
    return false;
  }
}
