import type { Env } from '../kernel/env.ts';
import { isTellaskError } from '../kernel/errors.ts';
import { isEqual } from '../state/equal.ts';
import type { Store } from '../stores/store.ts';
import {
  SagaChangedError,
  SagaInputError,
  SagaLeaseLostError,
  SagaNotFoundError,
  SagaRunningError,
  SagaStoppedError,
} from './errors.ts';
import {
  claimed,
  finished,
  isOver,
  isStuck,
  type Json,
  revived,
  type SagaJournal,
  type SagaStage,
} from './journal.ts';
import { inTime, JournalKeeper, versionOf } from './journal-keeper.ts';
import { freezeJson } from './json.ts';

/** Who wants to work on which saga, and on what terms. */
export interface Claim {
  readonly env: Env;
  readonly store: Store;
  readonly key: string;
  readonly saga: string;
  readonly id: string;
  readonly fingerprint: string;
  readonly owner: string;
  /** Of `run`; a saga that does not exist is begun with it. */
  readonly begin: { readonly input: Json | undefined } | undefined;
  readonly leaseMs: number;
  readonly maxRecoveries: number;
  readonly storeTimeoutMs: number;
  /** What had aborted before: a new saga is not begun then. */
  readonly signal: AbortSignal | undefined;
  /** Also when somebody else holds it. */
  readonly takeOver: boolean;
  /** Also when it ended without being done. */
  readonly force: boolean;
  /** Whether an owner is known to have ended, in this process. */
  hasEnded(owner: string): boolean;
}

/** What became of a claim. */
export type Claimed =
  | { readonly over: SagaJournal }
  | { readonly keeper: JournalKeeper; readonly recovers: boolean };

/** What a claim comes to, from what is in the store. */
export type Verdict =
  | { readonly verdict: 'over' }
  | { readonly verdict: 'held'; readonly owner: string; readonly forMs: number }
  | { readonly verdict: 'park' }
  | { readonly verdict: 'take'; readonly recovers: boolean; readonly revive: boolean };

/** Decides whether a saga that exists may be taken up at the wall time `now`. */
export function judge(
  journal: SagaJournal,
  now: number,
  claim: Pick<Claim, 'force' | 'takeOver' | 'maxRecoveries' | 'hasEnded'>,
): Verdict {
  if (isOver(journal)) {
    const revive = claim.force && isStuck(journal);
    return revive ? { verdict: 'take', recovers: false, revive } : { verdict: 'over' };
  }
  const { owner, leaseEndsAt = 0 } = journal;
  if (owner === undefined) return { verdict: 'take', recovers: false, revive: false };
  if (now < leaseEndsAt && !claim.takeOver && !claim.hasEnded(owner)) {
    return { verdict: 'held', owner, forMs: leaseEndsAt - now };
  }
  if (journal.recoveries >= claim.maxRecoveries) return { verdict: 'park' };
  return { verdict: 'take', recovers: true, revive: false };
}

/** Somebody else is quicker at most so often: then he holds it. */
const MAX_TRIES = 10;

/** Takes a saga up for one owner: of several that try, one gets it. */
export async function claimSaga(claim: Claim): Promise<Claimed> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await claimOnce(claim);
    } catch (error) {
      if (!isTellaskError(error, 'TELLASK_STORE_CONFLICT')) throw error;
      if (tries === MAX_TRIES) throw new SagaLeaseLostError(claim.saga, claim.id, { cause: error });
    }
  }
}

async function claimOnce(claim: Claim): Promise<Claimed> {
  const { env, store, key, saga, id } = claim;
  const stored = (await ask(claim, () => store.get(key))) ?? undefined;
  if (stored === undefined) return begin(claim);
  const journal = parseJournal(stored.value, saga, id);
  if (claim.begin !== undefined && !isEqual(claim.begin.input, journal.input)) {
    throw new SagaInputError(saga, id);
  }
  const verdict = judge(journal, env.wall(), claim);
  if (verdict.verdict === 'over') return { over: journal };
  if (verdict.verdict === 'held')
    throw new SagaRunningError(saga, id, verdict.owner, verdict.forMs);
  if (verdict.verdict === 'park') return park(claim, journal, stored.version);
  refuseChanged(claim, journal);
  return take(claim, journal, stored.version, verdict);
}

