import { describe, expect, it } from 'vitest';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced } from './books.ts';

const ODD = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', 'then'];

describe.each(['real', 'simulated'] as const)('odd names, on the %s Env', (env) => {
  // R:E2
  it.each(ODD)('takes %s for a name like any other', async (name) => {
    const { bus, settle } = makeBus(env);
    const heard: string[] = [];
    const agent = bus.register(name, { capabilities: [name] });
    agent.subscribe(
      name,
      ({ topic, from, headers }) => {
        heard.push(`${topic} ${from} ${headers[name]}`);
      },
      { group: name, key: () => name },
    );
    agent.serve(`q.${name}`, () => name);
    const headers = JSON.parse(`{ ${JSON.stringify(name)}: "header" }`) as Record<string, string>;

    bus.publish(name, JSON.parse('{"__proto__": {"polluted": true}}'), {
      headers,
      dedupeKey: name,
      retain: true,
    });
    const asked = bus.request(`q.${name}`, 1, { idempotencyKey: name });
    await settle();

    expect(heard).toEqual([`${name} $host header`]);
    expect(await asked).toBe(name);
    expect(bus.agents({ capability: name })).toHaveLength(1);
    expect(bus.explain(name).recipients).toHaveLength(1);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expectBalanced(bus);
  });

  // R:E3
  it.each([
    ['blank', 'a b'],
    ['empty', ''],
    ['a dot', 'a.b'],
    ['a glob', 'a*'],
    ['a control character', 'a\u0007'],
    ['a direction character', 'a\u202eb'],
    ['a zero-width character', 'a\u200bb'],
    ['two scripts', 'p\u0430ypal'],
    ['129 characters', 'a'.repeat(129)],
    ['no string', 7],
  ])('refuses an agent name with %s', (_why, name) => {
    const { bus } = makeBus(env);

    expect(() => bus.register(name as string)).toThrow();
    expect(bus.agents()).toEqual([]);
  });

  it('takes a name in any one script', () => {
    const { bus } = makeBus(env);
    for (const name of ['схема', 'δοκιμή', '検索', 'agent-7_b']) {
      expect(bus.register(name).name).toBe(name);
    }
  });

  it('refuses topics that are none, before anything is delivered', () => {
    const { bus } = makeBus(env);
    bus.register('a');

    for (const topic of ['', 'a..b', 'a b', 'a*', 'x'.repeat(257), `${'a.'.repeat(64)}a`]) {
      expect(codeOf(() => bus.publish(topic, 1))).toBe('TELLASK_INVALID_TOPIC');
      expect(codeOf(() => bus.send('a', topic, 1))).toBe('TELLASK_INVALID_TOPIC');
    }
    expect(bus.inspect().admitted).toBe(0);
  });

  it('takes the longest topic that there is', async () => {
    const { bus, settle } = makeBus(env);
    const topic = `${'ab.'.repeat(63)}${'c'.repeat(67)}`;
    const heard: string[] = [];
    bus.subscribe('ab.**', (message) => void heard.push(message.topic));

    bus.publish(topic, 1);
    await settle();

    expect(topic).toHaveLength(256);
    expect(heard).toEqual([topic]);
  });

  it('refuses a pattern with a code', () => {
    const { bus } = makeBus(env);
    expect(codeOf(() => bus.subscribe('a..b', () => {}))).toBe('TELLASK_INVALID_PATTERN');
    expect(codeOf(() => bus.tap('{a', () => {}))).toBe('TELLASK_INVALID_PATTERN');
    expect(bus.inspect().subscriptions).toBe(0);
  });
});
