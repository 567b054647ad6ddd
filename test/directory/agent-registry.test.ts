import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AgentCard, AgentRegistry } from '../../src/agents.ts';
import { MessageBus } from '../../src/index.ts';
import { codeOf, gate } from '../flow/books.ts';
import { makeBus } from '../make-bus.ts';

const SEARCHER: AgentCard = {
  name: 'searcher',
  type: 'tool',
  version: '1.2.0-rc.1',
  description: 'Searches',
  capabilities: [
    { id: 'search.web', tags: ['research', 'web'], input: z.object({ q: z.string() }) },
    { id: 'search.files', tags: ['research'], input: { type: 'object' } },
  ],
  metadata: { owner: 'ann', limits: { perDay: 100 } },
};

function open() {
  const bus = new MessageBus();
  return { bus, registry: new AgentRegistry(bus) };
}

describe('a card', () => {
  // R:L1 F:G1 F:G2
  it('is kept as it was given, frozen, with what was left out', () => {
    const { registry } = open();

    registry.register(SEARCHER);
    registry.register({ name: 'plain' });

    expect(registry.card('searcher')).toMatchObject(SEARCHER);
    expect(Object.isFrozen(registry.card('searcher')?.metadata['limits'])).toBe(true);
    expect(registry.card('plain')).toEqual({
      name: 'plain',
      type: 'agent',
      version: '0.0.0',
      description: '',
      capabilities: [],
      metadata: {},
    });
  });

  it('belongs to the registry: who changes what he gave changes nothing', () => {
    const { registry } = open();
    const tags = ['a'];

    registry.register({ name: 'ann', capabilities: [{ id: 'x', tags }] });
    tags.push('b');

    expect(registry.find({ tag: 'b' })).toEqual([]);
  });

  // R:L1
  it.each([
    ['no name', {}, '/name'],
    ['an empty name', { name: '' }, '/name'],
    ['a version that is none', { name: 'a', version: '1.2' }, '/version'],
    ['an unknown field', { name: 'a', capabilites: [] }, 'capabilites'],
    ['a capability without id', { name: 'a', capabilities: [{}] }, '/capabilities/0/id'],
    [
      'an unknown field of a capability',
      { name: 'a', capabilities: [{ id: 'x', tag: 'y' }] },
      '/capabilities/0',
    ],
    ['the same id twice', { name: 'a', capabilities: [{ id: 'x' }, { id: 'x' }] }, '/capabilities'],
    [
      'too many capabilities',
      { name: 'a', capabilities: Array.from({ length: 101 }, (_, i) => ({ id: `c${i}` })) },
      'at most 100',
    ],
    [
      'too many tags',
      { name: 'a', capabilities: [{ id: 'x', tags: Array(33).fill('t') }] },
      '/capabilities/0/tags',
    ],
    ['a description that is too long', { name: 'a', description: 'x'.repeat(2_001) }, '2000'],
    ['metadata that is too much', { name: 'a', metadata: { x: 'x'.repeat(65_536) } }, '/metadata'],
    ['metadata that is no JSON', { name: 'a', metadata: { at: new Date(0) } }, '/metadata'],
    ['a list as metadata', { name: 'a', metadata: [] }, '/metadata'],
    [
      'a schema that is none',
      { name: 'a', capabilities: [{ id: 'x', input: 'string' }] },
      '/capabilities/0/input',
    ],
    ['what is no object', 'searcher', 'is a card, which is an object'],
    ['nothing', undefined, 'is a card, which is an object'],
  ])('is refused for %s, and the agent is not registered', (_, card, says) => {
    const { bus, registry } = open();

    expect(() => registry.register(card as never)).toThrow(says);
    expect(codeOf(() => registry.register(card as never))).toBe('TELLASK_VALIDATION');
    expect(bus.agents()).toEqual([]);
  });

  it('with metadata that throws when it is read is refused', () => {
    const { registry } = open();
    const metadata = {
      get secret(): never {
        throw new Error('do not look');
      },
    };

    expect(codeOf(() => registry.register({ name: 'a', metadata }))).toBe('TELLASK_VALIDATION');
  });
});

