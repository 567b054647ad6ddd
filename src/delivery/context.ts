import type { BudgetView, Spending } from '../message/budget.ts';
import type {
  AnyContract,
  ContractShape,
  RequestArg,
  RequestChunk,
  RequestInput,
  RequestOutput,
  StateContract,
  TopicArg,
  TopicInput,
} from '../message/contract-types.ts';
import type { Message } from '../message/message.ts';
import type { Logger } from '../observe/logger.ts';
import type { StateView } from '../state/state-view.ts';
import type { BroadcastReceipt } from './broadcast.ts';
import type { ForwardOptions, ForwardTo } from './forward.ts';
import type { Gathered } from './gathering.ts';
import type { AnswerLater, DeferOptions, Later } from './later.ts';
import type { Receipt } from './receipt.ts';
import type {
  BroadcastOptions,
  GatherOptions,
  PublishOptions,
  Recipients,
  RequestOptions,
  SendOptions,
  StreamOptions,
} from './speech.ts';
import type { MessageStream } from './stream.ts';

/**
 * What whoever has a name can say: the bus as `$host`, an agent through its handle, a handler
 * through its context, which alone inherits the conversation.
 */
export interface Voice<C extends ContractShape = AnyContract> {
  /**
   * Tells every matching subscription except those of the agent that says it.
   *
   * @throws InvalidTopicError `TELLASK_INVALID_TOPIC`, UnknownTopicError `TELLASK_UNKNOWN_TOPIC`,
   * ValidationError `TELLASK_VALIDATION`, PayloadError `TELLASK_PAYLOAD`, DeniedError
   * `TELLASK_DENIED`, ClosedError `TELLASK_CLOSED`: then nothing was delivered.
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * bus.register('editor').subscribe('report.*.drafted', () => {});
   * const receipt = bus.publish('report.7.drafted', { text: 'Tea' }, { priority: 'high' });
   * receipt.recipients; // => ['editor']
   * (await receipt.settled).handled; // => 1
   * ```
   */
  publish<const T extends string>(
    topic: TopicArg<C, T>,
    payload: TopicInput<C, T>,
    options?: PublishOptions,
  ): Receipt;

  /**
   * Puts one message into one agent's mailbox.
   *
   * @throws as `publish`, and UnknownRecipientError `TELLASK_UNKNOWN_RECIPIENT`, MailboxFullError
   * `TELLASK_MAILBOX_FULL`.
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * const editor = bus.register('editor');
   * bus.send('editor', 'task.edit', { id: '7' });
   * (await editor.receive())?.payload; // => { id: '7' }
   * ```
   */
  send<const T extends string>(
    to: string,
    topic: TopicArg<C, T>,
    payload: TopicInput<C, T>,
    options?: SendOptions,
  ): Receipt;

  /**
   * Puts one message into the mailbox of each of many agents, the one that says it left out. The
   * payload is checked and taken once, before any outgoing middleware sees it; what is refused to
   * one, because he is unknown or his mailbox is full, does not touch the others.
   *
   * @throws as `publish`, when it is wrong for all: then nothing was delivered.
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * bus.register('ann').subscribe('**', () => {});
   * bus.register('bob').subscribe('**', () => {});
   * const told = bus.broadcast(['ann', 'bob', 'zoe'], 'news', 'tea', { exclude: 'bob' });
   * (await told.settled).map(({ to, outcome }) => `${to} ${outcome}`);
   * // => ['ann handled', 'zoe refused']
   * ```
   */
  broadcast<const T extends string>(
    to: Recipients,
    topic: TopicArg<C, T>,
    payload: TopicInput<C, T>,
    options?: BroadcastOptions,
  ): BroadcastReceipt;

  /**
   * Asks one of those who serve the topic, and resolves with the answer. Rejects with what the
   * responder threw; with NoResponderError `TELLASK_NO_RESPONDER`, RequestTimeoutError
   * `TELLASK_TIMEOUT`, ResponderLeftError `TELLASK_RESPONDER_LEFT`, MailboxFullError
   * `TELLASK_MAILBOX_FULL`, ClosedError `TELLASK_CLOSED`; or with the reason of `signal`. It never
   * throws.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * bus.register('clerk').serve('double', (request) => Number(request.payload) * 2);
   * await bus.request('double', 21, { timeoutMs: 1_000 }); // => 42
   * ```
   */
  request<const T extends string>(
    topic: RequestArg<C, T>,
    input: RequestInput<C, T>,
    options?: RequestOptions,
  ): Promise<RequestOutput<C, T>>;

