import type { BudgetLimits } from '../message/budget.ts';
import type { Envelope } from '../message/envelope.ts';
import type { MessageType } from '../message/message.ts';
import type { PriorityInput } from '../message/priority.ts';
import type { SharedBudget } from '../message/shared-budget.ts';
import type { Policy } from '../resilience/policy.ts';
import type { BudgetExhaustedError } from './bound-errors.ts';
import type { BroadcastReceipt } from './broadcast.ts';
import type { Gathered } from './gathering.ts';
import type { Outbox } from './outbox.ts';
import type { Receipt } from './receipt.ts';
import type { Selection } from './selection.ts';
import type { MessageStream } from './stream.ts';
import type { Permits } from './subscription.ts';
import type { Until } from './until.ts';

/** Options of `publish`. */
export interface PublishOptions {
  /** @default 'event' for publish, 'task' for send */
  readonly type?: MessageType;
  /** 0 to 10 or a name; greater is sooner. @default 5 */
  readonly priority?: PriorityInput;
  /** Milliseconds in which a handler must be free for it; then it is `expired`. @default Infinity */
  readonly ttlMs?: number;
  /** Milliseconds until it is routed and admitted. @default 0 */
  readonly delayMs?: number;
  /** Epoch milliseconds at which it is routed and admitted. */
  readonly deliverAt?: number;
  /** A second message with the same key, sender and topic within the window is not admitted. */
  readonly dedupeKey?: string;
  /** Keeps it as the last value of its topic for those who subscribe with `replay`. @default false */
  readonly retain?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends waiting copies as `cancelled(withdrawn)`. */
  readonly signal?: AbortSignal;
  /** How long copies may wait for a place (`overflow: 'wait'`). @default Infinity */
  readonly timeoutMs?: number;
  /** The conversation it belongs to. @default the context's, else a new one */
  readonly correlationId?: string;
  /** Limits for everything that is said because of it, within those of the context. */
  readonly budget?: BudgetLimits | SharedBudget;
  /**
   * Said on a handle inside of a handler, it begins a new conversation on purpose: the test bus does
   * not take it for a lost context. Elsewhere it changes nothing. @default false
   */
  readonly detached?: boolean;
}

/** Options of `send`. */
export type SendOptions = Omit<PublishOptions, 'retain'>;

/** Agents by name, or all that have a capability. */
export type Recipients = readonly string[] | { readonly capability: string };

/** Options of `broadcast`. */
export interface BroadcastOptions extends SendOptions {
  /** Names that are left out; they need not exist. */
  readonly exclude?: string | readonly string[];
  /** Sends it to the agent that says it, too, when it is among the recipients. @default false */
  readonly echo?: boolean;
}

/** What all ways of asking have in common. */
export interface AskOptions {
  /** Milliseconds for the whole call; never longer than what the asker has left. @default 30_000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly priority?: PriorityInput;
  readonly headers?: Readonly<Record<string, string>>;
  /** The same key makes a responder with `idempotent` answer with its first answer. */
  readonly idempotencyKey?: string;
  readonly correlationId?: string;
  /**
   * Milliseconds without a sign of life of a responder: its answer, or `context.progress`. It
   * counts from the call, also while the request is queued. @default Infinity
   */
  readonly idleTimeoutMs?: number;
  /** Limits for everything that is said because of it, within those of the context. */
  readonly budget?: BudgetLimits | SharedBudget;
  /**
   * The handler does not wait for the answer: its own end, its deadline and its slot have nothing
   * to do with this request, and a failure that nobody looks at is no unhandled rejection.
   * @default false
   */
  readonly detached?: boolean;
  /**
   * How it is asked: again, at most so long, not while the circuit of the responder is open. Any
   * policy fits. Each attempt is a request of its own, in the same conversation and with the same
   * `idempotencyKey`, to a responder that is chosen anew; `timeoutMs` is for all of them.
   */
  readonly policy?: Policy;
}