describe('a registry', () => {
  // R:L1 F:G1
  it('refuses a name that is taken, with and without a card', () => {
    const { bus, registry } = open();
    bus.register('ann');
    registry.register({ name: 'ben', type: 'first' });

    expect(codeOf(() => registry.register({ name: 'ann' }))).toBe('TELLASK_NAME_TAKEN');
    expect(codeOf(() => registry.register({ name: 'ben' }))).toBe('TELLASK_NAME_TAKEN');
    expect(registry.list().map(({ name, type }) => [name, type])).toEqual([['ben', 'first']]);
  });

  // F:G2
  it.each([
    [{}, 'ann ben cat'],
    [{ capability: 'edit' }, 'ann ben'],
    [{ tag: 'fast' }, 'ann cat'],
    [{ type: 'tool' }, 'ben cat'],
    [{ type: 'tool', tag: 'fast' }, 'cat'],
    [{ capability: 'edit', tag: 'fast' }, 'ann'],
    [{ capability: 'paint' }, ''],
    [{ where: ({ version }: { version: string }) => version === '2.0.0' }, 'ben'],
    [{ capability: 'edit', where: ({ name }: { name: string }) => name > 'ann' }, 'ben'],
  ])('finds by %o', (query, names) => {
    const { registry } = open();
    registry.register({ name: 'ann', capabilities: [{ id: 'edit', tags: ['fast', 'good'] }] });
    registry.register({
      name: 'ben',
      type: 'tool',
      version: '2.0.0',
      capabilities: [{ id: 'edit' }],
    });
    registry.register({
      name: 'cat',
      type: 'tool',
      capabilities: [
        { id: 'read', tags: ['fast'] },
        { id: 'write', tags: ['fast'] },
      ],
    });

    expect(
      registry
        .find(query)
        .map(({ name }) => name)
        .join(' '),
    ).toBe(names);
  });

  it('makes the ids of the capabilities those of the agent', async () => {
    const { bus, registry } = open();
    registry.register(SEARCHER).serve('ask', () => 'found');

    expect(await bus.request('ask', 1, { to: { capability: 'search.web' } })).toBe('found');
  });

  // R:L1
  it('lets a card go with its agent, and a successor bring another', async () => {
    const { registry } = open();
    const first = registry.register(SEARCHER);

    await first.leave();
    expect(registry.card('searcher')).toBeUndefined();
    expect(registry.find({ capability: 'search.web' })).toEqual([]);
    registry.register({ name: 'searcher', type: 'second' });
    await first.leave();

    expect(registry.card('searcher')?.type).toBe('second');
    expect(registry.list()).toHaveLength(1);
  });

  it('never finds who is leaving just now, and keeps a successor that comes meanwhile', async () => {
    const { bus, registry } = open();
    const ann = registry.register({ name: 'ann', capabilities: [{ id: 'edit' }] });
    ann.subscribe('job', () => {});
    const found: number[] = [];
    bus.events.on('dead-lettered', () => {
      found.push(registry.find({ capability: 'edit' }).length);
      registry.register({ name: 'ann', type: 'second', capabilities: [{ id: 'edit' }] });
    });

    bus.send('ann', 'job', 1);
    await ann.leave();

    expect(found).toEqual([0]);
    expect(registry.find({ capability: 'edit' }).map(({ type }) => type)).toEqual(['second']);
  });

  it('forgets everything when it is disposed of or the bus closes, and the agents stay', async () => {
    const { bus, registry } = open();
    registry.register(SEARCHER);
    const other = new AgentRegistry(bus);

    registry[Symbol.dispose]();
    other.register({ name: 'ann' });

    expect(registry.list()).toEqual([]);
    expect(bus.agents().map(({ name }) => name)).toEqual(['searcher', 'ann']);
    await bus.close();
    expect(other.list()).toEqual([]);
  });

  it('refuses a query that makes no sense', () => {
    const { registry } = open();

    expect(() => registry.find({ capabilities: 'x' } as never)).toThrow(TypeError);
    expect(() => registry.find({ where: 'x' } as never)).toThrow(TypeError);
  });
});