  /**
   * Asks all who serve the topic at once, the asker itself left out, and resolves with all that has
   * come when `until` is satisfied, everyone has ended, or the time is over. What has come is kept:
   * the end of the time, too many failures, agents that leave, `signal` and the end of the bus all
   * **resolve**, and `reason` says which it was. So look at `reason` before you trust `ok`.
   *
   * Rejects only when nothing was asked: with NoResponderError `TELLASK_NO_RESPONDER` (names in `to`
   * that nobody bears or that do not serve are in `failed` instead), ClosedError `TELLASK_CLOSED`,
   * ValidationError `TELLASK_VALIDATION`, or the reason of a `signal` that had aborted before; and
   * with what a predicate in `until` throws. It never throws.
   *
   * Late answers of stragglers that run on are `handled` like any delivery and no late replies.
   * `idleTimeoutMs` is for each responder: who is silent for so long is `failed`.
   *
   * @example
   * ```ts
   * import { MessageBus, quorum } from 'tellask';
   * const bus = new MessageBus();
   * for (const name of ['ann', 'bob', 'cat']) bus.register(name).serve('vote', () => name);
   * const { ok, cancelled, reason } = await bus.gather('vote', {}, { until: quorum(2) });
   * [ok.length, cancelled.length, reason]; // => [2, 1, 'enough']
   * ```
   */
  gather<const T extends string>(
    topic: RequestArg<C, T>,
    input: RequestInput<C, T>,
    options?: GatherOptions<RequestOutput<C, T>>,
  ): Promise<Gathered<RequestOutput<C, T>>>;

  /**
   * Asks one of those who serve the topic, and reads what it yields as it comes. The responder is a
   * generator, which is asked for its next chunk only while fewer than `highWaterMark` are unread.
   * Leaving the loop, `cancel` and `signal` end the responder in the same step. It never throws:
   * whatever is wrong is how the stream ends, with the errors of `request`, after the chunks that
   * have come. Of one who leaves `idleTimeoutMs` without a chunk, or a full buffer unread for as
   * long, it ends with RequestTimeoutError `TELLASK_TIMEOUT`.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * bus.register('counter').serve('count', async function* (request) {
   *   for (let n = 1; n <= Number(request.payload); n++) yield n;
   *   return 'done';
   * });
   * const stream = bus.stream('count', 3);
   * const seen: unknown[] = [];
   * for await (const n of stream) seen.push(n);
   * seen; // => [1, 2, 3]
   * await stream.result; // => 'done'
   * ```
   */
  stream<const T extends string>(
    topic: RequestArg<C, T>,
    input: RequestInput<C, T>,
    options?: StreamOptions,
  ): MessageStream<RequestChunk<C, T>, RequestOutput<C, T>>;
}

