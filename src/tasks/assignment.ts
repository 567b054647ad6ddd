import type { Selection, SelectionCall } from '../delivery/selection.ts';
import { misuse } from '../kernel/errors.ts';
import { readCount } from '../kernel/read-count.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { sticky } from '../selection/sticky.ts';
import type { TaskWorker, Worker } from './roster.ts';
import type { Task } from './task.ts';

/** How bids are asked for. */
export interface BidOptions {
  /** Milliseconds for a bid. @default 1_000 */
  readonly timeoutMs?: number;
  /** How often all are asked before the task is `rejected`. @default 3 */
  readonly rounds?: number;
  /** Milliseconds between two rounds. @default 1_000 */
  readonly everyMs?: number;
}

/** Says how much speaks for giving a task to somebody. */
export interface TaskScorer {
  /** Greater is better; `undefined` for one who is not to have it. What it throws is nobody. */
  score(task: Task, worker: TaskWorker): number | undefined;
}

/**
 * Who of those who can do a task gets it.
 *
 * - `least-load`: the free one with the fewest tasks for its concurrency, in turn between equals
 * - `sticky`: the same agent for the same `key` of a task, also when that means to wait for it
 * - `{ score }`: the free one with the highest score; who has none is not given it
 * - `{ bids }`: all who are free and bid are asked, and the lowest bid gets it (contract net)
 * - a strategy that requests take, too, such as `roundRobin()` or `weighted()`
 */
export type Assignment =
  | 'least-load'
  | 'sticky'
  | TaskScorer
  | { readonly bids: BidOptions }
  | Selection;

/** A checked assignment. */
export type Choice =
  | {
      readonly kind: 'now';
      choose(task: Task, workers: readonly Worker[], terms: ChoiceTerms): Worker | undefined;
    }
  | ({ readonly kind: 'bids' } & Required<BidOptions>);

/** How one choice is made. */
export interface ChoiceTerms {
  readonly chance: Pick<SelectionCall, 'random' | 'now'>;
  /** Whether somebody comes into question now. */
  readonly isFree: (worker: Worker) => boolean;
}

const BID_OPTIONS: ReadonlySet<string> = new Set<keyof BidOptions>([
  'timeoutMs',
  'rounds',
  'everyMs',
]);
const EXPECTED = "'least-load', 'sticky', { score }, { bids } or a strategy such as roundRobin()";

/** @throws TypeError, RangeError for what is no assignment. */
export function readAssignment(assign: Assignment): Choice {
  if (assign === 'least-load') return { kind: 'now', choose: leastLoad };
  if (assign === 'sticky') return { kind: 'now', choose: sameForKey };
  if (typeof assign !== 'object' || assign === null) throw misuse('assign', EXPECTED, assign);
  if ('bids' in assign) return readBids(assign.bids);
  if ('score' in assign && typeof assign.score === 'function') {
    const { score } = assign;
    return {
      kind: 'now',
      choose: (task, workers, terms) => highest(workers, terms, (worker) => score(task, worker)),
    };
  }
  if ('choose' in assign && typeof assign.choose === 'function') return selecting(assign);
  throw misuse('assign', EXPECTED, assign);
}

function readBids(options: BidOptions): Choice {
  if (typeof options !== 'object' || options === null) {
    throw misuse('bids', 'an object such as { timeoutMs: 1_000 }', options);
  }
  refuseUnknown(options, BID_OPTIONS, 'bids');
  const { timeoutMs = 1_000, rounds = 3, everyMs = 1_000 } = options;
  return {
    kind: 'bids',
    timeoutMs: readCount('timeoutMs', timeoutMs, 0),
    rounds: readCount('rounds', rounds, 1),
    everyMs: readCount('everyMs', everyMs, 1),
  };
}

/** Of those who are free. Whoever was lost with the task is the last choice. */
function leastLoad(task: Task, workers: readonly Worker[], terms: ChoiceTerms): Worker | undefined {
  return highest(workers, terms, (worker) => {
    const load = worker.concurrency === Infinity ? 0 : worker.working / worker.concurrency;
    return worker.agent === task.lostBy ? -2 - load : -load;
  });
}

/** The highest score wins; between equals who has least to do else, then whose turn it is. */
function highest(
  workers: readonly Worker[],
  { isFree }: ChoiceTerms,
  scoreOf: (worker: Worker) => number | undefined,
): Worker | undefined {
  let best: { readonly worker: Worker; readonly score: number } | undefined;
  for (const worker of workers) {
    if (!isFree(worker)) continue;
    const score = scoreOf(worker);
    if (score === undefined || Number.isNaN(score)) continue;
    if (best !== undefined && score < best.score) continue;
    if (best === undefined || score > best.score || isBefore(worker, best.worker))
      best = { worker, score };
  }
  return best?.worker;
}

/** Of two that are otherwise equal. */
function isBefore(a: Worker, b: Worker): boolean {
  const [busyA, busyB] = [a.queued, b.queued];
  return busyA === busyB ? a.turn < b.turn : busyA < busyB;
}

const BY_KEY = sticky(({ payload }) => (payload as Task).key);

/** It belongs to one of all who can, whether that one is free or not. */
function sameForKey(
  task: Task,
  workers: readonly Worker[],
  terms: ChoiceTerms,
): Worker | undefined {
  if (task.key === undefined) return leastLoad(task, workers, terms);
  const healthy = workers.filter((worker) => worker.healthy);
  const chosen = select(BY_KEY, task, healthy, terms);
  return chosen !== undefined && terms.isFree(chosen) ? chosen : undefined;
}

function selecting(selection: Selection): Choice {
  return {
    kind: 'now',
    choose: (task, workers, terms) => {
      const free = workers.filter((worker) => terms.isFree(worker));
      return select(selection, task, free, terms);
    },
  };
}

function select(
  selection: Selection,
  task: Task,
  workers: readonly Worker[],
  { chance }: ChoiceTerms,
): Worker | undefined {
  if (workers.length === 0) return undefined;
  const candidates = workers.map((worker) => ({
    agent: worker.agent,
    outstanding: worker.working,
    concurrency: worker.concurrency,
    paused: false,
  }));
  const call: SelectionCall = {
    topic: 'task',
    payload: task,
    from: task.creator,
    random: () => chance.random(),
    now: () => chance.now(),
  };
  const chosen = selection.choose(candidates, call);
  return chosen === undefined ? undefined : workers[candidates.indexOf(chosen)];
}
