import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import type { RetryOptions } from '../resilience/backoff.ts';
import type { Policy } from '../resilience/policy.ts';
import { retry } from '../resilience/retry.ts';
import type { SagaContext } from './saga-context.ts';

/** How a step, or a compensation, is called. */
export interface SagaCall {
  /** When it is tried again, always under the same idempotency key. Not together with `policy`. */
  readonly retry?: RetryOptions | false;
  /** Anything that calls it, in the place of `retry`. */
  readonly policy?: Policy;
  /**
   * Milliseconds for each attempt; then its signal aborts, and a second later it is given up.
   * @default 300_000
   */
  readonly timeoutMs?: number;
}

/** One step: what it does, and what undoes it. */
export interface SagaStep<I, R extends object, T, C extends ContractShape = AnyContract>
  extends SagaCall {
  /**
   * Does it, all or nothing, and returns what later steps and the compensation need to know, as
   * JSON. It runs again, with the same `context.idempotencyKey`, when the process ends before the
   * result is saved.
   */
  readonly run: (input: I, context: SagaContext<I, R, C>) => T | PromiseLike<T>;
  /**
   * Undoes it. The result is `undefined` when nobody knows whether `run` did anything: after a
   * time-out, an abort, or the end of the process. It has to bear being called twice. A step
   * without one has no effect that anybody would miss.
   */
  readonly compensate?: (result: T | undefined, context: SagaContext<I, R, C>) => unknown;
  /** How `compensate` is called. @default up to 3 attempts, 300_000 ms each */
  readonly compensation?: SagaCall;
  /** From this step on the saga only goes forward: nothing is undone any more. @default false */
  readonly pivot?: boolean;
  /**
   * Tells whether an error leaves open that the step has had its effect; then it is compensated,
   * too. @default time-outs, aborts, connections that broke, and answers that did not come
   */
  readonly isUnknown?: (error: unknown) => boolean;
}

/** Checked {@link SagaCall}. */
export interface CallPlan {
  readonly retry: RetryOptions | undefined;
  readonly policy: Policy | undefined;
  readonly timeoutMs: number;
}

/** Checked {@link SagaStep}. */
export interface StepPlan {
  /** Its name; `group/name` for a member of a group. */
  readonly key: string;
  readonly run: (input: unknown, context: never) => unknown;
  readonly compensate: ((result: unknown, context: never) => unknown) | undefined;
  readonly pivot: boolean;
  readonly undoable: boolean;
  readonly call: CallPlan;
  readonly undo: CallPlan;
  readonly isUnknown: ((error: unknown) => boolean) | undefined;
}

const DEFAULT_TIMEOUT_MS = 300_000;
const CALL_OPTIONS = ['retry', 'policy', 'timeoutMs'] as const;
const CALLS: ReadonlySet<string> = new Set(CALL_OPTIONS);
const STEPS: ReadonlySet<string> = new Set([
  'run',
  'compensate',
  'compensation',
  'pivot',
  'isUnknown',
  ...CALL_OPTIONS,
]);

/** Checks a step and fills in what it leaves out. */
export function planStep(key: string, step: unknown): StepPlan {
  const what = `Step ${key}`;
  if (typeof step !== 'object' || step === null) throw misuse(what, 'an object', step);
  refuseUnknown(step, STEPS, what);
  const {
    run,
    compensate,
    compensation,
    pivot = false,
    isUnknown,
  } = step as Partial<SagaStep<unknown, object, unknown>>;
  if (typeof run !== 'function') throw misuse(`${what}: run`, 'a function', run);
  checkOptional(`${what}: compensate`, compensate);
  checkOptional(`${what}: isUnknown`, isUnknown);
  if (typeof pivot !== 'boolean') throw misuse(`${what}: pivot`, 'true or false', pivot);
  if (compensation !== undefined && compensate === undefined) {
    throw new TypeError(`${what} has options for a compensation, but no compensate`);
  }
  return {
    key,
    run,
    compensate,
    pivot,
    undoable: compensate !== undefined,
    call: planCall(what, step, false),
    undo: planUndo(what, compensation),
    isUnknown,
  };
}

function planUndo(what: string, compensation: unknown): CallPlan {
  const name = `${what}: compensation`;
  if (compensation === undefined) return planCall(name, {}, {});
  if (typeof compensation !== 'object' || compensation === null) {
    throw misuse(name, 'an object', compensation);
  }
  refuseUnknown(compensation, CALLS, name);
  // A compensation that is not tried again leaves an effect behind.
  return planCall(name, compensation, {});
}

function planCall(what: string, call: SagaCall, otherwise: RetryOptions | false): CallPlan {
  const { retry: again = otherwise, policy, timeoutMs = DEFAULT_TIMEOUT_MS } = call;
  if (policy !== undefined && typeof policy?.execute !== 'function') {
    throw misuse(`${what}: policy`, 'a policy, which has a method execute', policy);
  }
  if (policy !== undefined && call.retry !== undefined) {
    throw new TypeError(`${what} has retry and policy: put the retry into the policy`);
  }
  if (typeof timeoutMs !== 'number') throw misuse(`${what}: timeoutMs`, 'a number', timeoutMs);
  if (!(timeoutMs >= 0)) {
    throw new RangeError(`${what}: timeoutMs must be 0 or more, but it is ${timeoutMs}`);
  }
  if (again === false) return { retry: undefined, policy, timeoutMs };
  // Made only to be checked: one that calls a step has the Env of the run.
  retry(again);
  return { retry: again, policy, timeoutMs };
}

function checkOptional(what: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw misuse(what, 'a function', value);
}
