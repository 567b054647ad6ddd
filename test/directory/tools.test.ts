import { type } from 'arktype';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import * as mini from 'zod/mini';
import { AgentRegistry, callTool, type ToolResult, toolsOf } from '../../src/agents.ts';
import { toolName } from '../../src/directory/tool-name.ts';
import { defineContract, MessageBus } from '../../src/index.ts';
import { makeBus } from '../make-bus.ts';

const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

function serving(...topics: string[]): MessageBus {
  const bus = new MessageBus();
  const ann = bus.register('ann');
  for (const topic of topics) ann.serve(topic, ({ topic, payload }) => ({ topic, payload }));
  return bus;
}

const names = (bus: MessageBus, filter = {}): string[] =>
  toolsOf(bus, filter).map(({ topic }) => topic);

function errorOf(result: ToolResult): Record<string, unknown> {
  expect(result.ok).toBe(false);
  return result.ok ? {} : { ...result.error };
}

describe('the name of a tool', () => {
  it.each([
    ['search.web', 'search_web'],
    ['a', 'a'],
    ['a-b.c', 'a-b_c'],
    ['x'.repeat(64), 'x'.repeat(64)],
  ])('spells %s as %s', (topic, name) => {
    expect(toolName(topic)).toBe(name);
  });

  it.each(['a_b', 'doc.{id}.get', 'größe', '日本', 'x'.repeat(65), `${'seg.'.repeat(20)}x`, '%2E'])(
    'marks %s',
    (topic) => {
      expect(toolName(topic)).toMatch(NAME);
      expect(toolName(topic)).toMatch(/__[0-9a-f]{12}$/);
    },
  );

  // Issue 7: names valid, unique, reversible
  it('is valid, and of one topic alone', () => {
    const segment = fc.string({ unit: fc.constantFrom(...'ab_-%ß'), minLength: 1, maxLength: 30 });
    const topic = fc.array(segment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('.'));

    fc.assert(
      fc.property(topic, topic, (one, other) => {
        expect(toolName(one)).toMatch(NAME);
        expect(toolName(one) === toolName(other)).toBe(one === other);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the tools of a bus', () => {
  // Issue 7: toolsOf(bus)
  it('are what its agents serve, each once, in the order of their topics', () => {
    const bus = serving('search.web', 'doc.{id}.get', 'ann.{x,y}');
    bus.register('ben').serve('search.web', () => 1);
    bus.register('ben2').subscribe('news', () => {});

    expect(names(bus)).toEqual(['ann.x', 'ann.y', 'doc.{id}.get', 'search.web']);
    expect(toolsOf(bus)[3]).toEqual({
      name: 'search_web',
      description: 'Asks ann, ben: search.web. Its arguments are not described.',
      inputSchema: { type: 'object' },
      topic: 'search.web',
    });
  });

  it('are narrowed by agent, capability and topic', () => {
    const bus = serving('search.web', 'search.files', 'sum');
    bus.register('ben', { capabilities: ['art'] }).serve('paint', () => 1);

    expect(names(bus, { agent: 'ben' })).toEqual(['paint']);
    expect(names(bus, { agent: 'nobody' })).toEqual([]);
    expect(names(bus, { capability: 'art' })).toEqual(['paint']);
    expect(names(bus, { topic: 'search.*' })).toEqual(['search.files', 'search.web']);
    expect(names(bus, { agent: 'ann', capability: 'art' })).toEqual([]);
    expect(() => toolsOf(bus, { agents: 'ann' } as never)).toThrow(TypeError);
    expect(() => toolsOf({} as never)).toThrow(TypeError);
  });

  it('leave out what goes with an agent, and what is served by a glob that no contract names', async () => {
    const bus = serving('sum');
    const ben = bus.register('ben');
    ben.serve('paint', () => 1);
    ben.serve('any.**', () => 1);
    expect(names(bus)).toEqual(['paint', 'sum']);

    await ben.leave();

    expect(names(bus)).toEqual(['sum']);
  });

  it('of a contract are the keys that a glob takes, with their schemas', () => {
    const input = z.object({ q: z.string(), limit: z.number().default(10) });
    const contract = defineContract({
      requests: {
        'search.web': { input, output: z.array(z.string()) },
        'search.{kind}.all': { input: z.string(), output: z.number() },
        'math.sum': { input: z.array(z.number()), output: z.number() },
      },
    });
    const bus = new MessageBus({ contract });
    bus.register('ann').serve('search.**' as never, (() => []) as never);

    const [web, all] = toolsOf(bus).toSorted((a, b) => (a.topic > b.topic ? 1 : -1));

    expect(web).toMatchObject({
      topic: 'search.web',
      inputSchema: {
        type: 'object',
        properties: { q: { type: 'string' }, limit: { type: 'number', default: 10 } },
        required: ['q'],
      },
      outputSchema: { type: 'array', items: { type: 'string' } },
    });
    expect(all).toMatchObject({
      topic: 'search.{kind}.all',
      inputSchema: {
        type: 'object',
        properties: {
          params: {
            type: 'object',
            properties: { kind: { type: 'string' } },
            required: ['kind'],
            additionalProperties: false,
          },
          input: { type: 'string' },
        },
        required: ['params', 'input'],
        additionalProperties: false,
      },
    });
    expect(toolsOf(bus)).toHaveLength(2);
  });

  it.each([
    ['zod', z.object({ q: z.string() })],
    ['zod/mini', mini.object({ q: mini.string() })],
    ['arktype', type({ q: 'string' })],
  ])('have the schemas of %s', (_, input) => {
    const contract = defineContract({ requests: { ask: { input, output: z.string() } } });
    const bus = new MessageBus({ contract });
    bus.register('ann').serve('ask', () => 'x');

    expect(toolsOf(bus)[0]?.inputSchema).toMatchObject({
      type: 'object',
      properties: { q: { type: 'string' } },
      required: ['q'],
    });
  });

  it('say so when a schema cannot tell what it takes', () => {
    const input = v.object({ q: v.string() });
    const contract = defineContract({ requests: { ask: { input, output: v.string() } } });
    const bus = new MessageBus({ contract });
    bus.register('ann').serve('ask', () => 'x');

    expect(toolsOf(bus)[0]).toMatchObject({
      description: expect.stringContaining('not described'),
      inputSchema: { type: 'object' },
    });
    expect(toolsOf(bus)[0]).not.toHaveProperty('outputSchema');
  });

  it('keep what a schema refers to in itself, wherever it stands', () => {
    interface Tree {
      children: Tree[];
    }
    const tree: z.ZodType<Tree> = z.object({
      get children(): z.ZodArray<typeof tree> {
        return z.array(tree);
      },
    }) as never;
    const contract = defineContract({
      requests: { grow: { input: z.array(tree), output: z.string() } },
    });
    const bus = new MessageBus({ contract });
    bus.register('ann').serve('grow', () => 'x');
    const schema = toolsOf(bus)[0]?.inputSchema as unknown;

    const refs = [...JSON.stringify(schema).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
      ([, ref]) => ref,
    );
    expect(refs.length).toBeGreaterThan(0);
    for (const ref of refs) {
      const found = ref
        ?.split('/')
        .reduce((at, key) => (at as Record<string, unknown> | undefined)?.[key], schema);
      expect([ref, found]).toEqual([ref, expect.anything()]);
    }
  });

  it('are described by the cards of a registry, which has schemas where no contract has', () => {
    const bus = new MessageBus();
    const registry = new AgentRegistry(bus);
    const input = { $schema: 'x', type: 'object', properties: { q: { type: 'string' } } };
    registry
      .register({
        name: 'ann',
        capabilities: [
          { id: 'search.web', description: 'Searches the web', input },
          { id: 'math', description: 'Adds up.', topic: 'sum' },
        ],
      })
      .serve('search.web', () => []);
    bus.register('bare').serve('sum', () => 1);

    const tools = [toolsOf(registry), toolsOf(bus, { registry })];

    for (const [web, sum] of tools) {
      expect(web).toMatchObject({ description: 'Searches the web' });
      expect(web?.inputSchema).toEqual({ type: 'object', properties: { q: { type: 'string' } } });
      expect(sum?.description).toMatch('Asks bare: sum');
    }
  });

  it('are only those that the caller may ask for', () => {
    const bus = new MessageBus({
      permissions: {
        default: 'allow',
        rules: [{ agents: 'eve', actions: ['request'], on: 'secret.**', effect: 'deny' }] as never,
      },
    });
    const ann = bus.register('ann');
    for (const topic of ['secret.read', 'sum']) ann.serve(topic, () => 1);
    const eve = bus.register('eve');

    expect(toolsOf(bus).map(({ topic }) => topic)).toEqual(['secret.read', 'sum']);
    expect(toolsOf(eve).map(({ topic }) => topic)).toEqual(['sum']);
    expect(toolsOf(eve.restrict({ request: ['other'] }))).toEqual([]);
  });
});

describe.each(['real', 'simulated'] as const)('a call of a tool, on the %s Env', (env) => {
  const contract = defineContract({
    requests: {
      'math.sum': { input: z.array(z.number()), output: z.number() },
      'doc.{id}.get': { input: z.object({ part: z.string() }), output: z.string() },
    },
  });

  function open() {
    const { bus, settle } = makeBus(env, { contract });
    const ann = bus.register('ann');
    ann.serve('math.sum', ({ payload }) => payload.reduce((a, b) => a + b, 0));
    ann.serve('doc.{id}.get', ({ params, payload }) => `${params.id}: ${payload.part}`);
    const docTool = toolName('doc.{id}.get');
    const call = async (name: string, input: unknown, options = {}): Promise<ToolResult> => {
      const called = callTool(bus, name, input, options);
      called.catch(() => {});
      await settle();
      return called;
    };
    return { bus, settle, ann, call, docTool };
  }

  // Issue 7: callTool(name, json)
  it('asks the agents, with JSON and with what an SDK has made of it', async () => {
    const { call, docTool } = open();
    const args = { params: { id: 'a/b.md' }, input: { part: 'head' } };

    expect(await call('math_sum', '{"input":[1,2,3]}')).toEqual({ ok: true, content: 6 });
    expect(await call('math_sum', { input: [] })).toEqual({ ok: true, content: 0 });
    expect(await call(docTool, JSON.stringify(args))).toEqual({
      ok: true,
      content: 'a/b.md: head',
    });
  });

  it.each([
    ['math_summ', '{}', 'TELLASK_UNKNOWN_TOOL', 'did you mean math_sum?'],
    ['__proto__', '{}', 'TELLASK_UNKNOWN_TOOL', 'There is no tool __proto__'],
    [undefined, '{}', 'TELLASK_UNKNOWN_TOOL', 'a undefined'],
    ['math_sum', '{"input":[1,', 'TELLASK_TOOL_INPUT', 'are no valid JSON'],
    ['math_sum', '[1]', 'TELLASK_TOOL_INPUT', 'are no JSON object'],
    ['math_sum', 'null', 'TELLASK_TOOL_INPUT', 'are no JSON object'],
    ['math_sum', 7, 'TELLASK_TOOL_INPUT', 'are no JSON object'],
    ['math_sum', '{"input":[],"more":1}', 'TELLASK_TOOL_INPUT', 'have no field more'],
    ['math_sum', '{"input":{"__proto__":{"a":1}}}', 'TELLASK_TOOL_INPUT', '__proto__'],
    ['math_sum', '{"constructor":{"prototype":1}}', 'TELLASK_TOOL_INPUT', 'the key constructor'],
    [
      'math_sum',
      '{"input":[{"constructor":{"prototype":1}}]}',
      'TELLASK_TOOL_INPUT',
      'the key constructor',
    ],
    [
      'math_sum',
      `{"input":${'['.repeat(9_999)}${']'.repeat(9_999)}}`,
      'TELLASK_TOOL_INPUT',
      'deep',
    ],
    ['math_sum', `{"input":"${'x'.repeat(1_000_001)}"}`, 'TELLASK_TOOL_INPUT', 'longer than'],
    ['math_sum', '{"input":["a"]}', 'TELLASK_VALIDATION', '/0'],
    ['math_sum', '', 'TELLASK_VALIDATION', 'math.sum'],
  ])('of %s with %.40s is %s', async (name, input, code, words) => {
    const { bus, call } = open();

    const error = errorOf(await call(name as string, input));

    expect(error['code']).toBe(code);
    expect(error['message']).toContain(words);
    expect(error['hint']).not.toBe('');
    expect(error['retryable']).toBe(false);
    expect(bus.inspect().inFlight).toBe(0);
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });

  it.each([
    ['{"input":{"part":"x"}}', 'have no params.id'],
    ['{"params":{"id":7},"input":{"part":"x"}}', 'have no string in params.id'],
    ['{"params":null,"input":{"part":"x"}}', 'have no params.id'],
    ['{"params":{"id":""},"input":{"part":"x"}}', 'is empty'],
  ])('whose topic lacks a parameter says so: %s', async (input, words) => {
    const { call, docTool } = open();

    expect(errorOf(await call(docTool, input))['message']).toContain(words);
  });

  it('gives what the agent threw, without its stack and not at any length', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('bad').serve('fail', () => {
      throw new RangeError(`no luck${'!'.repeat(1_000)}`);
    });

    const called = callTool(bus, 'fail', '{}');
    await settle();

    const error = errorOf(await called);
    expect(error).toMatchObject({ code: 'TELLASK_HANDLER_ERROR', retryable: false });
    expect(String(error['message'])).toHaveLength(500);
    expect(JSON.stringify(error)).not.toContain('.ts:');
  });

  it('gives JSON, and an error when the answer is none', async () => {
    const { bus, settle } = makeBus(env);
    const answers: unknown[] = [undefined, new Date(0), { n: 1n }];
    bus.register('ann').serve('next', () => answers.shift());
    const call = async (): Promise<ToolResult> => {
      const called = callTool(bus, 'next', '');
      await settle();
      return called;
    };

    expect(await call()).toEqual({ ok: true, content: null });
    expect(await call()).toEqual({ ok: true, content: '1970-01-01T00:00:00.000Z' });
    expect(errorOf(await call())).toMatchObject({ code: 'TELLASK_PAYLOAD' });
  });

  it('checks by the schema of a card when there is no contract', async () => {
    const { bus, settle } = makeBus(env);
    const registry = new AgentRegistry(bus);
    const input = v.object({ q: v.string() });
    registry
      .register({ name: 'ann', capabilities: [{ id: 'ask', input }] })
      .serve('ask', ({ payload }) => payload);
    const call = async (given: string): Promise<ToolResult> => {
      const called = callTool(registry, 'ask', given);
      await settle();
      return called;
    };

    expect(await call('{"q":"tea"}')).toEqual({ ok: true, content: { q: 'tea' } });
    expect(errorOf(await call('{"q":7}'))).toMatchObject({ code: 'TELLASK_VALIDATION' });
  });

  it('goes to the agent, or to one with the capability, that the filter names', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('ann').serve('who', () => 'ann');
    bus.register('ben', { capabilities: ['b'] }).serve('who', () => 'ben');
    const call = async (options: object): Promise<ToolResult> => {
      const called = callTool(bus, 'who', '', options);
      await settle();
      return called;
    };

    expect(await call({ agent: 'ben' })).toEqual({ ok: true, content: 'ben' });
    expect(await call({ capability: 'b' })).toEqual({ ok: true, content: 'ben' });
    expect(errorOf(await call({ agent: 'zoe' }))).toMatchObject({ code: 'TELLASK_UNKNOWN_TOOL' });
    expect(errorOf(await call({ topic: 'other' }))['code']).toBe('TELLASK_UNKNOWN_TOOL');
  });

  it('on a context belongs to the conversation, and is signed by the agent', async () => {
    const { bus, settle } = makeBus(env);
    const seen: unknown[] = [];
    bus.register('tool').serve('look', ({ from, correlationId }) => {
      seen.push([from, correlationId]);
      return 'seen';
    });
    bus.register('model').serve('think', (_, context) => callTool(context, 'look', '{}'));

    const asked = bus.request('think', 1, { correlationId: 'c1' });
    await settle();

    expect(await asked).toEqual({ ok: true, content: 'seen' });
    expect(seen).toEqual([['model', 'c1']]);
  });

  it('rejects with the reason of its signal, and for options that make no sense', async () => {
    const { bus, call } = open();
    const reason = new Error('enough');

    await expect(call('math_sum', '{}', { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    await expect(callTool(bus, 'math_sum', '{}', { timeout: 1 } as never)).rejects.toThrow(
      TypeError,
    );
    await expect(callTool(7 as never, 'math_sum', '{}')).rejects.toThrow(TypeError);
  });

  it('may ask for no more than its caller', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('ann').serve('secret', () => 1);
    const eve = bus.register('eve').restrict({ request: ['other'] });

    const called = callTool(eve, 'secret', '{}');
    await settle();

    expect(errorOf(await called)).toMatchObject({ code: 'TELLASK_UNKNOWN_TOOL' });
  });
});
