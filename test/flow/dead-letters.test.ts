import { describe, expect, it } from 'vitest';
import type { DeadLetter } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, outcomeOf } from './books.ts';

const fail = (): never => {
  throw new Error('broken', { cause: new TypeError('deeper') });
};

describe.each(['real', 'simulated'] as const)('dead letters, on the %s Env', (env) => {
  // R:J2 R:C5
  it('says all that is known of the death', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').subscribe('x.*', fail);
    const told: DeadLetter[] = [];
    const stop = bus.deadLetters.subscribe((letter) => void told.push(letter));

    const receipt = bus.register('w').publish('x.1', { n: 1 });
    await settle();
    stop();
    bus.publish('x.2', 2);
    await settle();

    const [letter] = bus.deadLetters.list({ topic: 'x.1' });
    expect(letter).toMatchObject({
      originalId: receipt.id,
      recipient: 'a',
      subscriber: 'x.*',
      reason: 'handler-error',
      refused: false,
      attempts: 1,
      error: {
        name: 'Error',
        message: 'broken',
        retryable: false,
        cause: [{ name: 'TypeError', message: 'deeper' }],
      },
      redriveCount: 0,
      history: [],
    });
    expect(letter?.message).toMatchObject({ from: 'w', payload: { n: 1 } });
    expect(told).toEqual([letter]);
  });

  // F:E1
  it('finds letters by id, reason, topic, recipient and whether they were refused', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').subscribe('x.*', fail);
    bus.publish('x.1', 1);
    bus.publish('x.2', 1);
    bus.send('a', 'unheard', 1);
    expect(() => bus.send('ghost', 'x.1', 1)).toThrow(/ghost/);
    await settle();
    const count = (filter: object): number => bus.deadLetters.list(filter).length;

    const [first] = bus.deadLetters.list({ topic: 'x.1', refused: false });

    expect(count({})).toBe(4);
    expect(count({ reason: 'handler-error' })).toBe(2);
    expect(count({ reason: ['handler-error', 'unhandled'] })).toBe(3);
    expect(count({ topic: 'x.*' })).toBe(3);
    expect(count({ recipient: 'ghost' })).toBe(1);
    expect(count({ refused: true })).toBe(1);
    expect(count({ id: first?.id ?? '' })).toBe(1);
    expect(bus.deadLetters.purge({ refused: true })).toBe(1);
    expect(bus.deadLetters.size).toBe(3);
  });

  // R:A5 R:J3 F:E4
  it('redrives only to the subscriber that failed, as a new message of the same conversation', async () => {
    const { bus, settle } = makeBus(env);
    let broken = true;
    const log: string[] = [];
    bus.register('good').subscribe('x', () => void log.push('good'));
    bus.register('bad').subscribe('x', (message, { attempt }) => {
      if (broken) fail();
      log.push(`bad ${message.causationId} ${message.correlationId} ${attempt}`);
    });
    const receipt = bus.publish('x', 1);
    await settle();
    broken = false;

    const { redriven, receipts } = await bus.deadLetters.redrive();
    await settle();

    expect(redriven).toHaveLength(1);
    expect(receipts[0]?.id).not.toBe(receipt.id);
    expect(log).toEqual(['good', `bad ${receipt.id} ${receipt.id} 1`]);
    expect(bus.deadLetters.size).toBe(0);
    expectBalanced(bus);
  });

  // R:J3
  it('lets one of two who redrive at once win', async () => {
    const { bus, settle } = makeBus(env);
    let calls = 0;
    bus.subscribe('x', () => {
      if (++calls === 1) fail();
    });
    bus.publish('x', 1);
    await settle();

    const both = await Promise.all([bus.deadLetters.redrive(), bus.deadLetters.redrive()]);
    await settle();

    expect(both.map(({ redriven }) => redriven.length)).toEqual([1, 0]);
    expect(calls).toBe(2);
  });

  // R:J3
  it('passes once over the letters that are there: what dies again waits for the next pass', async () => {
    const { bus, settle } = makeBus(env);
    let calls = 0;
    bus.subscribe('x', () => {
      calls++;
      fail();
    });
    for (const n of [1, 2]) bus.publish('x', n);
    await settle();

    const pass = bus.deadLetters.redrive();
    await settle();

    expect((await pass).redriven).toHaveLength(2);
    expect(calls).toBe(4);
    const letters = bus.deadLetters.list();
    expect(letters).toMatchObject([{ redriveCount: 1 }, { redriveCount: 1 }]);
    expect(letters[0]?.history).toMatchObject([{ reason: 'handler-error', attempts: 1 }]);
  });

  it('redrives to who took the place of the failed subscription, else says that nobody is there', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    const first = bus.register('a');
    first.subscribe('x', fail);
    bus.publish('x', 1);
    await settle();
    await first.leave();

    const nobody = await bus.deadLetters.redrive();
    bus.register('a').subscribe('x', ({ payload }) => void log.push(payload));
    await bus.deadLetters.redrive();
    await settle();

    expect(nobody.skipped).toMatchObject([{ why: 'no-subscriber' }]);
    expect(log).toEqual([1]);
  });

  it('makes a refused call again as a new call', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const writer = bus.register('w');
    const headers = { kept: 'yes' };
    expect(() => writer.send('late', 'x', 1, { headers, ttlMs: 60_000 })).toThrow(/late/);
    await settle();
    const refusedAgain = await bus.deadLetters.redrive();
    expect(refusedAgain.skipped).toMatchObject([{ why: 'refused' }]);
    expect(bus.deadLetters.list()).toMatchObject([{ redriveCount: 1, history: [{ attempts: 0 }] }]);

    bus.register('late').subscribe('x', ({ from, headers: heard }) => {
      log.push(`${from} ${heard['kept']}`);
    });
    await bus.deadLetters.redrive({ recipient: 'late' });
    await settle();

    expect(log).toEqual(['w yes']);
  });

  // R:F2
  it('rejects the asker at once when its request is buried', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a', { capacity: 1, overflow: 'drop-oldest' });
    agent.serve('q', () => 1);
    agent.pause();

    const dropped = outcomeOf(bus.request('q', 1));
    void bus.request('q', 2).catch(() => {});
    await settle();

    expect(dropped.now()).toMatchObject({ error: { code: 'TELLASK_MAILBOX_FULL' } });
  });

  // R:D6 R:J2
  it('keeps a bounded number of letters, of every reason too, and counts what made room', async () => {
    const { bus, settle } = makeBus(env, { deadLetters: { maxLetters: 3, maxPerReason: 2 } });
    const agent = bus.register('a');
    agent.subscribe('x', fail);

    for (const n of [1, 2, 3]) bus.publish('x', n);
    await settle();
    for (const n of [4, 5]) bus.send('a', 'other', n);

    const kept = bus.deadLetters.list().map(({ message }) => message.payload);
    expect(kept).toEqual([3, 4, 5]);
    expect(bus.inspect()).toMatchObject({ letters: 3, evictedLetters: 2, deadLettered: 5 });
  });
});

describe('dead letters and time', () => {
  // R:J2 R:J3
  it('freezes the time to live at death and gives the redriven message all of it', async () => {
    const t = createTestBus();
    let broken = true;
    const expiries: (number | undefined)[] = [];
    t.bus.subscribe('x', ({ sentAt, expiresAt }) => {
      if (broken) fail();
      expiries.push((expiresAt ?? 0) - sentAt);
    });
    t.bus.publish('x', 1, { ttlMs: 1_000 });
    await t.settle();
    broken = false;
    await t.clock.advance(60_000);

    await t.bus.deadLetters.redrive();
    await t.settle();

    expect(expiries).toEqual([1_000]);
  });
});
