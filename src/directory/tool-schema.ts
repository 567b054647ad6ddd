import type { StandardSchema } from '../message/standard-schema.ts';
import type { JsonSchema } from './card.ts';
import { isStandardSchema, jsonSchemaOfZod } from './card-schema.ts';

/** Whatever says of itself what it is as JSON Schema (https://standardschema.dev/json-schema). */
interface Told {
  readonly jsonSchema?: Partial<
    Record<'input' | 'output', (options: { readonly target: string }) => unknown>
  >;
}

const TARGET = 'draft-2020-12';

/** The JSON Schema of what somebody takes or gives; undefined when it is not known. */
export function jsonSchemaOf(
  schema: StandardSchema | JsonSchema | undefined,
  io: 'input' | 'output',
): JsonSchema | undefined {
  if (schema === undefined) return undefined;
  if (!isStandardSchema(schema)) return withoutDialect(schema);
  const found = jsonSchemaOfZod(schema, io) ?? toldBy(schema, io);
  return found && withoutDialect(found);
}

/** A JSON Schema as a part of another: what it refers to inside of itself lies deeper there. */
export function nestedAt(place: string, schema: JsonSchema): JsonSchema {
  return moved(schema, place) as JsonSchema;
}

function toldBy(schema: StandardSchema, io: 'input' | 'output'): JsonSchema | undefined {
  try {
    const { jsonSchema } = schema['~standard'] as Told;
    const told = jsonSchema?.[io]?.({ target: TARGET });
    return typeof told === 'object' && told !== null ? (told as JsonSchema) : undefined;
  } catch {
    return undefined; // it has parts that JSON Schema cannot say
  }
}

function withoutDialect({ $schema: _, ...rest }: JsonSchema): JsonSchema {
  return rest;
}

function moved(part: unknown, place: string): unknown {
  if (Array.isArray(part)) return part.map((one) => moved(one, place));
  if (typeof part !== 'object' || part === null) return part;
  const entries = Object.entries(part).map(([key, value]): [string, unknown] => {
    const isLocal = key === '$ref' && typeof value === 'string' && value.startsWith('#');
    return [key, isLocal ? `${place}${value.slice(1)}` : moved(value, place)];
  });
  return Object.fromEntries(entries);
}
