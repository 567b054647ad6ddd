import { CancelledError } from '../delivery/errors.ts';
import { Deferred } from '../kernel/deferred.ts';
import { isTellaskError, misuse } from '../kernel/errors.ts';
import { Call } from '../resilience/call.ts';
import { type ComposedPolicy, compose } from '../resilience/compose.ts';
import type { Work } from '../resilience/policy.ts';
import {
  type CancelledTask,
  type FailedTask,
  type TaskName,
  WorkflowError,
  type WorkflowOutcome,
  WorkflowTimeoutError,
} from './errors.ts';
import { Places } from './places.ts';
import { type EndedTask, tell, type WorkflowProgress } from './progress.ts';
import type { Scope } from './scope.ts';
import type { WorkflowOptions } from './workflow-options.ts';

/**
 * What a workflow makes of tasks that fail: `all` lets every task end and then rejects;
 * `first-error` rejects with the first and calls the others off; `settle` never rejects for them.
 */
export type JoinMode = 'all' | 'first-error' | 'settle';

const MODES: readonly unknown[] = ['all', 'first-error', 'settle'];

/** @throws TypeError when it is none. */
export function readMode(mode: JoinMode = 'all'): JoinMode {
  if (MODES.includes(mode)) return mode;
  throw misuse('mode', MODES.join(', '), mode);
}

/** How a join ended: all tasks did, one failed, or it was ended before. */
export type Ending =
  | { readonly reason: 'all' | 'failed' }
  | { readonly reason: 'timeout'; readonly error: WorkflowTimeoutError }
  | { readonly reason: 'withdrawn'; readonly error: unknown };

/** What is said of a task, besides its name, when it does not succeed. */
export type Detail = object | undefined;

/** What a join was told. */
export interface JoinTerms extends Pick<WorkflowOptions, 'policy' | 'onProgress'> {
  readonly name: string;
  readonly mode: JoinMode;
  readonly concurrency: number;
  /** Tasks that would have been declared, had the join not ended. */
  readonly rest?: () => Iterable<readonly [TaskName, Detail]>;
}

/**
 * Tasks that are waited for together. Each one ends in exactly one of `ok`, `failed` and
 * `cancelled`; what has ended is kept, however the join ends.
 */
export class Join<K extends TaskName> implements WorkflowOutcome {
  /** Tasks in all, when that is known. */
  total: number | undefined;
  readonly failed: FailedTask<K>[] = [];
  readonly cancelled: CancelledTask<K>[] = [];
  readonly #ok = new Map<K, unknown>();
  readonly #scope: Scope;
  readonly #terms: JoinTerms;
  readonly #policy: ComposedPolicy;
  readonly #places: Places;
  /** Declared, and not ended. */
  readonly #open = new Map<K, Detail>();
  readonly #ended = new Deferred<Ending>();
  #sealed = false;
  /** Waits for one of the open tasks to end. */
  #waiter: (() => void) | undefined;

