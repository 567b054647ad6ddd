import { parse } from '../message/parse.ts';
import { own } from '../message/payload.ts';
import type { StandardSchema } from '../message/standard-schema.ts';
import { cardSchema } from './card-schema.ts';

/** A JSON Schema, as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One thing that an agent can do. */
export interface AgentCapability {
  /** By which it is found; at most 128 characters. */
  readonly id: string;
  /** For people and models. */
  readonly description?: string;
  /** At most 32, of at most 64 characters each. */
  readonly tags?: readonly string[];
  /** The request by which it is asked for. @default its id */
  readonly topic?: string;
  /** What it takes: a JSON Schema, or a schema of zod, valibot, arktype … */
  readonly input?: StandardSchema | JsonSchema;
  /** What it gives. */
  readonly output?: StandardSchema | JsonSchema;
}

/** What an agent says of itself: what {@link AgentRegistry.register} takes. */
export interface AgentCard {
  readonly name: string;
  /** What kind of agent it is. @default 'agent' */
  readonly type?: string;
  /** A semantic version. @default '0.0.0' */
  readonly version?: string;
  /** At most 2 000 characters. @default '' */
  readonly description?: string;
  /** At most 100. @default none */
  readonly capabilities?: readonly AgentCapability[];
  /** JSON of your own, at most 65 536 characters. @default none */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** A capability with nothing left out that has a default. */
export interface RegisteredCapability extends AgentCapability {
  readonly description: string;
  readonly tags: readonly string[];
}

/** A card as the registry keeps it: checked, frozen, with nothing left out. */
export interface RegisteredCard extends AgentCard {
  readonly type: string;
  readonly version: string;
  readonly description: string;
  readonly capabilities: readonly RegisteredCapability[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** @throws ValidationError `TELLASK_VALIDATION` */
export function readCard(card: unknown): RegisteredCard {
  const named = (card as Partial<AgentCard> | null | undefined)?.name;
  const topic = typeof named === 'string' ? named.slice(0, 128) : 'an agent';
  return own(parse(cardSchema, card, { what: 'card', topic }));
}
