import { describe, expect, it } from 'vitest';
import type { Logger, StandardSchema } from '../../src/index.ts';
import { defineContract } from '../../src/index.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced } from './books.ts';

const throwing = (): never => {
  throw new Error('broken');
};
const rejecting = async (): Promise<never> => throwing();

/** Broken in every way a function can be: by an error, a rejection, or something that is no error. */
const BROKEN = [
  throwing,
  rejecting,
  () => {
    throw null;
  },
  () => Promise.reject(undefined),
];

function schema(validate: (value: unknown) => unknown): StandardSchema<unknown, unknown> {
  return { '~standard': { version: 1, vendor: 'test', validate: validate as never } };
}

// R:C1: any unhandled rejection fails the run, see test/setup.ts.
describe.each(['real', 'simulated'] as const)('what user code breaks, on the %s Env', (env) => {
  it('is nothing to the other handlers and to the speaker', async () => {
    const { bus, settle } = makeBus(env);
    let heard = 0;
    for (const broken of BROKEN) {
      bus.subscribe('x', broken);
      bus.subscribe('x', () => void heard++);
    }

    const receipt = bus.publish('x', 1);
    await settle();

    expect(heard).toBe(4);
    const { handled, deadLettered } = await receipt.settled;
    expect([handled, deadLettered.length]).toEqual([4, 4]);
    expectBalanced(bus);
  });

  it('is counted and reported once, and changes no delivery, when it only watches', async () => {
    const faults: string[] = [];
    const { bus, settle } = makeBus(env, { onFault: (_error, where) => void faults.push(where) });
    let heard = 0;
    bus.subscribe('x', () => void heard++);
    for (const broken of BROKEN.slice(0, 2)) {
      bus.tap('x', broken);
      bus.events.on('handled', broken);
    }

    const receipt = bus.publish('x', 1);
    await settle();

    expect(heard).toBe(1);
    expect(await receipt.settled).toMatchObject({ handled: 1 });
    expect(faults.sort()).toEqual(['listener of handled', 'listener of handled', 'tap x', 'tap x']);
    expect(bus.inspect().faults).toBe(4);
  });

  // R:A8
  it('leaves as many outcome events as outcomes when every listener throws', async () => {
    const { bus, settle } = makeBus(env);
    const counts: Record<string, number> = {};
    for (const name of ['handled', 'dead-lettered', 'expired', 'cancelled'] as const) {
      bus.events.on(name, () => {
        counts[name] = (counts[name] ?? 0) + 1;
        throwing();
      });
    }
    bus.subscribe('good', () => {});
    bus.subscribe('bad', throwing);
    const ended = bus.subscribe('ended', () => {});

    bus.publish('good', 1);
    bus.publish('bad', 1);
    bus.publish('good', 2, { ttlMs: 0 });
    bus.publish('ended', 1);
    ended.unsubscribe();
    await settle();

    expect(counts).toEqual({ handled: 1, 'dead-lettered': 1, expired: 1, cancelled: 1 });
    expect(bus.inspect()).toMatchObject({ handled: 1, deadLettered: 1, expired: 1, cancelled: 1 });
  });

  it.each([throwing, rejecting])(
    'is survived when it is the fault listener itself: %o',
    async (broken) => {
      const { bus, settle } = makeBus(env, { onFault: broken });
      bus.events.on('fault', broken);
      bus.tap('**', broken);

      bus.publish('x', 1);
      await settle();

      expect(bus.inspect().faults).toBeGreaterThanOrEqual(2);
      expect(bus.inspect().messages).toBe(1);
    },
  );

  it.each([throwing, rejecting])('is survived when it is the logger: %o', async (broken) => {
    const logger = { debug: broken, info: broken, warn: broken, error: broken } as Logger;
    const { bus, settle } = makeBus(env, { logger, unheard: 'warn' });
    const log: string[] = [];
    bus.subscribe('x', (_message, context) => {
      context.log.info('handled');
      log.push('handled');
    });
    bus.register('a').log.warn('hello');

    bus.publish('x', 1);
    bus.publish('void', 1);
    await settle();

    expect(log).toEqual(['handled']);
    expect(bus.inspect().faults).toBeGreaterThanOrEqual(3);
  });

  it('refuses the call when a schema throws or answers with a promise', async () => {
    const contract = defineContract({
      topics: { throws: schema(throwing), promises: schema(rejecting) },
      requests: {
        'q.out': { input: schema((value) => ({ value })), output: schema(rejecting) },
      },
    });
    const { bus, settle } = makeBus(env, { contract });
    bus.register('a').serve('q.out', () => 1);

    expect(() => bus.publish('throws', 1)).toThrow(/the schema threw/);
    expect(() => bus.publish('promises', 1)).toThrow(/admission is synchronous/);
    const asked = expect(bus.request('q.out', 1)).rejects.toThrow(/answered with a promise/);
    await settle();
    await asked;

    expect(bus.inspect()).toMatchObject({ refused: 2, deadLettered: 1 });
  });

  it('is a failure of the delivery when a predicate of its retry throws', async () => {
    const { bus, settle } = makeBus(env);
    bus.subscribe('x', throwing, { retry: { maxAttempts: 3, retryIf: throwing } });

    bus.publish('x', 1);
    await settle();

    expect(bus.deadLetters.list()).toMatchObject([{ attempts: 1, error: { message: 'broken' } }]);
  });

  it('survives errors that are hostile when they are looked at', async () => {
    const { bus, settle } = makeBus(env);
    const hostile = new Proxy(new Error('hidden'), {
      get() {
        throw new Error('do not look');
      },
    });
    bus.subscribe('x', () => {
      throw hostile;
    });

    bus.publish('x', 1);
    await settle();

    expect(bus.inspect()).toMatchObject({ deadLettered: 1, letters: 1 });
  });

  it('leaves nobody with an unhandled rejection who never looks at a receipt', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a', { capacity: 1, overflow: 'wait' });
    agent.subscribe('x', throwing);
    agent.pause();
    for (const n of [1, 2, 3]) bus.publish('x', n);

    await agent.leave();
    await settle();
    await bus.close();

    expectBalanced(bus);
  });
});
