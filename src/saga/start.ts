import { onAbort } from '../kernel/abort.ts';
import { Deferred } from '../kernel/deferred.ts';
import { isTellaskError } from '../kernel/errors.ts';
import type { Store } from '../stores/store.ts';
import { type Claimed, claimSaga } from './claim.ts';
import { SagaChangedError, SagaInputError } from './errors.ts';
import type { Json, SagaJournal } from './journal.ts';
import { sameJson } from './json.ts';
import { liveSagas, ownersThatEnded } from './live-sagas.ts';
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
export function startSaga(order: Order): Promise<SagaJournal> {
  const { plan, store, id, begin, terms } = order;
  const sagas = liveSagas(store);
  const key = storeKey(plan.name, id);
  const there = sagas.get(key);
  if (there !== undefined) {
    refuseOther(order, there.fingerprint, there.input);
    return joined(there.over, terms.signal).then((journal) => {
      // Who took it up did not know what it was begun with.
      refuseOther(order, journal.shape, { input: journal.input });
      return journal;
    });
  }
  const over = work(order, key).finally(() => sagas.delete(key));
  sagas.set(key, { over, fingerprint: plan.fingerprint, input: begin });
  return over;
}

/** Under which key a store keeps it. */
export function storeKey(saga: string, id: string): string {
  return `saga/${saga}/${escapeId(id)}`;
}

function refuseOther({ plan, id, begin }: Order, shape: string, input: Order['begin']): void {
  if (plan.fingerprint !== shape) {
    const what = `it runs as ${shape}, and is defined as ${plan.fingerprint} here`;
    throw new SagaChangedError(plan.name, id, what);
  }
  if (begin === undefined || input === undefined) return;
  if (!sameJson(begin.input, input.input)) throw new SagaInputError(plan.name, id);
}

/** Whoever joins may stop waiting; the saga belongs to the one who began it. */
function joined(over: Promise<SagaJournal>, signal: AbortSignal | undefined): Promise<SagaJournal> {
  if (signal === undefined) return over;
  const waiting = new Deferred<SagaJournal>();
  over.then(
    (journal) => waiting.resolve(journal),
    (error: unknown) => waiting.reject(error),
  );
  const unlink = onAbort(signal, (reason) => waiting.reject(reason));
  return waiting.promise.finally(unlink);
}

async function work(order: Order, key: string): Promise<SagaJournal> {
  const { env } = order.terms;
  const ended = ownersThatEnded(order.store);
  const owner = env.idPrefix().replace(/-$/, '');
  try {
    const claimed = await claim(order, key, owner, ended);
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
