import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, outcomeOf } from './books.ts';

const is =
  (...payloads: unknown[]) =>
  ({ payload }: Message): boolean =>
    payloads.includes(payload);

/** What a promise of a message became: its payload, or the message of the error. */
function payloadOf(promise: Promise<Message | undefined>): () => unknown {
  const outcome = outcomeOf(promise.then((message) => message?.payload));
  return () => {
    const now = outcome.now();
    if (now === 'pending') return now;
    const { value, error } = now as { value?: unknown; error?: Error };
    return error === undefined ? value : error.message;
  };
}

// F:B18
describe.each(['real', 'simulated'] as const)('selective receive, on the %s Env', (env) => {
  it('takes the first message that fits and leaves the rest in its place', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    for (const payload of ['one', 'two', 'three', 'two']) bus.send('a', 'x', payload);

    const fits = payloadOf(agent.receive({ where: is('two') }));
    await settle();
    expect(fits()).toBe('two');
    expect(bus.inspect()).toMatchObject({ handled: 1, queued: 3 });
    const rest = [1, 2, 3].map(() => payloadOf(agent.receive()));
    await settle();

    expect(rest.map((one) => one())).toEqual(['one', 'three', 'two']);
    expectBalanced(bus);
  });

  it('prefers the highest priority and inside it the oldest', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    bus.send('a', 'x', 'a');
    bus.send('a', 'x', 'b', { priority: 'high' });
    bus.send('a', 'x', 'c', { priority: 'high' });
    bus.send('a', 'x', 'd', { priority: 'critical' });

    const both = [1, 2].map(() => payloadOf(agent.receive({ where: is('a', 'b', 'c') })));
    await settle();

    expect(both.map((one) => one())).toEqual(['b', 'c']);
  });

  it('gives each of several receivers what fits it, whatever the order in which they asked', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    const waiting = ['two', 'one', 'none'].map((payload) =>
      payloadOf(agent.receive({ where: is(payload) })),
    );
    const anything = payloadOf(agent.receive());
    await settle();

    for (const payload of ['one', 'two', 'three']) bus.send('a', 'x', payload);
    await settle();

    expect(waiting.map((one) => one())).toEqual(['two', 'one', 'pending']);
    expect(anything()).toBe('three');
    await agent.leave();
    expect(waiting[2]?.()).toBe(undefined);
    expectBalanced(bus);
  });

  it('looks at each message once, however many come after it', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    const looked: unknown[] = [];
    const where = ({ payload }: Message): boolean => {
      looked.push(payload);
      return payload === 'last';
    };
    for (const payload of [1, 2]) bus.send('a', 'x', payload);

    const found = payloadOf(agent.receive({ where }));
    await settle();
    bus.send('a', 'x', 3, { priority: 'critical' });
    await settle();
    bus.send('a', 'x', 'last', { priority: 'low' });
    await settle();

    expect(looked).toEqual([1, 2, 3, 'last']);
    expect(found()).toBe('last');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no idea');
      },
      'no idea',
    ],
    [
      'is asynchronous',
      async () => {
        throw new Error('later');
      },
      'where must be synchronous, but it returned a promise',
    ],
    ['is no function', 7, 'where must be a function of the message, but it is 7'],
  ])('rejects alone the call whose where %s, and takes nothing', async (_what, where, says) => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    const failing = payloadOf(agent.receive({ where: where as never }));
    const other = payloadOf(agent.receive({ where: is('x') }));

    bus.send('a', 'x', 'y');
    bus.send('a', 'x', 'x');
    await settle();

    expect([failing(), other()]).toEqual([says, 'x']);
    expect(bus.inspect()).toMatchObject({ queued: 1, handled: 1, faults: 0 });
    expectBalanced(bus);
  });

  it('passes by what has expired', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    bus.send('a', 'x', 'x', { ttlMs: 0 });
    bus.send('a', 'x', 'x', { priority: 'low' });

    const found = payloadOf(agent.receive({ where: is('x') }));
    await settle();

    expect(found()).toBe('x');
    expect(bus.inspect()).toMatchObject({ expired: 1, handled: 1, queued: 0 });
  });

  it('lets who waits for a place in, so that it may fit', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a', { capacity: 1, overflow: 'wait' });
    bus.send('a', 'x', 'first');
    bus.send('a', 'x', 'second');

    const second = payloadOf(agent.receive({ where: is('second') }));
    await settle();
    expect(second()).toBe('pending');
    const first = payloadOf(agent.receive());
    await settle();

    expect([first(), second()]).toEqual(['first', 'second']);
    expectBalanced(bus);
  });

  it('survives a where that ends its own call, or takes the message away', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a', { capacity: 1, overflow: 'drop-oldest' });
    const controller = new AbortController();
    bus.send('a', 'x', 'one');

    const aborted = payloadOf(
      agent.receive({
        signal: controller.signal,
        where: () => {
          controller.abort(new Error('enough'));
          return true;
        },
      }),
    );
    await settle();
    expect(aborted()).toBe('enough');
    const overtaken = payloadOf(
      agent.receive({
        where: ({ payload }) => {
          if (payload === 'one') bus.send('a', 'x', 'two');
          return true;
        },
      }),
    );
    await settle();

    expect(overtaken()).toBe('two');
    expect(bus.inspect()).toMatchObject({ handled: 1, deadLettered: 1, queued: 0 });
    expectBalanced(bus);
  });

  it('does not see what a handler takes', async () => {
    const { bus, settle } = makeBus(env);
    const agent = bus.register('a');
    agent.subscribe('x', () => {});
    const waiting = payloadOf(agent.receive({ where: () => true }));

    bus.send('a', 'x', 1);
    bus.send('a', 'y', 2);
    await settle();

    expect(waiting()).toBe(2);
  });

  it('shows a copy where every handler gets a copy', async () => {
    const { bus, settle } = makeBus(env, { isolation: 'clone' });
    const agent = bus.register('a');
    bus.send('a', 'x', { n: 1 });

    const where = ({ payload }: Message): boolean => {
      (payload as { n: number }).n = 2;
      return true;
    };
    const found = payloadOf(agent.receive({ where }));
    await settle();

    expect(found()).toEqual({ n: 1 });
  });
});

describe('selective receive and time', () => {
  it('gives up when the time is over, and takes nothing', async () => {
    const t = createTestBus();
    const agent = t.bus.register('a');
    t.bus.send('a', 'x', 'one');

    const waiting = payloadOf(agent.receive({ where: is('two'), timeoutMs: 100 }));
    await t.clock.advance(99);
    expect(waiting()).toBe('pending');
    await t.clock.advance(1);

    expect(waiting()).toBe(undefined);
    expect(t.bus.inspect().queued).toBe(1);
  });

  it('leaves ageing as it is', async () => {
    const t = createTestBus();
    const agent = t.bus.register('a', { ageingLimit: 2 });
    t.bus.send('a', 'x', 'old', { priority: 'low' });
    for (const n of [1, 2, 3]) t.bus.send('a', 'x', n, { priority: 'high' });

    const first = payloadOf(agent.receive());
    const special = payloadOf(agent.receive({ where: is(2) }));
    const others = [1, 2].map(() => payloadOf(agent.receive()));
    await t.settle();

    expect([first(), special(), ...others.map((one) => one())]).toEqual([1, 2, 3, 'old']);
  });
});
