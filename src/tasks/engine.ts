import type { MessageBus } from '../bus.ts';
import { ClosedError } from '../delivery/errors.ts';
import { onAbort } from '../kernel/abort.ts';
import { Deferred } from '../kernel/deferred.ts';
import type { Env, Lane, LaneKind, Timer } from '../kernel/env.ts';
import { type ErrorRecord, toErrorRecord } from '../kernel/error-record.ts';
import { isTellaskError } from '../kernel/errors.ts';
import { isEqual } from '../state/equal.ts';
import type { StateWatch } from '../state/watcher.ts';
import { type Assignment, type Choice, readAssignment } from './assignment.ts';
import {
  NoCapableAgentError,
  TaskFencedError,
  TaskNotFoundError,
  TaskStateError,
} from './errors.ts';
import { verdictOf } from './graph.ts';
import { type ReadyGroup, ReadyTasks } from './ready-tasks.ts';
import { type Changes, Records } from './records.ts';
import { Roster, type Worker } from './roster.ts';
import { Run, stepOf } from './run.ts';
import { hasEnded, isSooner, type Task, type TaskStatus } from './task.ts';
import { type BoardTerms, readBoard, stateOf, type TaskBoardOptions } from './task-options.ts';

/** What the handler's agent answers: how it ended, with nothing thrown. */
export type Outcome =
  | { readonly done: unknown }
  | { readonly failed: ErrorRecord; readonly retry: boolean }
  | { readonly declined: string };

/** Milliseconds until a bus that drains is tried again. */
const DRAIN_MS = 100;

/** Hands tasks out, and sees to it that each of them ends. */
export class Engine implements Lane {
  readonly kind: LaneKind = 'dispatch';
  readonly label: string = 'task board';
  readonly order: number = 0;
  posted: boolean = false;
  readonly bus: MessageBus;
  readonly env: Env;
  readonly terms: BoardTerms;
  readonly records: Records;
  readonly roster: Roster = new Roster();
  readonly runs: Map<string, Run> = new Map();
  readonly #choice: Choice;
  readonly #ready = new ReadyTasks((task) => this.#isReady(task));
  /** Tasks for which bids are asked, or about to be asked again. */
  readonly #bidding = new Map<string, { round: number; timer: Timer | undefined }>();
  /** Who waits for the end of which task. */
  readonly #waiters = new Map<string, Set<Deferred<Task>>>();
  #turn = 0;
  #pause: Timer | undefined;
  #watch: StateWatch | undefined;
  #closed = false;

  constructor(bus: MessageBus, env: Env, options: TaskBoardOptions) {
    this.bus = bus;
    this.env = env;
    this.terms = readBoard(options);
    this.#choice = readAssignment(options.assign ?? 'least-load');
    this.records = new Records(stateOf(options, bus), this.terms.prefix, () => env.wall());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Takes up what a board before this one has left, and whatever another hand writes from now on. */
  resume(): void {
    void this.#follow();
    for (const task of this.records.all()) this.adopt(task);
  }

  /** A store that fails rolls back, a snapshot is restored, a person mends a task by hand. */
  async #follow(): Promise<void> {
    for (;;) {
      const watch = this.records.watch(undefined);
      this.#watch = watch;
      try {
        for await (const { key } of watch) this.#seen(this.records.idOf(key));
        return;
      } catch (error) {
        if (!isTellaskError(error, 'TELLASK_STATE_OVERFLOW')) {
          this.fault(error);
          return;
        }
        for (const { id } of this.records.all()) this.#seen(id);
      }
    }
  }

