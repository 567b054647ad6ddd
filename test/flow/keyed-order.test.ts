import { describe, expect, it } from 'vitest';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, gate } from './books.ts';

interface Job {
  readonly id?: string;
  readonly n: number;
}

const key = ({ payload }: { payload: unknown }): unknown => (payload as Job).id;

// F:B5 R:B5
describe.each(['real', 'simulated'] as const)('keyed order, on the %s Env', (env) => {
  it('keeps one key in order and one at a time while keys run side by side', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const first = gate();
    const handle = async ({ payload }: { payload: unknown }): Promise<void> => {
      const { id, n } = payload as Job;
      log.push(`${id}${n} begins`);
      if (n === 1) await first.opened;
      log.push(`${id}${n} ends`);
    };
    bus.register('a', { concurrency: 3 }).subscribe('x', handle, { key });

    for (const id of ['p', 'q']) for (const n of [1, 2]) bus.publish('x', { id, n });
    await settle();
    expect(log).toEqual(['p1 begins', 'q1 begins']);
    first.open();
    await settle();

    expect(log.filter((one) => one.startsWith('p'))).toEqual([
      'p1 begins',
      'p1 ends',
      'p2 begins',
      'p2 ends',
    ]);
    expectBalanced(bus);
  });

  it('keeps the order of a key against priority', async () => {
    const { bus, settle } = makeBus(env);
    const log: number[] = [];
    bus.subscribe('x', ({ payload }) => void log.push((payload as Job).n), { key });

    bus.publish('x', { id: 'p', n: 1 }, { priority: 0 });
    bus.publish('x', { id: 'p', n: 2 }, { priority: 10 });
    bus.publish('x', { n: 3 }, { priority: 10 });
    await settle();

    expect(log).toEqual([3, 1, 2]);
  });

  it('lets messages without a key run freely', async () => {
    const { bus, settle } = makeBus(env);
    const log: number[] = [];
    const held = gate();
    const handle = async ({ payload }: { payload: unknown }): Promise<void> => {
      log.push((payload as Job).n);
      await held.opened;
    };
    bus.register('a', { concurrency: 2 }).subscribe('x', handle, { key });

    bus.publish('x', { n: 1 });
    bus.publish('x', { n: 2 });
    await settle();

    expect(log).toEqual([1, 2]);
    held.open();
    await settle();
  });

  it('hands the key on when its holder is unsubscribed, expires or is buried', async () => {
    const { bus, settle } = makeBus(env);
    const log: number[] = [];
    const handle = ({ payload }: { payload: unknown }): void => {
      log.push((payload as Job).n);
      if ((payload as Job).n === 2) throw new Error('no');
    };
    bus.subscribe('x', handle, { key });

    bus.publish('x', { id: 'p', n: 1 }, { ttlMs: 0 });
    bus.publish('x', { id: 'p', n: 2 });
    bus.publish('x', { id: 'p', n: 3 });
    await settle();

    expect(log).toEqual([2, 3]);
    expect(bus.inspect()).toMatchObject({ expired: 1, deadLettered: 1, handled: 1 });
  });

  // R:C1
  it('reports a key function that throws or returns a promise, and delivers without a key', async () => {
    const faults: string[] = [];
    const onFault = (error: unknown): void => void faults.push((error as Error).message);
    const { bus, settle } = makeBus(env, { onFault });
    let handled = 0;
    const throws = (): never => {
      throw new Error('no key');
    };
    bus.subscribe('x', () => void handled++, { key: throws });
    bus.subscribe('x', () => void handled++, { key: async () => throws() });

    bus.publish('x', 1);
    await settle();

    expect(handled).toBe(2);
    expect(faults).toEqual(['no key', 'key must be synchronous, but it returned a promise']);
  });

  it('counts what waits behind a key as queued, within the capacity', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a', { capacity: 2 });
    agent.subscribe('x', () => {}, { key });
    agent.pause();

    const receipts = [1, 2, 3].map((n) => bus.publish('x', { id: 'p', n }));
    await settle();

    expect(bus.inspect()).toMatchObject({ queued: 2, deadLettered: 1 });
    expect(receipts[2]?.overflowed).toEqual(['a']);
    agent.resume();
    await settle();
    expect(bus.inspect()).toMatchObject({ handled: 2, queued: 0 });
  });
});

describe('keys and retries', () => {
  // R:B5
  it('holds the key while a retry waits, and runs the other keys', async () => {
    const t = createTestBus();
    const log: string[] = [];
    let failures = 1;
    const handle = ({ payload }: { payload: unknown }): void => {
      const { id, n } = payload as Job;
      log.push(`${id}${n}`);
      if (id === 'p' && failures-- > 0) throw new Error('once');
    };
    t.bus.subscribe('x', handle, { key, retry: { maxAttempts: 2, baseMs: 100, jitter: 'none' } });

    for (const id of ['p', 'q']) for (const n of [1, 2]) t.bus.publish('x', { id, n });
    await t.settle();
    expect(log).toEqual(['p1', 'q1', 'q2']);
    await t.clock.advance(100);

    expect(log).toEqual(['p1', 'q1', 'q2', 'p1', 'p2']);
    expectBalanced(t.bus);
  });

  it('keeps redriven messages of one key in order among themselves', async () => {
    const t = createTestBus();
    const log: number[] = [];
    let broken = true;
    const handle = ({ payload }: { payload: unknown }): void => {
      if (broken) throw new Error('broken');
      log.push((payload as Job).n);
    };
    t.bus.subscribe('x', handle, { key });
    for (const n of [1, 2, 3]) t.bus.publish('x', { id: 'p', n });
    await t.settle();
    broken = false;

    await t.bus.deadLetters.redrive();
    await t.settle();

    expect(log).toEqual([1, 2, 3]);
  });
});
