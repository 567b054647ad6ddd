import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { type PriorityInput, toPriority } from '../message/priority.ts';
import { checkTopic } from '../message/topic.ts';
import type { AnyStateView, StateManager } from '../state/state-manager.ts';
import type { Assignment } from './assignment.ts';
import type { DependencyPolicy, Task, TaskRequirements, TaskStatus } from './task.ts';

/** A task that is to be. */
export interface NewTask<I = unknown> {
  /** One segment of a topic. @default one of the bus's own making */
  readonly id?: string;
  readonly title: string;
  /** What the handler works on, as JSON. */
  readonly input?: I;
  /** Who wants it. @default '$host' */
  readonly creator?: string;
  /** 0 to 10 or a name; greater is sooner. @default 5 */
  readonly priority?: PriorityInput;
  /** Epoch milliseconds: of equal priority the earlier is sooner. */
  readonly dueAt?: number;
  /** @default anybody who works for the board */
  readonly requirements?: TaskRequirements;
  /** Tasks that have to complete before. @default none */
  readonly dependsOn?: readonly string[];
  /**
   * What becomes of it when one of those did not complete: `skip` cancels it, `run` does it all the
   * same, `wait` leaves it for somebody to decide. @default 'skip'
   */
  readonly onDependencyFailure?: DependencyPolicy;
  /** Tasks of one key go to one agent, where the board assigns `sticky`. */
  readonly key?: string;
  /** How often it may be handed out. @default that of the board, 3 */
  readonly maxAttempts?: number;
}

/** What `update` may change. */
export type TaskChanges = Partial<
  Pick<
    NewTask,
    'title' | 'priority' | 'dueAt' | 'requirements' | 'dependsOn' | 'onDependencyFailure'
  >
>;

/** Which tasks `list` gives. */
export interface TaskFilter {
  readonly status?: TaskStatus | readonly TaskStatus[];
  readonly assignee?: string;
  readonly creator?: string;
  readonly capability?: string;
  /** Whether a task is wanted. */
  readonly where?: (task: Task) => boolean;
}

/** Options of `board.work`. */
export interface WorkOptions {
  /** What it can do for the board. @default the capabilities of the agent */
  readonly capabilities?: readonly string[];
  /** @default none */
  readonly tags?: readonly string[];
  /**
   * Tasks at a time, in a mailbox of their own beside the agent's. Tasks that wait for a person
   * count. @default the concurrency of the agent, in its own mailbox with all else that it hears
   */
  readonly concurrency?: number;
  /** What it wants for a task, less is better; `undefined` when it does not want it. */
  readonly bid?: (task: Task) => number | undefined | Promise<number | undefined>;
}

/** Options of {@link TaskBoard}. */
export interface TaskBoardOptions {
  /** Where the tasks are kept. @default `bus.state` */
  // biome-ignore lint/suspicious/noExplicitAny: no type but any says of any contract
  readonly state?: StateManager<any>;
  /** Of its topics and of its keys in the state, which are all its own: one segment. @default 'task' */
  readonly prefix?: string;
  /** Milliseconds without progress after which a task is taken away. @default 60_000 */
  readonly leaseMs?: number;
  /** How often a task may be handed out, unless it says so itself. @default 3 */
  readonly maxAttempts?: number;
  /**
   * Whether a task is handed out again when its handler throws, and not only when its agent was
   * lost; a predicate gets what was thrown. @default false
   */
  readonly retryFailed?: boolean | ((error: unknown) => boolean);
  /** Who gets a task. @default 'least-load' */
  readonly assign?: Assignment;
  /** Hears what goes wrong where nobody waits for it. */
  readonly onFault?: (error: unknown) => void;
}

const BOARD: ReadonlySet<string> = new Set<keyof TaskBoardOptions>([
  'state',
  'prefix',
  'leaseMs',
  'maxAttempts',
  'retryFailed',
  'assign',
  'onFault',
]);
const NEW: ReadonlySet<string> = new Set<keyof NewTask>([
  'id',
  'title',
  'input',
  'creator',
  'priority',
  'dueAt',
  'requirements',
  'dependsOn',
  'onDependencyFailure',
  'key',
  'maxAttempts',
]);
const CHANGES: ReadonlySet<string> = new Set<keyof TaskChanges>([
  'title',
  'priority',
  'dueAt',
  'requirements',
  'dependsOn',
  'onDependencyFailure',
]);
const WORK: ReadonlySet<string> = new Set<keyof WorkOptions>([
  'capabilities',
  'tags',
  'concurrency',
  'bid',
]);
const FILTER: ReadonlySet<string> = new Set<keyof TaskFilter>([
  'status',
  'assignee',
  'creator',
  'capability',
  'where',
]);
const REQUIREMENTS: ReadonlySet<string> = new Set<keyof TaskRequirements>(['capability', 'tags']);
const POLICIES: readonly unknown[] = ['skip', 'run', 'wait'];

/** Checked options of a board. */
export interface BoardTerms {
  readonly prefix: string;
  readonly leaseMs: number;
  readonly maxAttempts: number;
  readonly retries: (error: unknown) => boolean;
  readonly onFault: (error: unknown) => void;
}

export function readBoard(options: TaskBoardOptions): BoardTerms {
  refuseUnknown(options, BOARD, 'TaskBoard');
  const { prefix = 'task', leaseMs = 60_000, maxAttempts = 3, retryFailed = false } = options;
  const { onFault = () => {} } = options;
  checkSegment('prefix', prefix);
  if (typeof leaseMs !== 'number' || !(leaseMs > 0)) {
    throw misuse('leaseMs', 'a number of milliseconds above 0, or Infinity', leaseMs);
  }
  if (typeof onFault !== 'function') throw misuse('onFault', 'a function', onFault);
  if (typeof retryFailed !== 'boolean' && typeof retryFailed !== 'function') {
    throw misuse('retryFailed', 'true, false or a function', retryFailed);
  }
  return {
    prefix,
    leaseMs,
    maxAttempts: readCount('maxAttempts', maxAttempts, 1),
    retries: typeof retryFailed === 'function' ? retryFailed : () => retryFailed,
    onFault,
  };
}

