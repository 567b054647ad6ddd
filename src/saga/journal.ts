import type { ErrorRecord } from '../kernel/error-record.ts';

/*
 * What a store keeps of a saga: one value under `saga/<name>/<id>`, the JSON of a SagaJournal. It is
 * written anew, with the version it had as `expectedVersion`, before a step is begun and when it has
 * ended; what one ended and the next begins is one commit. Whoever finds it can go on from it.
 */

/** What JSON can say. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/**
 * How a saga ended.
 *
 * - `completed`: every step is done.
 * - `compensated`: a step failed, and every step that had or may have had an effect is undone.
 * - `cancelled`: the signal aborted, and every such step is undone.
 * - `compensation-failed`: at least one effect may stand: `uncompensated` has the steps.
 * - `failed-after-pivot`: the pivot's outcome is unknown, or a step behind it failed for good.
 *   Nothing is undone.
 * - `parked`: it was taken up too often without getting any further. Nobody works on it.
 */
export type SagaStatus =
  | 'completed'
  | 'compensated'
  | 'compensation-failed'
  | 'failed-after-pivot'
  | 'cancelled'
  | 'parked';

/** Also of one that has not ended; whether somebody works on it, its lease says. */
export type SagaStage = SagaStatus | 'running' | 'compensating';

/**
 * How far a step is. A step that is not in the journal was never begun.
 *
 * - `started`: it was, or is, about to run. Whoever finds it so cannot know whether it did.
 * - `completed`: it returned.
 * - `failed`: it failed without an effect.
 * - `unknown`: it failed, and may have had its effect all the same.
 * - `undoing`: its compensation was, or is, about to run.
 * - `undone`, `undo-failed`: how the compensation ended.
 */
export type SagaStepState =
  | 'started'
  | 'completed'
  | 'failed'
  | 'unknown'
  | 'undoing'
  | 'undone'
  | 'undo-failed';

/** One step in the journal. */
export interface SagaStepRecord {
  readonly state: SagaStepState;
  /** What it returned; left out when that was `undefined`, or nothing is known. */
  readonly result?: Json;
  /** Why it failed. */
  readonly error?: ErrorRecord;
  /** How often it was called by whoever saw it end. */
  readonly attempts?: number;
  /** Somebody began it and never wrote down how it ended: it may have had its effect then. */
  readonly interrupted?: true;
  /** Why its compensation failed. */
  readonly undoError?: ErrorRecord;
  readonly undoAttempts?: number;
}

/** Why a saga does not go on to its next step. The first reason stays. */
export interface SagaStop {
  readonly cause: 'failed' | 'cancelled';
  /** The key of the step that failed. */
  readonly step?: string;
  readonly error: ErrorRecord;
  /** What was done has to be undone: the pivot had not been reached. */
  readonly undo: boolean;
}

/** What is stored of one saga. */
export interface SagaJournal {
  readonly format: 1;
  readonly saga: string;
  readonly id: string;
  /** The fingerprint of the definition: names, groups and the pivot. */
  readonly shape: string;
  /** Left out when it was `undefined`. */
  readonly input?: Json;
  readonly status: SagaStage;
  /** By key: `flight`, and `extras/hotel` for a member of a group. */
  readonly steps: Readonly<Record<string, SagaStepRecord>>;
  readonly stop?: SagaStop;
  /** Who works on it; left out when nobody does. */
  readonly owner?: string;
  /** Epoch milliseconds after which another may take it up. */
  readonly leaseEndsAt?: number;
  /** How often it was taken up since it last got any further. */
  readonly recoveries: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly updatedAt: number;
}

/** What becomes of a journal when something has happened. */
export type Change = (journal: SagaJournal) => SagaJournal;

/** Whether nobody has to do anything any more. */
export function isOver({ status }: Pick<SagaJournal, 'status'>): boolean {
  return status !== 'running' && status !== 'compensating';
}

/** The steps are about to run. One that was begun before stays as it is. */
export function begun(keys: readonly string[]): Change {
  return (journal) => {
    const fresh = keys.filter((key) => journal.steps[key] === undefined);
    return withSteps(journal, fresh, () => ({ state: 'started' }));
  };
}

/** The step was not run after all. */
export function withdrawn(key: string): Change {
  return (journal) => {
    if (journal.steps[key]?.interrupted === true) return journal;
    const { [key]: _, ...steps } = journal.steps;
    return { ...journal, steps };
  };
}

export function completed(key: string, result: Json | undefined, attempts: number): Change {
  const ended = { state: 'completed', attempts, ...(result === undefined ? {} : { result }) };
  return (journal) => further(withSteps(journal, [key], () => ended as SagaStepRecord));
}

