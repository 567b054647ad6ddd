import type { Voice } from '../delivery/context.ts';
import type { SagaEvent } from '../saga/progress.ts';
import type { SagaResult } from '../saga/results.ts';
import type { SagaRunOptions } from '../saga/saga-options.ts';
import { MemoryStore, type MemoryStoreJson } from '../stores/memory-store.ts';
import { copyOf, SagaWorld, type WorldState } from './saga-world.ts';
import { SimEnv } from './sim-env.ts';
import { type StoppingStore, type StopSide, stopAtCommit } from './stopping-store.ts';

/** A saga of any results, as far as a proof needs it. */
export interface RunnableSaga<I> {
  /** As that of `Saga`. */
  run(id: string, input: I, options?: SagaRunOptions): Promise<SagaResult>;
  /** As that of `Saga`. */
  resume(id: string, options?: SagaRunOptions): Promise<SagaResult>;
}

/** What one process runs. */
export interface SagaLife<I> {
  /** A definition made anew, as a new process has it. */
  readonly saga: RunnableSaga<I>;
  /** Who speaks in its steps. @default nobody */
  readonly as?: Voice;
}

/** What all processes of a proof have in common. */
export interface Trial<I> {
  readonly makeLife: (world: SagaWorld) => SagaLife<I>;
  readonly input: I;
  /** At which event of a life the saga is cancelled. */
  readonly cancelWhen: (event: SagaEvent) => boolean;
  /** How it may end after a crash, with another result than without one. */
  readonly mayEnd: readonly SagaResult['status'][];
}

/** What a process finds, and what it leaves behind. */
export interface Remains {
  readonly store: MemoryStoreJson;
  readonly world: WorldState;
  /** Where processes have died so far. */
  readonly crashes: readonly string[];
}

/** A saga that is over. */
export interface Ended extends Remains {
  readonly result: SagaResult;
  readonly commits: number;
  /** What its Env still holds for the saga. */
  readonly timers: readonly string[];
  /** What the same id gave when it was run again, and how often the world was called for that. */
  readonly again: SagaResult;
  readonly callsAgain: number;
}

/** What is found at the very beginning. */
export const NOTHING: Remains = {
  store: new MemoryStore().toJSON(),
  world: { standing: new Map(), calls: [] },
  crashes: [],
};

const ID = 'proof';
const HOUR_MS = 3_600_000;
const MAX_TURNS = 10_000;

/** Runs a process until it dies at a commit. */
export async function die<I>(
  trial: Trial<I>,
  from: Remains,
  nth: number,
  side: StopSide,
): Promise<Remains> {
  const life = await beginLife(trial, from, nth, side);
  const outcome = await drive(life);
  const crash = `${side} commit ${nth}`;
  if (outcome !== undefined) throw wrong(from, `it ended before it could be stopped ${crash}`);
  return { ...remainsOf(life), crashes: [...from.crashes, crash] };
}

/** Runs a process until the saga is over. */
export async function finish<I>(trial: Trial<I>, from: Remains): Promise<Ended> {
  const life = await beginLife(trial, from, Infinity, 'before');
  const outcome = await drive(life);
  if (outcome === undefined) throw wrong(from, 'it never ended');
  if ('error' in outcome) throw wrong(from, 'it rejected', outcome.error);
  const { env, state, store, saga } = life;
  const timers = env.pendingTimers().map(({ label }) => label);
  const calls = state.calls.length;
  const again = await saga.run(ID, trial.input, { store, env });
  return {
    ...remainsOf(life),
    result: outcome.result,
    commits: store.commits,
    timers: timers.filter((label) => label.startsWith('saga')),
    again,
    callsAgain: state.calls.length - calls,
  };
}

/** An Error that says where it crashed and what is wrong. */
export function wrong({ crashes }: Pick<Remains, 'crashes'>, what: string, cause?: unknown): Error {
  const where = crashes.length === 0 ? 'without a crash' : `stopped ${crashes.join(', then ')}`;
  return new Error(`${where}: ${what}`, cause === undefined ? undefined : { cause });
}

/** One process. */
interface Life<I> {
  readonly from: Remains;
  readonly env: SimEnv;
  readonly inner: MemoryStore;
  readonly store: StoppingStore;
  readonly state: WorldState;
  readonly saga: RunnableSaga<I>;
  readonly work: Promise<SagaResult>;
}

async function beginLife<I>(
  trial: Trial<I>,
  from: Remains,
  nth: number,
  side: StopSide,
): Promise<Life<I>> {
  const env = new SimEnv();
  // Leases are over by then: nobody has to know that the other is gone.
  await env.advance(HOUR_MS * (from.crashes.length + 1));
  const inner = new MemoryStore({ json: from.store });
  const store = stopAtCommit(inner, nth, side);
  const state = copyOf(from.world);
  const life = trial.makeLife(new SagaWorld(env, state, () => store.stopped));
  const begun = (await inner.scan('', { limit: 1 })).length > 0;
  const cancelling = new AbortController();
  const options = {
    ...(life.as === undefined ? {} : { as: life.as }),
    env,
    store,
    // A process that is dead does not notice that its store is.
    storeTimeoutMs: Infinity,
    signal: cancelling.signal,
    onProgress: (event: SagaEvent) => {
      if (trial.cancelWhen(event)) cancelling.abort(new Error('cancelled'));
    },
  };
  const { saga } = life;
  const work = begun ? saga.resume(ID, options) : saga.run(ID, trial.input, options);
  return { from, env, inner, store, state, saga, work };
}

type Outcome = { readonly result: SagaResult } | { readonly error: unknown };

/** Lets time pass until the saga is over; undefined when the process has died before. */
async function drive<I>({ from, env, store, work }: Life<I>): Promise<Outcome | undefined> {
  let outcome: Outcome | undefined;
  work.then(
    (result) => {
      outcome = { result };
    },
    (error: unknown) => {
      outcome = { error };
    },
  );
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    await env.settle();
    if (outcome !== undefined || store.stopped) return outcome;
    const [next] = env.pendingTimers();
    if (next === undefined) break;
    await env.advance(next.at - env.now());
  }
  throw wrong(from, `it still runs at ${env.now()} ms; a step waits for what is not of its life`);
}

/** The store through JSON, as it would come from a disk. */
function remainsOf<I>({ inner, state, from }: Life<I>): Remains {
  const store = JSON.parse(JSON.stringify(inner)) as MemoryStoreJson;
  return { store, world: state, crashes: from.crashes };
}
