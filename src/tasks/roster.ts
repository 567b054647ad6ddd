import type { Agent, SubscriptionHandle } from '../agents/agent.ts';
import { requirementKey } from './ready-tasks.ts';
import type { Task, TaskRequirements } from './task.ts';

/** Someone who works for the board, as a scorer sees it. */
export interface TaskWorker {
  readonly agent: string;
  readonly capabilities: readonly string[];
  readonly tags: readonly string[];
  /** Tasks that it may have at a time. */
  readonly concurrency: number;
  /** Tasks that it has. */
  readonly working: number;
  readonly completed: number;
  readonly failed: number;
  /** How often a task was taken away from it: the lease was over, or it left and came back. */
  readonly lost: number;
  /** How long it takes for such a task, as measured; undefined before the first. */
  estimateMs(task: Pick<Task, 'requirements'>): number | undefined;
}

/** What a worker has said about itself. */
export interface WorkerTerms {
  readonly capabilities: readonly string[];
  readonly tags: readonly string[];
  readonly concurrency: number;
  readonly bids: boolean;
}

/** What has become of the tasks that it had. */
interface Tally {
  completed: number;
  failed: number;
  lost: number;
}

/** In these nothing is taken out of the mailbox of an agent. */
const AWAY: ReadonlySet<string> = new Set(['paused', 'starting', 'restarting']);

/** How much the newest measurement counts. */
const NEWEST = 0.3;

/** Someone who works for the board. */
export class Worker implements TaskWorker {
  readonly agent: string;
  readonly capabilities: readonly string[];
  readonly tags: readonly string[];
  readonly concurrency: number;
  readonly bids: boolean;
  /** The tasks that it has. */
  readonly tasks: Set<string>;
  /** The subscriptions by which it is asked. */
  readonly handles: SubscriptionHandle[] = [];
  readonly tally: Tally;
  healthy: boolean = true;
  /** Its agent has begun another life, which may work for the board in its place. */
  restarted: boolean = false;
  /** In which turn it was given a task last. */
  turn: number = 0;
  readonly #handle: Agent;
  readonly #means: Map<string, number>;

  /** @param before The same agent in its last life: its tasks and what was measured are its heir's. */
  constructor(handle: Agent, terms: WorkerTerms, before?: Worker) {
    this.#handle = handle;
    this.tasks = before?.tasks ?? new Set();
    this.tally = before?.tally ?? { completed: 0, failed: 0, lost: 0 };
    this.#means = before === undefined ? new Map() : before.#means;
    this.healthy = before?.healthy ?? true;
    this.agent = handle.name;
    this.capabilities = terms.capabilities;
    this.tags = terms.tags;
    this.concurrency = terms.concurrency;
    this.bids = terms.bids;
  }

  get working(): number {
    return this.tasks.size;
  }

  get completed(): number {
    return this.tally.completed;
  }

  get failed(): number {
    return this.tally.failed;
  }

  get lost(): number {
    return this.tally.lost;
  }

  /** Whether it can still be asked: its agent may have ended that without leaving. */
  get reachable(): boolean {
    return this.handles.some(({ active }) => active);
  }

  /** Whether it could begin one more now. */
  get free(): boolean {
    if (!this.healthy || this.tasks.size >= this.concurrency || !this.reachable) return false;
    return !AWAY.has(this.#handle.inspect().status);
  }

  /** What else waits for it on the bus. */
  get queued(): number {
    const { queued, running } = this.#handle.inspect();
    return queued + running;
  }

  can({ capability, tags = [] }: TaskRequirements): boolean {
    if (capability !== undefined && !this.capabilities.includes(capability)) return false;
    return tags.every((tag) => this.tags.includes(tag));
  }

  estimateMs({ requirements }: Pick<Task, 'requirements'>): number | undefined {
    return this.#means.get(requirementKey(requirements));
  }

  /** It has completed such a task. */
  measured({ requirements }: Task, ms: number): void {
    const key = requirementKey(requirements);
    const before = this.#means.get(key);
    this.#means.set(key, before === undefined ? ms : before + NEWEST * (ms - before));
  }
}

/** All who work for the board, in the order in which they came. */
export class Roster {
  readonly #workers = new Map<string, Worker>();

  get(agent: string): Worker | undefined {
    return this.#workers.get(agent);
  }

  add(worker: Worker): void {
    this.#workers.set(worker.agent, worker);
  }

  /** @returns whether it was there. */
  remove(worker: Worker): boolean {
    if (this.#workers.get(worker.agent) !== worker) return false;
    for (const handle of worker.handles) handle.unsubscribe();
    return this.#workers.delete(worker.agent);
  }

  all(): Worker[] {
    return [...this.#workers.values()];
  }

  /** Who could be given a task: who was told to do it, else all who can and have not declined it. */
  capableOf(task: Pick<Task, 'requirements' | 'assignedTo' | 'declinedBy'>): Worker[] {
    const told = task.assignedTo === undefined ? undefined : this.get(task.assignedTo);
    if (told !== undefined) return [told];
    const capable: Worker[] = [];
    for (const worker of this.#workers.values()) {
      if (!worker.can(task.requirements)) continue;
      if (task.declinedBy?.includes(worker.agent) !== true) capable.push(worker);
    }
    return capable;
  }
}
