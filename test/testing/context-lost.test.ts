import { describe, expect, it } from 'vitest';
import type { Agent, MessageBus } from '../../src/index.ts';
import { ContextLostError, createTestBus, external } from '../../src/testing.ts';

interface Voices {
  readonly bus: MessageBus;
  readonly mate: Agent;
}

const SAYINGS: Readonly<Record<string, (voices: Voices, options?: object) => unknown>> = {
  "mate.publish('told')": ({ mate }, options) => mate.publish('told', 1, options),
  "mate.send('told')": ({ mate }, options) => mate.send('mate', 'told', 1, options),
  "bus.send('told')": ({ bus }, options) => bus.broadcast(['mate'], 'told', 1, options),
  "mate.request('asked')": ({ mate }, options) => mate.request('asked', 1, options),
  "bus.stream('asked')": ({ bus }, options) => bus.stream('asked', 1, options).result,
  "bus.gather('asked')": ({ bus }, options) => bus.gather('asked', 1, options),
};

function begin(say: (voices: Voices) => unknown, allow = false) {
  const t = createTestBus(allow ? { lostContext: 'allow' } : {});
  const mate = t.bus.register('mate', { concurrency: 2 });
  mate.subscribe('told', () => {});
  t.bus.register('other').serve('asked', () => 1);
  t.bus.register('speaker').subscribe('begin', async function speak() {
    await Promise.resolve();
    await say({ bus: t.bus, mate });
  });
  t.bus.publish('begin', 1);
  return t;
}

describe('a handler that speaks through a handle', () => {
  it.each(Object.keys(SAYINGS))('fails the test with both places named: %s', async (call) => {
    const t = begin(SAYINGS[call] as (voices: Voices) => unknown);

    const error = await t.settle().catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(ContextLostError);
    const { places, message } = error as ContextLostError;
    expect(message).toBe(`Handlers spoke through a handle:\n  ${places[0]}`);
    expect(places).toHaveLength(1);
    expect(places[0]?.replace(/:\d+:\d+$/, ':line')).toBe(
      `${call} in the handler speak of speaker for begin (m1), at test/testing/context-lost.test.ts:line`,
    );
    // It is told once.
    await t.run();
    await t.close();
  });

  it.each(Object.keys(SAYINGS))('passes when it is meant: %s', async (call) => {
    const t = begin((voices) => SAYINGS[call]?.(voices, { detached: true }));

    await t.settle();

    await t.close();
  });

  it('passes where the test allows it, and on a bus with ambient context', async () => {
    const t = begin(({ mate }) => mate.publish('told', 1), true);
    await t.close();

    const ambient = createTestBus({ ambientContext: true });
    const agent = ambient.bus.register('agent');
    const probe = ambient.probe('probe', { pattern: 'told' });
    agent.subscribe('begin', () => agent.publish('told', 1));
    const { id } = ambient.bus.publish('begin', 1);
    expect((await probe.expect()).causationId).toBe(id);
    await ambient.close();
  });

  it('says nothing of what is said on the context, outside of handlers, and on another bus', async () => {
    const t = createTestBus();
    const other = createTestBus();
    const agent = t.bus.register('agent');
    agent.subscribe('begin', (_, context) => {
      context.publish('told', 1);
      other.bus.publish('told', 1);
    });
    t.bus.publish('begin', 1);
    await t.settle();
    agent.publish('told', 2);

    await t.close();
    await other.close();
  });

  it('says nothing of a listener that speaks, wherever the event comes from', async () => {
    const t = createTestBus();
    t.bus.register('writer').subscribe('begin', (_, context) => void context.publish('told', 1));
    t.bus.register('auditor').subscribe('audit', () => {});
    t.bus.subscribe('told', () => {});
    const audit = (message: { readonly topic: string }): void => {
      if (message.topic === 'told') t.bus.publish('audit', 1);
    };
    t.bus.events.on('admitted', audit);

    t.bus.publish('begin', 1);

    await t.settle();
    await t.close();
  });

  it('does not ask where somebody spoke if nobody wants to know', async () => {
    const t = createTestBus({ lostContext: 'allow' });
    t.bus.register('writer').subscribe('begin', () => void t.bus.publish('told', 1));
    t.bus.subscribe('told', () => {});
    let asked = 0;
    const { prepareStackTrace } = Error;
    Error.prepareStackTrace = (error, frames) => {
      if (error.message === 'here') asked += 1;
      return prepareStackTrace?.(error, frames) ?? String(error);
    };

    t.bus.publish('begin', 1);
    await t.settle();
    Error.prepareStackTrace = prepareStackTrace;

    expect(asked).toBe(0);
    await t.close();
  });

  it('keeps tests apart that run side by side', async () => {
    const [lost, sound] = [begin(({ mate }) => mate.publish('told', 1)), begin(() => undefined)];

    const [one, other] = await Promise.allSettled([lost.settle(), sound.settle()]);

    expect([one.status, other.status]).toEqual(['rejected', 'fulfilled']);
  });

  it('refuses a value of detached that says neither', () => {
    const { bus } = createTestBus();

    expect(() => bus.publish('a', 1, { detached: 'yes' as never })).toThrow(
      'detached must be true or false',
    );
  });
});

describe('external', () => {
  const inRealTime = <T>(ms: number, value: T): Promise<T> =>
    new Promise((resolve) => setTimeout(() => resolve(value), ms));

  it('is waited for in real time, and no virtual time passes', async () => {
    const t = createTestBus();
    t.bus.register('expert').serve('question', async () => {
      const answer = await external(inRealTime(5, 'tea'), 'model');
      return `${answer}!`;
    });
    const asked = t.bus.request('question', 1);

    await t.run();

    expect(await asked).toBe('tea!');
    expect(t.clock.nowMs).toBe(0);
    await t.close();
  });

  it('goes on in the order in which it was begun, however long each takes', async () => {
    const order: unknown[] = [];
    const t = createTestBus();
    t.bus.register('expert', { concurrency: 3 }).subscribe('question', async ({ payload }) => {
      order.push(await external(inRealTime(Number(payload), payload), `model ${payload}`));
    });
    for (const ms of [9, 1, 5]) t.bus.publish('question', ms);

    await t.settle();

    expect(order).toEqual([9, 1, 5]);
    await t.close();
  });

  it('passes a failure on, and is nothing outside of a test bus', async () => {
    const t = createTestBus();
    const failed = t.external(Promise.reject(new Error('no model')), 'model');
    const caught = failed.catch((error: Error) => error.message);
    await t.settle();

    expect(await caught).toBe('no model');
    expect(await external(Promise.resolve(1), 'model')).toBe(1);
    expect(() => t.external(Promise.resolve(1), '')).toThrow('label must be a name for it');
    await t.close();
  });
});
