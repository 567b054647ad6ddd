import type { ErrorRecord } from '../kernel/error-record.ts';
import { isThenable } from '../kernel/thenable.ts';
import type { SagaStatus } from './journal.ts';

/** What has happened to a saga. */
export type SagaEvent =
  | { readonly type: 'recovered'; readonly recoveries: number }
  | { readonly type: 'step-started'; readonly step: string }
  | { readonly type: 'step-completed'; readonly step: string; readonly attempts: number }
  | {
      readonly type: 'step-failed';
      readonly step: string;
      readonly error: ErrorRecord;
      /** It may have had its effect all the same. */
      readonly unknown: boolean;
    }
  | {
      /** The attempt has failed, and another begins. */
      readonly type: 'step-retried' | 'compensation-retried';
      readonly step: string;
      readonly attempt: number;
      readonly error: ErrorRecord;
    }
  | { readonly type: 'cancelled'; readonly error: ErrorRecord }
  | { readonly type: 'compensation-started'; readonly step: string }
  | { readonly type: 'compensated'; readonly step: string; readonly attempts: number }
  | { readonly type: 'compensation-failed'; readonly step: string; readonly error: ErrorRecord }
  | { readonly type: 'finished'; readonly status: SagaStatus };

/** Hears how a saga goes on. What it throws changes nothing. */
export type OnSagaProgress = (event: SagaEvent) => void;

/** Tells a listener, whatever it does. */
export function tell(listener: OnSagaProgress | undefined, event: SagaEvent): void {
  if (listener === undefined) return;
  try {
    const told: unknown = listener(event);
    if (isThenable(told)) told.then(undefined, () => {});
  } catch {
    // It only watches.
  }
}
