import { describe, expect, it } from 'vitest';
import { retry, retryBudget } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced } from './books.ts';

const soon = { baseMs: 0, maxAttempts: 4 } as const;

describe.each(['real', 'simulated'] as const)(
  'the retry budget of a handler, on the %s Env',
  (env) => {
    // R:H2
    it('is paid into by every first attempt, also one that succeeds, and by no other', async () => {
      const { bus, settle } = makeBus(env);
      const budget = retryBudget({ ratio: 1 });
      const failed = new Set<unknown>();
      bus.register('a').subscribe(
        'x',
        ({ payload }) => {
          if (payload === 'ok' || failed.has(payload)) return;
          failed.add(payload);
          throw new Error('no');
        },
        { retry: { ...soon, maxMs: 0, budget } },
      );
      for (const payload of ['ok', 'once', 'ok']) bus.publish('x', payload);

      await settle();
      while (bus.inspect().handled < 3) await settle();

      expect(budget.snapshot()).toMatchObject({ deposits: 3, granted: 1, refused: 0 });
      expectBalanced(bus);
      await bus.close();
    });

    // R:H2 R:J1
    it.each(['requeue', 'in-place'] as const)(
      'ends a delivery (%s) with its own failure when there is no token',
      async (order) => {
        const { bus, settle } = makeBus(env);
        const budget = retryBudget({ ratio: 0, minPerSecond: 0 });
        let calls = 0;
        const fail = (): never => {
          throw new Error(`no ${++calls}`);
        };
        bus.register('a').subscribe('x', fail, { retry: { ...soon, order, budget } });
        bus.register('b').serve('y', fail, { retry: { ...soon, order, budget } });
        bus.publish('x', 1);
        const asked = bus.request('y', 1).catch((error: Error) => error.message);

        await settle();

        expect(await asked).toContain('no');
        expect(calls).toBe(2);
        expect(bus.deadLetters.list()).toMatchObject([
          { reason: 'handler-error', attempts: 1 },
          { reason: 'handler-error', attempts: 1 },
        ]);
        expect(bus.inspect().retryWait).toBe(0);
        expectBalanced(bus);
        await bus.close();
      },
    );

    it('refuses what is no retry option, and what is no budget', async () => {
      const { bus } = makeBus(env);
      const agent = bus.register('a');
      const subscribe = (retry: object) => () => agent.subscribe('x', () => {}, { retry });

      expect(subscribe({ attempts: 3 })).toThrow('The retry of a handler has no option attempts');
      expect(subscribe({ onRetry: () => {} })).toThrow(
        'The retry of a handler has no option onRetry',
      );
      expect(subscribe({ budget: 3 })).toThrow('retry.budget must be what retryBudget returned');
      await bus.close();
    });
  },
);

describe('the retry budget of a handler', () => {
  // R:H2
  it('runs on the clock of the bus, and is one for handlers and for calls', async () => {
    const t = createTestBus();
    const budget = retryBudget({ ratio: 0, minPerSecond: 0.1 });
    let calls = 0;
    const fail = (): never => {
      calls++;
      throw new Error('no');
    };
    const again = retry({ ...soon, budget });
    t.bus.subscribe('x', fail, { retry: { ...soon, budget } });
    t.bus.publish('x', 1);
    await t.run();
    const afterHandler = calls;

    await again.execute(fail).catch(() => {});
    const afterCall = calls;
    await t.clock.advance(11_000);
    t.bus.publish('x', 2);
    await t.run();

    expect([afterHandler, afterCall, calls]).toEqual([2, 3, 5]);
  });
});
