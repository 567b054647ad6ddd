// Programs that once broke a promise, as the property test found them and made them small.
import { describe, expect, it } from 'vitest';
import { MessageBus } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

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
});