async function begin(claim: Claim): Promise<Claimed> {
  const { env, saga, id, fingerprint, begin, signal } = claim;
  if (begin === undefined) throw new SagaNotFoundError(saga, id);
  signal?.throwIfAborted();
  const startedAt = env.wall();
  const journal: SagaJournal = {
    format: 1,
    saga,
    id,
    shape: fingerprint,
    ...(begin.input === undefined ? {} : { input: begin.input }),
    status: 'running',
    steps: {},
    recoveries: 0,
    startedAt,
    updatedAt: startedAt,
  };
  return take(claim, journal, 0, { recovers: false, revive: false });
}

async function take(
  claim: Claim,
  journal: SagaJournal,
  version: number,
  { recovers, revive }: { readonly recovers: boolean; readonly revive: boolean },
): Promise<Claimed> {
  const ready = revive ? revived()(journal) : journal;
  const taken = claimed(claim.owner, recovers)(ready);
  const leased = { ...taken, leaseEndsAt: claim.env.wall() + claim.leaseMs };
  const given = await write(claim, leased, version);
  const keeper = new JournalKeeper({ ...claim, journal: leased, version: given });
  return { keeper, recovers };
}

async function park(claim: Claim, journal: SagaJournal, version: number): Promise<Claimed> {
  const parked = finished('parked')(journal);
  await write(claim, parked, version);
  return { over: parked };
}

async function write(claim: Claim, journal: SagaJournal, expectedVersion: number): Promise<number> {
  const { env, store, key } = claim;
  const value = JSON.stringify({ ...journal, updatedAt: env.wall() });
  // What it answers is read here, so that an answer that is none stops the saga like any other fault.
  return ask(claim, async () =>
    versionOf(await store.commit([{ key, value, expectedVersion }]), key),
  );
}

/** What the store rejects with is the cause of what the saga does; conflicts are news, not faults. */
async function ask<T>(
  { env, saga, id, storeTimeoutMs }: Claim,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await inTime(env, storeTimeoutMs, call());
  } catch (error) {
    if (isTellaskError(error, 'TELLASK_STORE_CONFLICT')) throw error;
    throw new SagaStoppedError(saga, id, 'the store failed', { cause: error });
  }
}

/** A saga goes on with the definition that it was begun with, or not at all. */
export function refuseChanged(
  { saga, id, fingerprint }: Pick<Claim, 'saga' | 'id' | 'fingerprint'>,
  { shape }: SagaJournal,
): void {
  if (shape === fingerprint) return;
  const what = `it was begun as ${shape}, and is now defined as ${fingerprint}`;
  throw new SagaChangedError(saga, id, what);
}

const STAGES: ReadonlySet<unknown> = new Set<SagaStage>([
  'running',
  'compensating',
  'completed',
  'compensated',
  'compensation-failed',
  'failed-after-pivot',
  'cancelled',
  'parked',
]);

/** Reads what a store has under a saga's key. */
export function parseJournal(value: string, saga: string, id: string): SagaJournal {
  let journal: Partial<SagaJournal> | null = null;
  try {
    journal = JSON.parse(value);
  } catch {
    // No JSON at all: refused below, as what is no journal.
  }
  if (journal?.format === 1 && STAGES.has(journal.status) && hasSteps(journal)) {
    return freezeJson(journal as unknown as Json) as unknown as SagaJournal;
  }
  throw new SagaChangedError(saga, id, 'what the store has is no journal of this version');
}

function hasSteps({ steps }: Partial<SagaJournal>): boolean {
  if (typeof steps !== 'object' || steps === null || Array.isArray(steps)) return false;
  return Object.values(steps).every((step) => typeof step?.state === 'string');
}
