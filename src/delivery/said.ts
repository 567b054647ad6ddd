import { misuse } from '../kernel/errors.ts';
import { Budget, type BudgetLimits } from '../message/budget.ts';
import type { Lineage } from '../message/envelope.ts';
import type { MessageType } from '../message/message.ts';
import { NORMAL_PRIORITY, toPriority } from '../message/priority.ts';
import { readSharable, SharedBudget, underOf } from '../message/shared-budget.ts';
import { checkCallOptions } from './call-options.ts';
import { IDEMPOTENCY_HEADER } from './idempotency.ts';
import type { AskOptions, Cause, PublishOptions } from './speech.ts';

type Headers = Readonly<Record<string, string>>;

/** The checked options of one call: one shape for all, so the hot path stays monomorphic. */
export interface Said {
  readonly type: MessageType;
  readonly priority: number;
  readonly headers: Headers | undefined;
  readonly ttlMs: number;
  readonly delayMs: number;
  readonly correlationId: string | undefined;
  /** What it sets for everything that is said because of it. */
  readonly budget: BudgetLimits | SharedBudget | undefined;
}

const DEFAULTS = {
  priority: NORMAL_PRIORITY,
  headers: undefined,
  ttlMs: Infinity,
  delayMs: 0,
  correlationId: undefined,
  budget: undefined,
} as const;

/** What `publish` says when it is told nothing more. */
export const PLAIN_EVENT: Said = Object.freeze({ type: 'event', ...DEFAULTS });
const PLAIN_TASK: Said = Object.freeze({ type: 'task', ...DEFAULTS });

/** Headers that a conversation hands on by itself (W3C Trace Context and Baggage). */
const TRACE_HEADERS = ['traceparent', 'tracestate', 'baggage'] as const;

/** Reads the options of `publish` and `send`; `wall` turns `deliverAt` into a delay. */
export function readTold(
  action: 'publish' | 'send',
  options: PublishOptions | undefined,
  cause: Cause | undefined,
  wall: () => number,
): Said {
  const plain = action === 'publish' ? PLAIN_EVENT : PLAIN_TASK;
  if (options === undefined) {
    const headers = cause === undefined ? undefined : traceOf(cause);
    return headers === undefined ? plain : { ...plain, headers };
  }
  if (typeof options !== 'object' || options === null) {
    throw misuse(`The options of ${action}`, 'an object', options);
  }
  checkCallOptions(action, options);
  readFlag('detached', options.detached);
  return {
    type: readType(options.type) ?? plain.type,
    priority: options.priority === undefined ? NORMAL_PRIORITY : toPriority(options.priority),
    headers: readHeaders(options.headers, cause),
    ttlMs: readMs('ttlMs', options.ttlMs) ?? Infinity,
    delayMs: readDelay(options, wall),
    correlationId: readText('correlationId', options.correlationId),
    budget: readSharable(options.budget),
  };
}

/** Reads the options of `request`. Unlike what is told, a request inherits its asker's priority. */
export function readAsked(options: AskOptions, cause: Cause | undefined): Said {
  const inherited = cause === undefined ? NORMAL_PRIORITY : cause.message.priority;
  const key = readText('idempotencyKey', options.idempotencyKey);
  const extra =
    key === undefined ? options.headers : { ...options.headers, [IDEMPOTENCY_HEADER]: key };
  return {
    type: 'request',
    priority: options.priority === undefined ? inherited : toPriority(options.priority),
    headers: readHeaders(extra, cause),
    ttlMs: Infinity,
    delayMs: 0,
    correlationId: readText('correlationId', options.correlationId),
    budget: readSharable(options.budget),
  };
}

/** What a message inherits from the delivery in which it was said. */
export function lineageOf(
  cause: Cause | undefined,
  correlationId: string | undefined,
  deadline: number = Infinity,
  depth: number = 0,
  budget: Budget | undefined = cause?.message.lineage?.budget,
): Lineage | undefined {
  if (cause === undefined) {
    const plain = correlationId === undefined && deadline === Infinity && depth === 0;
    if (plain && budget === undefined) return undefined;
    const causationId = undefined;
    return {
      correlationId,
      causationId,
      deadline,
      depth,
      hops: 0,
      budget,
      trail: undefined,
      retries: 0,
    };
  }
  const { message } = cause;
  return {
    correlationId: correlationId ?? message.correlationId,
    causationId: message.id,
    deadline,
    // Nobody waits for what is told: requests that it leads to are inside of no other.
    depth: depth === 0 ? 0 : (message.lineage?.depth ?? 0) + depth,
    hops: (message.lineage?.hops ?? 0) + 1,
    budget,
    trail: undefined,
    retries: 0,
  };
}

/** What is said because of this draws from the budget above, or from one of its own within it. */
export function budgetOf(
  { budget }: Said,
  cause: Cause | undefined,
  now: () => number,
): Budget | undefined {
  const above = cause?.message.lineage?.budget;
  if (budget === undefined) return above;
  if (budget instanceof SharedBudget) return underOf(budget, above, now());
  return new Budget(budget, above, now());
}

/** A duration in milliseconds: 0 or more, `Infinity` for no limit. */
export function readMs(name: string, value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number') throw misuse(name, 'a number of milliseconds', value);
  if (!(value >= 0))
    throw new RangeError(`${name} must be 0 or more milliseconds, but it is ${value}`);
  return value;
}

function readDelay({ delayMs, deliverAt }: PublishOptions, wall: () => number): number {
  const delay = readMs('delayMs', delayMs) ?? 0;
  if (delay === Infinity) throw new RangeError('delayMs must be finite, but it is Infinity');
  if (deliverAt === undefined) return delay;
  if (typeof deliverAt !== 'number' || !Number.isFinite(deliverAt)) {
    throw misuse('deliverAt', 'an instant in epoch milliseconds', deliverAt);
  }
  return Math.max(delay, deliverAt - wall());
}

function readFlag(name: string, value: boolean | undefined): void {
  if (value !== undefined && typeof value !== 'boolean') throw misuse(name, 'true or false', value);
}

function readType(type: MessageType | undefined): MessageType | undefined {
  return readText('type', type);
}

function readText(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '') throw misuse(name, 'a non-empty string', value);
  return value;
}

function readHeaders(own: Headers | undefined, cause: Cause | undefined): Headers | undefined {
  const trace = cause === undefined ? undefined : traceOf(cause);
  if (own === undefined) return trace;
  if (typeof own !== 'object' || own === null) throw misuse('headers', 'an object of strings', own);
  // Without a prototype, `__proto__` is a header like any other.
  const headers: Record<string, string> = Object.assign(Object.create(null), trace);
  for (const [name, value] of Object.entries(own)) {
    if (typeof value !== 'string') throw misuse(`headers.${name}`, 'a string', value);
    headers[name] = value;
  }
  return Object.freeze(headers);
}

function traceOf({ message }: Cause): Headers | undefined {
  const { headers } = message;
  let trace: Record<string, string> | undefined;
  for (const name of TRACE_HEADERS) {
    const value = headers[name];
    if (value === undefined) continue;
    trace ??= Object.create(null) as Record<string, string>;
    trace[name] = value;
  }
  return trace === undefined ? undefined : Object.freeze(trace);
}
