import type { Lanes, Queued } from './lanes.ts';

/** What a full mailbox does with a newcomer. */
export type Overflow = 'reject' | 'drop-oldest' | 'drop-newest' | 'wait';

/**
 * What becomes of a newcomer: it is queued, it waits outside for room, it is turned away, or it
 * takes the place of `victim`.
 */
export type Verdict<T> =
  | { readonly action: 'queue' }
  | { readonly action: 'wait' }
  | { readonly action: 'turn-away' }
  | { readonly action: 'drop-newcomer' }
  | { readonly action: 'replace'; readonly victim: T };

export const QUEUE = { action: 'queue' } as const;
const WAIT = { action: 'wait' } as const;
const TURN_AWAY = { action: 'turn-away' } as const;
const DROP_NEWCOMER = { action: 'drop-newcomer' } as const;

/** What a strategy may look at: a full mailbox and who knocks. */
export interface FullMailbox<T extends Queued> {
  readonly lanes: Lanes<T>;
  readonly capacity: number;
  readonly waiting: number;
}

/** One entry a strategy: a new one is a line here and a row in the table of tests. */
export const OVERFLOW: {
  readonly [S in Overflow]: <T extends Queued>(full: FullMailbox<T>, newcomer: T) => Verdict<T>;
} = {
  reject: () => TURN_AWAY,
  'drop-newest': () => DROP_NEWCOMER,
  'drop-oldest': (full, newcomer) => {
    const lowest = full.lanes.lowestPriority();
    if (lowest === undefined || newcomer.priority < lowest) return DROP_NEWCOMER;
    const victim = full.lanes.dropOldestOfLowest();
    return victim === undefined ? DROP_NEWCOMER : { action: 'replace', victim };
  },
  // Who waits holds memory too, so there are at most as many of them as places.
  wait: (full) => (full.waiting < full.capacity ? WAIT : TURN_AWAY),
};
