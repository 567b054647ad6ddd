import { describe, expect, it } from 'vitest';
import { RejectedError } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { expectBalanced, gate } from './books.ts';

const steady = { maxAttempts: 3, baseMs: 100, factor: 1, jitter: 'none' } as const;

/** Fails so many times for each payload, then notes it. */
function failing(times: number, log: string[]) {
  const failures = new Map<unknown, number>();
  return ({ payload }: { payload: unknown }, { attempt }: { attempt: number }): void => {
    log.push(`${payload} attempt ${attempt}`);
    const before = failures.get(payload) ?? 0;
    failures.set(payload, before + 1);
    if (before < times) throw new Error(`failure ${before + 1}`);
  };
}

describe('retry', () => {
  // R:A4 DESIGN "Retry"
  it('goes to the back of its priority and frees the agent: requeue', async () => {
    const t = createTestBus();
    const log: string[] = [];
    t.bus.register('a').subscribe('x', failing(1, log), { retry: steady });

    t.bus.publish('x', 'p');
    t.bus.publish('x', 'q');
    await t.settle();
    expect(t.bus.inspect()).toMatchObject({ retryWait: 2, inFlight: 0, retries: 2 });
    await t.clock.advance(100);

    // Both come back at one instant, in no order.
    expect(log.slice(0, 2)).toEqual(['p attempt 1', 'q attempt 1']);
    expect(log.slice(2).toSorted()).toEqual(['p attempt 2', 'q attempt 2']);
    expectBalanced(t.bus);
  });

  it('holds the agent and keeps the order: in-place', async () => {
    const t = createTestBus();
    const log: string[] = [];
    const retry = { ...steady, order: 'in-place' } as const;
    const agent = t.bus.register('a');
    agent.subscribe('x', failing(1, log), { retry });

    t.bus.publish('x', 'p');
    t.bus.publish('x', 'q');
    await t.settle();
    expect(agent.inspect().running).toBe(1);
    await t.run();

    expect(log).toEqual(['p attempt 1', 'p attempt 2', 'q attempt 1', 'q attempt 2']);
    expectBalanced(t.bus);
  });

  // R:A5 F:D1
  it('retries for the subscriber that failed and for no other', async () => {
    const t = createTestBus();
    const log: string[] = [];
    let heard = 0;
    t.bus.register('good').subscribe('x', () => void heard++);
    t.bus.register('bad').subscribe('x', failing(2, log), { retry: steady });

    const receipt = t.bus.publish('x', 'p');
    await t.run();

    expect(heard).toBe(1);
    expect(log).toHaveLength(3);
    expect(await receipt.settled).toMatchObject({ handled: 2 });
  });

  // R:J1
  it('names max-attempts when all are used, and handler-error when one was allowed', async () => {
    const t = createTestBus();
    t.bus.subscribe('three', failing(9, []), { retry: steady });
    t.bus.subscribe('one', failing(9, []), { retry: { maxAttempts: 1 } });
    t.bus.subscribe('none', failing(9, []));

    for (const topic of ['three', 'one', 'none']) t.bus.publish(topic, topic);
    await t.run();

    const letters = t.bus.deadLetters.list().map(({ message, reason, attempts }) => {
      return `${message.topic} ${reason} ${attempts}`;
    });
    expect(letters.sort()).toEqual([
      'none handler-error 1',
      'one handler-error 1',
      'three max-attempts 3',
    ]);
  });

  it('does not retry what the handler rejects for good', async () => {
    const t = createTestBus();
    let calls = 0;
    const reject = (): never => {
      calls++;
      throw new RejectedError('not for me');
    };
    t.bus.subscribe('x', reject, { retry: steady });

    t.bus.publish('x', 1);
    await t.run();

    expect(calls).toBe(1);
    expect(t.bus.deadLetters.list()).toMatchObject([{ reason: 'rejected', attempts: 1 }]);
  });

  it('never sleeps into the end of a time to live: the real error is kept', async () => {
    const t = createTestBus();
    t.bus.subscribe('x', failing(9, []), { retry: steady });

    t.bus.publish('x', 1, { ttlMs: 150 });
    await t.run();

    expect(t.bus.deadLetters.list()).toMatchObject([
      { reason: 'handler-error', attempts: 2, error: { message: 'failure 2' } },
    ]);
  });

  // R:J2
  it('notes when it failed first and last, also from the very first millisecond', async () => {
    const t = createTestBus();
    t.bus.subscribe('x', failing(9, []), { retry: steady });

    t.bus.publish('x', 1);
    await t.run();

    const [letter] = t.bus.deadLetters.list();
    const { firstFailedAt = 0, lastFailedAt = 0 } = letter ?? {};
    expect(lastFailedAt - firstFailedAt).toBe(200);
  });

  // R:B2
  it.each(['requeue', 'in-place'] as const)(
    'is not started again (%s) once its subscription has ended while it ran',
    async (order) => {
      const t = createTestBus();
      const failed = gate();
      let starts = 0;
      const handle = async (): Promise<void> => {
        starts++;
        await failed.opened;
        throw new Error('no');
      };
      const subscription = t.bus.register('a').subscribe('x', handle, {
        retry: { ...steady, order },
      });
      const receipt = t.bus.publish('x', 1);
      await t.settle();

      subscription.unsubscribe();
      failed.open();
      await t.run();

      expect(starts).toBe(1);
      expect(await receipt.settled).toMatchObject({ cancelled: 1 });
      expectBalanced(t.bus);
    },
  );

  it('ends what waits for a retry when its subscription ends', async () => {
    for (const order of ['requeue', 'in-place'] as const) {
      const t = createTestBus();
      const agent = t.bus.register('a');
      const subscription = agent.subscribe('x', failing(9, []), { retry: { ...steady, order } });
      const receipt = t.bus.publish('x', 1);
      await t.settle();

      subscription.unsubscribe();

      expect(await receipt.settled).toMatchObject({ cancelled: 1 });
      expect(agent.inspect()).toMatchObject({ running: 0, queued: 0 });
      expectBalanced(t.bus);
    }
  });
});
