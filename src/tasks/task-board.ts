import type { Agent, SubscriptionHandle } from '../agents/agent.ts';
import type { MessageBus } from '../bus.ts';
import type { Context } from '../delivery/context.ts';
import { RejectedError } from '../delivery/errors.ts';
import { envOf } from '../kernel/env-of.ts';
import { toErrorRecord } from '../kernel/error-record.ts';
import { misuse } from '../kernel/errors.ts';
import { isA } from '../kernel/is-a.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import type { Message } from '../message/message.ts';
import { STATE_DEFAULTS } from '../state/state-defaults.ts';
import { takeValue } from '../state/value.ts';
import type { StateWatch } from '../state/watcher.ts';
import type { Assignment } from './assignment.ts';
import { drawTasks } from './drawing.ts';
import { Engine, type Outcome } from './engine.ts';
import { NoCapableAgentError, TaskCycleError, TaskFencedError, TaskStateError } from './errors.ts';
import { cycleFrom } from './graph.ts';
import { type TaskWorker, Worker } from './roster.ts';
import type { Run } from './run.ts';
import { hasEnded, type Task, type TaskStatus, TRANSITIONS } from './task.ts';
import { type TaskContext, TaskVoice } from './task-context.ts';
import {
  type NewTask,
  readChanges,
  readFilter,
  readNew,
  readWork,
  type TaskBoardOptions,
  type TaskChanges,
  type TaskFilter,
  type WorkOptions,
} from './task-options.ts';

/** What does a task. What it returns is the result, as JSON; what it throws fails the task. */
export type TaskHandler<I = unknown, C extends ContractShape = AnyContract> = (
  task: Task<I>,
  context: TaskContext<C>,
) => unknown;

/** Who was told to do a task. */
export interface Delegation {
  readonly task: Task;
  readonly agent: string;
  /** Milliseconds, from what was measured of such tasks; undefined before the first. */
  readonly estimateMs: number | undefined;
}

/** Options of `board.watch`. */
export interface TaskWatchOptions {
  readonly signal?: AbortSignal;
}

/** How things stand. */
export interface TaskSummary {
  readonly total: number;
  readonly byStatus: Readonly<Record<TaskStatus, number>>;
  /** Of those that are submitted, how many wait for others. */
  readonly blocked: number;
  /** Not ended, and past their `dueAt`. */
  readonly overdue: number;
  /** Who works for the board, and on what. */
  readonly workers: readonly (Omit<TaskWorker, 'estimateMs'> & {
    readonly tasks: readonly string[];
  })[];
}

/**
 * Tasks, and agents that do them. A task is kept in the state, handed out over the bus to an agent
 * that can do it and is free, and taken away again when that agent leaves, hangs or falls silent.
 *
 * One board at a time for a state and a prefix. What somebody else writes under its keys is his own
 * risk. A board made anew on the same state goes on where the last one was.
 *
 * @example
 * ```ts
 * import { MessageBus, StateManager } from 'tellask';
 * import { TaskBoard } from 'tellask/agents';
 * const bus = new MessageBus({ state: new StateManager() });
 * const board = new TaskBoard(bus);
 * const writer = bus.register('writer', { capabilities: ['write'] });
 * board.work(writer, (task) => `a text about ${task.input}`);
 * const requirements = { capability: 'write' };
 * const draft = board.create({ title: 'Draft', requirements, input: 'tea' });
 * const ended = await board.ended(draft.id);
 * [ended.status, ended.result]; // => ['completed', 'a text about tea']
 * ```
 */
export class TaskBoard<C extends ContractShape = AnyContract> implements Disposable {
  readonly #engine: Engine;
  readonly #bus: MessageBus;
  readonly #offs: (() => void)[];
  readonly #ids: string;
  /** How many ids were made. */
  #made = 0;

