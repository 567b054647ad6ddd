import type { ErrorRecord } from '../kernel/error-record.ts';
import type { Json, SagaJournal, SagaStatus, SagaStepRecord } from './journal.ts';
import type { Plan, StagePlan } from './plan.ts';

/** What a saga came to. It is JSON, and the same whether the process that ends it began it or not. */
export type SagaResult<R extends object = object> =
  | {
      readonly status: 'completed';
      readonly id: string;
      readonly results: R;
      readonly uncompensated: readonly [];
      readonly error?: undefined;
    }
  | {
      readonly status: Exclude<SagaStatus, 'completed'>;
      readonly id: string;
      /** Of the steps that returned, also when they were undone; of a group when all of it did. */
      readonly results: Partial<R>;
      /** Steps whose effect may stand, because their compensation failed, in order. */
      readonly uncompensated: readonly Uncompensated[];
      /** What failed first, or the reason of the signal; of a parked saga it may be missing. */
      readonly error?: ErrorRecord;
    };

/** A step that was not undone. */
export interface Uncompensated {
  readonly step: string;
  readonly error: ErrorRecord;
}

/** What the journal of a saga that is over says of it. */
export function resultOf(plan: Plan, journal: SagaJournal): SagaResult {
  const { id, status, stop } = journal;
  const results = collect(plan.parts, journal);
  const uncompensated = plan.stages.flat().flatMap(({ key }) => {
    const { state, undoError } = journal.steps[key] ?? {};
    return state === 'undo-failed' && undoError !== undefined
      ? [{ step: key, error: undoError }]
      : [];
  });
  const error = stop === undefined ? {} : { error: stop.error };
  return { status, id, results, uncompensated, ...error } as SagaResult;
}

/** What the stages before that of a step have returned. */
export function resultsBefore({ parts }: Plan, key: string, journal: SagaJournal): object {
  const at = parts.findIndex(({ steps }) => steps.some((step) => step.key === key));
  return collect(parts.slice(0, at), journal);
}

function collect(parts: readonly StagePlan[], journal: SagaJournal): object {
  const results: Record<string, Json | object | undefined> = {};
  for (const { name, group, steps } of parts) {
    const returned = steps.map(({ key }) => [key, journal.steps[key]] as const);
    if (!returned.every(([, step]) => hasReturned(step))) continue;
    if (!group) results[name] = returned[0]?.[1]?.result;
    else {
      const members = returned.map(([key, step]) => [key.slice(name.length + 1), step?.result]);
      results[name] = Object.freeze(Object.fromEntries(members));
    }
  }
  return Object.freeze(results);
}

/** Also when it was undone since. */
function hasReturned(step: SagaStepRecord | undefined): boolean {
  return step?.attempts !== undefined && step.error === undefined;
}
