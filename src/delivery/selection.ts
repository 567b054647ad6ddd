import { misuse } from '../kernel/errors.ts';
import type { Subscription } from './subscription.ts';
import type { Worker } from './worker.ts';

/** One of those who could answer, as a strategy sees it. */
export interface Candidate {
  readonly agent: string;
  /** Deliveries that it has not ended: running, queued and waiting. */
  readonly outstanding: number;
  /** Handlers that it may run at a time. */
  readonly concurrency: number;
  /** It takes nothing until it is resumed. */
  readonly paused: boolean;
}

/** The request that somebody is chosen for. */
export interface SelectionCall {
  readonly topic: string;
  readonly payload: unknown;
  readonly from: string;
  /** From 0 up to, not including, 1: the chance of the bus, so that a test repeats it. */
  random(): number;
  /** Monotonic milliseconds. */
  now(): number;
}

/**
 * Says whom a request goes to. A value of this kind is passed as `select` to a call, or to the bus
 * for all calls; what it learns it keeps, so share one where calls are to share what they learn.
 */
export interface Selection {
  readonly name: string;
  /**
   * One of the candidates, who are one or more and in the order in which they came to serve;
   * `undefined` when none of them will do: then nobody is asked.
   */
  choose(candidates: readonly Candidate[], call: SelectionCall): Candidate | undefined;
  /** Hears how a request has ended that it chose for. What it throws is reported as a fault. */
  settled?(agent: string, end: SelectionEnd): void;
  /** Why each candidate would be taken or not, in a few words; changes nothing. */
  explain?(candidates: readonly Candidate[], call: SelectionCall): readonly string[];
}

/** How a request has ended, for a strategy that learns. */
export interface SelectionEnd {
  /** `withdrawn`: the caller did not want it any more, which says nothing about who was asked. */
  readonly how: 'answered' | 'failed' | 'withdrawn';
  /** Milliseconds since it was asked. */
  readonly ms: number;
  readonly error?: unknown;
}

/** A candidate with what is behind it. */
export class Nominee implements Candidate {
  readonly agent: string;
  readonly outstanding: number;
  readonly concurrency: number;
  readonly paused: boolean;
  readonly subscription: Subscription;

  constructor(subscription: Subscription) {
    const worker = subscription.home as Worker;
    this.agent = subscription.owner;
    this.outstanding = worker.outstanding;
    this.concurrency = worker.options.concurrency;
    this.paused = worker.status === 'paused';
    this.subscription = subscription;
  }
}

/** Lets a strategy choose among those who serve. */
export function selected(
  selection: Selection,
  subscriptions: readonly Subscription[],
  call: SelectionCall,
): Subscription | undefined {
  if (subscriptions.length === 0) return undefined;
  const nominees = subscriptions.map((subscription) => new Nominee(subscription));
  const chosen = selection.choose(nominees, call);
  if (chosen === undefined) return undefined;
  const nominee = nominees.find((one) => one === chosen);
  if (nominee !== undefined) return nominee.subscription;
  throw misuse(`The choice of ${selection.name}`, 'one of the candidates, or undefined', chosen);
}

/** @throws TypeError for what is no strategy. */
export function checkSelection(select: Selection | undefined): Selection | undefined {
  if (select === undefined || typeof select?.choose === 'function') return select;
  throw misuse('select', 'a strategy such as roundRobin(), with choose(candidates, call)', select);
}
