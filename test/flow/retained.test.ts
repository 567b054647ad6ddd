import { describe, expect, it } from 'vitest';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced } from './books.ts';

describe.each(['real', 'simulated'] as const)('retained values, on the %s Env', (env) => {
  // F:A16 R:A1
  it('replays the last value of every matching topic first, without a gap and nothing twice', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.publish('room.1', 'old', { retain: true });
    bus.publish('room.1', 'last', { retain: true });
    bus.publish('room.2', 'kept', { retain: true });
    bus.publish('room.3', 'not kept');
    bus.publish('hall', 'elsewhere', { retain: true });

    bus.subscribe(
      'room.*',
      ({ payload }, { replayed }) => void log.push(`${payload} ${replayed}`),
      {
        replay: true,
      },
    );
    bus.publish('room.1', 'next');
    await settle();

    expect(log).toEqual(['last true', 'kept true', 'next false']);
    expectBalanced(bus);
  });

  it('does not deliver what is in flight a second time to who subscribes with replay', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    bus.publish('x', 1, { retain: true });
    bus.subscribe('x', ({ payload }) => void log.push(payload), { replay: true });
    await settle();

    expect(log).toEqual([1]);
  });

  // R:D6
  it('keeps values of at most maxRetained topics, and the newest of them', async () => {
    const { bus, settle } = makeBus(env, { maxRetained: 2 });
    const log: string[] = [];
    for (const topic of ['a', 'b', 'a', 'c']) bus.publish(topic, 1, { retain: true });

    bus.subscribe('*', ({ topic }) => void log.push(topic), { replay: true });
    await settle();

    expect(log).toEqual(['a', 'c']);
    expect(bus.inspect().retainedTopics).toBe(2);
  });

  it('replays only what the subscription filters for', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    bus.publish('x', 1, { retain: true });

    bus.subscribe('x', ({ payload }) => void log.push(payload), { replay: true, type: 'status' });
    await settle();

    expect(log).toEqual([]);
  });
});

describe('retained values and simulated time', () => {
  it('forgets a value whose time to live is over', async () => {
    const t = createTestBus();
    const log: unknown[] = [];
    t.bus.publish('x', 1, { retain: true, ttlMs: 100 });
    await t.clock.advance(100);

    t.bus.subscribe('x', ({ payload }) => void log.push(payload), { replay: true });
    await t.settle();

    expect(log).toEqual([]);
    expect(t.bus.inspect().retainedTopics).toBe(0);
  });
});
