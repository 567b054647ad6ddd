import { misuse } from '../kernel/errors.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import { MemoryStore } from '../stores/memory-store.ts';
import type { Store } from '../stores/store.ts';
import { takeJson } from './json.ts';
import { checkName, Plan } from './plan.ts';
import { resultOf, type SagaResult } from './results.ts';
import { listSagas, type SagaInfo } from './saga-list.ts';
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
const MAX_KEPT = 1_000;

/**
 * Steps that are done in order, and undone in reverse when one fails. A definition never changes:
 * each method gives a new one. Make it with {@link saga}.
 */
export class Saga<I, R extends object, C extends ContractShape = AnyContract> {
  readonly #plan: Plan;
  #memory: MemoryStore | undefined;
  readonly #kept: string[] = [];

  /** @internal */
  constructor(plan: Plan) {
    this.#plan = plan;
  }

  get name(): string {
    return this.#plan.name;
  }

  /**
   * Adds a step behind the others. Name `run` before `compensate`, so that the types of its result
   * are known there.
   *
   * @throws TypeError, RangeError for what does not fit, and for a name that is taken.
   */
  step<const N extends string, T>(
    name: NewStep<R, N>,
    step: SagaStep<I, R, T, C>,
  ): Saga<I, Plus<R, N, T>, C> {
    return new Saga(this.#plan.withStep(name, step));
  }

  /**
   * Adds a group behind the other steps: its members run at the same time, and do not see each
   * other's results. When one fails the others are called off, awaited and undone.
   *
   * @throws as `step`.
   */
  parallel<const N extends string, M extends SagaGroup<I, R, C>>(
    name: NewStep<R, N>,
    members: M & Fitting<M>,
  ): Saga<I, Plus<R, N, Returned<M>>, C> {
    return new Saga(this.#plan.withGroup(name, members));
  }

  /** Runs it, or gives back what it came to when the id was run before. */
  run(id: string, input: I, options: SagaRunOptions<C> = {}): Promise<SagaResult<R>> {
    return this.#start('run', id, options as object, input);
  }

  /** Takes up what a process left behind, and gives back what it came to when it is over. */
  resume(id: string, options: SagaResumeOptions<C> = {}): Promise<SagaResult<R>> {
    return this.#start('resume', id, options as object);
  }

  /** The sagas of this name that a store has, in the order of their ids. */
  async list(options: SagaListOptions = {}): Promise<readonly SagaInfo[]> {
    checkListOptions(options);
    return listSagas(options.store ?? this.#ownStore(), this.name, options);
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
    const journal = await startSaga({ plan, store, id, begin, terms });
    if (options.store === undefined) await this.#keep(id);
    return resultOf(plan, journal) as SagaResult<R>;
  }

  #ownStore(): Store {
    this.#memory ??= new MemoryStore({ maxCommits: 0 });
    return this.#memory;
  }

  /** In memory only the last ones that ended are kept. */
  async #keep(id: string): Promise<void> {
    if (this.#kept.includes(id)) return;
    this.#kept.push(id);
    if (this.#kept.length <= MAX_KEPT) return;
    const oldest = storeKey(this.name, this.#kept.shift() as string);
    await this.#ownStore().commit([{ key: oldest, value: undefined }]);
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
  return new Saga(new Plan(name));
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
