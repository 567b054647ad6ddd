// R:E4 F:L1
import { describe, expect, it } from 'vitest';
import { type Agent, type Context, type Message, StateManager } from '../../src/index.ts';
import { codeOf } from '../flow/books.ts';
import { type EnvName, makeBus } from '../make-bus.ts';

/** A bus with a boss and with mallory, who wants to be taken for the boss. */
function scene(env: EnvName) {
  const made = makeBus(env, { state: new StateManager() });
  const heard: string[] = [];
  made.bus.subscribe('**', ({ from, topic }) => void heard.push(`${from} says ${topic}`));
  made.bus.register('boss');
  return { ...made, heard, mallory: made.bus.register('mallory') };
}

/** What a program gets that copies data without looking. */
const hostile = (): object => JSON.parse('{"__proto__":{"from":"boss"},"from":"boss","to":"boss"}');

const FORGERIES: readonly (readonly [string, (mallory: Agent) => unknown])[] = [
  ['a field of the payload', (agent) => agent.publish('pay', { from: 'boss' })],
  ['a payload with __proto__', (agent) => agent.publish('pay', hostile())],
  ['headers', (agent) => agent.publish('pay', 1, { headers: { from: 'boss', speaker: 'boss' } })],
  ['an option', (agent) => agent.publish('pay', 1, { from: 'boss' } as never)],
  ['options with __proto__', (agent) => agent.publish('pay', 1, hostile() as never)],
  ['the id of a conversation', (agent) => agent.publish('pay', 1, { correlationId: 'boss' })],
  ['a key of the boss against duplicates', (agent) => agent.publish('pay', 1, { dedupeKey: 'k' })],
  ['a type of the library', (agent) => agent.publish('pay', 1, { type: 'reply' })],
];