describe.each(['real', 'simulated'] as const)('topics about agents, on the %s Env', (env) => {
  // R:L1 F:G5
  it('tell who joined and left, with a registry and without', async () => {
    const { bus, settle } = makeBus(env);
    const heard: unknown[] = [];
    bus.subscribe('$bus.agent.{event}', ({ topic, payload }) => {
      heard.push([topic.slice('$bus.agent.'.length), payload]);
    });

    const ann = bus.register('ann', { capabilities: ['edit'] });
    ann.pause();
    ann.pause();
    ann.resume();
    const ben = new AgentRegistry(bus).register({ name: 'ben', type: 'tool' });
    await ben.leave();
    await settle();

    expect(heard).toEqual([
      ['joined', { agent: 'ann', capabilities: ['edit'] }],
      ['status', { agent: 'ann', status: 'paused' }],
      ['status', { agent: 'ann', status: 'idle' }],
      ['joined', { agent: 'ben', capabilities: [] }],
      ['registered', { agent: 'ben', card: expect.objectContaining({ type: 'tool' }) }],
      ['left', { agent: 'ben' }],
    ]);
  });

  it('cost nothing when nobody listens, and no letter when a listener fails', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('ann');
    expect(bus.inspect().admitted).toBe(0);
    bus.subscribe('$bus.agent.joined', () => {
      throw new Error('no');
    });

    bus.register('ben');
    await settle();

    const { admitted, deadLettered, letters, faults } = bus.inspect();
    expect({ admitted, deadLettered, letters, faults }).toEqual({
      admitted: 1,
      deadLettered: 1,
      letters: 0,
      faults: 1,
    });
  });
});

describe.each(['real', 'simulated'] as const)('presence, on the %s Env', (env) => {
  function pair() {
    const { bus, settle } = makeBus(env, { graceMs: 1 });
    const registry = new AgentRegistry(bus);
    const ann = registry.register({ name: 'ann' });
    return { bus, settle, registry, ann };
  }

  // F:G5 R:L1
  it('is idle, busy since the handler began, and idle again', async () => {
    const { bus, settle, registry, ann } = pair();
    const { opened, open: release } = gate();
    ann.subscribe('job', () => opened);
    expect(registry.presence('ann')).toMatchObject({ status: 'idle', running: 0, errorRate: 0 });

    bus.send('ann', 'job', 1);
    bus.send('ann', 'job', 2);
    await settle();

    const { status, since, busySince, running, queued, lastSeenAt } = registry.presence('ann');
    expect({ status, running, queued }).toEqual({ status: 'busy', running: 1, queued: 1 });
    expect(busySince).toBe(since);
    expect(busySince).toBeLessThanOrEqual(lastSeenAt);
    release();
    await settle();
    expect(registry.presence('ann').status).toBe('idle');
  });

  it('counts what runs in a lane of its own, and what is queued, as being busy', async () => {
    const { bus, settle, registry, ann } = pair();
    const { opened, open: release } = gate();
    ann.subscribe('job', () => opened, { lane: 'own' });
    ann.subscribe('other', () => {});

    bus.publish('job', 1);
    await settle();
    expect(registry.presence('ann')).toMatchObject({ status: 'busy', running: 1 });
    release();
    await settle();
    ann.pause();
    bus.publish('other', 1);
    expect(registry.presence('ann')).toMatchObject({ status: 'paused', queued: 1 });
    ann.resume();
    expect(registry.presence('ann')).toMatchObject({ status: 'busy', queued: 1 });
  });

  it('knows the part of what it ended that failed, and blames no successor', async () => {
    const { bus, settle, registry, ann } = pair();
    const fail = ({ payload }: { payload: unknown }): void => {
      if (payload === 'bad') throw new Error('bad');
    };
    ann.subscribe('job', fail);
    for (const payload of ['bad', 'good', 'good', 'good']) bus.publish('job', payload);
    await settle();
    expect(registry.presence('ann').errorRate).toBe(0.25);

    await ann.leave();
    registry.register({ name: 'ann' }).subscribe('job', fail);
    expect(registry.presence('ann').errorRate).toBe(0);
    bus.publish('job', 'bad');
    await settle();
    expect(registry.presence('ann').errorRate).toBe(1);
  });

  it('is known of agents without a card, of who has left, and of nobody else', async () => {
    const { bus, registry, ann } = pair();
    bus.register('bare');

    await ann.leave();

    expect(registry.presence('bare').status).toBe('idle');
    const { status, since, lastSeenAt } = registry.presence('ann');
    expect([status, since]).toEqual(['gone', lastSeenAt]);
    expect(codeOf(() => registry.presence('anne'))).toBe('TELLASK_UNKNOWN_RECIPIENT');
  });

  it('is draining while the bus drains, for who has something to end', async () => {
    const { bus, settle, registry, ann } = pair();
    bus.register('lazy');
    const { opened, open: release } = gate();
    ann.subscribe('job', () => opened);
    bus.publish('job', 1);
    await settle();

    const drained = bus.drain();

    expect(registry.presence('ann').status).toBe('draining');
    expect(registry.presence('lazy').status).toBe('idle');
    release();
    expect(await drained).toBe(true);
    expect(registry.presence('ann').status).toBe('idle');
  });
});