/** `unknown`: it may have had its effect. So may one that was interrupted before. */
export function failed(
  key: string,
  error: ErrorRecord,
  unknown: boolean,
  attempts: number,
): Change {
  return (journal) => {
    const open = unknown || journal.steps[key]?.interrupted === true;
    const ended: SagaStepRecord = { state: open ? 'unknown' : 'failed', error, attempts };
    return further(withSteps(journal, [key], () => ended));
  };
}

/** No further step is begun. */
export function stopped(stop: SagaStop): Change {
  return (journal) => {
    if (journal.stop !== undefined) return journal;
    return { ...journal, stop, status: openStatus(stop) };
  };
}

/** The compensations are about to run. */
export function undoing(keys: readonly string[]): Change {
  return (journal) => {
    const fresh = keys.filter((key) => journal.steps[key]?.state !== 'undoing');
    return withSteps(journal, fresh, (step) => ({ ...kept(step), state: 'undoing' }));
  };
}

export function undone(key: string, undoAttempts: number): Change {
  return (journal) =>
    further(
      withSteps(journal, [key], (step) => ({ ...kept(step), state: 'undone', undoAttempts })),
    );
}

export function undoFailed(key: string, undoError: ErrorRecord, undoAttempts: number): Change {
  return (journal) =>
    further(
      withSteps(journal, [key], (step) => {
        return { ...kept(step), state: 'undo-failed', undoError, undoAttempts };
      }),
    );
}

export function finished(status: SagaStatus): Change {
  return (journal) => ({ ...released(journal), status });
}

/** Somebody works on it from now on. `recovers`: another did before, and never said that he ended. */
export function claimed(owner: string, recovers: boolean): Change {
  return (journal) => {
    const recoveries = journal.recoveries + (recovers ? 1 : 0);
    return { ...journal, steps: interrupted(journal.steps), owner, recoveries };
  };
}

/** Nobody works on it: whoever likes may take it up at once. */
export function released({ owner: _, leaseEndsAt: __, ...journal }: SagaJournal): SagaJournal {
  return journal;
}

/**
 * What had ended without being done is tried once more: a parked saga goes on, compensations that
 * failed run again, and behind the pivot the steps that failed.
 */
export function revived(): Change {
  return (journal) => {
    const again = { ...journal, recoveries: 0 };
    if (journal.status === 'parked') return { ...again, status: openStatus(journal.stop) };
    if (journal.status === 'compensation-failed') {
      return { ...again, status: 'compensating', steps: mapSteps(journal.steps, undoAgain) };
    }
    if (journal.status !== 'failed-after-pivot') return journal;
    const { stop: _, ...going } = again;
    return { ...going, status: 'running', steps: mapSteps(journal.steps, runAgain) };
  };
}

/** Whether there is something that {@link revived} would try again. */
export function isStuck({ status }: Pick<SagaJournal, 'status'>): boolean {
  return status === 'parked' || status === 'compensation-failed' || status === 'failed-after-pivot';
}

function openStatus(stop: SagaStop | undefined): SagaStage {
  return stop?.undo === true ? 'compensating' : 'running';
}

function undoAgain(step: SagaStepRecord): SagaStepRecord {
  return step.state === 'undo-failed' ? { ...kept(step), state: 'undoing' } : step;
}

function runAgain(step: SagaStepRecord): SagaStepRecord {
  if (step.state === 'failed') return { state: 'started' };
  return step.state === 'unknown' ? { state: 'started', interrupted: true } : step;
}

/** It got further: whoever takes it up now does not take up the same thing again and again. */
function further(journal: SagaJournal): SagaJournal {
  return journal.recoveries === 0 ? journal : { ...journal, recoveries: 0 };
}

function interrupted(steps: SagaJournal['steps']): SagaJournal['steps'] {
  return mapSteps(steps, (step) =>
    step.state === 'started' ? { ...step, interrupted: true } : step,
  );
}

/** What is known of the run; how an earlier compensation ended is over. */
function kept(step: SagaStepRecord | undefined): SagaStepRecord {
  const { undoError: _, undoAttempts: __, ...run } = step ?? { state: 'unknown' };
  return run;
}

function withSteps(
  journal: SagaJournal,
  keys: readonly string[],
  of: (step: SagaStepRecord | undefined) => SagaStepRecord,
): SagaJournal {
  if (keys.length === 0) return journal;
  const steps = { ...journal.steps };
  for (const key of keys) steps[key] = of(steps[key]);
  return { ...journal, steps };
}

function mapSteps(
  steps: SagaJournal['steps'],
  of: (step: SagaStepRecord) => SagaStepRecord,
): SagaJournal['steps'] {
  return Object.fromEntries(Object.entries(steps).map(([key, step]) => [key, of(step)]));
}
