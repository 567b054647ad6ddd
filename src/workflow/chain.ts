import type { Voice } from '../delivery/context.ts';
import type { RequestOptions } from '../delivery/speech.ts';
import { Deferred } from '../kernel/deferred.ts';
import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { Call } from '../resilience/call.ts';
import { type ComposedPolicy, compose } from '../resilience/compose.ts';
import type { Execution } from '../resilience/policy.ts';
import { type FailedTask, NobodyHandledError, WorkflowTimeoutError } from './errors.ts';
import { wasCalledOff } from './join.ts';
import { type EndedTask, tell } from './progress.ts';
import { Scope } from './scope.ts';
import { BoundWork, type WorkContext } from './work-context.ts';
import {
  checkWorkflowOptions,
  WORKFLOW_OPTIONS,
  type WorkflowOptions,
} from './workflow-options.ts';

/** What a link of a chain gives, and an agent answers, that leaves the input to the next one. */
export const NOT_MINE: unique symbol = Symbol.for('tellask.not-mine');

/** A link that handles the input with a function. */
export interface Link<I, O, V extends object = Voice> {
  readonly name: string;
  /** False: it is not asked. Asked only when the input gets here. @default always true */
  readonly canHandle?: (input: I) => boolean | PromiseLike<boolean>;
  /** Whatever it gives is the result of the chain, `undefined` too, except {@link NOT_MINE}. */
  readonly handle: (
    input: I,
    work: WorkContext<V>,
  ) => O | typeof NOT_MINE | PromiseLike<O | typeof NOT_MINE>;
}

/** A link that asks whoever serves a topic, as whoever `run` is given in `as`. */
export interface TopicLink<I> {
  readonly topic: string;
  /** Only this agent, or one with this capability. */
  readonly to?: NonNullable<RequestOptions['to']>;
  /** @default the topic */
  readonly name?: string;
  /** False: it is not asked. @default always true */
  readonly canHandle?: (input: I) => boolean | PromiseLike<boolean>;
}

/** Options of {@link chain}. */
export interface ChainOptions {
  /** What errors and progress call it. @default 'chain' */
  readonly name?: string;
  /** What an error of a link does: it is the end, or the next one is asked. @default 'end' */
  readonly onError?: 'end' | 'next';
}

/** Options of `run`. The policy stands around each link for itself. */
export type ChainRunOptions<V extends object = Voice> = Omit<WorkflowOptions<V>, 'name'>;

/** Links that are asked one after the other until one handles the input. */
export interface Chain<I, O, V extends object = Voice> {
  readonly name: string;
  /** The names of its links, in the order in which they are asked. */
  readonly links: readonly string[];
  /**
   * Resolves with what the first link gives that handles the input. Rejects with NobodyHandledError
   * `TELLASK_UNHANDLED`, with what a link failed with, with WorkflowTimeoutError `TELLASK_TIMEOUT`,
   * or with the reason of `signal`.
   */
  run(input: I, options?: ChainRunOptions<V>): Promise<O>;
}

/**
 * Makes a chain of responsibility: the input goes from link to link until one handles it. A link
 * declines with `canHandle`, or by giving `NOT_MINE`; that a link fails is the end, because what
 * failed was its own. What was called off is never passed on.
 *
 * @throws TypeError for a link that is none, and for two of one name.
 * @example
 * ```ts
 * import { chain, MessageBus, NOT_MINE } from 'tellask';
 * const bus = new MessageBus();
 * bus.register('clerk').serve('refund', ({ payload }) =>
 *   Number(payload) < 100 ? 'refunded' : NOT_MINE,
 * );
 * const desk = chain<number, string>([
 *   { name: 'nothing', canHandle: (euros) => euros === 0, handle: () => 'nothing to do' },
 *   { topic: 'refund' },
 *   { name: 'manager', handle: (euros) => `the manager looks at ${euros} euros` },
 * ]);
 * await desk.run(40, { as: bus }); // => 'refunded'
 * await desk.run(400, { as: bus }); // => 'the manager looks at 400 euros'
 * ```
 */
export function chain<I, O, V extends object = Voice>(
  links: readonly (Link<I, O, V> | TopicLink<I>)[],
  options: ChainOptions = {},
): Chain<I, O, V> {
  if (typeof options !== 'object' || options === null) {
    throw misuse('The options of chain', 'an object', options);
  }
  refuseUnknown(options, CHAIN_OPTIONS, 'chain');
  const { name = 'chain', onError = 'end' } = options;
  if (typeof name !== 'string') throw misuse('name', 'a string', name);
  if (onError !== 'end' && onError !== 'next') throw misuse('onError', "'end' or 'next'", onError);
  const steps = readLinks(links as readonly (Link<I, O> | TopicLink<I>)[]);
  return {
    name,
    links: steps.map((step) => step.name),
    run: async (input, given: ChainRunOptions<V> = {}) => {
      checkWorkflowOptions('run', given, RUN_OPTIONS);
      return new Run<I, O>(name, steps, onError, given).begin(input);
    },
  };
}

const CHAIN_OPTIONS: ReadonlySet<string> = new Set<keyof ChainOptions>(['name', 'onError']);
const RUN_OPTIONS: ReadonlySet<string> = new Set(
  Object.keys(WORKFLOW_OPTIONS).filter((name) => name !== 'name'),
);

type Step<I, O> = Link<I, O>;

/** One input on its way. */
class Run<I, O> {
  readonly #name: string;
  readonly #steps: readonly Step<I, O>[];
  readonly #onError: 'end' | 'next';
  readonly #options: ChainRunOptions<object>;
  readonly #scope: Scope;
  readonly #policy: ComposedPolicy;
  readonly #ended = new Deferred<O>();
  readonly #declined: string[] = [];
  readonly #failed: FailedTask<string>[] = [];
  /** Links that have declined or failed. */
  #passed = 0;

