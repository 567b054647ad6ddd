import { describe, expect, it } from 'vitest';
import type { BusyPolicy, Context, MessageBus } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, gate, hang, outcomeOf } from './books.ts';

/** Writes down what ends, as `payload outcome`. */
function endings(bus: MessageBus): string[] {
  const log: string[] = [];
  bus.events.on('handled', ({ message }) => log.push(`${message.payload} handled`));
  bus.events.on('expired', ({ message }) => log.push(`${message.payload} expired`));
  bus.events.on('cancelled', ({ message, reason }) => log.push(`${message.payload} ${reason}`));
  bus.events.on('dead-lettered', ({ message, reason }) => log.push(`${message.payload} ${reason}`));
  return log;
}

// Each test is a row of the table in docs/busy-policies.md.
// R:G3 R:B5 R:A3
describe.each(['real', 'simulated'] as const)('what busy policies meet, on the %s Env', (env) => {
  it('priority: the newest counts, however little urgent it is', async () => {
    const { bus, settle } = makeBus(env);
    const log = endings(bus);
    bus.subscribe('x', () => {}, { busy: 'latest' });

    bus.publish('x', 1, { priority: 'critical' });
    bus.publish('x', 2, { priority: 'low' });
    await settle();

    expect(log).toEqual(['1 superseded', '2 handled']);
  });

  it('priority: the urgent waits behind its key', async () => {
    const { bus, settle } = makeBus(env);
    const log = endings(bus);
    bus.subscribe('x', () => {}, { busy: 'steer' });

    bus.publish('x', 1, { priority: 'low' });
    bus.publish('x', 2, { priority: 'critical' });
    await settle();

    expect(log).toEqual(['1 handled', '2 handled']);
  });

  it.each(['latest', 'interrupt'] as const)(
    'capacity: %s takes the newest of a busy key into a full mailbox',
    async (busy) => {
      const { bus, settle } = makeBus(env);
      const log = endings(bus);
      const agent = bus.register('a', { capacity: 1 });
      agent.subscribe('x', () => {}, { busy });
      agent.serve('q', ({ payload }) => payload, { busy });
      agent.pause();

      const receipts = [bus.publish('x', 1), bus.publish('x', 2)];
      bus.send('a', 'x', 3);
      const other = outcomeOf(bus.request('q', 1));
      await settle();

      expect(receipts.flatMap(({ overflowed }) => overflowed)).toEqual([]);
      expect(other.now()).toMatchObject({ error: { code: 'TELLASK_MAILBOX_FULL' } });
      expect(agent.inspect()).toMatchObject({ queued: 1 });
      agent.resume();
      await settle();
      expect(log).toEqual(['1 superseded', '2 superseded', '3 handled']);
      expectBalanced(bus);
    },
  );

  it('capacity: interrupt gives the newcomer the place that a retryable handler keeps', async () => {
    const { bus, settle } = makeBus(env);
    const log = endings(bus);
    const agent = bus.register('a', { capacity: 1 });
    const handle = ({ payload }: { payload: unknown }): unknown => (payload === 1 ? hang() : null);
    agent.subscribe('x', handle, { busy: 'interrupt', retry: {} });
    bus.send('a', 'x', 1);
    await settle();

    bus.send('a', 'x', 2);
    expect(agent.inspect()).toMatchObject({ queued: 1, running: 0 });
    await settle();

    expect(log).toEqual(['1 interrupted', '2 handled']);
    expect(agent.inspect()).toMatchObject({ queued: 0, running: 0 });
    expectBalanced(bus);
  });

  it('capacity: a newcomer that finds no place interrupts nobody', async () => {
    const { bus, settle } = makeBus(env);
    const log = endings(bus);
    const agent = bus.register('a', { capacity: 1 });
    agent.subscribe('x', hang, { busy: 'interrupt' });
    agent.subscribe('y', () => {});
    bus.publish('x', 1);
    await settle();
    bus.publish('y', 2);

    const receipt = bus.publish('x', 3);
    const code = codeOf(() => bus.send('a', 'x', 4));
    await settle();

    expect(log).toEqual(['3 overflow']);
    expect(receipt.overflowed).toEqual(['a']);
    expect(code).toBe('TELLASK_MAILBOX_FULL');
    expect(bus.inspect()).toMatchObject({ inFlight: 1, queued: 1 });
  });

  it('overflow wait: what is superseded outside hears that it never gets a place', async () => {
    const { bus, settle } = makeBus(env);
    const log = endings(bus);
    const agent = bus.register('a', { capacity: 1, overflow: 'wait' });
    agent.subscribe('x', () => {}, { busy: 'latest' });
    agent.subscribe('y', () => {});
    agent.pause();
    bus.publish('y', 1);

    const accepted = [2, 3].map((n) => outcomeOf(bus.publish('x', n).accepted));
    await settle();
    expect(agent.inspect()).toMatchObject({ queued: 1, waiting: 1 });
    agent.resume();
    await settle();

    expect(log).toEqual(['2 superseded', '1 handled', '3 handled']);
    expect(accepted[0]?.now()).toMatchObject({ error: { code: 'TELLASK_CANCELLED' } });
    expect(accepted[1]?.now()).toEqual({ value: undefined });
    expectBalanced(bus);
  });

  it('overflow wait: a directed message takes the turn of one that waits outside', async () => {
    const { bus, settle } = makeBus(env);
    const log = endings(bus);
    const agent = bus.register('a', { capacity: 1, overflow: 'wait' });
    const held = gate();
    agent.subscribe('x', () => held.opened, { busy: 'latest' });
    agent.subscribe('y', () => {});
    bus.publish('x', 1);
    await settle();
    bus.publish('y', 2);
    bus.publish('x', 3);

    const codes = [codeOf(() => bus.send('a', 'y', 4)), codeOf(() => bus.send('a', 'x', 5))];
    held.open();
    await settle();

    expect(codes).toEqual(['TELLASK_MAILBOX_FULL', undefined]);
    expect(log).toEqual(['3 superseded', '1 handled', '2 handled', '5 handled']);
    expectBalanced(bus);
  });

  it('overflow wait: for reject who waits outside is at work, too', async () => {
    const { bus, settle } = makeBus(env);
    const log = endings(bus);
    const agent = bus.register('a', { capacity: 1, overflow: 'wait' });
    agent.subscribe('x', () => {}, { busy: 'reject' });
    agent.subscribe('y', () => {});
    agent.pause();
    for (const [topic, n] of [
      ['y', 1],
      ['x', 2],
      ['x', 3],
    ] as const)
      bus.publish(topic, n);

    agent.resume();
    await settle();

    expect(log).toEqual(['3 rejected', '1 handled', '2 handled']);
  });

  it('pause: latest keeps one, and interrupt stops what still runs', async () => {
    const { bus, settle } = makeBus(env);
    const log = endings(bus);
    const agent = bus.register('a');
    agent.subscribe('x', ({ payload }) => (payload === 1 ? hang() : null), { busy: 'interrupt' });
    bus.publish('x', 1);
    await settle();

    agent.pause();
    for (const n of [2, 3]) bus.publish('x', n);
    await settle();
    expect(agent.inspect()).toMatchObject({ queued: 1, running: 0 });
    agent.resume();
    await settle();

    expect(log).toEqual(['1 interrupted', '2 superseded', '3 handled']);
  });

  it("lane own: the policy is the subscription's, with the mailbox of its own", async () => {
    const { bus, settle } = makeBus(env);
    const log = endings(bus);
    const agent = bus.register('a');
    agent.subscribe('x', () => {}, { busy: 'latest', lane: 'own', capacity: 1 });
    agent.subscribe('y', hang);
    bus.publish('y', 0);
    await settle();

    for (const n of [1, 2]) bus.publish('x', n);
    await settle();

    expect(log).toEqual(['1 superseded', '2 handled']);
  });

  it('two subscriptions of one agent have a policy each', async () => {
    const { bus, settle } = makeBus(env);
    const log = endings(bus);
    const agent = bus.register('a');
    agent.subscribe('x', () => {}, { busy: 'latest' });
    agent.subscribe('*', () => {});

    for (const n of [1, 2]) bus.publish('x', n);
    await settle();

    expect(log).toEqual(['1 superseded', '1 handled', '2 handled', '2 handled']);
  });

  it('dedupe: what is known already supersedes nobody', async () => {
    const { bus, settle } = makeBus(env);
    const log = endings(bus);
    bus.subscribe('x', () => {}, { busy: 'latest' });

    for (const n of [1, 2]) bus.publish('x', n, { dedupeKey: 'k' });
    await settle();

    expect(log).toEqual(['1 handled']);
  });

  it('retain: of what is replayed only the newest of a key is delivered', async () => {
    const { bus, settle } = makeBus(env);
    for (const n of [1, 2]) bus.publish(`x.${n}`, n, { retain: true });
    const log = endings(bus);

    bus.subscribe('x.*', () => {}, { busy: 'latest', replay: true });
    await settle();

    expect(log).toEqual(['1 superseded', '2 handled']);
  });

  it('redrive: a letter is judged anew', async () => {
    const { bus, settle } = makeBus(env);
    const held = gate();
    bus.register('a').subscribe('x', () => held.opened, { busy: 'reject' });
    bus.publish('x', 1);
    await settle();
    bus.publish('x', 2);
    const log = endings(bus);

    await bus.deadLetters.redrive();
    held.open();
    await settle();
    await bus.deadLetters.redrive();
    await settle();

    expect(log).toEqual(['2 rejected', '1 handled', '2 handled']);
    expectBalanced(bus);
  });

  it('idempotent: a repetition that interrupts is a new first call', async () => {
    const { bus, settle } = makeBus(env);
    let calls = 0;
    const handle = (): unknown => (++calls === 1 ? hang() : 'second');
    const idempotent = { windowMs: 1_000 };
    bus.register('a').serve('pay', handle, { busy: 'interrupt', idempotent });
    const ask = (): { now(): unknown } => outcomeOf(bus.request('pay', 1, { idempotencyKey: 'k' }));
    const first = ask();
    await settle();

    const answers = [ask()];
    await settle();
    answers.push(ask());
    await settle();

    expect(first.now()).toMatchObject({ error: { reason: 'interrupted' } });
    expect(answers.map((one) => one.now())).toEqual([{ value: 'second' }, { value: 'second' }]);
    expect(calls).toBe(2);
  });

  it('defer: an answer that is put off keeps nobody busy', async () => {
    const { bus, settle } = makeBus(env);
    const answers: ((value: unknown) => void)[] = [];
    const handle = (_: unknown, context: Context): unknown =>
      context.defer((later) => void answers.push((value) => later.answer(value)));
    bus.register('a').serve('q', handle, { busy: 'reject' });
    const asked = [outcomeOf(bus.request('q', 1))];
    await settle();

    asked.push(outcomeOf(bus.request('q', 2)));
    await settle();
    for (const [i, answer] of answers.entries()) answer(i);
    await settle();

    expect(asked.map((one) => one.now())).toEqual([{ value: 0 }, { value: 1 }]);
    expectBalanced(bus);
  });

  it('defer: what was put off by a handler that is interrupted is answered by nobody', async () => {
    const { bus, settle } = makeBus(env);
    const late: unknown[] = [];
    bus.register('a').serve(
      'q',
      async ({ payload }, context): Promise<unknown> => {
        if (payload !== 1) return payload;
        const later = context.defer();
        await new Promise<void>((resolve) => {
          context.signal.addEventListener('abort', () => resolve());
        });
        return late.push(later.answer('late'));
      },
      { busy: 'interrupt' },
    );
    const first = outcomeOf(bus.request('q', 1));
    await settle();

    const second = outcomeOf(bus.request('q', 2));
    await settle();

    expect(first.now()).toMatchObject({ error: { reason: 'interrupted' } });
    expect(second.now()).toEqual({ value: 2 });
    expect(late).toEqual([false]);
    expect(bus.inspect()).toMatchObject({ deferred: 0, inFlight: 0, pendingRequests: 0 });
    expectBalanced(bus);
  });

  it('budget: a last call that interrupts itself ends once', async () => {
    const { bus, settle } = makeBus(env);
    const log = endings(bus);
    const newer: { now(): unknown }[] = [];
    const wrapUp = async (): Promise<string> => {
      newer.push(outcomeOf(bus.request('q', 2)));
      return 'partial';
    };
    const handle = ({ payload }: { payload: unknown }, context: Context): unknown => {
      if (payload === 1) context.spend({ tokens: 100 });
      return payload;
    };
    bus.register('a').serve('q', handle, { busy: 'interrupt', wrapUp });

    const first = outcomeOf(bus.request('q', 1, { budget: { tokens: 10 } }));
    await settle();

    expect(log).toEqual(['1 interrupted', '2 handled']);
    expect(first.now()).toMatchObject({ error: { code: expect.stringMatching(/TELLASK_/) } });
    expect(newer[0]?.now()).toEqual({ value: 2 });
    expect(bus.inspect()).toMatchObject({ inFlight: 0, abandoned: 1 });
    expectBalanced(bus);
  });

  it('stream: a generator that is interrupted ends its stream with an error', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    bus.register('a').serve(
      'q',
      async function* ({ payload }) {
        try {
          yield `${payload}a`;
          if (payload === 1) await hang();
          yield `${payload}b`;
        } finally {
          log.push(`${payload} cleans up`);
        }
      },
      { busy: 'interrupt' },
    );
    const read = async (n: number): Promise<void> => {
      try {
        for await (const chunk of bus.stream('q', n)) log.push(chunk);
        log.push(`${n} complete`);
      } catch (error) {
        log.push(`${n} ${(error as { reason: string }).reason}`);
      }
    };
    void read(1);
    await settle();

    void read(2);
    await settle();

    expect(log.sort()).toEqual(['1 interrupted', '1a', '2 cleans up', '2 complete', '2a', '2b']);
    expect(bus.inspect()).toMatchObject({ inFlight: 0, handled: 1, cancelled: 1 });
  });

  it.each(['latest', 'interrupt', 'steer', 'reject'] as const)(
    'unsubscribe and leave empty a busy key under %s',
    async (busy) => {
      const { bus, settle } = makeBus(env);
      const log = endings(bus);
      const agent = bus.register('a');
      const subscription = agent.subscribe('x', () => {}, { busy });
      agent.subscribe('y', () => {}, { busy });
      agent.pause();
      for (const topic of ['x', 'y']) for (const n of [1, 2]) bus.publish(topic, n);
      log.splice(0);

      subscription.unsubscribe();
      await agent.leave();
      await settle();

      const last = busy === 'reject' ? 1 : 2;
      const both = busy === 'steer' ? [1, 2] : [last];
      expect(log).toEqual([
        ...both.map((n) => `${n} unsubscribed`),
        ...both.map((n) => `${n} recipient-stopped`),
      ]);
      expect(bus.inspect()).toMatchObject({ queued: 0, waiting: 0 });
      expectBalanced(bus);
    },
  );

  it.each(['latest', 'interrupt', 'steer', 'reject'] as const)(
    'close: waits for what is in line under %s, or cancels it',
    async (busy) => {
      const { bus, settle } = makeBus(env);
      const held = gate();
      bus.subscribe('x', () => held.opened, { busy, key: () => 'k' });
      bus.publish('x', 1);
      await settle();
      bus.publish('x', 2);

      const closing = bus.close();
      held.open();
      await settle();

      expect(await closing).toMatchObject({
        drained: true,
        cancelled: 0,
        abandoned: [],
        unsavedLetters: 0,
      });
      expectBalanced(bus);
    },
  );

  it('close: does not wait for what was interrupted', async () => {
    const { bus, settle } = makeBus(env);
    bus.subscribe('x', ({ payload }) => (payload === 1 ? hang() : null), { busy: 'interrupt' });
    bus.publish('x', 1);
    await settle();
    bus.publish('x', 2);

    const closing = bus.close();
    await settle();

    expect(await closing).toEqual({
      drained: true,
      cancelled: 0,
      unsent: 0,
      abandoned: [],
      unsavedLetters: 0,
    });
  });

  it('retryIf: what is ending already is not interrupted', async () => {
    const { bus, settle } = makeBus(env);
    const log = endings(bus);
    const agent = bus.register('a', { capacity: 1 });
    const retryIf = (): boolean => {
      bus.publish('x', 2);
      return false;
    };
    agent.subscribe(
      'x',
      ({ payload }) => {
        if (payload === 1) throw new Error('once');
      },
      { busy: 'interrupt', retry: { maxAttempts: 3, retryIf } },
    );

    bus.publish('x', 1);
    await settle();

    expect(log).toEqual(['2 overflow', '1 handler-error']);
    expectBalanced(bus);
  });
});

