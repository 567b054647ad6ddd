import type { ErrorRecord } from '../kernel/error-record.ts';

/** Where a task is, in the words of A2A. */
export type TaskStatus =
  | 'submitted'
  | 'working'
  | 'input-required'
  | 'completed'
  | 'failed'
  | 'canceled'
  | 'rejected';

/** What becomes of a task when one that it depends on did not complete. */
export type DependencyPolicy = 'skip' | 'run' | 'wait';

/** What an agent must have to be given a task. */
export interface TaskRequirements {
  readonly capability?: string;
  /** All of them. */
  readonly tags?: readonly string[];
}

/** A question to a person, and the answer. */
export interface TaskAnswer {
  readonly question: unknown;
  readonly answer: unknown;
}

/** A task as it stands in the state, under `task.{id}`: JSON, frozen, a new object for each version. */
export interface Task<I = unknown> {
  readonly id: string;
  readonly title: string;
  readonly creator: string;
  readonly status: TaskStatus;
  /** 0 to 10; greater is sooner. */
  readonly priority: number;
  /** Epoch milliseconds. Of equal priority the earlier is sooner; nothing happens when it is over. */
  readonly dueAt?: number;
  readonly requirements: TaskRequirements;
  /** The tasks that must have completed before. */
  readonly dependsOn: readonly string[];
  readonly onDependencyFailure: DependencyPolicy;
  readonly input: I;
  /** Tasks of one key go to one agent, where the board assigns `sticky`. */
  readonly key?: string;
  /** How often it may be handed out. */
  readonly maxAttempts: number;
  /** How often it was handed out. */
  readonly attempt: number;
  /** Grows whenever it is handed out: what was done under a lower one is refused. */
  readonly token: number;
  /** In which place it was created, for tasks of the same priority and due date. */
  readonly order: number;
  /** Who was told to do it, and nobody else is, while that agent works for the board. */
  readonly assignedTo?: string;
  /** Who does it. */
  readonly assignee?: string;
  /** Epoch milliseconds: then it is taken away, unless there is progress. */
  readonly leaseUntil?: number;
  /** Who gave it back. */
  readonly declinedBy?: readonly string[];
  /** Who was lost with it last. */
  readonly lostBy?: string;
  /** What a person is asked now. */
  readonly question?: unknown;
  /** What was asked and answered, in this order. */
  readonly answers?: readonly TaskAnswer[];
  readonly progress?: unknown;
  readonly result?: unknown;
  readonly error?: ErrorRecord;
  /** Why it is where it is: canceled because of what, lost how. */
  readonly reason?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
}

/** What may come after each state. A task that has ended never changes its state. */
export const TRANSITIONS: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  submitted: ['working', 'failed', 'canceled', 'rejected'],
  working: ['submitted', 'input-required', 'completed', 'failed', 'canceled', 'rejected'],
  'input-required': ['submitted', 'working', 'completed', 'failed', 'canceled', 'rejected'],
  completed: [],
  failed: [],
  canceled: [],
  rejected: [],
};

/** Whether nothing more happens to it. */
export function hasEnded({ status }: Pick<Task, 'status'>): boolean {
  return TRANSITIONS[status].length === 0;
}

/** A task with changes; what is `undefined` is taken away, since JSON does not know it. */
export function amended(task: Task, changes: { readonly [K in keyof Task]?: unknown }): Task {
  // No `delete`: it would make each version slow to read.
  const next: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(task)) {
    if (!Object.hasOwn(changes, name)) next[name] = value;
  }
  for (const [name, value] of Object.entries(changes)) {
    if (value !== undefined) next[name] = value;
  }
  return next as unknown as Task;
}

/** Which of two is handed out first: priority, then due date, then age. */
export function isSooner(a: Task, b: Task): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  const [dueA, dueB] = [a.dueAt ?? Infinity, b.dueAt ?? Infinity];
  if (dueA !== dueB) return dueA < dueB;
  return a.order < b.order;
}
