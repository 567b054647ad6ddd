/**
 * What a subscription does with a message whose key is busy. A key is busy from the moment in
 * which a delivery of it has entered the mailbox until that delivery has its outcome.
 */
export type BusyPolicy = 'queue' | 'latest' | 'interrupt' | 'steer' | 'reject';

/** What `busy` may be. */
export const BUSY_POLICIES: readonly BusyPolicy[] = [
  'queue',
  'latest',
  'interrupt',
  'steer',
  'reject',
];

/** How far the delivery that holds a key has come; `begun` once its handler was called. */
export type HolderState = 'none' | 'not-begun' | 'begun';

/**
 * What becomes of a newcomer and of those before it: it lines up behind them, it is turned away,
 * it takes the place of what has not begun (`supersede`), or of that and of what has (`interrupt`).
 */
export type BusyAction = 'line-up' | 'turn-away' | 'supersede' | 'interrupt';

/** Decides, and does nothing: its test is a table. */
export function decideBusy(policy: BusyPolicy, holder: HolderState): BusyAction {
  if (holder === 'none') return 'line-up';
  switch (policy) {
    case 'queue':
    case 'steer':
      return 'line-up';
    case 'reject':
      return 'turn-away';
    case 'latest':
      return 'supersede';
    case 'interrupt':
      return holder === 'begun' ? 'interrupt' : 'supersede';
  }
}