// R:G3
describe('busy policies and time', () => {
  const retry = { maxAttempts: 2, baseMs: 100, jitter: 'none' } as const;
  const failsOnce = ({ payload }: { payload: unknown }, { attempt }: Context): void => {
    if (payload === 1 && attempt === 1) throw new Error('once');
  };

  const AFTER: readonly (readonly [BusyPolicy, readonly string[]])[] = [
    ['latest', ['2 superseded', '1 handled', '3 handled']],
    ['interrupt', ['1 interrupted', '2 superseded', '3 handled']],
    ['steer', ['3 overflow', '1 handled', '2 handled']],
    ['reject', ['2 rejected', '3 rejected', '1 handled']],
  ];

  describe.each(['requeue', 'in-place'] as const)('retry %s', (order) => {
    it.each(AFTER)('a key whose retry waits is busy: %s', async (busy, log) => {
      const t = createTestBus();
      const seen = endings(t.bus);
      const agent = t.bus.register('a', { capacity: 2 });
      agent.subscribe('x', failsOnce, { busy, retry: { ...retry, order } });
      t.bus.publish('x', 1);
      await t.settle();
      expect(t.bus.inspect().retryWait).toBe(1);

      t.bus.publish('x', 2);
      t.bus.publish('x', 3);
      await t.run();

      expect(seen).toEqual(log);
      expect(agent.inspect()).toMatchObject({ queued: 0, running: 0 });
      expectBalanced(t.bus);
    });
  });

  it('retry: what was read stays handled, and is not there at the next attempt', async () => {
    const t = createTestBus();
    const reads: unknown[] = [];
    t.bus.subscribe(
      'x',
      (_, context) => {
        reads.push(context.steered().map(({ payload }) => payload));
        if (context.attempt === 1) throw new Error('once');
      },
      { busy: 'steer', retry },
    );

    for (const n of [1, 2]) t.bus.publish('x', n);
    await t.run();

    expect(reads).toEqual([[2], []]);
    expect(t.bus.inspect()).toMatchObject({ handled: 2, retries: 1 });
  });

  it('time to live: who expired in line holds its key until its turn comes', async () => {
    const t = createTestBus();
    const log = endings(t.bus);
    const agent = t.bus.register('a');
    agent.subscribe('x', () => {}, { busy: 'reject' });
    agent.pause();
    t.bus.publish('x', 1, { ttlMs: 10 });
    await t.clock.advance(20);

    t.bus.publish('x', 2);
    agent.resume();
    await t.settle();
    t.bus.publish('x', 3);
    await t.settle();

    expect(log).toEqual(['2 rejected', '1 expired', '3 handled']);
  });

  it('time to live: what has expired cannot be read', async () => {
    const t = createTestBus();
    const reads: unknown[] = [];
    const log = endings(t.bus);
    const go = gate();
    t.bus.subscribe(
      'x',
      async (_, context) => {
        await go.opened;
        reads.push(...context.steered().map(({ payload }) => payload));
      },
      { busy: 'steer' },
    );
    t.bus.publish('x', 1);
    t.bus.publish('x', 2, { ttlMs: 10 });
    t.bus.publish('x', 3);
    await t.clock.advance(20);

    go.open();
    await t.settle();

    expect(reads).toEqual([3]);
    expect(log).toEqual(['2 expired', '3 handled', '1 handled']);
    expectBalanced(t.bus);
  });

  it('rateLimit: what waits for its token has not begun', async () => {
    const t = createTestBus();
    const log = endings(t.bus);
    t.bus.subscribe('x', () => {}, { busy: 'latest', rateLimit: { limit: 1, perMs: 100 } });
    t.bus.publish('x', 1);
    await t.settle();
    t.bus.publish('x', 2);
    await t.settle();

    t.bus.publish('x', 3);
    await t.run();

    expect(log).toEqual(['1 handled', '2 superseded', '3 handled']);
    expectBalanced(t.bus);
  });

  it('timeoutMs: a handler in its grace is interrupted as any other', async () => {
    const t = createTestBus();
    const log = endings(t.bus);
    const handle = ({ payload }: { payload: unknown }): unknown => (payload === 1 ? hang() : null);
    t.bus.subscribe('x', handle, { busy: 'interrupt', timeoutMs: 100 });
    t.bus.publish('x', 1);
    await t.clock.advance(500);

    t.bus.publish('x', 2);
    await t.run();

    expect(log).toEqual(['1 interrupted', '2 handled']);
    expect(t.bus.inspect()).toMatchObject({ abandoned: 1 });
  });
});
