import type { Context, Voice } from '../delivery/context.ts';
import type { AnyContract, ContractShape } from '../message/contract-types.ts';
import type { Task } from './task.ts';

/**
 * What the handler of a task is given: the voice of its agent, in the conversation of the task. All
 * that is said with it has the header `taskId`. As soon as the task was taken away every call throws
 * TaskFencedError `TELLASK_TASK_FENCED`.
 */
export interface TaskContext<C extends ContractShape = AnyContract>
  extends Voice<C>,
    Pick<Context<C>, 'agent' | 'signal' | 'state' | 'log' | 'budget' | 'spend'> {
  /** How often the task was handed out, from 1. */
  readonly attempt: number;
  /** Higher than that of whoever had the task before: for systems that can refuse who is late. */
  readonly token: number;
  /** The same for all attempts, so that what is done outside of the bus can be done once. */
  readonly idempotencyKey: string;
  /** What the tasks that it depends on have given, by their ids. */
  readonly results: Readonly<Record<string, unknown>>;
  /** Keeps the last word about how far it is, and begins the lease anew. */
  progress(update?: unknown): void;
  /**
   * Asks a person, and waits for `board.provideInput`; meanwhile there is no lease. When the task is
   * handed out again, what was answered before is not asked again: so ask in the same order.
   */
  requestInput(question: unknown): Promise<unknown>;
}

/** What the board does for a handler. */
export interface TaskDesk {
  /** @throws TaskFencedError `TELLASK_TASK_FENCED` */
  check(): void;
  results(): Readonly<Record<string, unknown>>;
  /** Looks at the update, which travels as any progress does. */
  progress(update: unknown): unknown;
  requestInput(question: unknown): Promise<unknown>;
}

type Call<V extends keyof Voice> = (...said: Parameters<Voice[V]>) => ReturnType<Voice[V]>;
type Options = { readonly headers?: Readonly<Record<string, string>> } | undefined;

/**
 * Speaks for one handing out of one task. `TaskContext` has its public type. Its calls are fields,
 * because handlers take a context apart.
 */
export class TaskVoice implements TaskContext {
  readonly attempt: number;
  readonly token: number;
  readonly #task: string;
  readonly #context: Context;
  readonly #desk: TaskDesk;

  constructor({ id, attempt, token }: Task, context: Context, desk: TaskDesk) {
    this.#task = id;
    this.attempt = attempt;
    this.token = token;
    this.#context = context;
    this.#desk = desk;
  }

  get agent(): string {
    return this.#context.agent;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  get idempotencyKey(): string {
    return this.#context.idempotencyKey;
  }

  get log(): Context['log'] {
    return this.#context.log;
  }

  get budget(): Context['budget'] {
    return this.#context.budget;
  }

  get state(): Context['state'] {
    return this.#checked.state;
  }

  get results(): Readonly<Record<string, unknown>> {
    return this.#desk.results();
  }

  spend: Context['spend'] = (spending) => this.#checked.spend(spending);

  progress = (update?: unknown): void => {
    this.#checked.progress(this.#desk.progress(update));
  };

  requestInput = async (question: unknown): Promise<unknown> => this.#desk.requestInput(question);

  publish: Call<'publish'> = (topic, payload, options) =>
    this.#checked.publish(topic, payload, this.#linked(options));

  send: Call<'send'> = (to, topic, payload, options) =>
    this.#checked.send(to, topic, payload, this.#linked(options));

  broadcast: Call<'broadcast'> = (to, topic, payload, options) =>
    this.#checked.broadcast(to, topic, payload, this.#linked(options));

  request: Call<'request'> = async (topic, input, options) =>
    this.#checked.request(topic, input, this.#linked(options));

  gather: Call<'gather'> = async (topic, input, options) =>
    this.#checked.gather(topic, input, this.#linked(options));

  stream: Call<'stream'> = (topic, input, options) =>
    this.#checked.stream(topic, input, this.#linked(options));

  get #checked(): Context {
    this.#desk.check();
    return this.#context;
  }

  #linked<O extends Options>(options: O): O {
    return { ...options, headers: { taskId: this.#task, ...options?.headers } } as O;
  }
}