/** What a new task has of its maker; the rest is the board's. */
export function readNew(task: NewTask, maxAttempts: number): NewTask & TaskDraft {
  refuseUnknown(task, NEW, 'a task');
  const { id, creator = '$host', key } = task;
  if (id !== undefined) checkSegment('id', id);
  if (typeof creator !== 'string') throw misuse('creator', 'a name', creator);
  if (key !== undefined && typeof key !== 'string') throw misuse('key', 'a string', key);
  return {
    ...readChanges({
      title: task.title,
      priority: task.priority ?? 5,
      requirements: task.requirements ?? {},
      dependsOn: task.dependsOn ?? [],
      onDependencyFailure: task.onDependencyFailure ?? 'skip',
      ...(task.dueAt === undefined ? {} : { dueAt: task.dueAt }),
    }),
    input: task.input ?? null,
    creator,
    ...(key === undefined ? {} : { key }),
    maxAttempts: attempts(task.maxAttempts ?? maxAttempts),
  } as NewTask & TaskDraft;
}

/** The part of a task that its maker decides. */
export type TaskDraft = Pick<
  Task,
  | 'title'
  | 'creator'
  | 'priority'
  | 'requirements'
  | 'dependsOn'
  | 'onDependencyFailure'
  | 'input'
  | 'maxAttempts'
> &
  Partial<Pick<Task, 'dueAt' | 'key'>>;

/** JSON has no word for it, and nobody counts so far. */
function attempts(count: number): number {
  return Math.min(readCount('maxAttempts', count, 1), Number.MAX_SAFE_INTEGER);
}

export function readChanges(changes: TaskChanges): Partial<TaskDraft> {
  refuseUnknown(changes, CHANGES, 'update');
  const { title, priority, dueAt, requirements, dependsOn, onDependencyFailure } = changes;
  const read: Record<string, unknown> = {};
  if ('title' in changes) {
    if (typeof title !== 'string' || title === '') throw misuse('title', 'a text', title);
    read['title'] = title;
  }
  if (priority !== undefined) read['priority'] = toPriority(priority);
  if (dueAt !== undefined) {
    if (typeof dueAt !== 'number' || !Number.isFinite(dueAt)) {
      throw misuse('dueAt', 'an instant in epoch milliseconds', dueAt);
    }
    read['dueAt'] = dueAt;
  }
  if (requirements !== undefined) read['requirements'] = readRequirements(requirements);
  if (dependsOn !== undefined) read['dependsOn'] = [...new Set(readTexts('dependsOn', dependsOn))];
  if (onDependencyFailure !== undefined) {
    if (!POLICIES.includes(onDependencyFailure)) {
      throw misuse('onDependencyFailure', "'skip', 'run' or 'wait'", onDependencyFailure);
    }
    read['onDependencyFailure'] = onDependencyFailure;
  }
  return read as Partial<TaskDraft>;
}

function readRequirements(requirements: TaskRequirements): TaskRequirements {
  if (typeof requirements !== 'object' || requirements === null) {
    throw misuse('requirements', 'an object such as { capability }', requirements);
  }
  refuseUnknown(requirements, REQUIREMENTS, 'requirements');
  const { capability, tags } = requirements;
  if (capability !== undefined && typeof capability !== 'string') {
    throw misuse('requirements.capability', 'a string', capability);
  }
  return {
    ...(capability === undefined ? {} : { capability }),
    ...(tags === undefined ? {} : { tags: readTexts('requirements.tags', tags) }),
  };
}

/** Checked options of `work`. */
export function readWork(options: WorkOptions): void {
  refuseUnknown(options, WORK, 'work');
  const { capabilities, tags, concurrency, bid } = options;
  if (capabilities !== undefined) readTexts('capabilities', capabilities);
  if (tags !== undefined) readTexts('tags', tags);
  if (concurrency !== undefined) readCount('concurrency', concurrency, 1);
  if (bid !== undefined && typeof bid !== 'function') throw misuse('bid', 'a function', bid);
}

export function readFilter(filter: TaskFilter): (task: Task) => boolean {
  refuseUnknown(filter, FILTER, 'list');
  const { status, assignee, creator, capability, where } = filter;
  if (where !== undefined && typeof where !== 'function') {
    throw misuse('where', 'a function', where);
  }
  const statuses = status === undefined ? undefined : [status].flat();
  return (task) =>
    (statuses === undefined || statuses.includes(task.status)) &&
    (assignee === undefined || task.assignee === assignee) &&
    (creator === undefined || task.creator === creator) &&
    (capability === undefined || task.requirements.capability === capability) &&
    (where === undefined || where(task));
}

function readTexts(name: string, texts: readonly string[]): readonly string[] {
  if (Array.isArray(texts) && texts.every((text) => typeof text === 'string')) return texts;
  throw misuse(name, 'a list of strings', texts);
}

function checkSegment(name: string, segment: string): void {
  if (typeof segment !== 'string' || segment.includes('.')) {
    throw misuse(name, 'one segment of a topic', segment);
  }
  checkTopic(segment);
}

/** The state of a board: its own, or that of its bus. */
export function stateOf(
  options: TaskBoardOptions,
  bus: { readonly state: AnyStateView },
): AnyStateView {
  return options.state ?? bus.state;
}
