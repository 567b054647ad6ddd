import { TellaskError } from '../kernel/errors.ts';
import type { TaskStatus } from './task.ts';

/** The board has no such task. Code `TELLASK_TASK_NOT_FOUND`. */
export class TaskNotFoundError extends TellaskError {
  readonly task: string;

  constructor(task: string) {
    super('TELLASK_TASK_NOT_FOUND', `The board has no task ${task}`);
    this.task = task;
  }
}

/** A task is not where it would have to be. Code `TELLASK_TASK_STATE`. */
export class TaskStateError extends TellaskError {
  readonly task: string;
  readonly status: TaskStatus;
  readonly to: string;

  constructor(task: string, status: TaskStatus, to: string) {
    super('TELLASK_TASK_STATE', `Task ${task} is ${status}, so it cannot become ${to}`, {
      stack: false,
    });
    this.task = task;
    this.status = status;
    this.to = to;
  }
}

/** Tasks would wait for each other. Code `TELLASK_TASK_CYCLE`. */
export class TaskCycleError extends TellaskError {
  /** From a task to itself, each depending on the next. */
  readonly cycle: readonly string[];

  constructor(cycle: readonly string[]) {
    super('TELLASK_TASK_CYCLE', `Tasks would wait for each other: ${cycle.join(' -> ')}`);
    this.cycle = cycle;
  }
}

/** The task was taken away from who speaks. Code `TELLASK_TASK_FENCED`. */
export class TaskFencedError extends TellaskError {
  readonly task: string;
  readonly agent: string;
  /** The token under which it was handed to this agent. */
  readonly token: number;

  constructor(task: string, agent: string, token: number, why: string) {
    super('TELLASK_TASK_FENCED', `${agent} no longer does task ${task}: ${why}`, { stack: false });
    this.task = task;
    this.agent = agent;
    this.token = token;
  }
}

/** Nobody works for the board who could do the task. Code `TELLASK_TASK_NO_AGENT`. */
export class NoCapableAgentError extends TellaskError {
  readonly task: string;

  constructor(task: string, why: string) {
    super('TELLASK_TASK_NO_AGENT', `Nobody can be given task ${task}: ${why}`, { stack: false });
    this.task = task;
  }
}
