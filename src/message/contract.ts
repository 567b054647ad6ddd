import { misuse } from '../kernel/errors.ts';
import type { SectionName } from './contract-types.ts';
import { type Family, FamilyIndex, type FamilySchemas } from './family-index.ts';
import type { StandardSchema } from './standard-schema.ts';

/** What {@link defineContract} takes: schemas by address template. */
export interface ContractSections {
  /** Payloads of what is published and sent. */
  readonly topics?: Readonly<Record<string, StandardSchema>>;
  /** What is asked and answered. */
  readonly requests?: Readonly<Record<string, RequestSchemas>>;
  /** Values of the shared state. */
  readonly state?: Readonly<Record<string, StandardSchema>>;
}

/** The schemas of one request; `chunk` is what a streaming responder yields. */
export interface RequestSchemas {
  readonly input: StandardSchema;
  readonly output: StandardSchema;
  readonly chunk?: StandardSchema;
}

type SectionOf<S extends ContractSections, Name extends SectionName> = NonNullable<S[Name]>;

/**
 * The topics, requests and state keys that a bus knows. Made by {@link defineContract}; its type is
 * what types the bus: `Agent<typeof contract>`.
 */
export class Contract<S extends ContractSections = ContractSections> {
  readonly topics: SectionOf<S, 'topics'>;
  readonly requests: SectionOf<S, 'requests'>;
  readonly state: SectionOf<S, 'state'>;
  readonly #indexes: Readonly<Record<SectionName, FamilyIndex>>;

  /** @internal */
  constructor(sections: S) {
    const { topics = {}, requests = {}, state = {} } = sections;
    this.topics = Object.freeze({ ...topics }) as SectionOf<S, 'topics'>;
    this.requests = Object.freeze({ ...requests }) as SectionOf<S, 'requests'>;
    this.state = Object.freeze({ ...state }) as SectionOf<S, 'state'>;
    this.#indexes = {
      topics: new FamilyIndex('topics', readSchemas('topics', topics)),
      requests: new FamilyIndex('requests', readRequests(requests)),
      state: new FamilyIndex('state', readSchemas('state', state)),
    };
    Object.freeze(this);
  }

  /** The family of a topic: the exact key, else the template that fits. */
  family(section: SectionName, topic: string): Family | undefined {
    return this.#indexes[section].find(topic);
  }

  /** The key that a mistyped topic may have meant. @internal */
  nearest(section: SectionName, topic: string): string | undefined {
    return this.#indexes[section].nearest(topic);
  }
}

/**
 * Names the topics, requests and state keys of a bus with their schemas: zod, valibot, arktype or
 * anything else that implements Standard Schema. Keys are addresses, `{name}` stands for one
 * segment. An exact key beats a template; two templates that can name the same topic are refused.
 *
 * @throws TypeError for a key that is no address, a value that is no schema, and keys that overlap.
 * @example
 * ```ts
 * import { defineContract } from 'tellask';
 * import { z } from 'zod';
 * const contract = defineContract({
 *   topics: { 'report.{id}.drafted': z.object({ text: z.string() }) },
 *   requests: { 'search.web': { input: z.object({ q: z.string() }), output: z.array(z.string()) } },
 * });
 * Object.keys(contract.topics); // => ['report.{id}.drafted']
 * ```
 */
export function defineContract<const S extends ContractSections>(sections: S): Contract<S> {
  checkSections(sections);
  return new Contract(sections);
}

/** The sections of two contracts in one. */
export type MergedSections<A extends ContractSections, B extends ContractSections> = {
  readonly [Name in SectionName]: SectionOf<A, Name> & SectionOf<B, Name>;
};

/**
 * Puts two contracts together, so that every part of a program can bring its own.
 *
 * @throws TypeError for a key of both whose schemas differ, and for keys that overlap.
 * @example
 * ```ts
 * import { defineContract, mergeContracts } from 'tellask';
 * import { z } from 'zod';
 * const news = defineContract({ topics: { 'news.{id}': z.string() } });
 * const tea = defineContract({ topics: { 'tea.ready': z.object({ cups: z.number() }) } });
 * Object.keys(mergeContracts(news, tea).topics); // => ['news.{id}', 'tea.ready']
 * ```
 */
export function mergeContracts<A extends ContractSections, B extends ContractSections>(
  a: Contract<A>,
  b: Contract<B>,
): Contract<MergedSections<A, B>> {
  return new Contract({
    topics: mergeSection('topics', a.topics, b.topics),
    requests: mergeSection('requests', a.requests, b.requests),
    state: mergeSection('state', a.state, b.state),
  } as MergedSections<A, B>);
}

function mergeSection(section: SectionName, a: object, b: object): object {
  const entries = new Map<string, unknown>(Object.entries(a));
  for (const [key, entry] of Object.entries(b)) {
    if (entries.has(key) && entries.get(key) !== entry) {
      throw new TypeError(`Both contracts have '${key}' in ${section}, with different schemas`);
    }
    entries.set(key, entry);
  }
  return Object.fromEntries(entries);
}

const SECTIONS: readonly string[] = ['topics', 'requests', 'state'];

function checkSections(sections: unknown): void {
  if (!isRecord(sections)) throw misuse('the contract', 'an object', sections);
  for (const [name, section] of Object.entries(sections)) {
    if (!SECTIONS.includes(name)) throw misuse('a section', 'topics, requests or state', name);
    if (section !== undefined && !isRecord(section)) throw misuse(name, 'an object', section);
  }
}

type Entry = readonly [key: string, schemas: FamilySchemas];

function readSchemas(section: SectionName, schemas: object): Entry[] {
  return Object.entries(schemas).map(([key, schema]) => [
    key,
    { input: checkSchema(`${section}['${key}']`, schema) },
  ]);
}

function readRequests(requests: object): Entry[] {
  return Object.entries(requests).map(([key, schemas]) => [key, checkRequest(key, schemas)]);
}

function checkRequest(key: string, schemas: RequestSchemas): FamilySchemas {
  const where = `requests['${key}']`;
  if (!isRecord(schemas)) throw misuse(where, 'an object with input and output', schemas);
  const input = checkSchema(`${where}.input`, schemas.input);
  const output = checkSchema(`${where}.output`, schemas.output);
  if (schemas.chunk === undefined) return { input, output };
  return { input, output, chunk: checkSchema(`${where}.chunk`, schemas.chunk) };
}

function checkSchema(where: string, schema: StandardSchema): StandardSchema {
  if (typeof schema?.['~standard']?.validate === 'function') return schema;
  throw misuse(where, 'a schema (zod, valibot, arktype, any Standard Schema)', schema);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