  constructor(scope: Scope, terms: JoinTerms) {
    this.#scope = scope;
    this.#terms = terms;
    this.#policy = terms.policy === undefined ? compose() : compose(terms.policy);
    this.#policy.bind(scope.env);
    this.#places = new Places(terms.concurrency, (error) =>
      this.#end({ reason: 'withdrawn', error }, error),
    );
  }

  /** From now on its time runs, and it can be called off. */
  begin(): void {
    this.report();
    this.#scope.watch({
      timedOut: () => this.#timeOut(),
      withdrawn: (error) => this.#end({ reason: 'withdrawn', error }, error),
    });
  }

  /** Never rejects. */
  get ended(): Promise<Ending> {
    return this.#ended.promise;
  }

  get over(): boolean {
    return this.#ended.settled;
  }

  /** What succeeded, by task. */
  get ok(): Readonly<Record<TaskName, unknown>> {
    return Object.fromEntries(this.#ok);
  }

  get values(): ReadonlyMap<K, unknown> {
    return this.#ok;
  }

  /** Waits for this one, too. */
  declare(task: K, detail?: Detail): void {
    this.#open.set(task, detail);
  }

  /** Does the work of a declared task as soon as there is a place for it. */
  start(task: K, work: Work<unknown>): void {
    if (!this.over) this.#places.add(() => this.#run(task, work));
  }

  /** Something that is needed went wrong. */
  fail(task: K, error: unknown, detail?: Detail): void {
    if (this.over) return;
    this.declare(task, detail);
    this.#enter(task, 'failed', error);
  }

  /** No more tasks come. */
  seal(): void {
    this.#sealed = true;
    if (this.#open.size === 0) this.#end({ reason: 'all' });
  }

  /** Resolves as soon as fewer tasks are open, or the join is over. */
  async fewerThan(tasks: number): Promise<void> {
    while (!this.over && this.#open.size >= tasks) {
      await new Promise<void>((resolve) => {
        this.#waiter = resolve;
      });
    }
  }

  /** Tells who watches what is waited for. */
  report(last?: EndedTask): void {
    tell(this.#terms.onProgress, () => this.#progress(last));
  }

  /** What a workflow rejects with that did not succeed in all its tasks. */
  errorOf(ending: Ending): unknown {
    return 'error' in ending ? ending.error : new WorkflowError(this.#terms.name, this);
  }

  async #run(task: K, work: Work<unknown>): Promise<void> {
    if (this.over) return;
    const call = new Call(this.#scope.env, this.#scope.call);
    try {
      const value = await this.#policy.run(work, call);
      if (!this.over) this.#enter(task, 'ok', value);
    } catch (error) {
      if (!this.over) this.#enter(task, wasCalledOff(error) ? 'cancelled' : 'failed', error);
    } finally {
      call.end();
    }
  }

  #enter(task: K, outcome: 'ok' | 'failed' | 'cancelled', result: unknown): void {
    const detail = this.#open.get(task);
    this.#open.delete(task);
    if (outcome === 'ok') this.#ok.set(task, result);
    else if (outcome === 'failed') this.failed.push({ task, error: result, ...detail });
    else this.cancelled.push({ task, reason: result, ...detail });
    this.report({ task, outcome });
    if (this.over) return;
    if (outcome !== 'ok' && this.#terms.mode === 'first-error') this.#giveUp(result);
    else if (this.#sealed && this.#open.size === 0) this.#end({ reason: 'all' });
    this.#waiter?.();
  }

  #giveUp(cause: unknown): void {
    const reason = new CancelledError(this.#terms.name, 'another task did not succeed', { cause });
    this.#end({ reason: 'failed' }, reason);
  }

  #timeOut(): void {
    const { name } = this.#terms;
    const { timeoutMs } = this.#scope;
    const [failed, cancelled] = [[...this.failed], [...this.cancelled]];
    const outcome = { ok: this.ok, failed, cancelled };
    this.#declareRest();
    const error = new WorkflowTimeoutError(name, timeoutMs, [...this.#open.keys()], outcome);
    this.#end({ reason: 'timeout', error }, error);
  }

  /** What is open is called off and not waited for. */
  #end(ending: Ending, reason?: unknown): void {
    if (this.over) return;
    this.#ended.resolve(ending);
    this.#scope.close();
    if (this.#open.size > 0 || !this.#sealed) {
      this.#declareRest();
      for (const [task, detail] of this.#open) this.cancelled.push({ task, reason, ...detail });
      this.#open.clear();
      this.report();
      this.#scope.call.abort(reason);
    }
    this.#waiter?.();
  }

  #declareRest(): void {
    for (const [task, detail] of this.#terms.rest?.() ?? []) this.declare(task as K, detail);
  }

  #progress(last: EndedTask | undefined): WorkflowProgress {
    const [ok, failed, cancelled] = [this.#ok.size, this.failed.length, this.cancelled.length];
    const done = ok + failed + cancelled;
    const { name: workflow } = this.#terms;
    const { total } = this;
    return { workflow, done, total, ok, failed, cancelled, pending: [...this.#open.keys()], last };
  }
}

/** Whether somebody called the work off, which says nothing of how it would have ended. */
export function wasCalledOff(error: unknown): boolean {
  if (isTellaskError(error, 'TELLASK_CANCELLED')) return true;
  try {
    if (error instanceof WorkflowError) return error.failed.length === 0;
    return (error as { name?: unknown } | null | undefined)?.name === 'AbortError';
  } catch {
    return false; // It throws when somebody looks at it.
  }
}
