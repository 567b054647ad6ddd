import { type ErrorRecord, toErrorRecord } from '../kernel/error-record.ts';
import type { Store } from '../stores/store.ts';
import { parseJournal, refuseChanged } from './claim.ts';
import { SagaNotFoundError } from './errors.ts';
import type { SagaJournal, SagaStage } from './journal.ts';
import type { Plan } from './plan.ts';
import type { SagaListOptions } from './saga-options.ts';
import { storeKey } from './start.ts';

/** What is known of one saga in the store. */
export interface SagaInfo {
  readonly id: string;
  /**
   * `running` and `compensating` have not ended; somebody works on them until `leaseEndsAt`.
   * `unreadable`: what the store has is no journal of this version; only `id` and `error` say
   * anything then.
   */
  readonly status: SagaStage | 'unreadable';
  /** Who works on it; undefined when nobody does. */
  readonly owner: string | undefined;
  /** Epoch milliseconds; once they are over, it can be resumed. */
  readonly leaseEndsAt: number | undefined;
  /** What failed first, why it was cancelled, or cannot be read; undefined while nothing has. */
  readonly error: ErrorRecord | undefined;
  /** How often it was taken up since it last got any further. */
  readonly recoveries: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Epoch milliseconds. */
  readonly updatedAt: number;
}

const PAGE = 100;

/** Reads the sagas of one name, page by page, so that a store need not give all at once. */
export async function listSagas(
  store: Store,
  saga: string,
  { status, after, limit = Infinity }: SagaListOptions,
): Promise<readonly SagaInfo[]> {
  const prefix = storeKey(saga, '');
  const found: SagaInfo[] = [];
  let from = after === undefined ? undefined : storeKey(saga, after);
  while (found.length < limit) {
    const page = await store.scan(
      prefix,
      from === undefined ? { limit: PAGE } : { after: from, limit: PAGE },
    );
    for (const { key, value } of page) {
      from = key;
      const info = infoOf(value, saga, key.slice(prefix.length));
      if (status !== undefined && info.status !== status) continue;
      if (found.length < limit) found.push(info);
    }
    if (page.length < PAGE) break;
  }
  return found;
}

/** The journal of one saga, if it is one of this definition. */
export async function findJournal(store: Store, plan: Plan, id: string): Promise<SagaJournal> {
  const stored = await store.get(storeKey(plan.name, id));
  if (stored === undefined) throw new SagaNotFoundError(plan.name, id);
  const journal = parseJournal(stored.value, plan.name, id);
  refuseChanged({ saga: plan.name, id, fingerprint: plan.fingerprint }, journal);
  return journal;
}

/** One that cannot be read hides none of the others: it is the one that somebody has to see. */
function infoOf(value: string, saga: string, key: string): SagaInfo {
  try {
    return readInfo(value, saga, key);
  } catch (error) {
    const nothing = { owner: undefined, leaseEndsAt: undefined, recoveries: 0 } as const;
    const never = { startedAt: 0, updatedAt: 0 } as const;
    return { id: key, status: 'unreadable', error: toErrorRecord(error), ...nothing, ...never };
  }
}

function readInfo(value: string, saga: string, key: string): SagaInfo {
  const { id, status, owner, leaseEndsAt, stop, ...rest } = parseJournal(value, saga, key);
  const { recoveries, startedAt, updatedAt } = rest;
  const error = stop?.error;
  return { id, status, owner, leaseEndsAt, error, recoveries, startedAt, updatedAt };
}
