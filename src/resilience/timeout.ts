import { Deferred } from '../kernel/deferred.ts';
import type { Env, Timer } from '../kernel/env.ts';
import { misuse } from '../kernel/errors.ts';
import { isThenable, promiseOf } from '../kernel/thenable.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { Call } from './call.ts';
import { PolicyTimeoutError } from './errors.ts';
import { OwnPolicy, type PolicyOptions, type Work } from './policy.ts';

/**
 * `aggressive` no longer waits for work that is called off; `cooperative` aborts its signal and
 * waits until it has ended.
 */
export type TimeoutMode = 'aggressive' | 'cooperative';

/** Options of `timeout`. */
export interface TimeoutOptions extends PolicyOptions {
  /** Milliseconds that a call may take: from 0; `Infinity` for no limit. */
  readonly timeoutMs: number;
  /** @default 'aggressive' */
  readonly mode?: TimeoutMode;
}

/**
 * Ends a call that takes too long with a `PolicyTimeoutError` (code `TELLASK_POLICY_TIMEOUT`),
 * which is also the reason of the `signal` that the work was given; `remainingMs` tells the work
 * how long it has. When the caller aborts, the call ends with the caller's reason instead.
 *
 * The work itself goes on unless it heeds its `signal`. With `cooperative` its result is taken even
 * when it comes late, and work that heeds nothing is waited for.
 *
 * @throws TypeError, RangeError for options that do not fit.
 *
 * @example
 * ```ts
 * import { isTellaskError, timeout } from 'tellask';
 * const brief = timeout({ timeoutMs: 10 });
 * await brief.execute(() => 'at once'); // => 'at once'
 * const error = await brief.execute(() => new Promise(() => {})).catch((reason: unknown) => reason);
 * isTellaskError(error, 'TELLASK_POLICY_TIMEOUT'); // => true
 * ```
 */
export function timeout(options: TimeoutOptions): OwnPolicy {
  if (typeof options !== 'object' || options === null) {
    throw misuse('The options of timeout', 'an object', options);
  }
  refuseUnknown(options, OPTIONS, 'timeout');
  const { timeoutMs, mode = 'aggressive', env } = options;
  if (typeof timeoutMs !== 'number') throw misuse('timeout.timeoutMs', 'a number', timeoutMs);
  if (!(timeoutMs >= 0)) {
    throw new RangeError(misuse('timeout.timeoutMs', 'a number from 0', timeoutMs).message);
  }
  if (!MODES.includes(mode)) throw misuse('timeout.mode', `one of ${MODES.join(', ')}`, mode);
  return new Timeout(timeoutMs, mode === 'aggressive', env);
}

const OPTIONS: ReadonlySet<string> = new Set<keyof TimeoutOptions>(['timeoutMs', 'mode', 'env']);
const MODES: readonly unknown[] = ['aggressive', 'cooperative'];
const TIMER = { keepAlive: true, label: 'time-out' } as const;
const NOTHING = (): void => {};

class Timeout extends OwnPolicy {
  readonly timeoutMs: number;
  readonly aggressive: boolean;

  constructor(timeoutMs: number, aggressive: boolean, env: Env | undefined) {
    super(env);
    this.timeoutMs = timeoutMs;
    this.aggressive = aggressive;
  }

  run<T>(fn: Work<T>, call: Call): Promise<T> {
    if (call.aborted) return Promise.reject(call.reason);
    const until = this.env.now() + this.timeoutMs;
    const below = new Call(this.env, call, { deadline: until });
    try {
      const result = fn(below);
      // Most work that is quick is done here, and needed neither a timer nor a listener.
      if (isThenable(result)) {
        return new Limited(this, promiseOf(result) as Promise<T>, call, below).wait(until);
      }
      below.end();
      return Promise.resolve(result);
    } catch (error) {
      below.end();
      return Promise.reject(reasonOf(below, error));
    }
  }
}

/** One call whose work has given back a promise. */
class Limited<T> {
  readonly #policy: Timeout;
  readonly #work: Promise<T>;
  readonly #above: Call;
  readonly #below: Call;
  readonly #ended = new Deferred<T>();
  #timer: Timer | undefined;
  #unlisten = NOTHING;

  constructor(policy: Timeout, work: Promise<T>, above: Call, below: Call) {
    this.#policy = policy;
    this.#work = work;
    this.#above = above;
    this.#below = below;
  }

  wait(until: number): Promise<T> {
    const { env, aggressive } = this.#policy;
    if (until < Infinity) this.#timer = env.setTimer(until - env.now(), () => this.#due(), TIMER);
    if (aggressive) this.#unlisten = this.#above.onAbort((reason) => this.#giveUp(reason));
    this.#work.then(
      (value) => {
        this.#end();
        this.#ended.resolve(value);
      },
      (error: unknown) => {
        this.#end();
        this.#ended.reject(reasonOf(this.#below, error));
      },
    );
    return this.#ended.promise;
  }

  #due(): void {
    const error = new PolicyTimeoutError(this.#policy.timeoutMs);
    if (this.#policy.aggressive) this.#giveUp(error);
    this.#below.abort(error);
  }

  #giveUp(reason: unknown): void {
    this.#stop();
    this.#ended.reject(reason);
    this.#above.leaveBehind(this.#work);
  }

  #end(): void {
    this.#stop();
    this.#below.end();
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#unlisten();
  }
}

/** Work that fails because it was called off fails for that reason. */
function reasonOf(call: Call, error: unknown): unknown {
  return call.aborted ? call.reason : error;
}
