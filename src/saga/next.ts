import type { SagaJournal, SagaStatus, SagaStepRecord } from './journal.ts';

/** As much of a definition as decides what comes next. */
export interface Shape {
  /** In order. A stage is one step, or the members of one group. */
  readonly stages: readonly (readonly ShapeStep[])[];
}

/** One step of a shape. */
export interface ShapeStep {
  readonly key: string;
  readonly pivot: boolean;
  /** Whether it has a compensation. */
  readonly undoable: boolean;
}

/** What is to be done now. */
export type Next =
  | { readonly action: 'run'; readonly steps: readonly string[] }
  | { readonly action: 'compensate'; readonly steps: readonly string[] }
  | { readonly action: 'finish'; readonly status: SagaStatus };

/**
 * Decides from the journal alone what comes next, so that going on after a crash is the same as
 * going on.
 */
export function next(shape: Shape, journal: SagaJournal): Next {
  return journal.stop?.undo === true ? back(shape, journal) : forth(shape, journal);
}

/** The pivot has, or may have, happened: from there on nothing is undone. */
export function hasCrossed({ stages }: Shape, { steps }: SagaJournal): boolean {
  return stages.flat().some(({ key, pivot }) => {
    const state = steps[key]?.state;
    return pivot && state !== undefined && state !== 'failed';
  });
}

/** Whether it may still be called off: something is left to run, and the pivot is not begun. */
export function mayCancel(shape: Shape, journal: SagaJournal): boolean {
  if (journal.stop !== undefined || hasCrossed(shape, journal)) return false;
  return next(shape, journal).action === 'run';
}

function forth({ stages }: Shape, { steps }: SagaJournal): Next {
  for (const stage of stages) {
    const open = stage.filter(({ key }) => isOpen(steps[key]));
    // Behind the pivot all members of a group come to their end, also when one has failed.
    if (open.length > 0) return { action: 'run', steps: open.map(({ key }) => key) };
    const done = stage.every(({ key }) => steps[key]?.state === 'completed');
    if (!done) return { action: 'finish', status: 'failed-after-pivot' };
  }
  return { action: 'finish', status: 'completed' };
}

function back({ stages }: Shape, { steps, stop }: SagaJournal): Next {
  for (const stage of stages.toReversed()) {
    const owed = stage.filter((step) => step.undoable && mayStand(steps[step.key]));
    if (owed.length > 0) return { action: 'compensate', steps: owed.map(({ key }) => key) };
  }
  const failed = Object.values(steps).some(({ state }) => state === 'undo-failed');
  if (failed) return { action: 'finish', status: 'compensation-failed' };
  return {
    action: 'finish',
    status: stop?.cause === 'cancelled' ? 'cancelled' : 'compensated',
  };
}

function isOpen(step: SagaStepRecord | undefined): boolean {
  return step === undefined || step.state === 'started';
}

/** Its effect is there, or may be, and nobody has tried to undo it to the end. */
function mayStand(step: SagaStepRecord | undefined): boolean {
  if (step === undefined) return false;
  return step.state !== 'failed' && step.state !== 'undone' && step.state !== 'undo-failed';
}
