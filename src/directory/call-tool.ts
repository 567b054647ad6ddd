import type { RequestOptions } from '../delivery/speech.ts';
import { ERROR_CODES } from '../kernel/error-codes.ts';
import { isTellaskError, type TellaskError } from '../kernel/errors.ts';
import { isA } from '../kernel/is-a.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { nearestOf } from '../message/edit-distance.ts';
import { parse } from '../message/parse.ts';
import { PayloadError } from '../message/payload.ts';
import { AgentRegistry } from './agent-registry.ts';
import { isStandardSchema } from './card-schema.ts';
import { UnknownToolError } from './errors.ts';
import { type Offer, offersOf, type ToolFilter } from './offers.ts';
import { readToolInput, type ToolRequest } from './tool-input.ts';
import { toolName } from './tool-name.ts';
import { type ToolCaller, viewOf, withCards } from './tools.ts';

/** Options of {@link callTool}. Give it the filter with which the tools were offered. */
export interface CallToolOptions
  extends ToolFilter,
    Pick<RequestOptions, 'timeoutMs' | 'signal' | 'budget' | 'correlationId' | 'idempotencyKey'> {}

/** What a model can read when its call has failed. */
export interface ToolFailure {
  /** Of the library; `TELLASK_HANDLER_ERROR` for what the agent itself threw. */
  readonly code: string;
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
}

/** What became of a call: plain JSON, to be handed to the model as it is. */
export type ToolResult =
  | { readonly ok: true; readonly content: unknown }
  | { readonly ok: false; readonly error: ToolFailure };

const OPTIONS: ReadonlySet<string> = new Set<keyof CallToolOptions>([
  'agent',
  'capability',
  'topic',
  'registry',
  'timeoutMs',
  'signal',
  'budget',
  'correlationId',
  'idempotencyKey',
]);
const MAX_MESSAGE = 500;

/**
 * Does what a model wants: looks the tool up, reads the arguments, asks the agents that serve it,
 * and gives back what the model can read. Only what {@link toolsOf} offers the same caller with the
 * same filter can be called. On a context it belongs to the conversation.
 *
 * Rejects with TypeError for options that make no sense, and with the reason of `signal`; all else
 * that goes wrong is a result.
 *
 * @example
 * ```ts
 * import { MessageBus } from 'tellask';
 * import { callTool } from 'tellask/agents';
 * const bus = new MessageBus();
 * bus.register('ada').serve('math.sum', ({ payload }) => {
 *   const { a, b } = payload as { a: number; b: number };
 *   return a + b;
 * });
 * await callTool(bus, 'math_sum', '{"a":1,"b":2}'); // => { ok: true, content: 3 }
 * const failed = await callTool(bus, 'math_summ', '{}');
 * failed.ok || failed.error.message; // => 'There is no tool math_summ; did you mean math_sum?'
 * ```
 */
export async function callTool(
  caller: ToolCaller,
  name: string,
  input: unknown,
  options: CallToolOptions = {},
): Promise<ToolResult> {
  refuseUnknown(options, OPTIONS, 'callTool');
  const view = viewOf(caller);
  try {
    const offer = find(offersOf(view, withCards(caller, options)), name);
    const request = readToolInput(offer, input);
    checkByCard(offer, request);
    return { ok: true, content: asJson(await ask(caller, request, options)) };
  } catch (error) {
    if (options.signal?.aborted === true) throw options.signal.reason;
    return { ok: false, error: failureOf(error) };
  }
}

function find(offers: readonly Offer[], name: string): Offer {
  const found = offers.find(({ topic }) => toolName(topic) === name);
  if (found !== undefined) return found;
  const names = offers.map(({ topic }) => toolName(topic));
  throw new UnknownToolError(name, typeof name === 'string' ? nearestOf(name, names) : undefined);
}

/** What a contract knows is checked on the bus; of a card only schemas that can check are used. */
function checkByCard({ checked, input, topic }: Offer, { payload }: ToolRequest): void {
  if (!checked && isStandardSchema(input)) parse(input, payload, { what: 'input', topic });
}

function ask(
  caller: ToolCaller,
  { topic, payload }: ToolRequest,
  { agent, capability, timeoutMs, signal, budget, correlationId, idempotencyKey }: CallToolOptions,
): Promise<unknown> {
  const to = agent ?? (capability === undefined ? undefined : { capability });
  const given = { to, timeoutMs, signal, budget, correlationId, idempotencyKey };
  const terms = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as RequestOptions;
  const voice = isA(caller, AgentRegistry) ? caller.bus : caller;
  return (voice as Asking).request(topic, payload, terms);
}

interface Asking {
  request(topic: string, payload: unknown, options: RequestOptions): Promise<unknown>;
}

/** A model reads JSON: what is none would be a surprise to whoever writes it down. */
function asJson(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null') as unknown;
  } catch {
    throw new PayloadError('', 'of the answer is no JSON');
  }
}

function failureOf(error: unknown): ToolFailure {
  if (isTellaskError(error)) return told(error, error.message);
  const message = isA(error, Error) ? String(error.message) : 'it failed without saying why';
  const [retryable] = ERROR_CODES.TELLASK_HANDLER_ERROR;
  const hint = 'The agent that was asked has failed: try other arguments, or go on without it.';
  return { code: 'TELLASK_HANDLER_ERROR', message: message.slice(0, MAX_MESSAGE), hint, retryable };
}

function told({ code, hint, retryable }: TellaskError, message: string): ToolFailure {
  return { code, message: message.slice(0, MAX_MESSAGE), hint, retryable };
}
