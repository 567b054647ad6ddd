import { describe, expect, it } from 'vitest';
import { createTestBus } from '../../src/testing.ts';
import { expectBalanced, outcomeOf } from './books.ts';

describe('messages and time', () => {
  // F:B10
  it('expires what no handler was free for in time, as an outcome of its own with a letter', async () => {
    const t = createTestBus();
    const log: unknown[] = [];
    const told: string[] = [];
    t.bus.events.on('expired', ({ recipient }) => told.push(recipient));
    const agent = t.bus.register('a');
    agent.subscribe('x', ({ payload }) => void log.push(payload));
    agent.pause();

    const receipt = t.bus.publish('x', 'short', { ttlMs: 100 });
    t.bus.publish('x', 'long', { ttlMs: 200 });
    await t.clock.advance(100);
    agent.resume();
    await t.settle();

    expect(log).toEqual(['long']);
    expect(await receipt.settled).toMatchObject({ handled: 0, expired: 1 });
    expect(t.bus.inspect()).toMatchObject({ expired: 1, handled: 1, deadLettered: 0 });
    expect(t.bus.deadLetters.list()).toMatchObject([{ reason: 'expired', attempts: 0 }]);
    expect(told).toEqual(['a']);
    expectBalanced(t.bus);
  });

  // F:B11 R:A3
  it('routes and admits a delayed message when it is due', async () => {
    const t = createTestBus();
    const log: unknown[] = [];
    const receipt = t.bus.publish('x', 1, { delayMs: 100, ttlMs: 50 });
    const settled = outcomeOf(receipt.settled);
    expect(t.bus.inspect()).toMatchObject({ scheduled: 1, admitted: 0, messages: 0 });
    expect(receipt.recipients).toEqual([]);
    t.bus.subscribe('x', ({ payload }) => void log.push(payload));

    await t.clock.advance(99);
    expect(log).toEqual([]);
    await t.clock.advance(1);

    expect(log).toEqual([1]);
    expect(receipt.recipients).toEqual(['$host']);
    expect(settled.now()).toMatchObject({ value: { handled: 1 } });
    expect(t.bus.inspect()).toMatchObject({ scheduled: 0, admitted: 1 });
  });

  it('delivers at an instant of the wall clock, and at once when it is over', async () => {
    const t = createTestBus();
    const log: unknown[] = [];
    t.bus.subscribe('x', ({ payload }) => void log.push(payload));
    const wall = Date.UTC(2026, 0, 1);

    t.bus.publish('x', 'later', { deliverAt: wall + 500 });
    t.bus.publish('x', 'past', { deliverAt: wall - 500 });
    await t.settle();
    expect(log).toEqual(['past']);
    await t.clock.advance(500);

    expect(log).toEqual(['past', 'later']);
  });

  it('cancels a delayed message until it is due', async () => {
    const t = createTestBus();
    t.bus.register('a').subscribe('x', () => {});

    const early = t.bus.send('a', 'x', 1, { delayMs: 100 });
    const late = t.bus.publish('x', 1, { delayMs: 100 });
    expect(early.cancel()).toBe(true);
    expect(early.cancel()).toBe(false);
    await t.clock.advance(100);

    expect(late.cancel()).toBe(false);
    expect(await early.settled).toEqual({ handled: 0, deadLettered: [], expired: 0, cancelled: 0 });
    await early.accepted;
    expect(t.bus.inspect()).toMatchObject({ scheduled: 0, handled: 1 });
    expect(t.bus.publish('x', 1).cancel()).toBe(false);
  });

  // F:B13
  it('forgets the key of what was taken back, or refused when it was due', async () => {
    const t = createTestBus();
    const log: unknown[] = [];
    const agent = t.bus.register('a', { capacity: 1 });
    agent.subscribe('x', ({ payload }) => void log.push(payload));
    const say = (payload: string, delayMs: number) =>
      t.bus.send('a', 'x', payload, { delayMs, dedupeKey: 'k' });

    const taken = say('taken back', 100);
    const while1 = say('a duplicate', 100);
    taken.cancel();
    const second = say('too many', 100);
    agent.pause();
    t.bus.send('a', 'x', 'first');
    await t.clock.advance(100);
    const third = say('at last', 100);
    agent.resume();
    await t.clock.advance(100);

    expect([while1, second, third].map(({ duplicate }) => duplicate)).toEqual([true, false, false]);
    expect(log).toEqual(['first', 'at last']);
    expect(t.bus.publish('x', 1, { dedupeKey: 'k' }).duplicate).toBe(true);
  });

  it('gives the budget of what was taken back to others', async () => {
    const t = createTestBus();
    const left: unknown[] = [];
    t.bus.register('b').subscribe('y', () => {});
    t.bus.register('a').subscribe('x', (_message, context) => {
      context.send('b', 'y', 1, { delayMs: 100 }).cancel();
      left.push(context.budget?.remaining.messages);
    });

    t.bus.send('a', 'x', 1, { budget: { messages: 2 } });
    await t.settle();

    expect(left).toEqual([2]);
  });

  it('keeps a letter of a delayed message whose recipient is gone when it is due', async () => {
    const t = createTestBus();
    const agent = t.bus.register('a');
    const receipt = t.bus.send('a', 'x', 1, { delayMs: 100 });

    await agent.leave();
    await t.clock.advance(100);

    expect(t.bus.deadLetters.list()).toMatchObject([
      { reason: 'unknown-recipient', refused: true },
    ]);
    expect(await receipt.settled).toMatchObject({ handled: 0 });
    expect(receipt.overflowed).toEqual([]);
  });

  // R:D3
  it('delays by more than a native timer can', async () => {
    const t = createTestBus();
    const log: unknown[] = [];
    t.bus.subscribe('x', ({ payload }) => void log.push(payload));
    const fortyDays = 40 * 24 * 3_600_000;

    t.bus.publish('x', 1, { delayMs: fortyDays });
    await t.clock.advance(fortyDays - 1);
    expect(log).toEqual([]);
    await t.clock.advance(1);

    expect(log).toEqual([1]);
  });

  // F:B13
  it('gives the first receipt again for a known dedupeKey of the same sender and topic', async () => {
    const t = createTestBus({ dedupe: { windowMs: 1_000, maxKeys: 3 } });
    let handled = 0;
    t.bus.subscribe('*', () => void handled++);
    const agent = t.bus.register('a');
    const say = (
      topic: string,
      dedupeKey: string,
      by = agent as { publish: typeof agent.publish },
    ) => by.publish(topic, 1, { dedupeKey });

    const first = say('x', 'k');
    const second = say('x', 'k');
    await t.settle();

    expect([first.duplicate, second.duplicate]).toEqual([false, true]);
    expect(second.id).toBe(first.id);
    expect(second.recipients).toEqual(['$host']);
    expect([second.overflowed, second.cancel()]).toEqual([[], false]);
    expect(await second.settled).toMatchObject({ handled: 1 });
    await second.accepted;
    expect(handled).toBe(1);
    expect(t.bus.inspect()).toMatchObject({ duplicates: 1, admitted: 1 });
    expect(say('y', 'k').duplicate).toBe(false);
    expect(say('x', 'k', t.bus as never).duplicate).toBe(false);
    await t.clock.advance(1_000);
    expect(say('x', 'k').duplicate).toBe(false);
  });

  // R:D6
  it('remembers at most maxKeys keys, the newest', () => {
    const { bus } = createTestBus({ dedupe: { maxKeys: 2 } });
    const say = (dedupeKey: string): boolean => bus.publish('x', 1, { dedupeKey }).duplicate;

    for (const key of ['a', 'b', 'c']) say(key);

    expect([say('c'), say('b'), say('a')]).toEqual([true, true, false]);
  });

  it('starts a handler as often as its rate limit allows, and lets others run meanwhile', async () => {
    const t = createTestBus();
    const log: string[] = [];
    const note = ({ topic, payload }: { topic: string; payload: unknown }): void => {
      log.push(`${topic}${payload} at ${t.clock.nowMs}`);
    };
    const agent = t.bus.register('a');
    agent.subscribe('slow', note, { rateLimit: { limit: 2, perMs: 1_000 } });
    agent.subscribe('free', note);

    for (const n of [1, 2, 3, 4]) t.bus.publish('slow', n);
    t.bus.publish('free', 5);
    await t.settle();
    expect(log).toEqual(['slow1 at 0', 'slow2 at 0', 'free5 at 0']);
    expect(t.bus.inspect().queued).toBe(2);
    await t.run();

    expect(log.slice(3)).toEqual(['slow3 at 500', 'slow4 at 1000']);
    expectBalanced(t.bus);
  });

  it('empties what a rate limit holds back when its subscription ends', async () => {
    const t = createTestBus();
    const rateLimit = { limit: 1, perMs: 60_000 };
    const subscription = t.bus.subscribe('x', () => {}, { rateLimit });
    for (const n of [1, 2]) t.bus.publish('x', n);
    await t.settle();

    subscription.unsubscribe();

    expect(t.bus.inspect()).toMatchObject({ handled: 1, cancelled: 1, queued: 0 });
  });
});
