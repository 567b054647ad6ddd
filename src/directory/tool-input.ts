import { topic as topicOf } from '../message/template.ts';
import { ToolInputError } from './errors.ts';
import type { Offer } from './offers.ts';
import { shapeOf } from './tools.ts';

/** Characters of JSON that a model may send. */
const MAX_LENGTH = 1_000_000;
const MAX_DEPTH = 64;

type Arguments = Readonly<Record<string, unknown>>;

/** What is asked, and what with. */
export interface ToolRequest {
  readonly topic: string;
  readonly payload: unknown;
}

/**
 * Reads what a model wants to call a tool with: JSON, or what an SDK has made of it.
 *
 * @throws ToolInputError, InvalidTopicError
 */
export function readToolInput(offer: Offer, given: unknown): ToolRequest {
  const args = readArguments(given);
  if (shapeOf(offer) === 'as-is') return { topic: offer.topic, payload: args };
  const wrong = Object.keys(args).find((key) => key !== 'input' && key !== 'params');
  if (wrong !== undefined) throw new ToolInputError(`have no field ${wrong.slice(0, 64)}`);
  const topic = offer.params.length === 0 ? offer.topic : filled(offer, args['params']);
  return { topic, payload: args['input'] };
}

function readArguments(given: unknown): Arguments {
  const args = typeof given === 'string' ? parsed(given) : (given ?? {});
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    throw new ToolInputError('are no JSON object');
  }
  refuseHostile(args, MAX_DEPTH);
  return args as Arguments;
}

function parsed(text: string): unknown {
  if (text.trim() === '') return {}; // what some SDKs make of no arguments
  if (text.length > MAX_LENGTH)
    throw new ToolInputError(`are longer than ${MAX_LENGTH} characters`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ToolInputError('are no valid JSON');
  }
}

/** Whoever merges these keys into an object of his own would change the prototypes of others. */
function refuseHostile(part: unknown, depth: number): void {
  if (typeof part !== 'object' || part === null) return;
  if (depth === 0) throw new ToolInputError(`are more than ${MAX_DEPTH} levels deep`);
  for (const [key, value] of Object.entries(part)) {
    const reaches = key === 'constructor' && Object.hasOwn(Object(value) as object, 'prototype');
    if (key === '__proto__' || reaches) throw new ToolInputError(`may not have the key ${key}`);
    refuseHostile(value, depth - 1);
  }
}

function filled({ topic, params }: Offer, given: unknown): string {
  const values = (typeof given === 'object' && given !== null ? given : {}) as Arguments;
  const missing = params.find((name) => !Object.hasOwn(values, name));
  if (missing !== undefined) throw new ToolInputError(`have no params.${missing}`);
  const wrong = params.find((name) => typeof values[name] !== 'string');
  if (wrong !== undefined) throw new ToolInputError(`have no string in params.${wrong}`);
  return topicOf(topic, values as Record<string, string>);
}
