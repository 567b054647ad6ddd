import { misuse } from '../kernel/errors.ts';
import { isThenable } from '../kernel/thenable.ts';
import type { CancelReason } from './bus-events.ts';

/** What a gather has got so far. Every agent that was to be asked stands in exactly one list. */
export interface GatheredSoFar<O = unknown> {
  /** Answers, in the order in which they were given. */
  readonly ok: readonly { readonly from: string; readonly value: O }[];
  /** Who failed, who left, who could not be asked: with the error that `request` rejects with. */
  readonly failed: readonly { readonly from: string; readonly error: unknown }[];
  /** Who has neither answered nor failed. */
  readonly pending: readonly string[];
  /** Whose work was called off: by the gather, a middleware, or the end of the bus. */
  readonly cancelled: readonly { readonly from: string; readonly reason: CancelReason }[];
}

/** So many answers are enough; made by {@link first} and {@link quorum}. */
export interface Quorum {
  readonly answers: number;
}

/**
 * When a gather has enough: a number of answers, or a predicate that is asked each time somebody
 * has answered, failed or was called off.
 */
export type Until<O = unknown> = Quorum | ((soFar: GatheredSoFar<O>) => boolean);

/**
 * The first `answers` to come: 1 unless given.
 *
 * @throws RangeError when it is no whole number from 1.
 */
export function first(answers = 1): Quorum {
  return { answers: readAnswers('first', answers) };
}

/**
 * So many of those asked have to answer; known to be impossible as soon as too many have failed.
 *
 * @throws RangeError when it is no whole number from 1.
 */
export function quorum(answers: number): Quorum {
  return { answers: readAnswers('quorum', answers) };
}

/** How a gather stands. */
export type Verdict = 'go-on' | 'all' | 'enough' | 'impossible';

/** Says whether to wait on: pure, but for what a predicate does. `left` have not ended. */
export function judge(
  until: Until | undefined,
  counts: { readonly ok: number; readonly left: number },
  soFar: () => GatheredSoFar,
): Verdict {
  const { ok, left } = counts;
  if (typeof until === 'object') {
    if (ok >= until.answers) return 'enough';
    return ok + left < until.answers ? 'impossible' : 'go-on';
  }
  if (until !== undefined && isTrue(until(soFar()))) return 'enough';
  return left === 0 ? 'all' : 'go-on';
}

/** @throws TypeError when it is neither. */
export function checkUntil(until: unknown): void {
  if (until === undefined || typeof until === 'function') return;
  const answers = (until as Quorum | null)?.answers;
  if (answers === undefined) throw misuse('until', 'first(k), quorum(k) or a predicate', until);
  readAnswers('until', answers);
}

/** A promise is true whatever it becomes, so an async predicate would end every gather at once. */
function isTrue(verdict: unknown): boolean {
  if (!isThenable(verdict)) return verdict === true;
  Promise.resolve(verdict).catch(() => {});
  throw new TypeError('until must be synchronous, but it returned a promise');
}

function readAnswers(name: string, answers: unknown): number {
  if (typeof answers !== 'number') throw misuse(name, 'a number of answers', answers);
  if (Number.isSafeInteger(answers) && answers >= 1) return answers;
  throw new RangeError(`${name} must be a whole number from 1, but it is ${answers}`);
}
