import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { Call } from './call.ts';
import { FallbackError } from './errors.ts';
import { type Execution, OwnPolicy, type Work } from './policy.ts';

/** Work to do instead; `error` is why the work, or the alternative before this one, failed. */
export type AlternativeWork<R> = (error: unknown, execution: Execution) => R | PromiseLike<R>;

/** For which errors an alternative is meant. */
export interface Occasion {
  /** Asked about the last error; one that says no, or throws, passes over. @default every error */
  readonly when?: (error: unknown) => boolean;
}

/** What to do when the work fails: other work, or a value. */
export type Alternative<R> =
  | AlternativeWork<R>
  | (Occasion & { readonly run: AlternativeWork<R> })
  | (Occasion & { readonly value: R });

interface Tried {
  readonly run: AlternativeWork<unknown>;
  readonly when: ((error: unknown) => boolean) | undefined;
}

const OPTIONS: ReadonlySet<string> = new Set(['run', 'value', 'when']);

/**
 * Tries alternatives when the work fails, each once and in the order written, until one of them
 * succeeds. One whose `when` says no to the last error, or throws, is passed over; if none is
 * tried, the error of the work is thrown itself. When all that were tried have failed: a
 * `FallbackError` (`TELLASK_FALLBACK`) with all `errors`, the first of them its `cause`.
 *
 * A call that its caller aborts, or whose time is over, is not answered with a fallback.
 *
 * @throws TypeError for an alternative that does not fit.
 *
 * @example
 * ```ts
 * import { fallback } from 'tellask';
 * const weather = fallback(
 *   (error) => Promise.reject(new Error(`no second station: ${error}`)),
 *   { value: 'unknown', when: (error) => error instanceof Error },
 * );
 * await weather.execute(() => 'sunny'); // => 'sunny'
 * await weather.execute(() => Promise.reject('down')); // => 'unknown'
 * ```
 */
export function fallback<R>(...alternatives: readonly Alternative<R>[]): Fallback<R> {
  if (alternatives.length === 0) throw new TypeError('fallback needs an alternative');
  return new Fallback(alternatives.map(read));
}

function read(alternative: Alternative<unknown>): Tried {
  if (typeof alternative === 'function') return { run: alternative, when: undefined };
  if (typeof alternative !== 'object' || alternative === null) {
    throw misuse('An alternative of fallback', 'a function, { run } or { value }', alternative);
  }
  refuseUnknown(alternative, OPTIONS, 'An alternative of fallback');
  const { when } = alternative;
  if (when !== undefined && typeof when !== 'function') {
    throw misuse('fallback.when', 'a function', when);
  }
  if ('value' in alternative === 'run' in alternative) {
    throw new TypeError('An alternative of fallback has either run or value');
  }
  if ('value' in alternative) return { run: () => alternative.value, when };
  if (typeof alternative.run !== 'function') {
    throw misuse('fallback.run', 'a function', alternative.run);
  }
  return { run: alternative.run, when };
}

/** Made by {@link fallback}. */
export class Fallback<Instead> extends OwnPolicy<Instead> {
  readonly #alternatives: readonly Tried[];

  /** @internal */
  constructor(alternatives: readonly Tried[]) {
    super(undefined);
    this.#alternatives = alternatives;
  }

  /** @internal */
  async run<T>(fn: Work<T>, call: Call): Promise<T | Instead> {
    try {
      return await fn(call);
    } catch (error) {
      return (await this.#instead(error, call)) as Instead;
    }
  }

  async #instead(first: unknown, call: Call): Promise<unknown> {
    const errors = [first];
    for (const { run, when } of isAbort(first) ? [] : this.#alternatives) {
      if (call.aborted || call.remainingMs === 0) break;
      if (when !== undefined && !allows(when, errors.at(-1))) continue;
      try {
        return await run(errors.at(-1), call);
      } catch (error) {
        errors.push(error);
      }
    }
    if (call.aborted) throw call.reason;
    throw errors.length === 1 ? first : new FallbackError(errors);
  }
}

/** What it would have said is not known when it throws. */
function allows(when: (error: unknown) => boolean, error: unknown): boolean {
  try {
    return when(error) === true;
  } catch {
    return false;
  }
}

/** Whether work says that it was called off; errors that throw when looked at say nothing. */
function isAbort(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  try {
    const { name, code } = error as { name?: unknown; code?: unknown };
    return name === 'AbortError' || code === 'ABORT_ERR';
  } catch {
    return false;
  }
}
