import { onAbort } from '../kernel/abort.ts';
import type { Env } from '../kernel/env.ts';
import { describe } from '../kernel/errors.ts';
import { isThenable, promiseOf } from '../kernel/thenable.ts';
import type { Call } from './call.ts';
import type { Fallback } from './fallback.ts';
import { onlyCall } from './only-call.ts';
import { OwnPolicy, type Policy, type PolicyContext, type Work } from './policy.ts';

/** What policies may give instead of what the work returns: `never` for all but fallbacks. */
export type InsteadOf<P> = P extends ComposedPolicy<infer Instead> | Fallback<infer Instead>
  ? Instead
  : P extends { readonly _altReturn: infer Instead } // cockatiel's
    ? Instead
    : P extends Policy<infer Instead>
      ? unknown extends Instead // not inferred: the method has a type parameter
        ? never
        : Instead
      : never;

/**
 * Makes one policy of several, in the order written, outer to inner: `compose(retry(), timeout(…))`
 * is a time-out for each attempt, `compose(timeout(…), retry())` one for all of them. Policies of
 * other libraries fit if they have `execute(fn, signal?)`. None at all is a policy that only calls.
 *
 * @throws TypeError for something without `execute`.
 *
 * @example
 * ```ts
 * import { bulkhead, compose } from 'tellask';
 * const log: string[] = [];
 * const noting = (name: string) => ({
 *   execute: async <T>(fn: (context: never) => T) => {
 *     log.push(name);
 *     return fn({} as never);
 *   },
 * });
 * const guarded = compose(noting('outer'), bulkhead({ limit: 1 }), noting('inner'));
 * await guarded.execute(() => 'done'); // => 'done'
 * log; // => ['outer', 'inner']
 * ```
 */
export function compose<P extends readonly Policy<unknown>[]>(
  ...policies: P
): ComposedPolicy<InsteadOf<P[number]>> {
  for (const policy of policies) refuseOther(policy);
  return new ComposedPolicy(policies);
}

function refuseOther(policy: unknown): void {
  const is = typeof policy === 'object' || typeof policy === 'function' ? policy : undefined;
  if (typeof (is as Partial<Policy> | null | undefined)?.execute === 'function') return;
  const hint = '{ execute: (fn, signal) => … } makes a policy of anything that calls a function';
  throw new TypeError(`A policy has an execute method, but ${describe(policy)} has none: ${hint}`);
}

/** Made by {@link compose}. */
export class ComposedPolicy<Instead = never> extends OwnPolicy<Instead> {
  readonly #policies: readonly Policy<unknown>[];

  /** @internal */
  constructor(policies: readonly Policy<unknown>[]) {
    super(undefined);
    this.#policies = policies.flatMap((one) =>
      one instanceof ComposedPolicy ? one.#policies : [one],
    );
  }

  override bind(env: Env): void {
    super.bind(env);
    for (const policy of this.#policies) policy.bind?.(env);
  }

  /** @internal */
  run<T>(fn: Work<T>, call: Call): Promise<T | Instead> {
    if (this.#policies.length === 0) return onlyCall(fn, call);
    return this.#enter(0, fn, call) as Promise<T | Instead>;
  }

  #enter<T>(index: number, fn: Work<T>, call: Call): Promise<unknown> {
    const policy = this.#policies[index] as Policy<unknown>;
    const below = index + 1;
    const inner: Work<unknown> =
      below === this.#policies.length ? fn : (next) => this.#enter(below, fn, next as Call);
    return policy instanceof OwnPolicy ? policy.run(inner, call) : through(policy, inner, call);
  }
}

/**
 * Lets a policy of another library call. Its signal is heard besides the one of the call above, and
 * work that goes on when it has given up is said to be left behind.
 */
async function through(
  policy: Policy<unknown>,
  inner: Work<unknown>,
  call: Call,
): Promise<unknown> {
  if (call.aborted) throw call.reason;
  const running = new Set<PromiseLike<unknown>>();
  let calls = 0;
  const work = (context?: PolicyContext): unknown => {
    calls += 1;
    const below = call.below({ attempt: call.attempt + calls - 1 });
    const unlisten = follow(context, below, call);
    const ended = (): void => {
      unlisten();
      below.end();
    };
    return tracked(inner, below, running, ended);
  };
  try {
    return await policy.execute(work, call.signal);
  } finally {
    for (const work of running) call.leaveBehind(work);
  }
}

/** Policies need not give a context: then the call has the signal of the one above. */
function follow(context: PolicyContext | undefined, below: Call, above: Call): () => void {
  const signal = context?.signal;
  if (!isSignal(signal) || signal === above.signal) return () => {};
  // One that follows the signal above, and often drops its reason, comes too late to be heard.
  return onAbort(signal, (reason) => below.abort(reason));
}

/** Also one of another realm, or of a polyfill. */
function isSignal(value: unknown): value is AbortSignal {
  return typeof (value as Partial<AbortSignal> | null | undefined)?.addEventListener === 'function';
}

function tracked(
  inner: Work<unknown>,
  below: Call,
  running: Set<PromiseLike<unknown>>,
  ended: () => void,
): unknown {
  let result: unknown;
  try {
    result = inner(below);
  } catch (error) {
    ended();
    throw error;
  }
  if (!isThenable(result)) {
    ended();
    return result;
  }
  const promise = promiseOf(result);
  running.add(promise);
  const over = (): void => {
    running.delete(promise);
    ended();
  };
  promise.then(over, over);
  return promise;
}