  #seen(id: string): void {
    if (this.#closed || !this.records.isForeign(id)) return;
    this.#guarded(() => {
      const task = this.records.find(id);
      if (task !== undefined) {
        this.records.index(task);
        this.adopt(task);
        if (hasEnded(task)) this.#considerDependants(id);
        return;
      }
      this.#removed(id);
    });
  }

  /** By another hand: nobody hears of its end, and what depends on it waits no longer. */
  #removed(id: string): void {
    const dependants = this.records.dependantsOf(id);
    this.records.forget(id);
    const run = this.runs.get(id);
    if (run !== undefined) this.endRun(run, 'it was removed');
    for (const waiter of this.#waiters.get(id) ?? []) waiter.reject(new TaskNotFoundError(id));
    this.#waiters.delete(id);
    this.#considerAll(dependants);
  }

  /** Takes a task as it stands in the state, whoever has brought it there. */
  adopt(task: Task): void {
    const run = this.runs.get(task.id);
    if (run?.token === task.token && isWorkedOn(task) && run.fits(task)) return;
    if (run !== undefined) this.endRun(run, 'it was changed by another hand');
    if (hasEnded(task)) this.#tellWaiters(task);
    if (task.status === 'submitted') this.consider(task);
    if (task.status === 'working') this.#watchOver(task);
  }

  /** Somebody has it, and nobody here knows whether he is alive: his lease will tell. */
  #watchOver(task: Task): void {
    const run = new Run(this.env, task, undefined, this.#leaseEnded);
    this.runs.set(task.id, run);
    const leftMs = (task.leaseUntil ?? this.env.wall()) - this.env.wall();
    run.lease(Math.min(Math.max(leftMs, 0), this.terms.leaseMs));
  }

  /** Looks what may become of a task that has not begun. */
  consider(task: Task): void {
    const verdict = verdictOf(task, (id) => this.records.find(id));
    if (verdict.kind === 'skipped') {
      const { id, status } = verdict.because;
      this.end(task, 'canceled', { reason: `it depends on ${id}, which is ${status}` });
    } else if (verdict.kind === 'ready') {
      this.#ready.add(task);
      this.wake();
    }
  }

  /** Looks in a later turn what can be handed out. */
  wake(): void {
    if (!this.#closed && this.#pause === undefined) this.env.post(this);
  }

  run(): void {
    if (this.#closed || this.#pause !== undefined) return;
    try {
      this.#handOut();
    } catch (error) {
      this.fault(error);
    }
  }

  fault(error: unknown): void {
    try {
      this.terms.onFault(error);
    } catch {
      // A fault of the fault listener has nowhere left to go.
    }
  }

  /** The soonest first, until nobody is free who could do what is left. */
  #handOut(): void {
    const aside: Task[] = [];
    let groups = this.#ready.groups();
    while (groups.length > 0) {
      const group = this.#soonest(groups);
      const task = this.#ready.peek(group);
      if (task === undefined) {
        groups = groups.filter((one) => one !== group);
        continue;
      }
      const capable = this.roster.capableOf(task);
      if (!capable.some(({ free }) => free) && task.declinedBy === undefined) {
        groups = groups.filter((one) => one !== group);
        continue;
      }
      group.tasks.pop();
      if (!this.#give(task, capable)) aside.push(task);
    }
    for (const task of aside) this.#ready.add(task);
  }

  #soonest(groups: readonly ReadyGroup[]): ReadyGroup {
    let best = groups[0] as ReadyGroup;
    for (const group of groups) {
      const [task, soonest] = [this.#ready.peek(group), this.#ready.peek(best)];
      if (task === undefined) return group;
      if (soonest !== undefined && isSooner(task, soonest)) best = group;
    }
    return best;
  }

  /** @returns whether something has become of it. */
  #give(task: Task, capable: readonly Worker[]): boolean {
    if (this.#choice.kind === 'bids' && task.assignedTo === undefined) {
      return this.#tender(task, capable, this.#choice);
    }
    const told = task.assignedTo === undefined ? undefined : this.roster.get(task.assignedTo);
    const worker = told ?? this.choose(task, capable, this.#choice);
    if (worker === undefined || !worker.free) return false;
    this.#start(task, worker);
    return true;
  }

  /** Who gets it, of those who are given; what the user's own code throws is nobody. */
  choose(
    task: Task,
    workers: readonly Worker[],
    choice: Choice,
    isFree = (worker: Worker): boolean => worker.free,
  ): Worker | undefined {
    if (choice.kind === 'bids') return undefined;
    try {
      return choice.choose(task, workers, { chance: this.env, isFree });
    } catch (error) {
      this.fault(error);
      return undefined;
    }
  }

  #tender(task: Task, capable: readonly Worker[], terms: Choice & { kind: 'bids' }): boolean {
    if (this.#bidding.has(task.id)) return true;
    const bidders = capable.filter((worker) => worker.bids && worker.free);
    if (bidders.length === 0) return false;
    const tender = { round: 1, timer: undefined };
    this.#bidding.set(task.id, tender);
    void this.#askForBids(task, bidders, terms);
    return true;
  }

  async #askForBids(
    task: Task,
    bidders: readonly Worker[],
    terms: Choice & { kind: 'bids' },
  ): Promise<void> {
    const worker = await this.lowestBid(task, bidders, terms.timeoutMs);
    const tender = this.#bidding.get(task.id);
    if (tender === undefined || this.#closed) return;
    this.#bidding.delete(task.id);
    const now = this.records.find(task.id);
    if (now === undefined || !this.#isReady(now)) return;
    const { kind } = verdictOf(now, (id) => this.records.find(id));
    if (now.assignedTo !== undefined || kind !== 'ready') this.consider(now);
    else if (worker?.free === true && worker.can(now.requirements)) this.#start(now, worker);
    // A bus that drains says nothing: nobody was asked.
    else if (worker !== undefined || this.#pause !== undefined) this.consider(now);
    else this.#noBid(now, tender.round, terms);
  }

  /** Nobody wants it now; soon they are asked again. */
  #noBid(task: Task, round: number, terms: Choice & { kind: 'bids' }): void {
    if (round >= terms.rounds) {
      this.end(task, 'rejected', { reason: 'nobody has made a bid' });
      return;
    }
    const again = (): void => {
      this.#bidding.delete(task.id);
      const now = this.records.find(task.id);
      if (now === undefined || !this.#isReady(now) || this.#closed) return;
      const bidders = this.roster.capableOf(now).filter((one) => one.bids && one.free);
      if (bidders.length === 0) {
        this.consider(now);
        return;
      }
      this.#bidding.set(task.id, { round: round + 1, timer: undefined });
      void this.#askForBids(now, bidders, terms);
    };
    const timer = this.env.setTimer(terms.everyMs, again, {
      keepAlive: true,
      label: `bids for task ${task.id}`,
    });
    this.#bidding.set(task.id, { round, timer });
  }

  /** Asks all for a bid. The lowest wins; between equals whoever has answered first. */
  async lowestBid(
    task: Task,
    bidders: readonly Worker[],
    timeoutMs: number,
  ): Promise<Worker | undefined> {
    try {
      const { ok } = await this.bus.gather(`${this.terms.prefix}.bid`, task, {
        to: bidders.map(({ agent }) => agent),
        timeoutMs,
        headers: { taskId: task.id },
        detached: true,
      });
      let best: { readonly from: string; readonly value: number } | undefined;
      for (const { from, value } of ok) {
        if (typeof value !== 'number' || Number.isNaN(value)) continue;
        if (best === undefined || value < best.value) best = { from, value };
      }
      return best === undefined ? undefined : this.roster.get(best.from);
    } catch (error) {
      if (isTellaskError(error, 'TELLASK_CLOSED')) this.#waitForBus();
      return undefined;
    }
  }

  /** Who is to do a task that somebody delegates: rather who is free than who has to end something. */
  async delegated(task: Task, assign: Assignment | undefined): Promise<Worker> {
    const choice = assign === undefined ? this.#choice : readAssignment(assign);
    const capable = this.roster.capableOf(task).filter(({ healthy }) => healthy);
    if (capable.length === 0) throw new NoCapableAgentError(task.id, 'nobody is there who can');
    const worker =
      choice.kind === 'bids'
        ? await this.lowestBid(
            task,
            capable.filter(({ bids }) => bids),
            choice.timeoutMs,
          )
        : (this.choose(task, capable, choice) ?? this.choose(task, capable, choice, () => true));
    if (worker !== undefined) return worker;
    const why = choice.kind === 'bids' ? 'nobody has made a bid' : 'nobody was chosen';
    throw new NoCapableAgentError(task.id, why);
  }

  /** How long it will take an agent, with what it has to do before; undefined before the first. */
  estimateMs(task: Task, worker: Worker): number | undefined {
    const mean = worker.estimateMs(task);
    if (mean === undefined) return undefined;
    const own = task.assignedTo === worker.agent && this.#isReady(task) ? 1 : 0;
    const before = worker.working + this.#ready.assignedTo(worker.agent) - own;
    return mean * (1 + Math.floor(Math.max(before, 0) / worker.concurrency));
  }

  /** Writes first and asks then: who dies in between leaves a lease that ends. */
  #start(task: Task, worker: Worker): void {
    const wall = this.env.wall();
    const { leaseMs } = this.terms;
    const given = this.records.move(task, 'working', {
      assignee: worker.agent,
      token: task.token + 1,
      attempt: task.attempt + 1,
      leaseUntil: leaseMs === Infinity ? undefined : wall + leaseMs,
      startedAt: task.startedAt ?? wall,
      reason: undefined,
      progress: undefined,
    });
    this.#turn += 1;
    worker.turn = this.#turn;
    worker.tasks.add(given.id);
    const run = new Run(this.env, given, worker, this.#leaseEnded);
    this.runs.set(given.id, run);
    run.lease(leaseMs);
    this.say(given, 'assigned');
    this.#ask(given, run);
  }

  #ask(task: Task, run: Run): void {
    const options = {
      to: run.agent,
      timeoutMs: Infinity,
      priority: task.priority,
      idempotencyKey: `${this.terms.prefix}/${task.id}`,
      headers: { taskId: task.id },
      signal: run.cancellation.signal,
      detached: true,
      onProgress: (update: unknown) => this.#progressed(run, update),
    };
    this.bus.request(`${this.terms.prefix}.work`, task, options).then(
      (outcome) => this.#guarded(() => this.#answered(run, outcome as Outcome)),
      (error: unknown) => this.#guarded(() => this.#gone(run, error)),
    );
  }

  #guarded(fn: () => void): void {
    try {
      fn();
    } catch (error) {
      this.fault(error);
    }
  }

  /** @throws TaskFencedError `TELLASK_TASK_FENCED` */
  check(run: Run): void {
    if (run.over !== undefined) {
      throw new TaskFencedError(run.id, run.agent, run.token, run.over);
    }
    if (this.#taskOf(run) === undefined) {
      throw new TaskFencedError(run.id, run.agent, run.token, 'it was changed by another hand');
    }
  }

  /** The task, if the run is still what happens to it: the token in the state decides. */
  #taskOf(run: Run): Task | undefined {
    if (run.over !== undefined) return undefined;
    const task = this.records.find(run.id);
    if (task?.token !== run.token) return undefined;
    return isWorkedOn(task) ? task : undefined;
  }

  #progressed(run: Run, update: unknown): void {
    const task = this.#taskOf(run);
    if (task?.status !== 'working') return;
    const { leaseMs } = this.terms;
    run.lease(leaseMs);
    this.#guarded(() => {
      const until = leaseMs === Infinity ? undefined : this.env.wall() + leaseMs;
      const news = update === undefined ? {} : { progress: update };
      const amended = this.records.amend(task, { ...news, leaseUntil: until });
      if (update !== undefined) this.say(amended, 'progress');
    });
  }

  #answered(run: Run, outcome: Outcome): void {
    run.settled = true;
    const task = this.#taskOf(run);
    if (task === undefined) {
      this.endRun(run, 'it was changed by another hand');
      return;
    }
    const { worker } = run;
    if ('done' in outcome) {
      worker?.measured(task, run.workedMs);
      if (worker !== undefined) worker.tally.completed += 1;
      this.end(task, 'completed', outcome.done === undefined ? {} : { result: outcome.done });
    } else if ('declined' in outcome) {
      this.#declined(task, run, outcome.declined);
    } else {
      if (worker !== undefined) worker.tally.failed += 1;
      const changes = {
        error: outcome.failed,
        lostBy: run.agent,
        reason: 'its handler has thrown',
      };
      if (outcome.retry && task.attempt < task.maxAttempts) this.#requeue(task, run, changes);
      else this.end(task, 'failed', changes);
    }
  }

  /** Somebody else may want it; when nobody is left who could, nobody does. */
  #declined(task: Task, run: Run, reason: string): void {
    const declinedBy = [...(task.declinedBy ?? []), run.agent];
    const changes = { declinedBy, assignedTo: undefined, reason };
    const others = this.roster.capableOf({ requirements: task.requirements, declinedBy });
    if (others.length > 0 && task.attempt < task.maxAttempts) this.#requeue(task, run, changes);
    else this.end(task, 'rejected', changes);
  }

  /** The one who had it did not answer: he has left, hangs, or never got it. */
  #gone(run: Run, error: unknown): void {
    const task = this.#taskOf(run);
    if (task === undefined) {
      this.endRun(run, 'it was changed by another hand');
    } else if (isTellaskError(error, 'TELLASK_CLOSED')) {
      // The bus says nothing now: it was not the agent's fault.
      this.#requeue(task, run, { attempt: task.attempt - 1, reason: 'the bus was closed' });
      this.#waitForBus();
    } else {
      this.#lost(task, run, `${run.agent} did not answer: ${toErrorRecord(error).message}`);
    }
  }

  readonly #leaseEnded = (run: Run): void => {
    this.#guarded(() => {
      const task = this.#taskOf(run);
      if (task !== undefined) this.#lost(task, run, `the lease of ${run.agent} was over`);
    });
  };

  #lost(task: Task, run: Run, reason: string): void {
    if (run.worker !== undefined) run.worker.tally.lost += 1;
    if (task.status === 'input-required') {
      // Somebody else goes on when the person has answered.
      this.endRun(run, reason);
      this.records.amend(task, { assignee: undefined, lostBy: run.agent, reason });
    } else if (task.attempt < task.maxAttempts) {
      this.#requeue(task, run, { lostBy: run.agent, reason });
    } else {
      this.end(task, 'failed', { reason: `${reason}, and it was its last attempt` });
    }
  }

  /** Takes it away and puts it back. */
  #requeue(task: Task, run: Run, changes: Changes): void {
    const back = this.records.move(task, 'submitted', {
      assignee: undefined,
      leaseUntil: undefined,
      ...changes,
    });
    this.endRun(run, String(changes.reason ?? 'it was taken away'));
    this.say(back, 'requeued');
    this.consider(back);
    this.wake();
  }

  /** Takes away what a worker has, since it does not seem to be well. */
  takeFrom(worker: Worker, reason: string): void {
    for (const id of [...worker.tasks]) {
      const run = this.runs.get(id);
      const task = run && this.#taskOf(run);
      if (run !== undefined && task !== undefined) this.#lost(task, run, reason);
    }
  }

  /** Its last state; what depends on it is looked at. */
  end(task: Task, status: TaskStatus, changes: Changes = {}): Task {
    const ended = this.records.move(task, status, {
      leaseUntil: undefined,
      question: undefined,
      ...changes,
    });
    const tender = this.#bidding.get(task.id);
    tender?.timer?.cancel();
    this.#bidding.delete(task.id);
    const run = this.runs.get(task.id);
    if (run !== undefined) this.endRun(run, `it is ${status}`);
    this.say(ended, status);
    this.#tellWaiters(ended);
    this.#considerDependants(task.id);
    this.wake();
    return ended;
  }

  #considerDependants(id: string): void {
    this.#considerAll(this.records.dependantsOf(id));
  }

  #considerAll(ids: readonly string[]): void {
    for (const other of ids) {
      const dependant = this.records.find(other);
      if (dependant?.status === 'submitted') this.consider(dependant);
    }
  }

  endRun(run: Run, why: string): void {
    if (this.runs.get(run.id) === run) this.runs.delete(run.id);
    if (run.over !== undefined) return;
    run.end(why, run.settled ? undefined : new TaskFencedError(run.id, run.agent, run.token, why));
    this.wake();
  }

  /** Asks a person on behalf of a handler; what was answered before is known. */
  requestInput(run: Run, question: unknown): Promise<unknown> {
    this.check(run);
    const task = this.records.get(run.id);
    if (run.waits) throw new TaskStateError(task.id, task.status, 'input-required');
    const answers = task.answers ?? [];
    const known = answers[run.asked];
    if (known !== undefined && isEqual(known.question, question ?? null)) {
      run.asked += 1;
      return Promise.resolve(known.answer);
    }
    const waiting = this.records.move(task, 'input-required', {
      question: question ?? null,
      answers: answers.slice(0, run.asked),
      leaseUntil: undefined,
    });
    run.asked += 1;
    const answer = run.waitForAnswer();
    this.say(waiting, 'input-required');
    return answer;
  }

  provideInput(task: Task, value: unknown): Task {
    if (task.status !== 'input-required') {
      throw new TaskStateError(task.id, task.status, 'working');
    }
    const answer = { question: task.question ?? null, answer: value ?? null };
    const changes = { answers: [...(task.answers ?? []), answer], question: undefined };
    const run = this.runs.get(task.id);
    if (run === undefined) {
      const back = this.records.move(task, 'submitted', { ...changes, assignee: undefined });
      this.say(back, 'resumed');
      this.consider(back);
      return back;
    }
    const { leaseMs } = this.terms;
    const leaseUntil = leaseMs === Infinity ? undefined : this.env.wall() + leaseMs;
    const resumed = this.records.move(task, 'working', { ...changes, leaseUntil });
    run.lease(leaseMs);
    run.answer(resumed.answers?.at(-1)?.answer);
    this.say(resumed, 'resumed');
    return resumed;
  }

  /** Tells whoever listens. The state knows it, whether somebody hears it or not. */
  say(task: Task, event: string): void {
    try {
      const { prefix } = this.terms;
      // It is the board that speaks, even when a handler has made it do so.
      const options = { type: 'status', headers: { taskId: task.id }, detached: true } as const;
      this.bus.publish(`${prefix}.${task.id}.${event}`, task, options);
    } catch (error) {
      const expected = ['TELLASK_CLOSED', 'TELLASK_UNKNOWN_TOPIC'] as const;
      if (!expected.some((code) => isTellaskError(error, code))) this.fault(error);
    }
  }

  /** Lets go of everything: what somebody works on can be handed out by the next board. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pause?.cancel();
    void this.#watch?.return();
    for (const { timer } of this.#bidding.values()) timer?.cancel();
    this.#bidding.clear();
    for (const run of [...this.runs.values()]) this.#guarded(() => this.#letGo(run));
    for (const worker of this.roster.all()) this.roster.remove(worker);
    for (const waiters of this.#waiters.values()) {
      for (const waiter of waiters) waiter.reject(new ClosedError('the end of a task'));
    }
    this.#waiters.clear();
  }

  /** What another board had handed out keeps its lease. */
  #letGo(run: Run): void {
    const task = this.#taskOf(run);
    this.endRun(run, 'the board was closed');
    if (task === undefined || run.worker === undefined) return;
    const changes = { assignee: undefined, leaseUntil: undefined, reason: 'the board was closed' };
    if (task.status === 'working') {
      this.records.move(task, 'submitted', { ...changes, attempt: task.attempt - 1 });
    } else {
      this.records.amend(task, changes);
    }
  }

  /** A bus that drains opens again, unless it is to be closed. */
  #waitForBus(): void {
    if (this.#closed || this.#pause !== undefined) return;
    const again = (): void => {
      this.#pause = undefined;
      this.wake();
    };
    this.#pause = this.env.setTimer(DRAIN_MS, again, {
      keepAlive: true,
      label: 'task board waits for its bus',
    });
  }

  /** Whether it waits for others. */
  isBlocked(task: Task): boolean {
    if (task.status !== 'submitted') return false;
    return verdictOf(task, (id) => this.records.find(id)).kind === 'waiting';
  }

  /** Resolves when the task has ended; rejects when the board does first. */
  ended(id: string, signal: AbortSignal | undefined): Promise<Task> {
    const task = this.records.get(id);
    if (hasEnded(task)) return Promise.resolve(task);
    signal?.throwIfAborted();
    if (this.#closed) throw new ClosedError('the end of a task');
    const waiter = new Deferred<Task>();
    const waiters = this.#waiters.get(id) ?? new Set();
    this.#waiters.set(id, waiters.add(waiter));
    if (signal === undefined) return waiter.promise;
    const off = onAbort(signal, (reason) => {
      waiters.delete(waiter);
      waiter.reject(reason);
    });
    waiter.promise.then(off, off);
    return waiter.promise;
  }

  #tellWaiters(task: Task): void {
    const waiters = this.#waiters.get(task.id);
    if (waiters === undefined) return;
    this.#waiters.delete(task.id);
    const tell = (): void => {
      for (const waiter of waiters) waiter.resolve(task);
    };
    this.env.post(stepOf(`end of task ${task.id}`, tell));
  }

  #isReady(task: Task): boolean {
    return task.status === 'submitted' && this.records.holds(task);
  }
}

function isWorkedOn({ status }: Task): boolean {
  return status === 'working' || status === 'input-required';
}
