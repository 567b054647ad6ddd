import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineContract, type RequestOptions } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, outcomeOf } from './books.ts';

const search = defineContract({
  requests: { 'search.web': { input: z.unknown(), output: z.unknown() } },
});

// R:F1
describe.each(['real', 'simulated'] as const)('waiting for a responder, on the %s Env', (env) => {
  it('resolves at once when somebody serves, and as soon as somebody does', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('early', () => 1);

    const early = outcomeOf(bus.whenServed('early'));
    const late = outcomeOf(bus.whenServed('late'));
    await settle();
    expect([early.now(), late.now()]).toEqual([{ value: undefined }, 'pending']);
    expect(bus.inspect().awaitingResponder).toBe(1);
    bus.register('b').serve('other', () => 1);
    await settle();
    expect(late.now()).toBe('pending');
    bus.register('c').serve('late', () => 1);
    await settle();

    expect(late.now()).toEqual({ value: undefined });
    expect(bus.inspect().awaitingResponder).toBe(0);
  });

  it.each([
    ['a name', 'b'],
    ['a capability', { capability: 'draw' }],
  ] as const)('waits for %s', async (_what, to) => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('q', () => 'a');

    const ready = outcomeOf(bus.whenServed('q', { to }));
    const asked = outcomeOf(bus.request('q', 1, { to, waitForMs: 5_000 }));
    await settle();
    expect([ready.now(), asked.now()]).toEqual(['pending', 'pending']);
    bus.register('b', { capabilities: ['draw'] }).serve('q', () => 'b');
    await settle();

    expect([ready.now(), asked.now()]).toEqual([{ value: undefined }, { value: 'b' }]);
    expectBalanced(bus);
  });

  it('asks as soon as somebody serves, and at once when somebody does', async () => {
    const { bus, settle } = makeBus(env);
    const payload = { n: 1 };

    const asked = outcomeOf(bus.request('q', payload, { waitForMs: 5_000 }));
    payload.n = 2;
    await settle();
    expect(bus.inspect()).toMatchObject({ admitted: 0, awaitingResponder: 1, refused: 0 });
    bus.register('a').serve('q', (message) => message.payload);
    await settle();
    const again = outcomeOf(bus.request('q', 3, { waitForMs: 0 }));
    await settle();

    expect([asked.now(), again.now()]).toEqual([{ value: { n: 1 } }, { value: 3 }]);
    expect(bus.inspect()).toMatchObject({ handled: 2, awaitingResponder: 0 });
  });

  it('waits on when who came has left again', async () => {
    const { bus, settle } = makeBus(env);

    const asked = outcomeOf(bus.request('q', 1, { waitForMs: 5_000 }));
    await settle();
    bus
      .register('a')
      .serve('q', () => 'a')
      [Symbol.dispose]();
    await settle();
    expect(asked.now()).toBe('pending');
    bus.register('b').serve('q', () => 'b');
    await settle();

    expect(asked.now()).toEqual({ value: 'b' });
  });

  it('refuses what is wrong at once, without waiting', async () => {
    const { bus, settle } = makeBus(env, { contract: search });
    const untyped = bus as unknown as { request(...said: unknown[]): Promise<unknown> };

    const asked = [
      outcomeOf(untyped.request('search.wep', 1, { waitForMs: 5_000 })),
      outcomeOf(bus.whenServed('search.wep' as never)),
      outcomeOf(bus.whenServed('not a topic' as never)),
      outcomeOf(untyped.request('search.web', 1, { waitForMs: -1 })),
      outcomeOf(bus.whenServed('search.web', { timeoutMs: '1' as never })),
      outcomeOf(bus.whenServed('search.web', { to: 1 as never })),
    ];
    await settle();

    expect(asked.map((one) => (one.now() as { error: Error }).error)).toMatchObject([
      { code: 'TELLASK_UNKNOWN_TOPIC', didYouMean: 'search.web' },
      { code: 'TELLASK_UNKNOWN_TOPIC', didYouMean: 'search.web' },
      { code: 'TELLASK_INVALID_TOPIC' },
      { name: 'RangeError' },
      { name: 'TypeError' },
      { name: 'TypeError' },
    ]);
    expect(bus.inspect().awaitingResponder).toBe(0);
  });

  // R:C2 R:D1
  it('rejects with the reason of its signal, before and meanwhile', async () => {
    const { bus, settle } = makeBus(env);
    const controller = new AbortController();
    const { signal } = controller;

    const asked = [
      outcomeOf(bus.whenServed('q', { signal: AbortSignal.abort('before') })),
      outcomeOf(bus.whenServed('q', { signal })),
      outcomeOf(bus.request('q', 1, { waitForMs: 5_000, signal })),
    ];
    await settle();
    controller.abort('meanwhile');
    await settle();

    expect(asked.map((one) => one.now())).toEqual([
      { error: 'before' },
      { error: 'meanwhile' },
      { error: 'meanwhile' },
    ]);
    expect(bus.inspect().awaitingResponder).toBe(0);
  });

  it('ends with the handler that asked', async () => {
    const { bus, settle } = makeBus(env);
    const controller = new AbortController();
    const log: unknown[] = [];
    bus.register('a').serve('outer', async (_m, context) => {
      await context.request('q', 1, { waitForMs: 5_000 }).catch((reason) => log.push(reason));
    });

    void bus.request('outer', 1, { signal: controller.signal }).catch(() => {});
    await settle();
    controller.abort('never mind');
    await settle();

    expect(log).toEqual(['never mind']);
    expect(bus.inspect()).toMatchObject({ awaitingResponder: 0, inFlight: 0 });
  });

  // R:A3
  it('ends with the bus', async () => {
    const { bus, settle } = makeBus(env);

    const asked = [
      outcomeOf(bus.whenServed('q')),
      outcomeOf(bus.request('q', 1, { waitForMs: 5_000 })),
    ];
    await settle();
    await bus.close();
    await settle();
    const after = outcomeOf(bus.whenServed('q'));
    await settle();

    for (const one of [...asked, after]) {
      expect(one.now()).toMatchObject({ error: { code: 'TELLASK_CLOSED' } });
    }
    expect(bus.inspect()).toMatchObject({ awaitingResponder: 0, pendingRequests: 0 });
  });
});

