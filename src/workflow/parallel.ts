import type { Voice } from '../delivery/context.ts';
import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import type { CancelledTask, FailedTask } from './errors.ts';
import { Join, type JoinMode, readMode } from './join.ts';
import { Scope } from './scope.ts';
import { BoundWork, type WorkContext } from './work-context.ts';
import {
  checkWorkflowOptions,
  WORKFLOW_OPTIONS,
  type WorkflowOptions,
} from './workflow-options.ts';

/** Tasks by name, or a list of them; `T` has what each gives. */
export type Tasks<T, V extends object = object> = {
  readonly [K in keyof T]: (work: WorkContext<V>) => T[K] | PromiseLike<T[K]>;
};

/** Options of `parallel`. */
export interface ParallelOptions<V extends object = object> extends WorkflowOptions<V> {
  /**
   * `all` lets every task end, whatever becomes of the others, and rejects if one did not succeed;
   * `first-error` rejects at once and calls the others off; `settle` resolves with what became of
   * each. @default 'all'
   */
  readonly mode?: JoinMode;
  /** Tasks that run at a time, in the order given. @default Infinity */
  readonly concurrency?: number;
}

/** What `parallel` resolves with in the mode `settle`. Every task stands in exactly one of three. */
export interface Settling<T> {
  /** What the tasks gave that succeeded. */
  readonly ok: { readonly [K in keyof T]?: T[K] };
  /** In the order in which they failed. */
  readonly failed: readonly FailedTask<NameIn<T>>[];
  /** What was called off: by itself, or at the end of the time, or by the caller's signal. */
  readonly cancelled: readonly CancelledTask<NameIn<T>>[];
  /** `all` have ended; `timeout`; `withdrawn` by the caller's signal or the end of the handler. */
  readonly reason: 'all' | 'timeout' | 'withdrawn';
}

type NameIn<T> = T extends readonly unknown[] ? number : Extract<keyof T, string>;
type Values<T> = { -readonly [K in keyof T]: T[K] };
type List = readonly unknown[] | [];

const OPTIONS: Record<keyof ParallelOptions, true> = {
  ...WORKFLOW_OPTIONS,
  mode: true,
  concurrency: true,
};
const KNOWN: ReadonlySet<string> = new Set(Object.keys(OPTIONS));

/**
 * Does many things at a time and waits for all of them: a fork and a join. Each task gets a context
 * with a signal of its own, and with `as` the voice of an agent or of the handler that forks.
 *
 * Rejects with WorkflowError `TELLASK_WORKFLOW`, which keeps what succeeded and every cause;
 * WorkflowTimeoutError `TELLASK_TIMEOUT`, which names what it still waited for; or the reason of
 * `signal`. What it calls off it does not wait for: a task that cares looks at its signal. It never
 * throws.
 *
 * @example
 * ```ts
 * import { MessageBus, parallel } from 'tellask';
 * const bus = new MessageBus();
 * bus.register('poet').serve('verse', ({ payload }) => `O ${payload}!`);
 * const editor = bus.register('editor');
 * const page = await parallel(
 *   {
 *     verse: (work) => work.request('verse', 'tea'),
 *     title: () => 'On tea',
 *   },
 *   { as: editor, timeoutMs: 5_000 },
 * );
 * page; // => { verse: 'O tea!', title: 'On tea' }
 * ```
 */
export function parallel<T extends List | object, V extends object = object>(
  tasks: Tasks<T, V>,
  options: ParallelOptions<V> & { readonly mode: 'settle' },
): Promise<Settling<T>>;
export function parallel<T extends List | object, V extends object = object>(
  tasks: Tasks<T, V>,
  options?: ParallelOptions<V>,
): Promise<Values<T>>;
export async function parallel(
  tasks: Readonly<Record<string, unknown>>,
  options: ParallelOptions = {},
): Promise<unknown> {
  checkWorkflowOptions('parallel', options, KNOWN);
  const { name = 'parallel', concurrency = Infinity } = options;
  const mode = readMode(options.mode);
  readCount('concurrency', concurrency, 1);
  const work = readTasks(tasks);
  const scope = new Scope(options);
  const join = new Join<string | number>(scope, { ...options, name, mode, concurrency });
  const names = [...work.keys()];
  join.total = names.length;
  for (const task of names) join.declare(task);
  join.begin();
  const voice = options.as as Voice | undefined;
  for (const [task, run] of work) {
    join.start(task, (execution) => run(new BoundWork(scope.env, voice, execution)));
  }
  join.seal();

  const ending = await join.ended;
  const ok = inOrder(tasks, names, join.values);
  const { failed, cancelled } = join;
  if (mode === 'settle') return { ok, failed, cancelled, reason: ending.reason };
  if (join.values.size === names.length) return ok;
  throw join.errorOf(ending);
}

type Run = (work: WorkContext) => unknown;

function readTasks(tasks: unknown): ReadonlyMap<string | number, Run> {
  if (typeof tasks !== 'object' || tasks === null) {
    throw misuse('The tasks of parallel', 'an object or a list of functions', tasks);
  }
  const entries: [string | number, Run][] = Array.isArray(tasks)
    ? [...tasks.entries()]
    : Object.entries(tasks);
  for (const [name, run] of entries) {
    if (typeof run !== 'function') throw misuse(`The task ${name}`, 'a function', run);
  }
  return new Map(entries);
}

/** What succeeded, in the shape and in the order in which the tasks were given. */
function inOrder(
  tasks: unknown,
  names: readonly (string | number)[],
  values: ReadonlyMap<string | number, unknown>,
): unknown {
  if (Array.isArray(tasks)) return names.map((name) => values.get(name));
  return Object.fromEntries(
    names.filter((name) => values.has(name)).map((name) => [name, values.get(name)]),
  );
}
