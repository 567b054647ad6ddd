import { misuse } from '../kernel/errors.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import { MemoryStore } from '../stores/memory-store.ts';
import type { Store } from '../stores/store.ts';
import { drawPlan, drawRun } from './drawing.ts';
import { takeJson } from './json.ts';
import { checkName, Plan } from './plan.ts';
import { resultOf, type SagaResult } from './results.ts';
import { findJournal, listSagas, type SagaInfo } from './saga-list.ts';
import {
  checkListOptions,
  readTerms,
  type SagaListOptions,
  type SagaResumeOptions,
  type SagaRunOptions,
} from './saga-options.ts';
import { startSaga, storeKey } from './start.ts';
import type { SagaStep } from './step.ts';

/** A name that no step has yet; of one that is taken, a sentence that says so. */
export type NewStep<R extends object, N extends string> = N extends keyof R
  ? `Step '${N}' is there already: every step needs a name of its own`
  : N;

/** Steps by name. What `compensate` is given has the type that you write there. */
export type SagaGroup<I, R extends object, C extends ContractShape> = Readonly<
  // biome-ignore lint/suspicious/noExplicitAny: what each returns is read off its `run`
  Record<string, SagaStep<I, R, any, C>>
>;

/** What the members of a group return. */
export type Returned<M> = {
  readonly [K in keyof M]: M[K] extends { run(...args: never): infer T } ? Awaited<T> : never;
};

/** Refuses a `compensate` of something else than its `run` returns. */
export type Fitting<M> = {
  readonly [K in keyof M]: { compensate?(result: Returned<M>[K] | undefined, c: never): unknown };
};

/** The results so far, and one more. */
export type Plus<R extends object, N extends string, T> = {
  readonly [K in keyof R | N]: K extends keyof R ? R[K] : T;
};

const LONGEST_KEY = 512;
/** Sagas that have ended and are kept in memory. */
const MAX_KEPT = 250;

/**
 * Steps that are done in order, and undone in reverse when one fails. A definition never changes:
 * each method gives a new one. Make it with {@link saga}.
 */
export class Saga<I, R extends object, C extends ContractShape = AnyContract> {
  readonly #plan: Plan;
  #memory: MemoryStore | undefined;
  /** The oldest first. */
  readonly #kept = new Set<string>();

  /** @internal */
  constructor(plan: Plan) {
    this.#plan = plan;
  }

  get name(): string {
    return this.#plan.name;
  }

