import { type ServedView, servedBy } from '../delivery/served.ts';
import { misuse } from '../kernel/errors.ts';
import { isA } from '../kernel/is-a.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { AgentRegistry } from './agent-registry.ts';
import type { JsonSchema } from './card.ts';
import { type Offer, offersOf, type ToolFilter } from './offers.ts';
import { toolName } from './tool-name.ts';
import { jsonSchemaOf, nestedAt } from './tool-schema.ts';

/** Something that a model can call, in the form that the SDKs of models share. */
export interface Tool {
  /** At most 64 of `a-z A-Z 0-9 _ -`, and of this tool alone. */
  readonly name: string;
  readonly description: string;
  /** Always of type `object`, as models demand. */
  readonly inputSchema: JsonSchema;
  /** What comes back as `content`, where that is known. */
  readonly outputSchema?: JsonSchema;
  /** What is asked for: a topic, or a template whose parameters are arguments. */
  readonly topic: string;
}

/** Who calls: a bus (as `$host`), a handle, the context of a handler, or a registry (as its bus). */
export type ToolCaller = ToolVoice | { /** Which asks. */ readonly bus: ToolVoice };

/** Whoever can ask on a bus. */
export interface ToolVoice {
  /** As a bus, an agent and a context have it. */
  readonly request: (...args: never[]) => Promise<unknown>;
}

const FILTER: ReadonlySet<string> = new Set<keyof ToolFilter>([
  'agent',
  'capability',
  'topic',
  'registry',
]);
const UNKNOWN_INPUT = 'Its arguments are not described.';

/**
 * What agents serve, as tools with JSON Schemas for any model: those that `caller` may ask for. The
 * schemas are those of the contract, else those of the cards of `registry`; what has none says so.
 * Input that is no object stands under `input`, the parameters of a topic under `params`.
 *
 * @throws TypeError for who is no caller, and for options that make no sense.
 *
 * @example
 * ```ts
 * import { defineContract, MessageBus } from 'tellask';
 * import { callTool, toolsOf } from 'tellask/agents';
 * import { z } from 'zod';
 * const contract = defineContract({
 *   requests: { 'math.sum': { input: z.array(z.number()), output: z.number() } },
 * });
 * const bus = new MessageBus({ contract });
 * bus.register('ada').serve('math.sum', ({ payload }) => payload.reduce((a, b) => a + b, 0));
 * const [tool] = toolsOf(bus);
 * tool?.name; // => 'math_sum'
 * tool?.inputSchema['properties']; // => { input: { type: 'array', items: { type: 'number' } } }
 * await callTool(bus, 'math_sum', '{"input":[1,2,3]}'); // => { ok: true, content: 6 }
 * ```
 */
export function toolsOf(caller: ToolCaller, filter: ToolFilter = {}): Tool[] {
  refuseUnknown(filter, FILTER, 'toolsOf');
  return offersOf(viewOf(caller), withCards(caller, filter)).map(asTool);
}

/** @throws TypeError for who is no caller. */
export function viewOf(caller: unknown): ServedView {
  const view = servedBy(caller);
  if (view !== undefined) return view;
  throw misuse('The caller', 'a bus, an agent, a context or a registry', caller);
}

/** A registry knows its cards without being told. */
export function withCards<T extends ToolFilter>(caller: ToolCaller, filter: T): T {
  if (filter.registry !== undefined || !isA(caller, AgentRegistry)) return filter;
  return { ...filter, registry: caller };
}

/** How the arguments of a tool become a topic and a payload. */
export type Shape = 'as-is' | 'in-parts';

/** An object is passed as it is; what is none, and what belongs to a topic, stands in parts. */
export function shapeOf({ params, input }: Offer): Shape {
  if (params.length > 0) return 'in-parts';
  const schema = jsonSchemaOf(input, 'input');
  return schema === undefined || schema['type'] === 'object' ? 'as-is' : 'in-parts';
}

function asTool(offer: Offer): Tool {
  const { topic, description, input, output } = offer;
  const schema = jsonSchemaOf(input, 'input');
  const outputSchema = jsonSchemaOf(output, 'output');
  return {
    name: toolName(topic),
    description:
      schema === undefined ? `${description.replace(/\.$/, '')}. ${UNKNOWN_INPUT}` : description,
    inputSchema:
      shapeOf(offer) === 'as-is' ? (schema ?? { type: 'object' }) : inParts(offer, schema),
    ...(outputSchema && { outputSchema }),
    topic,
  };
}

function inParts({ params }: Offer, schema: JsonSchema | undefined): JsonSchema {
  const needed = params.length > 0 ? ['params'] : [];
  return {
    type: 'object',
    properties: {
      ...(params.length > 0 && { params: paramsSchema(params) }),
      input: nestedAt('#/properties/input', schema ?? {}),
    },
    required: schema === undefined ? needed : [...needed, 'input'],
    additionalProperties: false,
  };
}

function paramsSchema(params: readonly string[]): JsonSchema {
  const properties = Object.fromEntries(params.map((name) => [name, { type: 'string' }]));
  return { type: 'object', properties, required: params, additionalProperties: false };
}
