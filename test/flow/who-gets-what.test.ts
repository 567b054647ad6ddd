import { describe, expect, it } from 'vitest';
import type { MessageBus } from '../../src/index.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced } from './books.ts';

function hearing(bus: MessageBus, name: string, pattern: string, log: string[], options = {}) {
  const agent = bus.register(name);
  agent.subscribe(pattern, ({ topic }) => void log.push(`${name} ${topic}`), options);
  return agent;
}

describe.each(['real', 'simulated'] as const)('who gets what, on the %s Env', (env) => {
  // R:A1 R:B1 F:A1
  it('delivers to whoever had subscribed when it was said, and in a later turn', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    hearing(bus, 'early', 'a.b', log);

    bus.publish('a.b', 1);
    hearing(bus, 'late', 'a.b', log);
    expect(log).toEqual([]);
    await settle();

    expect(log).toEqual(['early a.b']);
  });

  // F:A2 F:A3 F:A17
  it('matches one segment with * and any number of them with **', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    hearing(bus, 'one', 'doc.*', log);
    hearing(bus, 'any', 'doc.**', log);

    bus.publish('doc.1', 1);
    bus.publish('doc.1.page.2', 1);
    bus.publish('doc', 1);
    await settle();

    expect(log.sort()).toEqual(['any doc', 'any doc.1', 'any doc.1.page.2', 'one doc.1']);
  });

  // R:G1 DESIGN "Who gets what"
  it('does not tell an agent what it said itself, unless it wants its echo', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const quiet = hearing(bus, 'quiet', 'x', log);
    const vain = hearing(bus, 'vain', 'x', log, { echo: true });

    quiet.publish('x', 1);
    vain.publish('x', 1);
    await settle();

    expect(log.sort()).toEqual(['quiet x', 'vain x', 'vain x']);
  });

  it('lets a subscription of the host hear what the host says', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.subscribe('x', ({ from }) => void log.push(from));

    bus.publish('x', 1);
    await settle();

    expect(log).toEqual(['$host']);
  });

  // R:B2
  it('takes the same function twice for two subscriptions', async () => {
    const { bus, settle } = makeBus(env);
    let calls = 0;
    const count = (): void => void calls++;
    const agent = bus.register('a');
    agent.subscribe('x', count);
    agent.subscribe('x', count);

    const receipt = bus.publish('x', 1);
    await settle();

    expect(calls).toBe(2);
    expect(receipt.recipients).toEqual(['a', 'a']);
    expect(await receipt.settled).toEqual({
      handled: 2,
      deadLettered: [],
      expired: 0,
      cancelled: 0,
    });
  });

  // R:B2
  it('never starts a handler after unsubscribe has returned, and skips nobody else', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const one = bus.register('one').subscribe('x', () => void log.push('one'));
    bus.register('two').subscribe('x', () => void log.push('two'));

    const receipt = bus.publish('x', 1);
    one.unsubscribe();
    await settle();

    expect(log).toEqual(['two']);
    expect(await receipt.settled).toMatchObject({ handled: 1, cancelled: 1 });
    expect(one.active).toBe(false);
    expectBalanced(bus);
  });

  // R:B2
  it('skips nobody when a handler unsubscribes another one', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.register('first').subscribe('x', () => {
      log.push('first');
      second.unsubscribe();
    });
    const second = bus.register('second').subscribe('x', () => void log.push('second'));
    bus.register('third').subscribe('x', () => void log.push('third'));

    bus.publish('x', 1);
    await settle();

    expect(log).toContain('third');
    expect(log.slice(log.indexOf('first'))).not.toContain('second');
    expectBalanced(bus);
  });

  // DESIGN "Who gets what"
  it('sends to the first subscription, in order of registration, whose pattern and type fit', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const agent = bus.register('a');
    agent.subscribe('b.*', () => void log.push('other topic'));
    agent.subscribe('a.*', () => void log.push('results'), { type: 'result' });
    agent.subscribe('a.**', () => void log.push('all'));
    agent.subscribe('a.x', () => void log.push('exact'));

    bus.send('a', 'a.x', 1);
    bus.send('a', 'a.x', 1, { type: 'result' });
    await settle();

    expect(log).toEqual(['all', 'results']);
  });

  // R:J1
  it('buries what is sent to an agent with handlers of which none fits', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').subscribe('x', () => {});

    const receipt = bus.send('a', 'y', 1);
    await settle();

    const [letter] = bus.deadLetters.list({ reason: 'unhandled' });
    expect(letter).toMatchObject({ recipient: 'a', attempts: 0, refused: false });
    expect(await receipt.settled).toMatchObject({ deadLettered: [letter?.id] });
    expectBalanced(bus);
  });

  it('keeps what is sent to an agent without handlers until it is pulled', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    bus.send('a', 'x', 1);
    await settle();
    expect(bus.inspect()).toMatchObject({ queued: 1, deadLettered: 0 });

    const pulled = agent.receive();
    await settle();

    expect((await pulled)?.topic).toBe('x');
    expect(bus.inspect()).toMatchObject({ queued: 0, handled: 1 });
  });

  it('keeps what no handler takes for an agent that has ever pulled', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    agent.subscribe('x', () => {});
    const pulled = agent.receive();
    bus.send('a', 'y', 1);
    await settle();
    await pulled;

    bus.send('a', 'z', 1);
    await settle();

    expect(bus.inspect()).toMatchObject({ queued: 1, deadLettered: 0 });
  });

  // F:A9
  it('filters by type, one or several', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const agent = bus.register('a');
    agent.subscribe('x', ({ type }) => void log.push(`one ${type}`), { type: 'status' });
    agent.subscribe('x', ({ type }) => void log.push(`two ${type}`), { type: ['status', 'mine'] });

    bus.publish('x', 1);
    bus.publish('x', 1, { type: 'status' });
    bus.publish('x', 1, { type: 'mine' });
    await settle();

    expect(log.sort()).toEqual(['one status', 'two mine', 'two status']);
  });

  it('says event when it publishes and task when it sends', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.register('a').subscribe('x', ({ type }) => void log.push(type));

    bus.publish('x', 1);
    bus.send('a', 'x', 1);
    await settle();

    expect(log).toEqual(['event', 'task']);
  });

  // R:E2
  it('never lets a wildcard match the topics of the library, nor anyone say one', async () => {
    const { bus } = makeBus(env);
    bus.subscribe('**', () => {});

    expect(() => bus.publish('$bus.x', 1)).toThrow(/own topics begin with \$/);
    expect(() => bus.register('a').send('a', '$bus.x', 1)).toThrow(/TELLASK_DENIED|own topics/);
    expect(bus.explain('$bus.x').recipients).toEqual([]);
    expect(bus.inspect()).toMatchObject({ admitted: 0, refused: 2 });
  });

  // R:A2
  it('counts what nobody hears, and can warn or keep a letter', async () => {
    const { bus } = makeBus(env);
    const warned: string[] = [];
    const logger = {
      debug() {},
      info() {},
      error() {},
      warn: (text: string) => void warned.push(text),
    };
    const warning = makeBus(env, { unheard: 'warn', logger }).bus;
    const keeping = makeBus(env, { unheard: 'dead-letter' }).bus;

    for (const each of [bus, warning, keeping]) each.publish('void', 1);

    expect(bus.inspect()).toMatchObject({ unrouted: 1, letters: 0 });
    expect(warned).toEqual(['nobody heard a message']);
    expect(keeping.deadLetters.list()).toMatchObject([{ reason: 'unhandled', refused: true }]);
  });
});
