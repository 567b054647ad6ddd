import { type } from 'arktype';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isTellaskError } from '../../src/kernel/errors.ts';
import { type Contract, defineContract, mergeContracts } from '../../src/message/contract.ts';
import { parse, ValidationError } from '../../src/message/parse.ts';
import type { StandardSchema } from '../../src/message/standard-schema.ts';
import { templatesOverlap, topic } from '../../src/message/template.ts';

const text = z.string();

function topicsOf(...keys: readonly string[]): Contract {
  return defineContract({ topics: Object.fromEntries(keys.map((key) => [key, text])) });
}

describe('families', () => {
  it('finds a topic by its exact key', () => {
    const contract = topicsOf('doc.created');

    const family = contract.family('topics', 'doc.created');

    expect(family?.key).toBe('doc.created');
    expect(family?.input).toBe(text);
    expect(family?.params('doc.created')).toEqual({});
  });

  it('finds a topic by the template that fits, and decodes its parameters', () => {
    const contract = topicsOf('report.{id}.drafted', 'report.{id}.approved');
    const built = topic('report.{id}.approved', { id: 'src/a.md' });

    const family = contract.family('topics', built);

    expect(family?.key).toBe('report.{id}.approved');
    expect({ ...family?.params(built) }).toEqual({ id: 'src/a.md' });
  });

  it('lets an exact key beat a template', () => {
    const contract = topicsOf('report.{id}.drafted', 'report.all.drafted');

    expect(contract.family('topics', 'report.all.drafted')?.key).toBe('report.all.drafted');
    expect(contract.family('topics', 'report.7.drafted')?.key).toBe('report.{id}.drafted');
  });

  it('turns back where a literal leads nowhere', () => {
    const contract = topicsOf('a.{x}.b', '{y}.c.d');

    expect(contract.family('topics', 'a.c.d')?.key).toBe('{y}.c.d');
    expect(contract.family('topics', 'a.c.b')?.key).toBe('a.{x}.b');
  });

  it.each(['report.drafted', 'report.7.8.drafted', 'report', 'report.{id}.drafted', ''])(
    'knows nothing of %j',
    (unknown) => {
      expect(topicsOf('report.{id}.drafted').family('topics', unknown)).toBeUndefined();
    },
  );

  it("keeps the library's own topics out of templates", () => {
    expect(topicsOf('{first}.closed').family('topics', '$bus.closed')).toBeUndefined();
  });

  // R:E2
  it('takes __proto__ and the like for ordinary names', () => {
    const contract = topicsOf('doc.{id}');

    expect(contract.family('topics', '__proto__')).toBeUndefined();
    expect(contract.family('topics', 'constructor')).toBeUndefined();
    expect({ ...contract.family('topics', 'doc.__proto__')?.params('doc.__proto__') }).toEqual({
      id: '__proto__',
    });
  });

  it('keeps topics, requests and state keys apart', () => {
    const chunk = z.string();
    const contract = defineContract({
      topics: { 'doc.{id}': z.string() },
      requests: { 'doc.{id}': { input: z.number(), output: z.boolean(), chunk } },
      state: { 'note.{id}': z.string() },
    });

    expect(contract.family('requests', 'doc.7')?.chunk).toBe(chunk);
    expect(contract.family('topics', 'doc.7')?.output).toBeUndefined();
    expect(contract.family('state', 'doc.7')).toBeUndefined();
    expect(contract.family('state', 'note.7')?.key).toBe('note.{id}');
  });

  it('finds for random keys what a walk through all of them finds', () => {
    const segment = fc.constantFrom('a', 'b', 'c', '{x}');
    const keys = fc.uniqueArray(fc.array(segment, { minLength: 1, maxLength: 4 }), {
      selector: (segments) => segments.join('.'),
      maxLength: 6,
    });
    let refused = 0;
    const topics = fc.array(fc.constantFrom('a', 'b', 'd'), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(keys, topics, (rawKeys, segments) => {
        const all = rawKeys.map((raw) =>
          raw.map((part, at) => (part === '{x}' ? `{x${at}}` : part)).join('.'),
        );
        const overlapping = all.some((a, i) => all.some((b, j) => i < j && templatesOverlap(a, b)));
        if (overlapping) {
          refused += 1;
          expect(() => topicsOf(...all)).toThrow(/overlap/);
          return;
        }
        const name = segments.join('.');
        const fits = (key: string) =>
          new RegExp(`^${key.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^.]+')}$`).test(name);
        const expected = all.includes(name) ? name : all.find(fits);
        expect(topicsOf(...all).family('topics', name)?.key).toBe(expected);
      }),
      { seed: 7, numRuns: 2_000 },
    );
    expect(refused).toBeGreaterThan(200);
    expect(refused).toBeLessThan(1_500);
  });
});

