import { onAbort } from '../kernel/abort.ts';
import { Deferred } from '../kernel/deferred.ts';
import { isTellaskError } from '../kernel/errors.ts';
import { isEqual } from '../state/equal.ts';
import type { Store } from '../stores/store.ts';
import { type Claimed, claimSaga, refuseChanged } from './claim.ts';
import { SagaInputError } from './errors.ts';
import { isOver, isStuck, type Json, type SagaJournal } from './journal.ts';
import { type LiveSaga, liveSagas, ownersThatEnded } from './live-sagas.ts';
import type { Plan } from './plan.ts';
import { tell } from './progress.ts';
import { escapeId, Runner } from './runner.ts';
import type { Terms } from './saga-options.ts';
import { isContext } from './saga-voice.ts';

/** Which saga is to be begun or taken up. */
export interface Order {
  readonly plan: Plan;
  readonly store: Store;
  readonly id: string;
  /** Of `run`; `resume` begins nothing. */
  readonly begin: { readonly input: Json | undefined } | undefined;
  readonly terms: Terms;
}

/** Begins a saga or takes it up, and resolves when it is over. Who comes second joins the first. */
export async function startSaga(order: Order): Promise<SagaJournal> {
  const { plan, store, id, terms } = order;
  const sagas = liveSagas(store);
  const key = storeKey(plan.name, id);
  for (;;) {
    const there = sagas.get(key);
    if (there === undefined) return first(order, sagas, key);
    // Only what has been taken up can be joined: what refused another is no business of this one.
    const journal = await unlessAborted(there.claimed, terms.signal);
    if (journal === undefined || (terms.force && isStuck(journal))) continue;
    refuseOther(order, journal);
    return unlessAborted(there.over, terms.signal);
  }
}

/** Under which key a store keeps it. */
export function storeKey(saga: string, id: string): string {
  return `saga/${saga}/${escapeId(id)}`;
}

function refuseOther({ plan, id, begin }: Order, journal: SagaJournal): void {
  if (!isOver(journal)) {
    const { name, fingerprint } = plan;
    refuseChanged({ saga: name, id, fingerprint }, journal);
  }
  if (begin !== undefined && !isEqual(begin.input, journal.input)) {
    throw new SagaInputError(plan.name, id);
  }
}

/** Whoever joins may stop waiting; the saga belongs to the one who began it. */
function unlessAborted<T>(awaited: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return awaited;
  const waiting = new Deferred<T>();
  awaited.then(
    (value) => waiting.resolve(value),
    (error: unknown) => waiting.reject(error),
  );
  const unlink = onAbort(signal, (reason) => waiting.reject(reason));
  return waiting.promise.finally(unlink);
}

/** Takes it up, also for those who come meanwhile. */
function first(order: Order, sagas: Map<string, LiveSaga>, key: string): Promise<SagaJournal> {
  const claimed = new Deferred<SagaJournal | undefined>();
  // Most often nobody waits for it.
  claimed.promise.catch(() => {});
  const gone = (): void => {
    if (sagas.get(key) === live) sagas.delete(key);
  };
  const isThere = (journal: SagaJournal): void => {
    // Whoever wants more than to see what is over takes it up himself.
    if (isOver(journal)) gone();
    claimed.resolve(journal);
  };
  const refused = (error: unknown): void => {
    gone();
    // A store that does not answer one will not answer others, who would wait one by one.
    if (isTellaskError(error, 'TELLASK_SAGA_STOPPED')) claimed.reject(error);
    else claimed.resolve(undefined);
  };
  const over = work(order, key, isThere);
  const live = { claimed: claimed.promise, over };
  sagas.set(key, live);
  // Once it is there, `refused` tells nobody anything new.
  over.then(gone, refused);
  return over;
}

async function work(
  order: Order,
  key: string,
  isThere: (journal: SagaJournal) => void,
): Promise<SagaJournal> {
  const ended = ownersThatEnded(order.store);
  const owner = order.terms.env.idPrefix().replace(/-$/, '');
  try {
    const claimed = await claim(order, key, owner, ended);
    isThere('over' in claimed ? claimed.over : claimed.keeper.journal);
    return 'over' in claimed ? claimed.over : await drive(order, claimed);
  } catch (error) {
    // It may hold the saga still, and will never say that it does not.
    if (isTellaskError(error, 'TELLASK_SAGA_STOPPED')) ended.add(owner);
    throw error;
  }
}

function claim(order: Order, key: string, owner: string, ended: Set<string>): Promise<Claimed> {
  const { plan, store, id, begin, terms } = order;
  return claimSaga({
    ...terms,
    store,
    key,
    id,
    begin,
    owner,
    saga: plan.name,
    fingerprint: plan.fingerprint,
    signal: [terms.signal, isContext(terms.voice) ? terms.voice.signal : undefined].find(
      (signal) => signal?.aborted,
    ),
    hasEnded: (other) => ended.has(other),
  });
}

async function drive(
  { plan, id, terms }: Order,
  { keeper, recovers }: Extract<Claimed, { readonly keeper: unknown }>,
): Promise<SagaJournal> {
  const { env, voice, signal, onProgress } = terms;
  const { input, recoveries } = keeper.journal;
  const scene = { saga: plan.name, id, input, voice };
  const runner = new Runner({ env, plan, keeper, scene, onProgress });
  if (recovers) tell(onProgress, { type: 'recovered', recoveries });
  const links: (() => void)[] = [];
  if (signal !== undefined) links.push(onAbort(signal, (reason) => runner.cancel(reason)));
  if (isContext(voice)) links.push(onAbort(voice.signal, (reason) => callOff(runner, reason)));
  try {
    return await runner.run();
  } finally {
    for (const unlink of links) unlink();
  }
}

/** A bus that closes does not cancel the saga: it can go on, where there is a bus. */
function callOff(runner: Runner, reason: unknown): void {
  if (isTellaskError(reason, 'TELLASK_CLOSED')) runner.leave('the bus closed', reason);
  else runner.cancel(reason);
}