  /**
   * @throws TypeError, RangeError for options that make no sense, and when there is no state.
   */
  constructor(bus: MessageBus<C>, options: TaskBoardOptions = {}) {
    const env = envOf(bus);
    if (env === undefined) throw misuse('bus', 'a MessageBus', bus);
    this.#bus = bus as unknown as MessageBus;
    this.#engine = new Engine(this.#bus, env, options);
    // One segment of a topic, whatever the names of the Env look like.
    this.#ids = env.idPrefix().replaceAll('.', '-');
    this.#offs = [
      bus.events.on('left', (agent) => this.#left(agent)),
      bus.events.on('restarted', (agent) => this.#restarted(agent)),
      bus.events.on('closed', () => this.close()),
      this.#heedHealth(),
    ];
    this.#engine.resume();
  }

  /**
   * Puts a task on the board. It is handed out in a later turn.
   *
   * @throws TaskNotFoundError `TELLASK_TASK_NOT_FOUND` for a dependency that is not there;
   *   TaskCycleError `TELLASK_TASK_CYCLE`; StateExistsError `TELLASK_STATE_EXISTS` for an id that is
   *   taken; StateValueError `TELLASK_STATE_VALUE` for what is no JSON; TypeError, RangeError
   */
  create<I>(task: NewTask<I>): Task<I> {
    return this.createAll([task])[0] as Task<I>;
  }

  /**
   * Puts several tasks on the board, which may depend on each other in any order; all or none.
   *
   * @throws as `create`.
   */
  createAll(tasks: readonly NewTask[]): Task[] {
    this.#checkOpen();
    const made = this.#draft(tasks);
    const created = this.#createEach(made);
    for (const task of created) this.#engine.say(task, 'created');
    for (const task of created) this.#engine.consider(task);
    return created;
  }

  /** What cannot be written takes back what was written before it. */
  #createEach(tasks: readonly Task[]): Task[] {
    const { records } = this.#engine;
    const taken = tasks.find(({ id }) => records.find(id) !== undefined);
    // Refused by the state itself, before anything is written.
    if (taken !== undefined) records.create(taken);
    const created: Task[] = [];
    try {
      for (const task of tasks) created.push(records.create(task));
    } catch (error) {
      for (const task of created) records.remove(task);
      throw error;
    }
    return created;
  }