  /**
   * Adds a step behind the others. Write `run` before `compensate`, so that the type of its result
   * is known there.
   *
   * A step that throws has done nothing, unless the error says that nobody knows (a time-out, an
   * abort, a connection that broke): then it is compensated, too, with `undefined`. One with two
   * effects is two steps.
   *
   * @throws TypeError, RangeError for what does not fit, and for a name that is taken.
   * @example
   * ```ts
   * import { saga } from 'tellask';
   * const seats = new Set<string>();
   * const trip = saga<{ to: string }>('trip')
   *   .step('seat', {
   *     run: (_trip, c) => { seats.add(c.idempotencyKey); return { row: 12 }; },
   *     compensate: (_seat, c) => void seats.delete(c.idempotencyKey.replace('/undo', '')),
   *     retry: { maxAttempts: 3 },
   *     timeoutMs: 5_000,
   *   })
   *   .step('pay', { run: (_trip, c) => `row ${c.results.seat.row} is paid`, pivot: true });
   * (await trip.run('7', { to: 'Rome' })).results.pay; // => 'row 12 is paid'
   * [...seats]; // => ['trip/7/seat']
   * ```
   */
  step<const N extends string, T>(
    name: NewStep<R, N>,
    step: SagaStep<I, R, T, C>,
  ): Saga<I, Plus<R, N, T>, C> {
    return sagaOf(this.#plan.withStep(name, step));
  }

  /**
   * Adds a group behind the other steps: its members run at the same time, and do not see each
   * other's results. When one fails the others are called off, awaited and undone. Behind the
   * pivot they are not called off: there is no way back.
   *
   * @throws as `step`.
   * @example
   * ```ts
   * import { saga } from 'tellask';
   * const trip = saga<{ nights: number }>('trip').parallel('extras', {
   *   hotel: { run: ({ nights }) => nights * 90, compensate: (price) => price },
   *   car: { run: async () => 'blue' },
   * });
   * (await trip.run('7', { nights: 2 })).results.extras; // => { hotel: 180, car: 'blue' }
   * ```
   */
  parallel<const N extends string, M extends SagaGroup<I, R, C>>(
    name: NewStep<R, N>,
    members: M & Fitting<M>,
  ): Saga<I, Plus<R, N, Returned<M>>, C> {
    return sagaOf(this.#plan.withGroup(name, members));
  }

  /**
   * Runs it, once for each id: an id that has ended gives its first result, one that runs in this
   * process is joined, and one that a process left behind is taken up. It resolves however the saga
   * ends: look at `status`.
   *
   * What is in the store decides, so that it is all or nothing also when the process ends. Without a
   * store this definition remembers the last 250 that ended, and a crash forgets all.
   *
   * Rejects, and has done nothing more, with SagaInputError `TELLASK_SAGA_INPUT` for another input
   * under the same id, SagaRunningError `TELLASK_SAGA_RUNNING` while another process works on it,
   * SagaChangedError `TELLASK_SAGA_CHANGED`, SagaDataError `TELLASK_SAGA_DATA`, or the reason of a
   * `signal` that had aborted before. With SagaStoppedError `TELLASK_SAGA_STOPPED` it stands still as
   * it was saved, because the store failed or the bus closed; with SagaLeaseLostError
   * `TELLASK_SAGA_LEASE_LOST` another has taken it over.
   *
   * @example
   * ```ts
   * import { MemoryStore, saga } from 'tellask';
   * const store = new MemoryStore();
   * let booked = 0;
   * const trip = saga<{ to: string }>('trip').step('flight', { run: () => ++booked });
   * await trip.run('trip-7', { to: 'Rome' }, { store });
   * (await trip.run('trip-7', { to: 'Rome' }, { store })).status; // => 'completed'
   * booked; // => 1
   * ```
   */
  run(id: string, input: I, options: SagaRunOptions<C> = {}): Promise<SagaResult<R>> {
    return this.#start('run', id, options as object, input);
  }

  /**
   * Takes up what a process left behind: the step that was begun last is run again under the same
   * idempotency key, or what was being undone is undone. One that is over gives its result. A
   * `signal` that has aborted calls it off: then it is only undone.
   *
   * Of several that try, one gets it. After `maxRecoveries` times without getting any further it is
   * parked. Rejects as `run`, and with SagaNotFoundError `TELLASK_SAGA_NOT_FOUND`.
   *
   * @example
   * ```ts
   * import { MemoryStore, saga } from 'tellask';
   * const store = new MemoryStore();
   * let refunds = false;
   * const refund = () => {
   *   if (!refunds) throw new Error('closed on Sundays');
   * };
   * const sale = saga<number>('sale')
   *   .step('pay', { run: () => 'paid', compensate: refund, compensation: { retry: false } })
   *   .step('ship', { run: () => { throw new Error('sold out'); } });
   * const sold = await sale.run('7', 40, { store });
   * [sold.status, sold.uncompensated[0]?.error.message];
   * // => ['compensation-failed', 'closed on Sundays']
   * refunds = true;
   * (await sale.resume('7', { store, force: true })).status; // => 'compensated'
   * ```
   */
  resume(id: string, options: SagaResumeOptions<C> = {}): Promise<SagaResult<R>> {
    return this.#start('resume', id, options as object);
  }

  /**
   * The sagas of this name that a store has, in the order of their ids. Those that are `running` or
   * `compensating` with a `leaseEndsAt` that is over, or without one, wait for somebody who resumes
   * them. One that cannot be read is `unreadable`, and hides none of the others.
   *
   * @example
   * ```ts
   * import { saga } from 'tellask';
   * const trip = saga<number>('trip').step('a', { run: () => 1 });
   * await trip.run('trip-7', 0);
   * (await trip.list({ status: 'completed' })).map(({ id }) => id); // => ['trip-7']
   * ```
   */
  async list(options: SagaListOptions = {}): Promise<readonly SagaInfo[]> {
    checkListOptions(options);
    return listSagas(options.store ?? this.#ownStore(), this.name, options);
  }

  /**
   * Draws the definition as a Mermaid flowchart: forward with thick arrows, back over the
   * compensations with dotted ones, the pivot as a hexagon. No name can break the drawing.
   */
  toMermaid(): string {
    return drawPlan(this.#plan);
  }

  /**
   * Draws one saga as a Mermaid flowchart: which steps were done, failed or were undone so far.
   *
   * @throws (as rejection) `TELLASK_SAGA_NOT_FOUND`, and `TELLASK_SAGA_CHANGED` when it was begun
   * with another definition.
   */
  async runToMermaid(id: string, { store }: Pick<SagaListOptions, 'store'> = {}): Promise<string> {
    checkId(this.#plan, id);
    checkListOptions(store === undefined ? {} : { store });
    const journal = await findJournal(store ?? this.#ownStore(), this.#plan, id);
    return drawRun(this.#plan, journal);
  }

  async #start(
    verb: 'run' | 'resume',
    id: string,
    options: SagaResumeOptions,
    input?: I,
  ): Promise<SagaResult<R>> {
    const plan = this.#plan;
    const terms = readTerms(verb, options);
    checkId(plan, id);
    const begin = verb === 'run' ? { input: takeJson(input, 'The input') } : undefined;
    const store = options.store ?? this.#ownStore();
    // What is tried once more is not to be forgotten as the oldest that ended.
    const kept = options.store === undefined && this.#kept.delete(id);
    let over = kept;
    try {
      const journal = await startSaga({ plan, store, id, begin, terms });
      over = options.store === undefined;
      return resultOf(plan, journal) as SagaResult<R>;
    } finally {
      if (over) await this.#keep(id);
    }
  }

  #ownStore(): Store {
    this.#memory ??= new MemoryStore({ maxCommits: 0 });
    return this.#memory;
  }

  /** In memory only the last ones that ended are kept. */
  async #keep(id: string): Promise<void> {
    this.#kept.add(id);
    if (this.#kept.size <= MAX_KEPT) return;
    const oldest = this.#kept.values().next().value as string;
    this.#kept.delete(oldest);
    await this.#ownStore().commit([{ key: storeKey(this.name, oldest), value: undefined }]);
  }
}

/**
 * Begins the definition of a saga: steps with compensations, run in order, kept in a store, taken up
 * after a crash.
 *
 * @example
 * ```ts
 * import { saga } from 'tellask';
 * const undone: string[] = [];
 * const trip = saga<{ to: string }>('trip')
 *   .step('flight', { run: ({ to }) => `LH-${to}`, compensate: (flight) => void undone.push(`${flight}`) })
 *   .step('hotel', { run: () => { throw new Error('full'); } });
 * const { status, error } = await trip.run('trip-7', { to: 'Rome' });
 * [status, error?.message, undone]; // => ['compensated', 'full', ['LH-Rome']]
 * ```
 */
export function saga<I, C extends ContractShape = AnyContract>(
  name: string,
): Saga<I, Readonly<Record<never, never>>, C> {
  checkName('The name of a saga', name);
  return sagaOf(new Plan(name));
}

/** Apart from the class: one that names itself inside would be renamed when it is bundled. */
function sagaOf<I, R extends object, C extends ContractShape>(plan: Plan): Saga<I, R, C> {
  return new Saga<I, R, C>(plan);
}

function checkId({ name, stages }: Plan, id: string): void {
  if (stages.length === 0) throw new TypeError(`Saga ${name} has no step`);
  if (typeof id !== 'string' || id === '') throw misuse('The id', 'a non-empty string', id);
  if (/[\0\p{Surrogate}]/u.test(id)) {
    throw misuse('The id', 'well-formed Unicode without U+0000', id);
  }
  const { length } = storeKey(name, id);
  if (length > LONGEST_KEY) {
    throw new RangeError(`The key of saga ${name} has ${length} characters of ${LONGEST_KEY}`);
  }
}
