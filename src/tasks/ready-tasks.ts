import { isSooner, type Task, type TaskRequirements } from './task.ts';

/** Tasks that ask for the same, of the same agent or of anybody: who can do one can do all. */
export interface ReadyGroup {
  readonly requirements: TaskRequirements;
  readonly tasks: TaskHeap;
}

/** The tasks that could be handed out now, by what they ask for. */
export class ReadyTasks {
  readonly #groups = new Map<string, ReadyGroup>();
  /** Whether a version of a task is still the one to hand out. */
  readonly #holds: (task: Task) => boolean;

  constructor(holds: (task: Task) => boolean) {
    this.#holds = holds;
  }

  add(task: Task): void {
    const key = `${requirementKey(task.requirements)}${task.assignedTo ?? ''}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { requirements: task.requirements, tasks: new TaskHeap() };
      this.#groups.set(key, group);
    }
    group.tasks.push(task);
  }

  /** How many wait for an agent that was told to do them. */
  assignedTo(agent: string): number {
    let count = 0;
    for (const { tasks } of this.#groups.values()) {
      if (tasks.peek()?.assignedTo !== agent) continue;
      for (const task of tasks) if (this.#holds(task)) count += 1;
    }
    return count;
  }

  /** The groups that have something, the soonest first. */
  groups(): ReadyGroup[] {
    const ready: ReadyGroup[] = [];
    for (const [key, group] of this.#groups) {
      if (this.peek(group) === undefined) this.#groups.delete(key);
      else ready.push(group);
    }
    return ready;
  }

  /** The soonest of a group; what has changed since it was added is dropped. */
  peek({ tasks }: ReadyGroup): Task | undefined {
    for (;;) {
      const task = tasks.peek();
      if (task === undefined || this.#holds(task)) return task;
      tasks.pop();
    }
  }
}

/** What two tasks that ask for the same have in common. */
export function requirementKey({ capability = '', tags = [] }: TaskRequirements): string {
  return JSON.stringify([capability, ...tags.toSorted()]);
}

/** The soonest first. A binary heap. */
export class TaskHeap {
  readonly #tasks: Task[] = [];

  peek(): Task | undefined {
    return this.#tasks[0];
  }

  /** In no order. */
  [Symbol.iterator](): IterableIterator<Task> {
    return this.#tasks.values();
  }

  push(task: Task): void {
    const tasks = this.#tasks;
    let hole = tasks.length;
    while (hole > 0) {
      const above = (hole - 1) >> 1;
      const parent = tasks[above] as Task;
      if (!isSooner(task, parent)) break;
      tasks[hole] = parent;
      hole = above;
    }
    tasks[hole] = task;
  }

  pop(): Task | undefined {
    const first = this.#tasks[0];
    const last = this.#tasks.pop();
    if (first !== undefined && last !== undefined && this.#tasks.length > 0) this.#sink(last);
    return first;
  }

  #sink(task: Task): void {
    const tasks = this.#tasks;
    let hole = 0;
    for (;;) {
      const left = 2 * hole + 1;
      const right = tasks[left + 1];
      const below = right !== undefined && isSooner(right, tasks[left] as Task) ? left + 1 : left;
      const child = tasks[below];
      if (child === undefined || isSooner(task, child)) break;
      tasks[hole] = child;
      hole = below;
    }
    tasks[hole] = task;
  }
}
