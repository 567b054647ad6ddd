// Programs that once broke a promise, as the property test found them and made them small.
import { describe, expect, it } from 'vitest';
import { MessageBus } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { createTestBus } from '../../src/testing.ts';

function simulated(): { env: SimEnv; bus: MessageBus } {
  const env = new SimEnv();
  return { env, bus: new MessageBus({ env, handlerTimeoutMs: 1_000, graceMs: 100 }) };
}

const boom = (): never => {
  throw new Error('boom');
};
const oneByOne = { retry: { maxAttempts: 2, baseMs: 200, jitter: 'none' } } as const;

describe('regressions', () => {
  // R:A3
  it('balances the books inside a listener while copies of one message still find no place', () => {
    const { bus } = simulated();
    const sums: number[] = [];
    bus.events.on('dead-lettered', () => {
      const { admitted, queued, deadLettered } = bus.inspect();
      sums.push(admitted - queued - deadLettered);
    });
    bus.subscribe('a', () => {}, { capacity: 0 });
    bus.subscribe('a', () => {});

    bus.publish('a', 1);

    expect(sums).toEqual([0]);
  });

  // R:A3
  it('redrives nothing into a bus that is closed', async () => {
    const { env, bus } = simulated();
    bus.subscribe('a', boom);
    bus.publish('a', 1);
    await env.settle();
    await bus.close();

    const { redriven, skipped } = await bus.deadLetters.redrive();

    expect(redriven).toEqual([]);
    expect(skipped).toMatchObject([{ why: 'refused' }]);
    expect(bus.inspect().queued).toBe(0);
  });

  // R:B7
  it('closes no bus and no successor when a handler closes after its agent has left', async () => {
    const { env, bus } = simulated();
    const first = bus.register('ann');
    first.subscribe('a', (_, context) => {
      void context.close();
      bus.register('ann');
      void context.close();
    });
    bus.publish('a', 1);

    await env.settle();

    expect(bus.agents().map(({ name }) => name)).toEqual(['ann']);
    expect(bus.inspect().status).toBe('open');
  });

  // R:B7
  it('waits for no handler that closes the bus while it is being closed', async () => {
    const { env, bus } = simulated();
    let closed = false;
    bus.subscribe('a', (_, context) => context.close());
    bus.publish('a', 1);
    void bus.close({ timeoutMs: 60_000 }).then(() => {
      closed = true;
    });

    await env.settle();

    expect(closed).toBe(true);
  });

  // R:A4
  it('ends a retry of a handler that has closed the bus', async () => {
    const { env, bus } = simulated();
    bus.subscribe(
      'a',
      async (_, context) => {
        void context.close();
        await Promise.resolve();
        boom();
      },
      oneByOne,
    );
    bus.publish('a', 1);

    await env.run();

    expect(bus.inspect()).toMatchObject({ queued: 0, retryWait: 0, inFlight: 0, cancelled: 1 });
  });

  // R:A3
  it('finds a retry that waits with a member of a group when the bus closes', async () => {
    const { env, bus } = simulated();
    bus.subscribe('a', boom, { ...oneByOne, group: 'g' });
    bus.publish('a', 1);
    await env.settle();

    await bus.close({ mode: 'abort' });

    expect(bus.inspect()).toMatchObject({ retryWait: 0, cancelled: 1 });
    expect(env.pendingTimers()).toEqual([]);
  });

  // R:B5
  it('keeps the order of a key when a newcomer of the key finds no place', async () => {
    const { env, bus } = simulated();
    const ran: string[] = [];
    const options = { key: () => 'k', capacity: 1, concurrency: 2, timeoutMs: 1_000 };
    let open = (): void => {};
    bus.subscribe(
      'a',
      (message) => {
        ran.push(`begin ${message.payload}`);
        return new Promise<void>((resolve) => {
          open = resolve;
        });
      },
      options,
    );
    bus.publish('a', 1);
    await env.settle();
    bus.publish('a', 2);

    bus.publish('a', 3);
    await env.settle();

    expect(ran).toEqual(['begin 1']);
    open();
    await env.settle();
    expect(ran).toEqual(['begin 1', 'begin 2']);
  });

  // R:D1
  it('lets in who waits for a place when a queued request is withdrawn', async () => {
    const { env, bus } = simulated();
    const ann = bus.register('ann', { capacity: 1, overflow: 'wait' });
    ann.serve('q', () => 1);
    ann.subscribe('a', () => {});
    ann.pause();
    const stop = new AbortController();
    const answer = bus.request('q', 1, { signal: stop.signal }).catch(() => 'withdrawn');
    const receipt = bus.send('ann', 'a', 2);

    stop.abort();
    await env.settle();

    expect(await answer).toBe('withdrawn');
    expect(bus.inspect()).toMatchObject({ waiting: 0, queued: 1 });
    await receipt.accepted;
  });

  // R:B4
  it('waits in leave for no handler that is fenced meanwhile', async () => {
    const { env, bus } = simulated();
    const ann = bus.register('ann');
    ann.subscribe('a', () => new Promise(() => {}), { timeoutMs: 50 });
    bus.publish('a', 1);
    await env.advance(149);
    let left = false;
    void ann.leave().then(() => {
      left = true;
    });

    await env.advance(1);

    expect(left).toBe(true);
    expect(env.pendingTimers()).toEqual([]);
  });

  // R:A3
  it('takes back what a draining handler has delayed', async () => {
    const { env, bus } = simulated();
    bus.subscribe('a', (_, context) => void context.publish('b', 1, { delayMs: 60_000 }));
    bus.publish('a', 1);
    const closing = bus.close();
    await env.settle();

    const { unsent } = await closing;

    expect(unsent).toBe(1);
    expect(env.pendingTimers()).toEqual([]);
  });

  // R:A3, R:B2
  it('ends what a listener, or a key, has cut off while it is admitted', async () => {
    const { env, bus } = simulated();
    const ann = bus.register('ann');
    const ran: unknown[] = [];
    ann.subscribe('a', ({ payload }) => void ran.push(payload));
    const own = bus.subscribe('a', ({ payload }) => void ran.push(payload));
    const keyed: Disposable & { unsubscribe(): void } = bus.subscribe(
      'a',
      ({ payload }) => void ran.push(payload),
      {
        key: (): void => keyed.unsubscribe(),
      },
    );
    bus.events.on('admitted', () => {
      void ann.leave();
      own.unsubscribe();
    });

    const receipt = bus.publish('a', 1);
    await env.settle();

    expect(ran).toEqual([]);
    expect(bus.inspect()).toMatchObject({ queued: 0, deadLettered: 1, cancelled: 2 });
    expect((await receipt.settled).deadLettered).toHaveLength(1);
  });

  // R:F1
  it('fails a request at once whose responder leaves while it is admitted', async () => {
    const { env, bus } = simulated();
    const ann = bus.register('ann');
    ann.serve('q', () => 1);
    bus.events.on('admitted', () => void ann.leave());

    const asked = bus.request('q', 1).catch((error) => error.code);
    await env.settle();

    expect(await asked).toBe('TELLASK_RESPONDER_LEFT');
  });

  // R:A3
  it('redrives nothing into a group that nobody is left of', async () => {
    const bus = new MessageBus({ env: new SimEnv(), mailbox: { capacity: 0 } });
    const member = bus.subscribe('a', () => {}, { group: 'g' });
    bus.publish('a', 1);
    member.unsubscribe();

    const { redriven } = await bus.deadLetters.redrive();

    expect(redriven).toEqual([]);
    expect(bus.inspect().queued).toBe(0);
  });

  // R:B1
  it('gives the others a turn while a listener says again what has expired', async () => {
    const { env, bus } = simulated();
    let said = 0;
    bus.subscribe('a', () => {}, oneByOne);
    bus.events.on('expired', () => {
      if (said++ < 10_000) bus.publish('a', 1, { ttlMs: 0 });
    });
    bus.publish('a', 1, { ttlMs: 0 });

    env.step();

    expect(said).toBeLessThan(1_000);
    await env.settle();
    expect(bus.inspect()).toMatchObject({ queued: 0, expired: 10_001 });
  });

  // R:A7
  it('counts no tokens of an unlimited rate in no time', async () => {
    const { env, bus } = simulated();
    let ran = 0;
    bus.subscribe('a', () => void ran++, { rateLimit: { limit: Infinity, perMs: 1_000 } });
    for (let i = 0; i < 3; i++) bus.publish('a', i);

    await env.settle();

    expect(ran).toBe(3);
  });

  // R:J4
  it.each([
    [
      'a getter that throws',
      { isolation: 'share' },
      Object.defineProperty({}, 'x', {
        enumerable: true,
        get: boom,
      }),
    ],
    [
      'a buffer that throws',
      { isolation: 'own' },
      new (class extends Uint8Array {
        override get byteLength(): number {
          return boom();
        }
      })(2),
    ],
  ] as const)('keeps a letter of %s', async (_, options, payload) => {
    const env = new SimEnv();
    const bus = new MessageBus({ env, ...options });
    bus.subscribe('a', boom);

    const { settled } = bus.publish('a', { payload, inner: payload });
    await env.settle();

    expect((await settled).deadLettered).toHaveLength(1);
    expect(Number.isFinite(bus.inspect().letterBytes)).toBe(true);
  });

  // R:J2
  it('lets nobody rewrite a letter', async () => {
    const { env, bus } = simulated();
    bus.subscribe('a', boom);
    bus.publish('a', 1);
    await env.settle();
    const [letter] = bus.deadLetters.list();

    expect(Object.isFrozen(letter)).toBe(true);
    expect(Object.isFrozen(letter?.history)).toBe(true);
  });

  // R:B4
  it('pauses and ends the lane of a group, too', async () => {
    const { env, bus } = simulated();
    const ann = bus.register('ann');
    let aborted = false;
    const begun: unknown[] = [];
    ann.subscribe(
      'a',
      ({ payload }, { signal }) => {
        begun.push(payload);
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        return new Promise(() => {});
      },
      { group: 'g', lane: 'own' },
    );
    ann.pause();
    bus.publish('a', 1);
    await env.settle();
    expect(begun).toEqual([]);
    ann.resume();
    await env.settle();

    void ann.leave();
    await env.advance(100);

    expect([begun, aborted]).toEqual([[1], true]);
    expect(bus.inspect()).toMatchObject({ inFlight: 0, deadLettered: 1 });
  });

  // R:E4
  it('allows a pattern that reaches further by no pattern that looks like it', () => {
    const { bus } = simulated();
    const lent = bus.register('ann').restrict({ subscribe: ['report.*'] });

    for (const wider of ['report.**', 'report.{a,b.**}', '**']) {
      expect(() => lent.subscribe(wider, () => {})).toThrow(
        expect.objectContaining({ code: 'TELLASK_DENIED' }),
      );
    }
    expect(lent.subscribe('report.7', () => {}).active).toBe(true);
  });

  // R:E4
  it('gives nothing more to who pulls with a revoked handle, and keeps its agent', async () => {
    const { env, bus } = simulated();
    const ann = bus.register('ann');
    const lent = ann.restrict({});
    const news = lent.messages('news');
    const mail = lent.messages();
    const next = lent.receive();
    lent.revoke();

    bus.publish('news', 1);
    bus.send('ann', 'mail', 2);
    await env.settle();

    expect(await next).toBeUndefined();
    expect(await news.next()).toMatchObject({ done: true });
    const none = mail.next();
    await env.settle();
    expect(await none).toMatchObject({ done: true });
    await expect(lent.leave()).rejects.toMatchObject({ code: 'TELLASK_REVOKED' });
    await lent[Symbol.asyncDispose]();
    const kept = ann.receive();
    await env.settle();
    expect((await kept)?.payload).toBe(2);
  });

  // R:F2
  it('waits for an answer of which `then` gives nothing back', async () => {
    const { env, bus } = simulated();
    const answers = Object.defineProperty({}, 'then', {
      value: (give: (answer: number) => void) => {
        give(42);
      },
    });
    bus.register('ann').serve('q', () => answers);
    const answer = bus.request('q', 1);

    await env.settle();

    expect(await answer).toBe(42);
  });

  // R:E1
  it('gives everybody who pulls a copy of his own when it should', async () => {
    const env = new SimEnv();
    const bus = new MessageBus({ env, isolation: 'clone' });
    const [one, other] = [bus.messages('a'), bus.messages('a')];
    bus.publish('a', { parts: new Map([[1, 1]]) });

    const read = [one.next(), other.next()];
    await env.settle();
    const [first, second] = (await Promise.all(read)).map(
      ({ value }) => value.payload as { parts: unknown },
    );

    expect(first).toEqual(second);
    expect(first?.parts).not.toBe(second?.parts);
  });

  // R:B4
  it('lets no fenced handler close the bus', async () => {
    const { env, bus } = simulated();
    let closing: Promise<unknown> | undefined;
    const wait = (ms: number) => new Promise<void>((go) => env.setTimer(ms, go));
    bus.subscribe('a', async (_, context) => {
      await wait(5_000);
      closing = context.close().catch((error) => error.code);
    });
    bus.publish('a', 1);

    await env.run();

    expect(await closing).toBe('TELLASK_FENCED');
    expect(bus.inspect().status).toBe('open');
  });
});

it('gives a redriven request the time of a handler, for nobody waits who would bound it', async () => {
  const t = createTestBus({ handlerTimeoutMs: 500, graceMs: 100 });
  const server = t.bus.register('server');
  let calls = 0;
  server.serve('work', () => {
    calls++;
    if (calls === 1) throw new Error('not now');
    return new Promise(() => {});
  });
  const asked = t.bus.request('work', 1).catch((error: Error) => error.message);
  await t.settle();
  await asked;

  await t.bus.deadLetters.redrive({ reason: 'handler-error' });
  await t.clock.advance(700);

  expect(t.bus.deadLetters.list().map(({ reason }) => reason)).toEqual(['handler-timeout']);
  expect(t.bus.inspect().inFlight).toBe(0);
});