/** Options of `request`. */
export interface RequestOptions extends AskOptions {
  /** Only this agent, or one with this capability, may answer. */
  readonly to?: string | { readonly capability: string };
  /** Hears what the responder says with `context.progress`. What it throws changes nothing. */
  readonly onProgress?: (update: unknown) => void;
  /**
   * Milliseconds to wait for a responder when nobody serves the topic yet, or not the one in `to`.
   * They count toward `timeoutMs`. @default 0, fails at once
   */
  readonly waitForMs?: number;
  /**
   * Agents that are asked instead, each once and in this order, when the one who was asked has
   * failed and time is left. When all fail, the error is a FallbackError `TELLASK_FALLBACK` with all
   * causes. @default what the bus's `fallback` has for the one who was asked
   */
  readonly fallback?: readonly string[];
  /**
   * Which of those who could answer is asked: a strategy of `tellask/agents`, or your own.
   * @default the bus's `select`, or else the one with the fewest outstanding deliveries, in turn
   * between equals
   */
  readonly select?: Selection;
}

/** Options of `whenServed`. */
export interface WhenServedOptions {
  /** Milliseconds to wait. @default Infinity */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Waits for this agent, or for one with this capability. @default anybody */
  readonly to?: string | { readonly capability: string };
}

/** Options of `gather`. */
export interface GatherOptions<O = unknown> extends AskOptions {
  /** These agents, or those with this capability that serve the topic. @default all who serve it */
  readonly to?: Recipients;
  /** When it has enough: `first(k)`, `quorum(k)` or a predicate. @default when all have ended */
  readonly until?: Until<O>;
  /**
   * What becomes of those who have not ended when the gather has: `abort` calls their work off;
   * `run` lets them go on, up to the bus's `handlerTimeoutMs`. @default 'abort'
   */
  readonly stragglers?: 'run' | 'abort';
  /** Hears what a responder says with `context.progress`. What it throws changes nothing. */
  readonly onProgress?: (update: unknown, from: string) => void;
}

/** Options of `stream`. */
export interface StreamOptions
  extends Pick<
    RequestOptions,
    | 'signal'
    | 'to'
    | 'priority'
    | 'headers'
    | 'idempotencyKey'
    | 'correlationId'
    | 'budget'
    | 'detached'
    | 'policy'
    | 'fallback'
    | 'select'
  > {
  /** Milliseconds for the whole stream; never longer than what the asker has left. @default Infinity */
  readonly timeoutMs?: number;
  /**
   * Milliseconds without a chunk while there is room for one, or with a full buffer that nobody
   * reads; `Infinity` for no limit. @default 30_000
   */
  readonly idleTimeoutMs?: number;
  /** The responder is asked for a chunk only while fewer are unread; 1 or more. @default 16 */
  readonly highWaterMark?: number;
  /** Hears how far the responder is. */
  readonly onProgress?: (update: unknown) => void;
}

/**
 * Who speaks, and from within which delivery. Lineage is inherited from the delivery alone: a
 * handle or the bus starts a new conversation.
 */
export interface Speaker {
  readonly name: string;
  /** What is being handled while this is said. */
  readonly cause: Cause | undefined;
  /** What it may still do; not asked of whoever cannot be restricted. */
  readonly permits?: Permits | undefined;
  /** Hears what it is about to say. On a test bus only. */
  readonly said?: ((action: string, topic: string, options: unknown) => void) | undefined;
}

/** Says things for whoever may speak. */
export interface Speaking {
  publish(speaker: Speaker, topic: string, payload: unknown, options?: PublishOptions): Receipt;
  send(
    speaker: Speaker,
    to: string,
    topic: string,
    payload: unknown,
    options?: SendOptions,
  ): Receipt;
  request(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options?: RequestOptions,
  ): Promise<unknown>;
  gather(
    speaker: Speaker,
    topic: string,
    payload: unknown,
    options?: GatherOptions,
  ): Promise<Gathered>;
  broadcast(
    speaker: Speaker,
    to: Recipients,
    topic: string,
    payload: unknown,
    options?: BroadcastOptions,
  ): BroadcastReceipt;
  stream(speaker: Speaker, topic: string, payload: unknown, options?: StreamOptions): MessageStream;
}

/** A delivery, seen as the cause of what its handler says. */
export interface Cause {
  readonly message: Envelope;
  /** Monotonic instant after which its asker has gone. */
  readonly deadline: number;
  /** True while the handler runs, or owes an answer: a drain still admits what it says. */
  readonly heard: boolean;
  /** Set while it only wraps up: then nothing more is begun. */
  readonly exhausted: BudgetExhaustedError | undefined;
  /** Where what it tells waits until it has succeeded; undefined when it is told at once. */
  readonly outbox: Outbox | undefined;
  /** Calls back when the handler is aborted; returns how to stop listening. */
  onAbort(callback: (reason: unknown) => void): () => void;
}
