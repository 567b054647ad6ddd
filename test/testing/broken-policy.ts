import type { Policy, PolicyContext } from '../../src/index.ts';

type Fn = (context?: PolicyContext) => unknown;
type Execute = (fn: Fn, signal: AbortSignal | undefined) => unknown;

/** As it should be: calls once, and says no more than what the work says. */
const right: Execute = async (fn, signal) => {
  if (typeof fn !== 'function') throw new TypeError('no function');
  signal?.throwIfAborted();
  return fn(signal === undefined ? {} : { signal });
};

const twice = async (fn: Fn, signal: AbortSignal | undefined): Promise<unknown> => {
  try {
    return await right(fn, signal);
  } catch {
    return right(fn, undefined);
  }
};

let busy: Promise<unknown> = Promise.resolve();
let failedOnce = false;

const FLAWS = {
  'turns falsy results into undefined': async (fn, signal) =>
    (await right(fn, signal)) || undefined,
  'waits for Promises alone': async (fn, signal) => {
    const value = fn(signal === undefined ? {} : { signal });
    return value instanceof Promise || typeof value !== 'object' ? value : undefined;
  },
  'wraps what it rejects with': async (fn, signal) => {
    try {
      return await right(fn, signal);
    } catch (error) {
      throw signal?.aborted ? error : new Error('wrapped', { cause: error });
    }
  },
  'writes on errors': async (fn, signal) => {
    try {
      return await right(fn, signal);
    } catch (error) {
      (error as { seen: boolean }).seen = true;
      throw error;
    }
  },
  'throws what the work throws': (fn, signal) => {
    if (typeof fn !== 'function') return Promise.reject(new TypeError('no function'));
    if (signal?.aborted) return Promise.reject(signal.reason);
    return Promise.resolve(fn(signal === undefined ? {} : { signal }));
  },
  'takes returned errors for failures': async (fn, signal) => {
    const value = await right(fn, signal);
    if (value instanceof Error) throw value;
    return value;
  },
  'gives no promise': (fn) => fn({}),
  'calls twice': async (fn, signal) => {
    await right(fn, signal);
    return right(fn, signal);
  },
  'calls failing work again': twice,
  'ends before the work': async (fn, signal) => {
    const running = Promise.resolve(right(fn, signal));
    return Promise.race([running, Promise.resolve()]);
  },
  'lets one call run at a time': (fn, signal) => {
    const next = busy.then(() => right(fn, signal));
    busy = next.catch(() => {});
    return next;
  },
  'fails for ever once it has failed': async (fn, signal) => {
    if (failedOnce) throw new Error('broken');
    try {
      return await right(fn, signal);
    } catch (error) {
      failedOnce = true;
      throw error;
    }
  },
  'calls although the caller had aborted': async (fn, signal) =>
    typeof fn === 'function' ? fn(signal === undefined ? {} : { signal }) : right(fn, signal),
  'hands on no signal': (fn, signal) => {
    signal?.throwIfAborted();
    return right(fn, undefined);
  },
  'says of every abort only that there was one': async (fn, signal) => {
    try {
      return await right(fn, signal);
    } catch (error) {
      throw signal?.aborted ? new DOMException('aborted', 'AbortError') : error;
    }
  },
  'calls again after an abort': twice,
  'drops a result for an abort': async (fn, signal) => {
    const value = await right(fn, signal);
    signal?.throwIfAborted();
    return value;
  },
  'leaves a listener on the signal': (fn, signal) => {
    signal?.addEventListener('abort', () => {});
    return right(fn, signal);
  },
  'takes anything for work': async (fn, signal) =>
    typeof fn === 'function' ? right(fn, signal) : undefined,
} satisfies Record<string, Execute>;

/** What is wrong with a policy. */
export type PolicyFlaw = keyof typeof FLAWS;

/** A policy that only calls, and has one flaw or none. */
export function brokenPolicy(flaw?: PolicyFlaw): Policy<unknown> {
  failedOnce = false;
  busy = Promise.resolve();
  const execute = flaw === undefined ? right : FLAWS[flaw];
  return { execute: ((fn: Fn, signal?: AbortSignal) => execute(fn, signal)) as never };
}
