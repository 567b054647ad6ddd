import type { Voice } from '../delivery/context.ts';
import type { Env } from '../kernel/env.ts';
import { envOf } from '../kernel/env-of.ts';
import { misuse } from '../kernel/errors.ts';
import { realEnv } from '../kernel/real-env.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import type { Store } from '../stores/store.ts';
import type { SagaStage } from './journal.ts';
import type { OnSagaProgress } from './progress.ts';

/** Options of `run`. */
export interface SagaRunOptions<C extends ContractShape = AnyContract> {
  /**
   * Who speaks in the steps: an agent's handle, or the context of a handler, whose conversation and
   * cancellation the saga inherits then. Steps that only call functions need nobody.
   */
  readonly as?: Voice<C>;
  /** Where the saga is kept. @default the memory of this definition, for the last 250 that ended */
  readonly store?: Store;
  /** Cancels it: what was done is undone, unless the pivot has begun. */
  readonly signal?: AbortSignal;
  /** Hears how it goes on. What it throws changes nothing. */
  readonly onProgress?: OnSagaProgress;
  /**
   * Milliseconds after which another may take it up when this process says nothing any more; it is
   * renewed three times as often. @default 30_000
   */
  readonly leaseMs?: number;
  /** Milliseconds that the store has for an answer. Keep it below two thirds of the lease. @default 10_000 */
  readonly storeTimeoutMs?: number;
  /** How often it is taken up without getting any further; then it is parked. @default 3 */
  readonly maxRecoveries?: number;
  /** Where time comes from. @default that of `as`, else the real one */
  readonly env?: Env;
}

/** Options of `resume`. */
export interface SagaResumeOptions<C extends ContractShape = AnyContract>
  extends SagaRunOptions<C> {
  /**
   * Tries once more what it ended with: a parked saga goes on, compensations that failed run again,
   * and behind the pivot the steps that failed. @default false
   */
  readonly force?: boolean;
  /** Does not wait for another's lease to end: when you know that he is gone. @default false */
  readonly takeOver?: boolean;
}

/** Options of `list`. */
export interface SagaListOptions {
  /** @default the memory of this definition */
  readonly store?: Store;
  /** Only sagas that are so far. @default all */
  readonly status?: SagaStage | 'unreadable';
  /** Only sagas whose id comes behind this one in the store. */
  readonly after?: string;
  /** At most so many. @default Infinity */
  readonly limit?: number;
}

/** Checked options of `run` and `resume`. */
export interface Terms {
  readonly voice: Voice | undefined;
  readonly env: Env;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: OnSagaProgress | undefined;
  readonly leaseMs: number;
  readonly storeTimeoutMs: number;
  readonly maxRecoveries: number;
  readonly force: boolean;
  readonly takeOver: boolean;
}

const RUN = [
  'as',
  'store',
  'signal',
  'onProgress',
  'leaseMs',
  'storeTimeoutMs',
  'maxRecoveries',
  'env',
] as const;
const OF_RUN: ReadonlySet<string> = new Set(RUN);
const OF_RESUME: ReadonlySet<string> = new Set([...RUN, 'force', 'takeOver']);
const OF_LIST: ReadonlySet<string> = new Set(['store', 'status', 'after', 'limit']);

/** Checks the options of `run` and `resume` and fills in what they leave out. */
export function readTerms(verb: 'run' | 'resume', options: SagaResumeOptions): Terms {
  checkObject(verb, options);
  refuseUnknown(options, verb === 'run' ? OF_RUN : OF_RESUME, verb);
  const { as, signal, onProgress, env, force = false, takeOver = false } = options;
  const { leaseMs = 30_000, storeTimeoutMs = 10_000, maxRecoveries = 3 } = options;
  if (as !== undefined && typeof as?.request !== 'function') {
    throw misuse('as', 'an agent, a context or a bus', as);
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw misuse('onProgress', 'a function', onProgress);
  }
  checkStore(options.store);
  const voice = as as Voice | undefined;
  return {
    voice,
    env: env ?? envOf(as) ?? realEnv(),
    signal,
    onProgress,
    leaseMs: checkLease(leaseMs),
    storeTimeoutMs: checkFrom('storeTimeoutMs', storeTimeoutMs),
    maxRecoveries: checkFrom('maxRecoveries', maxRecoveries),
    force,
    takeOver,
  };
}

/** Checks the options of `list`. */
export function checkListOptions(options: SagaListOptions): void {
  checkObject('list', options);
  refuseUnknown(options, OF_LIST, 'list');
  checkStore(options.store);
  if (options.limit !== undefined) checkFrom('limit', options.limit);
}

function checkObject(verb: string, options: object): void {
  if (typeof options !== 'object' || options === null) {
    throw misuse(`The options of ${verb}`, 'an object', options);
  }
}

function checkStore(store: Store | undefined): void {
  if (store !== undefined && typeof store?.commit !== 'function') {
    throw misuse('store', 'a Store', store);
  }
}

/** It is written down as an instant, and JSON has no endless one. */
function checkLease(value: number): number {
  if (value === Infinity) throw new RangeError('leaseMs must be finite, but it is Infinity');
  return checkFrom('leaseMs', value);
}

function checkFrom(option: string, value: number): number {
  if (typeof value !== 'number') throw misuse(option, 'a number', value);
  if (!(value >= 0)) throw new RangeError(`${option} must be 0 or more, but it is ${value}`);
  return value;
}
