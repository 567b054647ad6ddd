import * as z from 'zod/mini';
import type { StandardSchema } from '../message/standard-schema.ts';
import type { RegisteredCard } from './card.ts';

/** The most that one card may hold: whoever lists a thousand of them reads all of it. */
const CARD_LIMITS = {
  capabilities: 100,
  tags: 32,
  id: 128,
  tag: 64,
  description: 2_000,
  version: 64,
  /** Characters of the metadata, or of one schema, as JSON. */
  json: 65_536,
} as const;

const MAX_DEPTH = 32;

/** Semantic Versioning 2.0.0 (https://semver.org), without its leading zeros. */
const SEMVER =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/;

const text = (most: number): z.ZodMiniString => {
  const error = `is a string of 1 to ${most} characters`;
  return z.string({ error }).check(z.minLength(1, { error }), z.maxLength(most, { error }));
};

const description = z._default(
  z.string({ error: 'is a string' }).check(
    z.maxLength(CARD_LIMITS.description, {
      error: `has at most ${CARD_LIMITS.description} characters`,
    }),
  ),
  '',
);

const schema = z.optional(
  z.custom<StandardSchema | Record<string, unknown>>(
    (value) => isStandardSchema(value) || (isRecord(value) && isJson(value)),
    { error: 'is a JSON Schema, or a schema such as zod makes' },
  ),
);

const listOf = <T extends z.core.SomeType>(items: T, most: number) =>
  z
    .array(items, { error: 'is a list' })
    .check(z.maxLength(most, { error: `has at most ${most} entries` }));

const capability = z.strictObject(
  {
    id: text(CARD_LIMITS.id),
    description,
    tags: z._default(listOf(text(CARD_LIMITS.tag), CARD_LIMITS.tags), []),
    topic: z.optional(text(256)),
    input: schema,
    output: schema,
  },
  { error: unknownFields('a capability') },
);

const card = z.strictObject(
  {
    name: text(CARD_LIMITS.id),
    type: z._default(text(CARD_LIMITS.id), 'agent'),
    version: z._default(
      text(CARD_LIMITS.version).check(
        z.regex(SEMVER, { error: "is a semantic version such as '1.4.0'" }),
      ),
      '0.0.0',
    ),
    description,
    capabilities: z._default(
      listOf(capability, CARD_LIMITS.capabilities).check(
        z.refine(haveTheirOwnIds, { error: 'have an id of their own each' }),
      ),
      [],
    ),
    metadata: z._default(
      z.custom<Readonly<Record<string, unknown>>>((value) => isRecord(value) && isJson(value), {
        error: `is an object of JSON, at most ${CARD_LIMITS.json} characters of it`,
      }),
      {},
    ),
  },
  { error: unknownFields('a card') },
);

/** What an agent says of itself, as data from anywhere may be. */
export const cardSchema: StandardSchema<unknown, RegisteredCard> = card as never;

/** The JSON Schema of a zod schema; undefined for what is none, or cannot be told. */
export function jsonSchemaOfZod(
  schema: StandardSchema,
  io: 'input' | 'output',
): Record<string, unknown> | undefined {
  if (!('_zod' in schema)) return undefined;
  try {
    const options = { io, unrepresentable: 'any', target: 'draft-2020-12' } as const;
    return z.toJSONSchema(schema as unknown as z.core.$ZodType, options) as Record<string, unknown>;
  } catch {
    return undefined; // made by a zod of another age
  }
}

export function isStandardSchema(value: unknown): value is StandardSchema {
  const standard = (value as Partial<StandardSchema> | null | undefined)?.['~standard'];
  return typeof standard?.validate === 'function';
}

function unknownFields(what: string): (issue: { readonly code?: string }) => string {
  return (issue) => {
    if (issue.code !== 'unrecognized_keys') return `is ${what}, which is an object`;
    const { keys } = issue as unknown as { readonly keys: readonly string[] };
    return `has fields that are none of ${what}: ${keys.slice(0, 5).join(', ').slice(0, 200)}`;
  };
}

function haveTheirOwnIds(capabilities: readonly { readonly id: string }[]): boolean {
  return new Set(capabilities.map(({ id }) => id)).size === capabilities.length;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Plain data that is as good when it is written down and read again. */
function isJson(value: unknown): boolean {
  try {
    return isPlain(value, MAX_DEPTH) && JSON.stringify(value).length <= CARD_LIMITS.json;
  } catch {
    return false; // a getter or a proxy among the data threw
  }
}

function isPlain(value: unknown, depth: number): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth === 0) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return false;
  if (Object.hasOwn(value, '__proto__')) return false;
  return Object.values(value).every((part) => isPlain(part, depth - 1));
}