/** What is happening to a message now, and the only way to speak inside its conversation. */
export interface Context<C extends ContractShape = AnyContract> extends Voice<C> {
  /** The agent that handles it; `$host` for a subscription of the bus. */
  readonly agent: string;
  /** Which call of the handler this is, from 1. */
  readonly attempt: number;
  /** Aborts when the handler's time is over or nobody waits for it any more. */
  readonly signal: AbortSignal;
  /** Milliseconds that the handler still has; `Infinity` when nobody counts. */
  readonly remainingMs: number;
  /** True for the copy of a retained value that `replay` asked for. */
  readonly replayed: boolean;
  /** What the budgets above leave, and what was spent; `Infinity` where there is no limit. */
  readonly budget: BudgetView;
  /**
   * The shared state as the agent sees it. What is written through it names the agent and the
   * message that is handled; once the handler is fenced it throws `TELLASK_FENCED`.
   *
   * @throws TypeError when the bus has no state.
   * @example
   * ```ts
   * import { MessageBus, StateManager } from 'tellask';
   * const bus = new MessageBus({ state: new StateManager() });
   * bus.register('writer').subscribe('report.due', (message, context) => {
   *   context.state.create('doc.7', { content: String(message.payload) });
   * });
   * const { settled, id } = bus.publish('report.due', 'Tea');
   * await settled;
   * const entry = bus.state.get('doc.7');
   * [entry?.actor, entry?.causationId === id]; // => ['writer', true]
   * ```
   */
  readonly state: StateView<StateContract<C>>;
  /** The bus's logger, with the agent and the conversation in its fields. */
  readonly log: Logger;
  /**
   * The `idempotencyKey` of the request, else the id of the message that was said first: the same
   * over all attempts and redrives, so that what is done outside the bus can be done once.
   *
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * bus.register('bank').serve('pay', (_request, context) => context.idempotencyKey);
   * await bus.request('pay', 7, { idempotencyKey: 'invoice-7' }); // => 'invoice-7'
   * ```
   */
  readonly idempotencyKey: string;
  /**
   * A sign of life: the asker's `idleTimeoutMs` counts anew, and its `onProgress` gets the update.
   * Does nothing for a message that nobody waits for. It reaches the own asker and nobody further:
   * who asks on gives `onProgress: (update) => context.progress(update)` to what it asks.
   *
   * @throws PayloadError `TELLASK_PAYLOAD`, FencedError `TELLASK_FENCED`
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * bus.register('baker').serve('bake', (_request, context) => {
   *   context.progress('in the oven');
   *   return 'bread';
   * });
   * const heard: unknown[] = [];
   * await bus.request('bake', {}, { onProgress: (update) => heard.push(update) }); // => 'bread'
   * heard; // => ['in the oven']
   * ```
   */
  progress(update?: unknown): void;
  /** Answers a request before the handler returns; false when that changed nothing. */
  reply(value: unknown): boolean;
  /**
   * With `busy: 'steer'`, takes what has come for the same key since the handler began or asked
   * last, oldest first; each counts as handled. What it never reads is delivered when it ends.
   *
   * @throws FencedError `TELLASK_FENCED`
   * @example
   * ```ts
   * import { type Context, MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * let turnPage = () => {};
   * const nextPage = new Promise<void>((resolve) => { turnPage = resolve; });
   * const notes: unknown[] = [];
   * const write = async (_: unknown, context: Context) => {
   *   await nextPage;
   *   for (const note of context.steered()) notes.push(note.payload);
   * };
   * bus.register('writer').subscribe('draft.*', write, { busy: 'steer' });
   * bus.publish('draft.begin', 'Tea');
   * bus.publish('draft.note', 'shorter, please');
   * turnPage();
   * await bus.drain();
   * notes; // => ['shorter, please']
   * ```
   */
  steered(): readonly Message[];
  /**
   * Answers a request later: the handler returns, the agent goes on, and the asker waits until
   * `answer` or `fail` is called, its deadline is over or the agent leaves. The function is called
   * once, after the handler has returned; if it throws, the request fails for good. Return what
   * `defer` gave back: the value that a handler returns is no answer then.
   *
   * @throws TypeError when nobody asked, when it was answered or deferred before, or when the asker
   * has no deadline and `timeoutMs` is not given.
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * const person = async (euros: unknown) => `${euros} euros approved`;
   * bus.register('boss').serve('approve', (request, context) =>
   *   context.defer(async (later) => {
   *     later.answer(await person(request.payload));
   *   }),
   * );
   * await bus.request('approve', 40); // => '40 euros approved'
   * ```
   */
  defer(work?: AnswerLater, options?: DeferOptions): Later;
  /**
   * Draws tokens and cost from every budget above. What was used up counts, also when this throws;
   * outside of any budget it does nothing.
   *
   * @throws BudgetExhaustedError `TELLASK_BUDGET` when a budget is overdrawn now.
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * bus.register('writer').serve('write', (_request, context) => {
   *   context.spend({ tokens: 1_200, cost: 0.01 });
   *   return context.budget.remaining.tokens;
   * });
   * await bus.request('write', 'a page', { budget: { tokens: 10_000 } }); // => 8_800
   * ```
   */
  spend(spending: Spending): void;
  /**
   * Hands the request over: another agent that serves the same topic gets it, with the time that is
   * left, and its answer, error, progress and chunks go to the one who asked. As after `defer`,
   * this agent goes on; if it leaves meanwhile the request fails. Return what `forward` gave back.
   * When there is no such agent, the asker is told so.
   *
   * @throws TypeError when nobody asked, or when it was answered or deferred before; DeniedError
   * `TELLASK_DENIED` when the handle may not request the topic.
   * @example
   * ```ts
   * import { MessageBus } from 'tellask';
   * const bus = new MessageBus();
   * const isHard = (question: unknown) => String(question).length > 10;
   * bus.register('clerk').serve('question', (request, context) =>
   *   isHard(request.payload) ? context.forward('expert') : 'see page 7',
   * );
   * bus.register('expert').serve('question', () => 'it depends');
   * await bus.request('question', 'why?', { to: 'clerk' }); // => 'see page 7'
   * await bus.request('question', 'why is it so?', { to: 'clerk' }); // => 'it depends'
   * ```
   */
  forward(to: ForwardTo, options?: ForwardOptions): Later;
  /** Lets the agent leave, or closes the bus from a subscription of the host; waits for no one. */
  close(): Promise<void>;
}
