import type { StateEntry } from '../state/entry.ts';
import type { AnyStateView } from '../state/state-manager.ts';
import type { StateView } from '../state/state-view.ts';
import type { StateWatch } from '../state/watcher.ts';
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
  /** The newest version of each task that was written here. */
  readonly #own = new Map<string, number>();
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
    return this.#state.list(`${this.#prefix}.*`).map(({ value }) => value as Task);
  }

  /** Every task as it changes; of one that changes faster than it is read, the newest version. */
  watch(signal: AbortSignal | undefined): StateWatch {
    const options = signal === undefined ? {} : { signal };
    return this.#state.watch(`${this.#prefix}.*`, { ...options, latest: true });
  }

  /** The id of the task that is kept at a key. */
  idOf(key: string): string {
    return key.slice(this.#prefix.length + 1);
  }

  /**
   * Whether what is there now was written by somebody else. Told by the version: a snapshot that is
   * restored brings back the very object that was written here before.
   */
  isForeign(id: string): boolean {
    return this.#state.get(this.keyOf(id))?.version !== this.#own.get(id);
  }

  /** Whether this very version is the newest. */
  holds(task: Task): boolean {
    return this.find(task.id) === task;
  }

  dependantsOf(id: string): readonly string[] {
    return [...(this.#dependants.get(id) ?? [])];
  }

  create(task: Task): Task {
    const made = this.#written(this.#state.create(this.keyOf(task.id), task));
    this.index(made);
    return made;
  }

  /** Changes what does not change its state. */
  amend(task: Task, changes: Changes): Task {
    const next = amended(task, { ...changes, updatedAt: this.#wall() });
    return this.#written(this.#state.set(this.keyOf(task.id), next));
  }

  #written({ version, value }: StateEntry): Task {
    const task = value as Task;
    this.#own.set(task.id, version);
    return task;
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
    this.#own.delete(task.id);
    this.#dependants.delete(task.id);
    for (const id of task.dependsOn) this.#dependants.get(id)?.delete(task.id);
  }

  /** Somebody else has removed it. */
  forget(id: string): void {
    this.#own.delete(id);
    this.#dependants.delete(id);
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
