import { describe, expect, it } from 'vitest';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, gate } from './books.ts';

describe.each(['real', 'simulated'] as const)('priority, on the %s Env', (env) => {
  // F:B1
  it('runs one handler of an agent at a time, across all its subscriptions', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const agent = bus.register('a');
    for (const topic of ['x', 'y']) {
      agent.subscribe(topic, async () => {
        log.push(`${topic} begins`);
        await Promise.resolve();
        log.push(`${topic} ends`);
      });
    }

    bus.publish('x', 1);
    bus.publish('y', 1);
    await settle();

    expect(log).toEqual(['x begins', 'x ends', 'y begins', 'y ends']);
  });

  // F:B6 R:B5
  it('runs as many at a time as concurrency says, and no more', async () => {
    const { bus, settle } = makeBus(env);
    const held = gate();
    let most = 0;
    let now = 0;
    bus.register('a', { concurrency: 2 }).subscribe('x', async () => {
      most = Math.max(most, ++now);
      await held.opened;
      now--;
    });

    for (let n = 0; n < 5; n++) bus.publish('x', n);
    await settle();
    expect(bus.agents({ name: 'a' })[0]).toMatchObject({ running: 2, queued: 3, status: 'busy' });
    held.open();
    await settle();

    expect(most).toBe(2);
    expectBalanced(bus);
  });

  // F:B2 F:B3 R:B3
  it('takes the highest priority first and keeps the order inside one', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    const agent = bus.register('a');
    agent.subscribe('x', ({ payload }) => void log.push(payload));
    agent.pause();

    bus.publish('x', 'normal 1');
    bus.publish('x', 'low', { priority: 'low' });
    bus.publish('x', 'critical', { priority: 'critical' });
    bus.publish('x', 'normal 2');
    bus.publish('x', 'high', { priority: 8 });
    agent.resume();
    await settle();

    expect(log).toEqual(['critical', 'high', 'normal 1', 'normal 2', 'low']);
  });

  it('does the same when nobody is paused: all that is said in one turn is in line', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    bus.register('a').subscribe('x', ({ payload }) => void log.push(payload));

    bus.publish('x', 'normal');
    bus.publish('x', 'low', { priority: 1 });
    bus.publish('x', 'high', { priority: 9 });
    await settle();

    expect(log).toEqual(['high', 'normal', 'low']);
  });

  // F:B4 R:B3
  it.each([16, 3, 0])('passes over the oldest at most %i times', async (ageingLimit) => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const agent = bus.register('a', { ageingLimit });
    agent.subscribe('x', ({ payload }) => void log.push(payload as string));
    agent.pause();

    bus.publish('x', 'oldest', { priority: 0 });
    for (let n = 0; n < 40; n++) bus.publish('x', 'sooner', { priority: 10 });
    agent.resume();
    await settle();

    expect(log.indexOf('oldest')).toBe(ageingLimit);
  });

  it('never takes the oldest out of turn when ageing is off', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const agent = bus.register('a', { ageingLimit: Infinity });
    agent.subscribe('x', ({ payload }) => void log.push(payload as string));
    agent.pause();

    bus.publish('x', 'oldest', { priority: 0 });
    for (let n = 0; n < 40; n++) bus.publish('x', 'sooner', { priority: 10 });
    agent.resume();
    await settle();

    expect(log.at(-1)).toBe('oldest');
  });

  // R:B4
  it('delays nobody by one who is slow', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const slow = gate();
    bus.register('slow').subscribe('x', () => slow.opened);
    bus.register('quick').subscribe('x', () => void log.push('quick'));
    bus.subscribe('x', () => void log.push('host'));

    for (let n = 0; n < 3; n++) bus.publish('x', n);
    await settle();

    expect(log.filter((one) => one === 'quick')).toHaveLength(3);
    expect(log.filter((one) => one === 'host')).toHaveLength(3);
    slow.open();
    await settle();
    expectBalanced(bus);
  });

  // F:B19
  it('begins nothing while it is paused, in lanes of its own neither, and goes on in order', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const agent = bus.register('a');
    agent.subscribe('x', ({ payload }) => void log.push(`shared ${payload}`));
    agent.subscribe('x', ({ payload }) => void log.push(`own ${payload}`), { lane: 'own' });
    agent.pause();
    agent.subscribe('x', ({ payload }) => void log.push(`new ${payload}`), { lane: 'own' });

    bus.publish('x', 1);
    bus.publish('x', 2);
    await settle();
    expect(log).toEqual([]);
    expect(agent.inspect().status).toBe('paused');
    agent.resume();
    await settle();

    expect(log.filter((one) => one.startsWith('shared'))).toEqual(['shared 1', 'shared 2']);
    expect(log).toHaveLength(6);
    expect(agent.inspect().status).toBe('idle');
  });
});