describe('nearest', () => {
  it.each([
    ['doc.craeted', 'doc.created'],
    ['doc.create', 'doc.created'],
    ['report.src%2Fa.draftd', 'report.{id}.drafted'],
    ['reprot.7.drafted', 'report.{id}.drafted'],
    ['doc.deleted', undefined],
    ['mail.sent', undefined],
    ['x', undefined],
  ])('guesses for %j %j', (mistyped, expected) => {
    const contract = topicsOf('doc.created', 'report.{id}.drafted', 'y');

    expect(contract.nearest('topics', mistyped)).toBe(expected);
  });

  it('prefers the nearest of several', () => {
    expect(topicsOf('task.edits', 'task.edit').nearest('topics', 'task.edit2')).toBe('task.edits');
    expect(topicsOf('task.added', 'task.adder').nearest('topics', 'task.addr')).toBe('task.adder');
  });
});

// R:C2
describe('what is refused', () => {
  it.each([
    ['a..b', "topics['a..b'] is no address: character 2"],
    ['a.*', "topics['a.*'] is no address: character 2"],
    ['a b', "topics['a b'] is no address: character 1"],
    ['a.x{id}', "topics['a.x{id}'] is no address: character 3"],
    ['{id}.{id}', "topics['{id}.{id}'] is no address: character 5"],
    ['$bus.mine', "topics['$bus.mine'] is no address: '$' begins what the bus itself says"],
  ])('refuses the key %j', (key, message) => {
    expect(() => topicsOf(key)).toThrow(TypeError);
    expect(() => topicsOf(key)).toThrow(message);
  });

  it('refuses two templates that could name the same topic, and names both', () => {
    const define = () => topicsOf('report.{id}.drafted', 'report.7.{what}');

    expect(define).toThrow(TypeError);
    expect(define).toThrow("topics: 'report.{id}.drafted' and 'report.7.{what}' overlap");
  });

  it.each([
    [{ topics: { a: 'no schema' } }, "topics['a'] must be a schema"],
    [{ topics: { a: null } }, "topics['a'] must be a schema"],
    [{ requests: { a: text } }, "requests['a'].input must be a schema"],
    [{ requests: { a: { input: text } } }, "requests['a'].output must be a schema"],
    [{ requests: { a: { input: text, output: text, chunk: 1 } } }, "requests['a'].chunk must be"],
    [{ requests: { a: 1 } }, "requests['a'] must be an object with input and output"],
    [{ topic: {} }, 'a section must be topics, requests or state, but it is "topic"'],
    [{ topics: [] }, 'topics must be an object'],
    [null, 'the contract must be an object'],
  ])('refuses %j', (sections, message) => {
    expect(() => defineContract(sections as never)).toThrow(TypeError);
    expect(() => defineContract(sections as never)).toThrow(message);
  });
});