  #draft(tasks: readonly NewTask[]): Task[] {
    const { records, env, terms } = this.#engine;
    const wall = env.wall();
    let order = records.nextOrder();
    const made = new Map<string, Task>();
    for (const task of tasks) {
      const draft = readNew(task, terms.maxAttempts);
      const id = task.id ?? this.#newId();
      if (made.has(id)) throw misuse('id', 'an id of its own for each task', id);
      made.set(id, {
        id,
        ...draft,
        status: 'submitted',
        attempt: 0,
        token: 0,
        order,
        createdAt: wall,
        updatedAt: wall,
      });
      order += 1;
    }
    const dependenciesOf = (id: string): readonly string[] =>
      (made.get(id) ?? records.get(id)).dependsOn;
    for (const id of made.keys()) checkAcyclic(id, dependenciesOf);
    return [...made.values()];
  }

  #newId(): string {
    for (;;) {
      this.#made += 1;
      const id = `${this.#ids}${this.#made}`;
      if (this.#engine.records.find(id) === undefined) return id;
    }
  }

  /** A task as it is now; undefined when there is none of that id. */
  get(id: string): Task | undefined {
    return this.#engine.records.find(id);
  }

  /** All tasks that fit, in the order in which they were created. */
  list(filter: TaskFilter = {}): Task[] {
    const fits = readFilter(filter);
    return this.#engine.records
      .all()
      .filter(fits)
      .sort((a, b) => a.order - b.order);
  }

  /**
   * Changes a task that has not ended. Of one that somebody works on, only what comes later is
   * different.
   *
   * @throws TaskNotFoundError `TELLASK_TASK_NOT_FOUND`, TaskStateError `TELLASK_TASK_STATE`,
   *   TaskCycleError `TELLASK_TASK_CYCLE`
   */
  update(id: string, changes: TaskChanges): Task {
    this.#checkOpen();
    const { records } = this.#engine;
    const task = records.get(id);
    const read = readChanges(changes);
    if (hasEnded(task)) throw new TaskStateError(id, task.status, 'something else');
    const { dependsOn } = read;
    if (dependsOn !== undefined) {
      checkAcyclic(id, (one) => (one === id ? dependsOn : records.get(one).dependsOn));
    }
    const next = records.amend(task, read);
    records.forgetDependencies(task);
    records.index(next);
    this.#engine.say(next, 'updated');
    if (next.status === 'submitted') this.#engine.consider(next);
    return records.get(id);
  }

  /**
   * Says who has to do a task that nobody has begun. It waits for that agent as long as the agent
   * works for the board; when it has left, anybody who can may do it.
   *
   * @throws NoCapableAgentError `TELLASK_TASK_NO_AGENT` when the agent does not work for the board;
   *   TaskNotFoundError `TELLASK_TASK_NOT_FOUND`, TaskStateError `TELLASK_TASK_STATE`
   */
  assign(id: string, agent: string): Task {
    this.#checkOpen();
    const { records, roster } = this.#engine;
    const task = records.get(id);
    if (task.status !== 'submitted') throw new TaskStateError(id, task.status, 'assigned');
    if (roster.get(agent) === undefined) {
      throw new NoCapableAgentError(id, `${agent} does not work for the board`);
    }
    const assigned = records.amend(task, { assignedTo: agent });
    this.#engine.consider(assigned);
    return assigned;
  }

  /**
   * Finds who is to do a task, tells that agent to, and says how long it will take: for one who wants
   * to know before he waits. The agent is chosen at once, also when it has to end something first.
   *
   * @throws NoCapableAgentError `TELLASK_TASK_NO_AGENT`: then a new task is not created; and as
   *   `create` and `assign`.
   * @example
   * ```ts
   * import { MessageBus, StateManager } from 'tellask';
   * import { TaskBoard } from 'tellask/agents';
   * const bus = new MessageBus({ state: new StateManager() });
   * const board = new TaskBoard(bus);
   * board.work(bus.register('ann'), (task) => `${task.title} is done`);
   * const { task, agent, estimateMs } = await board.delegate({ title: 'Tea' });
   * [agent, estimateMs]; // => ['ann', undefined]
   * (await board.ended(task.id)).result; // => 'Tea is done'
   * typeof (await board.delegate({ title: 'Cake' })).estimateMs; // => 'number'
   * ```
   */
  async delegate(task: string | NewTask, assign?: Assignment): Promise<Delegation> {
    this.#checkOpen();
    const engine = this.#engine;
    const [draft] = (
      typeof task === 'string' ? [engine.records.get(task)] : this.#draft([task])
    ) as [Task];
    const worker = await engine.delegated(draft, assign);
    this.#checkOpen();
    if (engine.roster.get(worker.agent) === undefined) {
      throw new NoCapableAgentError(draft.id, `${worker.agent} does not work for the board`);
    }
    const { id } = typeof task === 'string' ? draft : this.create({ ...task, id: draft.id });
    const estimateMs = engine.estimateMs(engine.records.get(id), worker);
    return { task: this.assign(id, worker.agent), agent: worker.agent, estimateMs };
  }

  /**
   * Ends a task that is worked on as completed, in place of its agent, which is fenced.
   *
   * @throws TaskNotFoundError `TELLASK_TASK_NOT_FOUND`, TaskStateError `TELLASK_TASK_STATE`
   */
  complete(id: string, result?: unknown): Task {
    const changes = result === undefined ? {} : { result };
    return this.#end(id, 'completed', changes);
  }

  /** Ends a task as failed; whoever works on it is fenced. Throws as `complete`. */
  fail(id: string, error: unknown): Task {
    return this.#end(id, 'failed', { error: toErrorRecord(error) });
  }

  /** Ends a task that nobody needs any more; whoever works on it is fenced. Throws as `complete`. */
  cancel(id: string, reason = 'it was called off'): Task {
    if (typeof reason !== 'string') throw misuse('reason', 'a text', reason);
    return this.#end(id, 'canceled', { reason });
  }

  #end(id: string, status: TaskStatus, changes: Parameters<Engine['end']>[2]): Task {
    this.#checkOpen();
    return this.#engine.end(this.#engine.records.get(id), status, changes);
  }

  /**
   * Answers what the handler of a task has asked a person.
   *
   * @throws TaskNotFoundError `TELLASK_TASK_NOT_FOUND`; TaskStateError `TELLASK_TASK_STATE` when it
   *   waits for nothing; StateValueError `TELLASK_STATE_VALUE`
   */
  provideInput(id: string, value: unknown): Task {
    this.#checkOpen();
    return this.#engine.provideInput(this.#engine.records.get(id), value);
  }

  /**
   * Lets an agent work for the board until the handle is unsubscribed or the agent leaves. What the
   * handler returns completes the task, what it throws fails it; RejectedError gives it to somebody
   * else, and when nobody is left it is `rejected`.
   *
   * @throws TypeError, RangeError for options that make no sense, and when the agent works for the
   *   board already; RevokedError `TELLASK_REVOKED`, DeniedError `TELLASK_DENIED`
   */
  work<I = unknown>(
    agent: Agent<C>,
    handler: TaskHandler<I, C>,
    options: WorkOptions = {},
  ): SubscriptionHandle {
    this.#checkOpen();
    readWork(options);
    if (typeof handler !== 'function') throw misuse('The handler', 'a function', handler);
    const handle = agent as unknown as Agent;
    const before = this.#engine.roster.get(handle.name);
    if (before !== undefined && !before.restarted && before.reachable) {
      throw new TypeError(`${handle.name} works for the board already`);
    }
    const { capabilities = handle.capabilities, tags = [], concurrency, bid } = options;
    const terms = {
      capabilities: [...capabilities],
      tags: [...tags],
      concurrency: concurrency ?? handle.inspect().concurrency,
      bids: bid !== undefined,
    };
    const worker = new Worker(handle, terms, before);
    this.#serve(worker, handle, handler as unknown as TaskHandler, options);
    this.#engine.roster.add(worker);
    for (const old of before?.handles ?? []) old.unsubscribe();
    this.#engine.wake();
    return this.#handleOf(worker);
  }

  #serve(worker: Worker, agent: Agent, handler: TaskHandler, options: WorkOptions): void {
    const { prefix } = this.#engine.terms;
    const { concurrency, bid } = options;
    const lane = concurrency === undefined ? {} : ({ lane: 'own', concurrency } as const);
    const work = (request: Message, context: Context): Promise<Outcome> =>
      this.#work(request, context, handler);
    worker.handles.push(agent.serve(`${prefix}.work`, work, lane));
    if (bid === undefined) return;
    const offer = ({ payload }: Message): unknown => bid(payload as Task);
    worker.handles.push(agent.serve(`${prefix}.bid`, offer, { lane: 'own' }));
  }

  #handleOf(worker: Worker): SubscriptionHandle {
    const [served] = worker.handles as [SubscriptionHandle];
    const unsubscribe = (): void => {
      this.#engine.roster.remove(worker);
      for (const handle of worker.handles) handle.unsubscribe();
      this.#engine.wake();
    };
    return {
      pattern: served.pattern,
      get active() {
        return served.active;
      },
      unsubscribe,
      [Symbol.dispose]: unsubscribe,
    };
  }

  /** Runs a handler for the run that the request is of, and for none else. */
  #work(request: Message, context: Context, handler: TaskHandler): Promise<Outcome> {
    const task = request.payload as Task;
    const run = this.#engine.runs.get(task?.id);
    const theirs = run?.token === task?.token && run?.agent === context.agent;
    if (run === undefined || !theirs || request.from !== '$host') {
      const why = 'it is not the task that the board has handed out';
      throw new TaskFencedError(String(task?.id), context.agent, Number(task?.token), why);
    }
    run.work ??= this.#outcome(task, run, context, handler);
    return run.work as Promise<Outcome>;
  }

  async #outcome(task: Task, run: Run, context: Context, handler: TaskHandler): Promise<Outcome> {
    try {
      const result = await handler(task, new TaskVoice(task, context, this.#desk(task, run)));
      return result === undefined ? { done: undefined } : { done: takeJson(task, result) };
    } catch (error) {
      if (isA(error, RejectedError)) return { declined: toErrorRecord(error).message };
      return { failed: toErrorRecord(error), retry: this.#retries(error) };
    }
  }

  #retries(error: unknown): boolean {
    try {
      return this.#engine.terms.retries(error) === true;
    } catch (fault) {
      this.#engine.fault(fault);
      return false;
    }
  }

  #desk(task: Task, run: Run): ConstructorParameters<typeof TaskVoice>[2] {
    const engine = this.#engine;
    return {
      check: () => engine.check(run),
      progress: (update) => (update === undefined ? undefined : takeJson(task, update)),
      requestInput: (question) => engine.requestInput(run, question),
      results: () => {
        const results: [string, unknown][] = [];
        for (const id of task.dependsOn) {
          const dependency = engine.records.find(id);
          if (dependency?.result !== undefined) results.push([id, dependency.result]);
        }
        return Object.fromEntries(results);
      },
    };
  }

  /**
   * Resolves with the task when it has ended, however it has.
   *
   * @throws TaskNotFoundError `TELLASK_TASK_NOT_FOUND`; the reason of `signal`
   */
  async ended(id: string, options: { readonly signal?: AbortSignal } = {}): Promise<Task> {
    return this.#engine.ended(id, options.signal);
  }

  /**
   * Every task that fits, each time it changes, from this very step on; of one that changes faster
   * than it is read, the newest version. Ends with the loop, the signal or the state.
   *
   * @example
   * ```ts
   * import { MessageBus, StateManager } from 'tellask';
   * import { TaskBoard } from 'tellask/agents';
   * const bus = new MessageBus({ state: new StateManager() });
   * const board = new TaskBoard(bus);
   * const watch = board.watch({ status: 'completed' });
   * board.work(bus.register('ann'), () => 'done');
   * board.create({ title: 'Tea' });
   * for await (const task of watch) {
   *   task.title; // => 'Tea'
   *   break;
   * }
   * ```
   */
  watch(filter: TaskFilter = {}, options: TaskWatchOptions = {}): AsyncIterableIterator<Task> {
    const fits = readFilter(filter);
    refuseUnknown(options, WATCH, 'watch');
    return tasksOf(this.#engine.records.watch(options.signal), fits);
  }

  /**
   * Removes a task that has ended. Its state forgets it; what depended on it has begun or ended.
   *
   * @throws TaskNotFoundError `TELLASK_TASK_NOT_FOUND`; TaskStateError `TELLASK_TASK_STATE` when it
   *   has not ended, or when a task that has not ended depends on it.
   */
  remove(id: string): void {
    this.#checkOpen();
    const { records } = this.#engine;
    const task = records.get(id);
    if (!hasEnded(task)) throw new TaskStateError(id, task.status, 'removed');
    for (const other of records.dependantsOf(id)) {
      const dependant = records.find(other);
      if (dependant !== undefined && !hasEnded(dependant)) {
        throw new TaskStateError(other, dependant.status, `independent of ${id}`);
      }
    }
    records.remove(task);
  }

  /** The tasks that fit, what they depend on and where they are, as a Mermaid flowchart. */
  toMermaid(filter: TaskFilter = {}): string {
    return drawTasks(this.list(filter));
  }

  /** How things stand: how many tasks are where, and who works on what. */
  summary(): TaskSummary {
    const { env, roster } = this.#engine;
    const tasks = this.#engine.records.all();
    const byStatus = Object.fromEntries(
      Object.keys(TRANSITIONS).map((status) => [status, 0]),
    ) as Record<TaskStatus, number>;
    for (const { status } of tasks) byStatus[status] += 1;
    const wall = env.wall();
    const late = (task: Task): boolean =>
      task.dueAt !== undefined && task.dueAt < wall && !hasEnded(task);
    return {
      total: tasks.length,
      byStatus,
      blocked: tasks.filter((task) => this.#engine.isBlocked(task)).length,
      overdue: tasks.filter(late).length,
      workers: roster.all().map((worker) => ({
        agent: worker.agent,
        capabilities: worker.capabilities,
        tags: worker.tags,
        concurrency: worker.concurrency,
        working: worker.working,
        completed: worker.completed,
        failed: worker.failed,
        lost: worker.lost,
        tasks: [...worker.tasks],
      })),
    };
  }

  /**
   * Ends the board and leaves its tasks in the state: what somebody works on is taken away from him
   * and `submitted` again. Happens by itself when the bus is closed. Twice does nothing more.
   */
  close(): void {
    for (const off of this.#offs.splice(0)) off();
    this.#engine.close();
  }

  /** Ends the board at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** What the bus says of agents: resumed, unhealthy by the probes of a registry, recovered. */
  #heedHealth(): () => void {
    const heed = ({ topic, payload }: Message): void => {
      const { agent, because } = payload as { readonly agent: string; readonly because?: string };
      const worker = this.#engine.roster.get(agent);
      if (worker === undefined) return;
      // Its next life does not work for the board.
      if (!worker.reachable) this.#engine.roster.remove(worker);
      if (topic !== '$bus.agent.status') worker.healthy = topic === '$bus.agent.recovered';
      if (!worker.healthy) {
        this.#engine.takeFrom(
          worker,
          `${agent} is unhealthy: ${because ?? 'its probe has failed'}`,
        );
      }
      this.#engine.wake();
    };
    const handle = this.#bus.subscribe('$bus.agent.{status,unhealthy,recovered}', heed);
    return () => handle.unsubscribe();
  }

  #restarted(agent: string): void {
    const worker = this.#engine.roster.get(agent);
    if (worker !== undefined) worker.restarted = true;
  }

  #left(agent: string): void {
    const worker = this.#engine.roster.get(agent);
    if (worker === undefined || worker.reachable) return;
    this.#engine.roster.remove(worker);
    this.#engine.wake();
  }

  #checkOpen(): void {
    if (this.#engine.closed) throw new TypeError('The board is closed: make a new one');
  }
}

const WATCH: ReadonlySet<string> = new Set<keyof TaskWatchOptions>(['signal']);

/** The tasks of a watch that fit. Attached before anybody reads. */
function tasksOf(watch: StateWatch, fits: (task: Task) => boolean): AsyncIterableIterator<Task> {
  return {
    async next() {
      for (;;) {
        const { done, value } = await watch.next();
        if (done) return { done: true, value: undefined };
        const task = value.value as Task | undefined;
        if (task !== undefined && fits(task)) return { done: false, value: task };
      }
    },
    async return() {
      await watch.return();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function checkAcyclic(id: string, of: (id: string) => readonly string[]): void {
  const cycle = cycleFrom(id, of);
  if (cycle !== undefined) throw new TaskCycleError(cycle);
}

/** JSON as the state would take it; what is none fails the task, and not the answer. */
function takeJson({ id }: Task, value: unknown): unknown {
  const { maxDepth, maxValueBytes: maxBytes } = STATE_DEFAULTS;
  return takeValue(`task.${id}`, value, undefined, { maxDepth: maxDepth - 1, maxBytes }).value;
}
