import { Cancellation } from '../kernel/cancellation.ts';
import { Deferred } from '../kernel/deferred.ts';
import type { Env, Lane, Timer } from '../kernel/env.ts';
import type { Worker } from './roster.ts';
import type { Task } from './task.ts';

/** One handing out of one task: from the assignment until somebody, or time, has ended it. */
export class Run {
  readonly id: string;
  readonly token: number;
  readonly agent: string;
  /** Undefined for what a board before this one has handed out. */
  readonly worker: Worker | undefined;
  readonly cancellation: Cancellation = new Cancellation();
  /** What its handler does; a message that comes twice begins it once. */
  work: Promise<unknown> | undefined;
  /** Whether its agent has answered, or will not: then there is nothing to call off. */
  settled: boolean = false;
  /** How many questions the handler has asked. */
  asked: number = 0;
  readonly #env: Env;
  readonly #leaseEnded: (run: Run) => void;
  #lease: Timer | undefined;
  #answer: Deferred<unknown> | undefined;
  #workedMs = 0;
  #since: number;
  #over: string | undefined;

  constructor(env: Env, task: Task, worker: Worker | undefined, leaseEnded: (run: Run) => void) {
    this.#env = env;
    this.id = task.id;
    this.token = task.token;
    this.agent = worker?.agent ?? task.assignee ?? '';
    this.worker = worker;
    this.#leaseEnded = leaseEnded;
    this.#since = env.now();
  }

  /** Why it is over, if it is. */
  get over(): string | undefined {
    return this.#over;
  }

  /** Milliseconds that the agent had it, without those in which it waited for a person. */
  get workedMs(): number {
    return this.#workedMs + (this.#answer === undefined ? this.#env.now() - this.#since : 0);
  }

  get waits(): boolean {
    return this.#answer !== undefined;
  }

  /** Whether the state of its task, as somebody else has written it, is what its handler is in. */
  fits({ status, answers = [] }: Task): boolean {
    if (this.worker === undefined) return true;
    if (status !== 'input-required') return !this.waits;
    return this.waits && answers.length === this.asked - 1;
  }

  /** Begins a lease now. */
  lease(leaseMs: number): void {
    this.#lease?.cancel();
    this.#lease = undefined;
    if (leaseMs === Infinity || this.#over !== undefined) return;
    // Whoever waits for the task may wait for nothing else.
    const options = { keepAlive: true, label: `lease of task ${this.id}` };
    this.#lease = this.#env.setTimer(leaseMs, () => this.#leaseEnded(this), options);
  }

  /** Nobody hurries a person: the lease stands still. */
  waitForAnswer(): Promise<unknown> {
    this.#lease?.cancel();
    this.#workedMs = this.workedMs;
    this.#answer = new Deferred<unknown>();
    const off = this.cancellation.onAbort((reason) => this.#answer?.reject(reason));
    this.#answer.promise.then(off, off);
    return this.#answer.promise;
  }

  /** Goes on with what the person said, in a step of its own. */
  answer(value: unknown): void {
    const waiting = this.#answer;
    this.#answer = undefined;
    this.#since = this.#env.now();
    if (waiting === undefined) return;
    this.#env.post(stepOf(`answer to task ${this.id}`, () => waiting.resolve(value)));
  }

  /** Whatever its handler does from now on counts for nothing. */
  end(why: string, reason?: unknown): void {
    if (this.#over !== undefined) return;
    this.#workedMs = this.workedMs;
    this.#over = why;
    this.#lease?.cancel();
    this.worker?.tasks.delete(this.id);
    if (reason !== undefined) this.cancellation.abort(reason);
  }
}

/** One step of its own, in a later turn. */
export function stepOf(label: string, run: () => void): Lane {
  return { kind: 'reply', label, order: 0, posted: false, run };
}
