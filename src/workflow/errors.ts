import { TellaskError } from '../kernel/errors.ts';

/** How a task is called: its key in a record, its index in a list. */
export type TaskName = string | number;

/** A task that failed, and how. */
export interface FailedTask<K extends TaskName = TaskName> {
  readonly task: K;
  readonly error: unknown;
}

/** A task that was called off before it had ended, and why; it neither failed nor succeeded. */
export interface CancelledTask<K extends TaskName = TaskName> {
  readonly task: K;
  readonly reason: unknown;
}

/** What became of the tasks of a workflow: each stands in exactly one place. */
export interface WorkflowOutcome {
  /** What succeeded, by task. */
  readonly ok: Readonly<Record<TaskName, unknown>>;
  /** In the order in which they failed. */
  readonly failed: readonly FailedTask[];
  readonly cancelled: readonly CancelledTask[];
}

/**
 * Not every task of a workflow succeeded. `cause` is the first error. Code `TELLASK_WORKFLOW`.
 *
 * @example
 * ```ts
 * import { parallel, WorkflowError } from 'tellask';
 * const error = await parallel({
 *   text: () => 'Tea',
 *   cover: () => Promise.reject(new RangeError('no ink')),
 * }).catch((reason: unknown) => reason);
 * if (!(error instanceof WorkflowError)) throw error;
 * error.failed.map(({ task }) => task); // => ['cover']
 * error.ok; // => { text: 'Tea' }
 * String(error.cause); // => 'RangeError: no ink'
 * ```
 */
export class WorkflowError extends TellaskError implements WorkflowOutcome {
  /** What the workflow is called. */
  readonly workflow: string;
  readonly ok: WorkflowOutcome['ok'];
  readonly failed: readonly FailedTask[];
  readonly cancelled: readonly CancelledTask[];

  constructor(workflow: string, { ok, failed, cancelled }: WorkflowOutcome) {
    const cause = failed.length > 0 ? failed[0]?.error : cancelled[0]?.reason;
    super('TELLASK_WORKFLOW', `${workflow}: ${inWords(failed, cancelled)}`, { cause });
    this.workflow = workflow;
    this.ok = ok;
    this.failed = failed;
    this.cancelled = cancelled;
  }

  /** What the failed tasks failed with, the first failure first. */
  get errors(): readonly unknown[] {
    return this.failed.map(({ error }) => error);
  }
}

/** The time of a workflow was over. Code `TELLASK_TIMEOUT`. */
export class WorkflowTimeoutError extends TellaskError implements WorkflowOutcome {
  /** What the workflow is called. */
  readonly workflow: string;
  /** Milliseconds that it had. */
  readonly timeoutMs: number;
  /** The tasks that it still waited for. */
  readonly pending: readonly TaskName[];
  readonly ok: WorkflowOutcome['ok'];
  readonly failed: readonly FailedTask[];
  readonly cancelled: readonly CancelledTask[];

  constructor(
    workflow: string,
    timeoutMs: number,
    pending: readonly TaskName[],
    { ok, failed, cancelled }: WorkflowOutcome = { ok: {}, failed: [], cancelled: [] },
  ) {
    const waited = `${workflow} was not done within ${Math.round(timeoutMs)} ms`;
    super('TELLASK_TIMEOUT', `${waited}: it waited for ${listed(pending)}`, { stack: false });
    this.workflow = workflow;
    this.timeoutMs = timeoutMs;
    this.pending = pending;
    this.ok = ok;
    this.failed = failed;
    this.cancelled = cancelled;
  }
}

/** No link of a chain handled the input. Code `TELLASK_UNHANDLED`. */
export class NobodyHandledError extends TellaskError {
  /** What the chain is called. */
  readonly workflow: string;
  /** The links that were asked and declined, in their order. */
  readonly declined: readonly string[];
  /** With `onError: 'next'`: the links that failed; the first error is the cause. */
  readonly failed: readonly FailedTask<string>[];

  constructor(
    workflow: string,
    declined: readonly string[],
    failed: readonly FailedTask<string>[] = [],
  ) {
    const words = [
      ...(declined.length > 0 ? [`${listed(declined)} declined`] : []),
      ...(failed.length > 0 ? [inWords(failed, [])] : []),
    ].join(', ');
    const message = `${workflow}: nobody handled it: ${words || 'there is no link'}`;
    const [first] = failed;
    super('TELLASK_UNHANDLED', message, {
      stack: false,
      ...(first === undefined ? {} : { cause: first.error }),
    });
    this.workflow = workflow;
    this.declined = declined;
    this.failed = failed;
  }
}

function inWords(failed: readonly FailedTask[], cancelled: readonly CancelledTask[]): string {
  const words: string[] = [];
  if (failed.length > 0) words.push(`${listed(failed.map(({ task }) => task))} failed`);
  if (cancelled.length > 0) words.push(`${listed(cancelled.map(({ task }) => task))} cancelled`);
  return words.join(', ');
}

const NAMED = 5;

function listed(names: readonly TaskName[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  const named = names.slice(0, NAMED).map(called);
  return `${named.join(', ')}${more}`;
}

/** An index alone would read as a count: “1 failed”. */
function called(name: TaskName): string {
  return typeof name === 'number' ? `task ${name}` : name;
}