describe.each(['real', 'simulated'] as const)('a forged sender, on the %s Env', (env) => {
  it.each(FORGERIES)('is not believed by %s', async (_what, forge) => {
    const { bus, settle, heard, mallory } = scene(env);
    bus.register('other');
    bus.publish('pay', 1, { dedupeKey: 'k' });
    heard.length = 0;

    // Refused or said: never said by another.
    codeOf(() => forge(mallory));
    await settle();

    expect(heard.filter((line) => !line.startsWith('mallory'))).toEqual(['$host says pay']);
    expect(({} as { from?: unknown }).from).toBeUndefined();
  });

  it('is not believed where methods are borrowed', () => {
    const { bus, mallory } = scene(env);
    const [boss] = bus.agents({ name: 'boss' });
    const { publish } = mallory;
    const Handle = mallory.constructor as new (...parts: unknown[]) => Agent;

    const forged = [
      { name: 'boss' },
      boss,
      Object.create(mallory),
      Object.create(Object.getPrototypeOf(mallory), { name: { value: 'boss' } }),
      new Proxy(mallory, { get: (_, key) => (key === 'name' ? 'boss' : undefined) }),
    ];

    for (const self of forged) {
      expect(() => publish.call(self as Agent, 'pay', 1)).toThrow(TypeError);
    }
    expect(() => new Handle(mallory, { name: 'boss' }, {})).toThrow(TypeError);
  });

  it('is not believed where the handle or the context was given another name', async () => {
    const { bus, settle, heard, mallory } = scene(env);
    const names: unknown[] = [];
    const lie = { value: 'boss', configurable: true };
    mallory.subscribe('go', async (_message, context) => {
      const told = Object.defineProperties(context, {
        name: lie,
        agent: lie,
        permits: { value: undefined },
        running: { value: true },
      });
      told.publish('by.context', 1);
      told.state.set('by.context', 1);
      await told.request('who', 1).catch((error: Error) => names.push(error.message));
    });
    bus.register('clerk').serve('who', ({ from }) => void names.push(from));

    Object.defineProperty(mallory, 'name', lie).publish('by.handle', 1);
    mallory.state.set('by.handle', 1);
    bus.publish('go', 1);
    await settle();

    expect(heard).toContain('mallory says by.handle');
    expect(heard).toContain('mallory says by.context');
    expect(heard.filter((line) => line.startsWith('boss'))).toEqual([]);
    expect(names).toEqual(['mallory']);
    for (const key of ['by.handle', 'by.context']) {
      expect(bus.state.history(key).map(({ actor }) => actor)).toEqual(['mallory']);
    }
  });

  it('is not believed by the state: no option and no value says who writes', () => {
    const { bus, mallory } = scene(env);

    codeOf(() => mallory.state.set('key', { actor: 'boss' }, { actor: 'boss' } as never));
    codeOf(() => mallory.state.set('key', hostile()));
    mallory.state.set('key', { actor: 'boss', causationId: 'boss' });

    const actors = bus.state.history('key').map(({ actor }) => actor);
    expect([...new Set(actors)]).toEqual(['mallory']);
  });

  it('does not come back under a name that is free again', async () => {
    const { bus, settle, heard, mallory } = scene(env);
    await mallory.leave();
    const successor = bus.register('mallory');

    expect(codeOf(() => mallory.publish('pay', 1))).toBe('TELLASK_REVOKED');
    expect(codeOf(() => mallory.state.set('key', 1))).toBe('TELLASK_REVOKED');
    successor.publish('pay', 2);
    await settle();

    expect(heard).toEqual(['mallory says pay']);
  });

  it.each([
    ['another script', 'b\u043ess'],
    ['a zero-width space', 'boss\u200b'],
    ['a blank', 'boss '],
    ['a line break', 'boss\n'],
    ['a bidi sign', '\u202eboss'],
    ['the name of the host', '$host'],
    ['a pattern', 'bos*'],
    ['two segments', 'boss.of.all'],
    ['a letter that is not in its normal form', 'bosse\u0301'],
    ['nothing', ''],
    ['what is no text', { toString: (): string => 'boss' }],
  ])('gets no name that looks like one: %s', (_what, name) => {
    const { bus } = scene(env);
    const before = bus.agents().map((agent) => agent.name);

    expect(codeOf(() => bus.register(name as string))).toBeDefined();

    expect(bus.agents().map((agent) => agent.name)).toEqual(before);
  });

  it('has nothing to say on the topics of the library', () => {
    const { mallory } = scene(env);

    for (const topic of ['$bus.agent.joined', '$host', '$bus.closed']) {
      expect(codeOf(() => mallory.publish(topic, 1))).toBe('TELLASK_DENIED');
      expect(codeOf(() => mallory.send('boss', topic, 1))).toBe('TELLASK_DENIED');
    }
  });

  it('has no part in errors: what an error says of others is data', async () => {
    const { settle, mallory } = scene(env);
    const errors: object[] = [];
    for (const call of [
      () => mallory.publish('$x', 1),
      () => mallory.send('nobody', 'x', 1),
      () => mallory.restrict({ publish: [] }).publish('x', 1),
    ]) {
      try {
        call();
      } catch (error) {
        errors.push(error as object);
      }
    }
    await mallory.request('nothing', 1).catch((error: object) => errors.push(error));
    await settle();

    expect(errors).toHaveLength(4);
    for (const error of errors) {
      const values = Reflect.ownKeys(error).map((key) => Reflect.get(error, key));
      expect(values.filter((value) => typeof value === 'object' && !Array.isArray(value))).toEqual(
        [],
      );
      expect(values.filter((value) => typeof value === 'function')).toEqual([]);
    }
  });
});

describe('what a message says of itself', () => {
  it('cannot be assigned', async () => {
    const { bus, settle } = makeBus('simulated');
    const thrown: unknown[] = [];
    const seen: string[] = [];
    bus.subscribe('x', (message: Message, context: Context) => {
      for (const field of ['from', 'topic', 'id', 'payload'] as const) {
        thrown.push(codeOf(() => Object.assign(message, { [field]: 'boss' })));
      }
      thrown.push(codeOf(() => Object.assign(context, { name: 'boss' })));
    });
    bus.subscribe('x', ({ from, payload }) => void seen.push(`${from} ${payload}`));

    bus.publish('x', 1);
    await settle();

    expect(thrown.every((error) => error instanceof TypeError)).toBe(true);
    expect(seen).toEqual(['$host 1']);
  });
});
