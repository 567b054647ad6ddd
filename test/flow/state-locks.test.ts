import { describe, expect, it } from 'vitest';
import {
  type Context,
  isTellaskError,
  type Lock,
  MessageBus,
  StateManager,
} from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import type { EnvName } from '../make-bus.ts';
import { hang } from './books.ts';

const ENVS: readonly EnvName[] = ['real', 'simulated'];

describe('handlers that lock what others have locked', () => {
  // R:K6
  it('are refused rather than wait for ever, and go on when they try again', async () => {
    let refusals = 0;
    for (let seed = 0; seed < 40; seed++) {
      const state = new StateManager();
      const { bus, run } = createTestBus({ seed, shuffle: true, state });
      const edit = (outer: string, inner: string) => async (_: unknown, context: Context) => {
        const both = context.state.withLock(outer, async () => {
          await Promise.resolve();
          await context.state.withLock(inner, (lock) => {
            const count = (n: unknown) => (n as number) + 1;
            context.state.update('doc', count, { initial: 0, lock });
          });
        });
        await both.catch((error: unknown) => {
          if (isTellaskError(error, 'TELLASK_LOCK_DEADLOCK')) refusals++;
          throw error;
        });
      };
      const retry = { maxAttempts: 5, baseMs: 10 };
      bus.register('a').subscribe('go', edit('x', 'y'), { retry });
      bus.register('b').subscribe('go', edit('y', 'x'), { retry });
      bus.register('c').subscribe('go', edit('y', 'z'), { retry });

      bus.publish('go', {});
      await run();

      expect(state.get('doc')?.value, `seed ${seed}`).toBe(3);
      expect(state.locks()).toEqual([]);
      expect(bus.deadLetters.list()).toEqual([]);
    }
    expect(refusals).toBeGreaterThan(0);
  });
});

describe.each(ENVS)('a handler that hangs in its lock, on the %s Env', (env) => {
  // R:K6
  it('loses it when its lease is over, and its late write is refused', async () => {
    const state = new StateManager();
    const t = env === 'simulated' ? createTestBus({ state }) : undefined;
    const bus = t?.bus ?? new MessageBus({ state });
    let taken!: (lock: Lock) => void;
    const holder = new Promise<Lock>((resolve) => {
      taken = resolve;
    });
    bus.register('slow').subscribe('go', async (_, context) => {
      const work = (lock: Lock): Promise<never> => {
        taken(lock);
        return hang();
      };
      await context.state.withLock('doc', work, { leaseMs: 20 });
    });
    bus.publish('go', {});
    await t?.settle();
    const lost = await holder;
    const next = bus.state.withLock('doc', ({ token }) => token);

    const drained = bus.drain();
    await t?.run();
    await drained;

    expect(await next).toBeGreaterThan(lost.token);
    expect(() => bus.state.set('doc', 1, { lock: lost })).toThrow('its lease is over');
    expect(bus.deadLetters.list()).toMatchObject([{ error: { code: 'TELLASK_LOCK_LOST' } }]);
    const closed = bus.close();
    await t?.run();
    await closed;
  });
});
