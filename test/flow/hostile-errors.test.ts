import { describe, expect, it } from 'vitest';
import { circuitBreaker, compose, retry } from '../../src/index.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, outcomeOf } from './books.ts';

/** Throws when somebody asks what it is, as the membrane of a sandbox may. */
function hostile(): Error {
  const lookAway = (): never => {
    throw new Error('look away');
  };
  return new Proxy(new Error('trap'), { get: lookAway, has: lookAway, getPrototypeOf: lookAway });
}

describe.each(['real', 'simulated'] as const)(
  'an error that throws when it is looked at, on the %s Env',
  (env) => {
    it('is the failure of its handler, and the asker hears of it at once', async () => {
      const { bus, settle } = makeBus(env);
      bus.register('oracle').serve('ask', () => {
        throw hostile();
      });
      const policy = compose(retry({ baseMs: 0, maxAttempts: 2 }), circuitBreaker({ failures: 9 }));

      const plain = outcomeOf(bus.request('ask', 1));
      const guarded = outcomeOf(bus.request('ask', 1, { policy }));
      const gathered = outcomeOf(bus.gather('ask', 1));
      await settle();

      const failed = { error: { code: 'TELLASK_HANDLER_ERROR' } };
      expect([plain.now(), guarded.now()]).toMatchObject([failed, failed]);
      expect(gathered.now()).not.toBe('pending');
      expectBalanced(bus);
    });

    it('may be the reason of a signal', async () => {
      const { bus, settle } = makeBus(env);
      bus.register('oracle').serve('ask', () => new Promise(() => {}));
      const controller = new AbortController();
      const { signal } = controller;
      const plain = outcomeOf(bus.request('ask', 1, { signal }));
      const guarded = outcomeOf(bus.request('ask', 1, { signal, policy: retry() }));
      await settle();

      controller.abort(hostile());
      await settle();

      const ends = [plain.now(), guarded.now()] as { error?: unknown }[];
      expect(ends.map((end) => end.error === signal.reason)).toEqual([true, true]);
      expectBalanced(bus);
    });
  },
);