// R:F1 F:C4
describe('the time that is spent waiting for a responder', () => {
  it.each([
    ['waitForMs', { waitForMs: 100 }],
    ['a shorter timeoutMs', { waitForMs: 5_000, timeoutMs: 100 }],
  ])('ends with %s, as if nobody had been waited for', async (_what, options: RequestOptions) => {
    const t = createTestBus();
    t.bus.register('searcher');

    const asked = outcomeOf(t.bus.request('q', 1, options));
    const named = outcomeOf(t.bus.request('q', 1, { ...options, to: 'seacher' }));
    await t.clock.advance(99);
    expect(asked.now()).toBe('pending');
    await t.clock.advance(1);

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_NO_RESPONDER' } });
    expect(named.now()).toMatchObject({ error: { didYouMean: 'searcher' } });
    expect(t.bus.inspect()).toMatchObject({ awaitingResponder: 0, refused: 2 });
  });

  it('counts toward the time of the request', async () => {
    const t = createTestBus();
    const left: number[] = [];

    const asked = outcomeOf(t.bus.request('q', 1, { waitForMs: 800, timeoutMs: 1_000 }));
    await t.clock.advance(700);
    t.bus.register('a').serve('q', (_m, { remainingMs }) => {
      left.push(remainingMs);
      return new Promise(() => {});
    });
    await t.clock.advance(299);
    expect(asked.now()).toBe('pending');
    await t.clock.advance(1);

    expect(left).toEqual([300]);
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_TIMEOUT' } });
  });

  it('rejects whenServed when it is over, and leaves no timer', async () => {
    const t = createTestBus();

    const over = outcomeOf(t.bus.whenServed('q', { timeoutMs: 100, to: { capability: 'draw' } }));
    const served = outcomeOf(t.bus.whenServed('r', { timeoutMs: 5_000 }));
    t.bus.register('a').serve('r', () => 1);
    await t.run();

    expect(over.now()).toMatchObject({ error: { message: 'No agent with draw serves q' } });
    expect(served.now()).toEqual({ value: undefined });
    expect(t.clock.nowMs).toBe(100);
  });
});