  constructor(
    name: string,
    steps: readonly Step<I, O>[],
    onError: 'end' | 'next',
    options: ChainRunOptions<object>,
  ) {
    this.#name = name;
    this.#steps = steps;
    this.#onError = onError;
    this.#options = options;
    this.#scope = new Scope(options);
    this.#policy = options.policy === undefined ? compose() : compose(options.policy);
    this.#policy.bind(this.#scope.env);
  }

  begin(input: I): Promise<O> {
    this.#scope.watch({
      timedOut: () => this.#callOff(this.#timeout()),
      withdrawn: (reason) => this.#callOff(reason),
    });
    this.#report();
    this.#passOn(input).then(
      (value) => this.#end(() => this.#ended.resolve(value)),
      (error) => this.#end(() => this.#ended.reject(error)),
    );
    return this.#ended.promise;
  }

  async #passOn(input: I): Promise<O> {
    for (const step of this.#steps) {
      if (this.#ended.settled) break;
      const value = await this.#ask(step, input);
      if (value !== NOT_MINE) return value;
    }
    throw new NobodyHandledError(this.#name, this.#declined, this.#failed);
  }

  /** What the link gives; `NOT_MINE` also when it failed and that is no end. */
  async #ask(step: Step<I, O>, input: I): Promise<O | typeof NOT_MINE> {
    const call = new Call(this.#scope.env, this.#scope.call);
    try {
      const value = await this.#handled(step, input, call);
      this.#note(step.name, value === NOT_MINE ? 'declined' : 'ok');
      return value;
    } catch (error) {
      const outcome = wasCalledOff(error) ? 'cancelled' : 'failed';
      this.#note(step.name, outcome, error);
      if (outcome === 'cancelled' || this.#onError === 'end') throw error;
      return NOT_MINE;
    } finally {
      call.end();
    }
  }

  async #handled(step: Step<I, O>, input: I, call: Call): Promise<O | typeof NOT_MINE> {
    if (step.canHandle !== undefined && !(await step.canHandle(input))) return NOT_MINE;
    // Meanwhile it may have been called off.
    if (this.#ended.settled) return NOT_MINE;
    return this.#policy.run(async (execution) => step.handle(input, this.#bound(execution)), call);
  }

  #bound(execution: Execution): WorkContext<Voice> {
    const voice = this.#options.as as Voice | undefined;
    return new BoundWork(this.#scope.env, voice, execution) as WorkContext<Voice>;
  }

  #note(task: string, outcome: EndedTask['outcome'], error?: unknown): void {
    if (this.#ended.settled) return;
    this.#passed += 1;
    if (outcome === 'declined') this.#declined.push(task);
    if (outcome === 'failed') this.#failed.push({ task, error });
    this.#report({ task, outcome });
  }

  #report(last?: EndedTask): void {
    tell(this.#options.onProgress, () => ({
      workflow: this.#name,
      done: this.#passed,
      total: this.#steps.length,
      ok: last?.outcome === 'ok' ? 1 : 0,
      failed: this.#failed.length,
      cancelled: last?.outcome === 'cancelled' ? 1 : 0,
      pending: last?.outcome === 'ok' ? [] : this.#pending(),
      last,
    }));
  }

  /** The link that is asked now, and those that would be next. */
  #pending(): string[] {
    return this.#steps.slice(this.#passed).map(({ name }) => name);
  }

  #timeout(): WorkflowTimeoutError {
    const outcome = { ok: {}, failed: this.#failed, cancelled: [] };
    return new WorkflowTimeoutError(this.#name, this.#scope.timeoutMs, this.#pending(), outcome);
  }

  #callOff(reason: unknown): void {
    this.#end(() => this.#ended.reject(reason));
    this.#scope.call.abort(reason);
  }

  #end(settle: () => void): void {
    if (this.#ended.settled) return;
    settle();
    this.#scope.close();
  }
}

function readLinks<I, O>(links: readonly (Link<I, O> | TopicLink<I>)[]): readonly Step<I, O>[] {
  if (!Array.isArray(links)) throw misuse('The links of chain', 'a list', links);
  const steps = links.map((link: unknown) => readLink<I, O>(link));
  const names = steps.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new TypeError(`chain has two links named ${twice}`);
  return steps;
}

function readLink<I, O>(given: unknown): Step<I, O> {
  if (typeof given !== 'object' || given === null)
    throw misuse('A link', 'an object with a topic, or a name and a handle', given);
  const link = given as Link<I, O> & TopicLink<I>;
  const { name = link.topic, topic, to, canHandle, handle } = link;
  if (typeof name !== 'string') throw misuse('The name of a link', 'a string', name);
  if (canHandle !== undefined && typeof canHandle !== 'function') {
    throw misuse(`canHandle of ${name}`, 'a function of the input', canHandle);
  }
  if (topic === undefined && typeof handle !== 'function') {
    throw misuse(`handle of ${name}`, 'a function', handle);
  }
  // Called on the link: it may be an object of a class.
  const step = topic === undefined ? link.handle.bind(link) : asking<I, O>(topic, to);
  return { name, handle: step, ...(canHandle && { canHandle: canHandle.bind(link) }) };
}

function asking<I, O>(topic: string, to: RequestOptions['to']): Step<I, O>['handle'] {
  return async (input, work) =>
    (await work.request(topic, input, to === undefined ? {} : { to })) as O | typeof NOT_MINE;
}