describe('mergeContracts', () => {
  it('has the keys of both', () => {
    const merged = mergeContracts(
      topicsOf('a.{x}'),
      defineContract({ topics: { b: text }, state: { s: text } }),
    );

    expect(merged.family('topics', 'a.1')?.key).toBe('a.{x}');
    expect(merged.family('topics', 'b')?.key).toBe('b');
    expect(merged.family('state', 's')?.key).toBe('s');
  });

  it('takes a key of both when its schema is the same', () => {
    expect(Object.keys(mergeContracts(topicsOf('a', 'b'), topicsOf('a', 'c')).topics)).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  it('refuses a key with two schemas, and keys that overlap', () => {
    const other = defineContract({ topics: { a: z.number() } });

    expect(() => mergeContracts(topicsOf('a'), other)).toThrow("Both contracts have 'a' in topics");
    expect(() => mergeContracts(topicsOf('a.{x}'), topicsOf('{y}.b'))).toThrow(/overlap/);
  });
});

const subject = { what: 'payload', topic: 'user.added' };

function failureOf(run: () => unknown): ValidationError {
  try {
    run();
  } catch (error) {
    if (error instanceof ValidationError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

// F:A7 F:A8
describe('parse', () => {
  it.each([
    ['zod', z.object({ name: z.string(), age: z.number().default(3) })],
    ['valibot', v.object({ name: v.string(), age: v.optional(v.number(), 3) })],
    ['arktype', type({ name: 'string', age: 'number = 3' })],
  ])('gives back what %s makes of the value', (_, schema) => {
    expect(parse(schema, { name: 'Ada' }, subject)).toEqual({ name: 'Ada', age: 3 });
  });

  const secret = 'se"cret\nword';
  it.each([
    ['zod', z.object({ user: z.object({ 'a/b~c': z.array(z.enum(['x', 'y'])) }) })],
    ['valibot', v.object({ user: v.object({ 'a/b~c': v.array(v.picklist(['x', 'y'])) }) })],
    ['arktype', type({ user: { 'a/b~c': "('x' | 'y')[]" } })],
  ])('says where %s found fault, and never what stands there', (_, schema) => {
    const error = failureOf(() => parse(schema, { user: { 'a/b~c': ['x', secret] } }, subject));

    expect(isTellaskError(error, 'TELLASK_VALIDATION')).toBe(true);
    expect(error).toMatchObject({ name: 'ValidationError', topic: 'user.added', what: 'payload' });
    expect(error.issues.map(({ path }) => path)).toEqual(['/user/a~1b~0c/1']);
    expect(error.message).toContain("The payload of 'user.added' does not fit: /user/a~1b~0c/1: ");
    expect(JSON.stringify(error.issues) + error.message).not.toMatch(/cret/);
  });

  it.each([
    ['number', v.pipe(v.number(), v.integer()), 41.5, /41/],
    ['boolean', v.literal(false), true, /true/],
    ['nested', type({ a: 'string' }), { a: ['canary'] }, /canary/],
    ['date', v.pipe(v.date(), v.minValue(new Date(0))), new Date(-1), /1969/],
    [
      'own text',
      z.string().refine(() => false, { error: ({ input }) => `no ${input}` }),
      'canary',
      /canary/,
    ],
  ])('keeps a %s out of the text', (_, schema, value, leak) => {
    const error = failureOf(() => parse(schema as StandardSchema, value, subject));

    expect(error.message).not.toMatch(leak);
  });

  it('keeps the words around a value that is short', () => {
    const schema = v.pipe(v.number(), v.minValue(10, 'must be at least 10, not 1'));

    const error = failureOf(() => parse(schema, 1, subject));

    expect(error.issues).toEqual([{ path: '', message: 'must be at least 10, not …' }]);
    expect(error.message).toBe(
      "The payload of 'user.added' does not fit: must be at least 10, not …",
    );
  });

  // R:D6
  it('names the first 20 findings and shows three', () => {
    const error = failureOf(() => parse(z.array(z.string()), new Array(500).fill(1), subject));

    expect(error.issues).toHaveLength(20);
    expect(error.message).toMatch(/; and 17 more$/);
  });

  it('survives data that throws when it is looked at', () => {
    const hostile = { get x(): string { throw new Error('canary'); } }; // biome-ignore format: one line says it
    const schema = standard(() => ({ issues: [{ message: 'canary', path: [{ key: 'x' }] }] }));

    const error = failureOf(() => parse(schema, hostile, subject));

    expect(error.issues).toEqual([{ path: '/x', message: 'does not fit the schema' }]);
  });

  it('survives cycles and more data than is worth a search', () => {
    const cycle: Record<string, unknown> = { name: 'canary' };
    Object.assign(cycle, { self: cycle });
    const schema = standard(() => ({ issues: [{ message: 'was canary' }] }));

    expect(failureOf(() => parse(schema, cycle, subject)).issues[0]?.message).toBe('was …');
    expect(
      failureOf(() => parse(schema, new Array(5_000).fill('canary'), subject)).issues[0]?.message,
    ).toBe('does not fit the schema');
  });

  // R:C1
  it('makes a validation error of what a schema throws', () => {
    const cause = new Error('the schema is broken');
    const schema = standard(() => {
      throw cause;
    });

    const error = failureOf(() => parse(schema, 1, subject));

    expect(error.cause).toBe(cause);
    expect(error.issues).toEqual([{ path: '', message: 'the schema threw' }]);
  });

  it('makes a validation error of a schema that answers nothing', () => {
    const error = failureOf(() =>
      parse(
        standard(() => undefined as never),
        1,
        subject,
      ),
    );

    expect(error.cause).toEqual(new TypeError('the schema answered with undefined'));
  });

  it('refuses a schema that answers with a promise, also one that rejects', async () => {
    const schemas = [
      z.string().refine(async () => true),
      standard(() => Promise.reject(new Error('nobody waits for this'))),
    ];

    for (const schema of schemas) {
      expect(() => parse(schema, 'x', subject)).toThrow(TypeError);
      expect(() => parse(schema, 'x', subject)).toThrow(/admission is synchronous/);
    }
  });
});

function standard(validate: (value: unknown) => never | object) {
  return { '~standard': { version: 1, vendor: 'test', validate } } as never;
}
