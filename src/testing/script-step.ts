import type { PublishOptions, RequestOptions, SendOptions } from '../delivery/speech.ts';
import { misuse } from '../kernel/errors.ts';
import { describeFilter, filterOf, type MessageFilter } from './message-filter.ts';

/** What a scripted agent waits for, says or does; one of these a step. */
export type ScriptStep =
  /** A message comes. It is being handled until the next `expect…`, or the end of the script. */
  | { readonly expect: string | MessageFilter; readonly withinMs?: number }
  /** A request comes; `reply` or `fail` answers it. */
  | { readonly expectRequest: string | MessageFilter; readonly withinMs?: number }
  /** Answers the request that came last. */
  | { readonly reply: unknown }
  /** Fails what came last with this error. */
  | { readonly fail: unknown }
  | { readonly publish: string; readonly payload?: unknown; readonly options?: PublishOptions }
  | {
      readonly send: string;
      readonly to: string;
      readonly payload?: unknown;
      readonly options?: SendOptions;
    }
  /** Asks and waits for the answer, which has `answer` at least. */
  | {
      readonly request: string;
      readonly payload?: unknown;
      readonly options?: RequestOptions;
      readonly answer?: unknown;
    }
  /** Lets time pass on the clock of the test. */
  | { readonly waitMs: number };

/** A step that waits for somebody else. */
export interface Want {
  readonly filter: MessageFilter;
  readonly topic: string;
  readonly isRequest: boolean;
  readonly withinMs: number;
}

const KINDS = [
  'expect',
  'expectRequest',
  'reply',
  'fail',
  'publish',
  'send',
  'request',
  'waitMs',
] as const;

/**
 * What a step waits for, if it does.
 *
 * @throws TypeError when it does not say on which topic.
 */
export function wantOf(step: ScriptStep): Want | undefined {
  if (!('expect' in step || 'expectRequest' in step)) return undefined;
  const isRequest = 'expectRequest' in step;
  const filter = filterOf(isRequest ? step.expectRequest : step.expect);
  const { topic } = filter;
  if (typeof topic !== 'string') throw misuse('topic of a step that expects', 'a string', topic);
  return { filter, topic, isRequest, withinMs: step.withinMs ?? Infinity };
}

/** `request approve.spend`: what a step waits for, or what it does. */
export function describeStep(step: ScriptStep): string {
  const want = wantOf(step);
  if (want === undefined) return KINDS.find((kind) => kind in step) ?? 'nothing';
  return `${want.isRequest ? 'request ' : ''}${describeFilter(want.filter)}`;
}

/**
 * Refuses a script that no run could bear out.
 *
 * @throws TypeError, RangeError that say which step.
 */
export function checkSteps(steps: readonly ScriptStep[]): void {
  let open: 'nothing' | 'message' | 'request' = 'nothing';
  for (const [index, step] of steps.entries()) {
    const what = `step ${index + 1}`;
    const kinds = KINDS.filter((kind) => kind in step);
    if (kinds.length !== 1) throw misuse(what, `one of ${KINDS.join(', ')}`, kinds.join(', '));
    checkTime(what, step);
    if ('reply' in step && open !== 'request') throw nothingOpen(what, 'reply to');
    if ('fail' in step && open === 'nothing') throw nothingOpen(what, 'fail');
    const want = wantOf(step);
    if (want !== undefined && open === 'request') throw unanswered(what);
    if (want !== undefined) open = want.isRequest ? 'request' : 'message';
    else if ('reply' in step || 'fail' in step) open = 'nothing';
  }
  if (open === 'request') throw unanswered('the end');
}

function checkTime(what: string, step: ScriptStep): void {
  const ms = 'waitMs' in step ? step.waitMs : (wantOf(step)?.withinMs ?? 0);
  if (typeof ms !== 'number') throw misuse(`milliseconds of ${what}`, 'a number', ms);
  if (!(ms >= 0)) throw new RangeError(`Milliseconds of ${what} must be 0 or more, but are ${ms}`);
}

function nothingOpen(what: string, deed: string): TypeError {
  return new TypeError(`There is nothing to ${deed} at ${what}: expect it in a step before`);
}

function unanswered(where: string): TypeError {
  return new TypeError(`A request is open at ${where}: reply to it, or fail it, in a step before`);
}
