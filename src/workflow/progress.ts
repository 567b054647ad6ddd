import { isThenable, promiseOf } from '../kernel/thenable.ts';
import type { TaskName } from './errors.ts';

/** How far a workflow is. */
export interface WorkflowProgress {
  /** What the workflow is called. */
  readonly workflow: string;
  /** Tasks that have ended, in whatever way. */
  readonly done: number;
  /** Tasks in all; `undefined` while nobody knows. */
  readonly total: number | undefined;
  readonly ok: number;
  readonly failed: number;
  readonly cancelled: number;
  /** What it waits for now. */
  readonly pending: readonly TaskName[];
  /** What has ended last. */
  readonly last: EndedTask | undefined;
}

/** One task, and how it ended. */
export interface EndedTask {
  readonly task: TaskName;
  /** `declined`: a link of a chain that does not handle it. */
  readonly outcome: 'ok' | 'failed' | 'cancelled' | 'declined';
}

/** Tells a listener that may do anything, also reject. */
export function tell(
  listener: ((progress: WorkflowProgress) => unknown) | undefined,
  progress: () => WorkflowProgress,
): void {
  if (listener === undefined) return;
  try {
    const told = listener(progress());
    if (isThenable(told)) promiseOf(told).catch(() => {});
  } catch {
    // Who watches a workflow does not end it.
  }
}
