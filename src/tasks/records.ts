import type { AnyStateView } from '../state/state-manager.ts';
import type { StateView } from '../state/state-view.ts';
import { TaskNotFoundError, TaskStateError } from './errors.ts';
import { amended, type Task, type TaskStatus, TRANSITIONS } from './task.ts';

/** What a write may change besides the state of the task. */
export type Changes = { readonly [K in keyof Omit<Task, 'id' | 'status'>]?: Task[K] | undefined };

/** The tasks as they stand in the state: nothing of them is kept anywhere else. */
export class Records {
  readonly #state: StateView;
  readonly #prefix: string;
  readonly #wall: () => number;
  /** Who depends on each task, those that are gone included. */
  readonly #dependants = new Map<string, Set<string>>();
  #order = 0;

  constructor(state: AnyStateView, prefix: string, wall: () => number) {
    this.#state = state as StateView;
    this.#prefix = prefix;
    this.#wall = wall;
    for (const task of this.all()) this.index(task);
  }

  keyOf(id: string): string {
    return `${this.#prefix}.${id}`;
  }

  /** The place of the next task. */
  nextOrder(): number {
    return this.#order + 1;
  }

  find(id: string): Task | undefined {
    return this.#state.get(this.keyOf(id))?.value as Task | undefined;
  }

  /** @throws TaskNotFoundError `TELLASK_TASK_NOT_FOUND` */
  get(id: string): Task {
    const task = this.find(id);
    if (task === undefined) throw new TaskNotFoundError(id);
    return task;
  }

  all(): Task[] {
    const found = this.#state.list(`${this.#prefix}.*`) as unknown as { readonly value: Task }[];
    return found.map(({ value }) => value);
  }

  /** Whether this very version is the newest. */
  holds(task: Task): boolean {
    return this.find(task.id) === task;
  }

  dependantsOf(id: string): readonly string[] {
    return [...(this.#dependants.get(id) ?? [])];
  }

  create(task: Task): Task {
    const made = this.#state.create(this.keyOf(task.id), task as never).value as Task;
    this.index(made);
    return made;
  }

  /** Changes what does not change its state. */
  amend(task: Task, changes: Changes): Task {
    const next = amended(task, { ...changes, updatedAt: this.#wall() });
    return this.#state.set(this.keyOf(task.id), next as never).value as Task;
  }

  /** @throws TaskStateError `TELLASK_TASK_STATE` for a way that the states do not have. */
  move(task: Task, status: TaskStatus, changes: Changes = {}): Task {
    if (!TRANSITIONS[task.status].includes(status)) {
      throw new TaskStateError(task.id, task.status, status);
    }
    const ended = TRANSITIONS[status].length === 0 ? { endedAt: this.#wall() } : {};
    return this.amend({ ...task, status }, { ...changes, ...ended });
  }

  remove(task: Task): void {
    this.#state.delete(this.keyOf(task.id));
    this.#dependants.delete(task.id);
    for (const id of task.dependsOn) this.#dependants.get(id)?.delete(task.id);
  }

  /** Remembers what a task depends on. */
  index({ id, dependsOn, order }: Task): void {
    this.#order = Math.max(this.#order, order);
    for (const dependency of dependsOn) {
      const dependants = this.#dependants.get(dependency) ?? new Set();
      this.#dependants.set(dependency, dependants.add(id));
    }
  }

  forgetDependencies({ id, dependsOn }: Task): void {
    for (const dependency of dependsOn) this.#dependants.get(dependency)?.delete(id);
  }
}
