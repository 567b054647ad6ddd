import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RateLimitedError, type RateLimitOptions, rateLimit } from '../../src/index.ts';
import { realEnv } from '../../src/kernel/real-env.ts';
import { Call } from '../../src/resilience/call.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const make = (options: RateLimitOptions) => {
  const env = new SimEnv();
  const log: string[] = [];
  const rate = rateLimit({ ...options, env });
  const call = (name: string, signal?: AbortSignal): Promise<unknown> =>
    rate
      .execute(() => log.push(`${name} at ${env.now()}`), signal)
      .catch((error: unknown) => log.push(`${name}: ${error}`));
  return { env, log, rate, call };
};

// R:H4
describe('a rate limit', () => {
  it('lets so many start at once, and then one whenever a token has come back', async () => {
    const { env, log, call } = make({ limit: 2, perMs: 100, maxWaitMs: Infinity });
    for (const name of ['a', 'b', 'c', 'd', 'e']) void call(name);

    await env.settle();
    expect(log).toEqual(['a at 0', 'b at 0']);
    await env.run();

    expect(log.slice(2)).toEqual(['c at 50', 'd at 100', 'e at 150']);
    expect(env.pendingTimers()).toEqual([]);
  });

  it('saves no more tokens than its limit, however long it rests', async () => {
    const { env, log, call } = make({ limit: 2, perMs: 100 });
    await env.advance(10_000);

    await Promise.all([call('a'), call('b'), call('c')]);

    expect(log[2]).toBe('c: RateLimitedError: Too many calls: wait 50 ms');
  });

  it('turns away at once who would wait too long, and says when to come again', async () => {
    const { env, rate, log, call } = make({ limit: 1, perMs: 100, maxWaitMs: 200 });
    for (const name of ['a', 'b', 'c']) void call(name);
    await env.advance(30);

    const refused: unknown = await rate.execute(() => 1).catch((error: unknown) => error);

    expect(refused).toMatchObject({
      code: 'TELLASK_RATE_LIMITED',
      retryable: true,
      agent: undefined,
    });
    expect((refused as RateLimitedError).retryAfterMs).toBe(270);
    expect(rate.inspect()).toEqual({ queued: 2 });
    await env.run();
    expect(log).toEqual(['a at 0', 'b at 100', 'c at 200']);
  });

  it('lets nobody overtake who waits, also when a token is there', async () => {
    const { env, log, call } = make({ limit: 1, perMs: 100, maxWaitMs: Infinity });
    void call('a');
    void call('b');
    await env.advance(99);
    void call('c');

    await env.run();

    expect(log).toEqual(['a at 0', 'b at 100', 'c at 200']);
  });

  it('lets an aborted call leave at once, which moves the others up', async () => {
    const { env, log, call, rate } = make({ limit: 1, perMs: 100, maxWaitMs: Infinity });
    const controller = new AbortController();
    void call('a');
    const gone = call('b', controller.signal);
    void call('c');

    controller.abort('enough');
    await gone;

    expect([log, rate.inspect().queued]).toEqual([['a at 0', 'b: enough'], 1]);
    await env.run();
    expect(log.at(-1)).toBe('c at 100');
  });

  it('keeps no timer when the last who waits has left', async () => {
    const { env, call } = make({ limit: 1, perMs: 100, maxWaitMs: Infinity });
    const controller = new AbortController();
    void call('a');
    const gone = call('b', controller.signal);
    expect(env.pendingTimers()).toEqual([{ label: 'rate limit', at: 100 }]);

    controller.abort();
    await gone;

    expect(env.pendingTimers()).toEqual([]);
  });

  it('starts nothing for a call that is aborted already', async () => {
    const { log, call } = make({ limit: 1, perMs: 100 });

    await call('a', AbortSignal.abort('over'));
    await call('b');

    expect(log).toEqual(['a: over', 'b at 0']);
  });

  it('never waits into a deadline, nor takes a token for what is over', async () => {
    const { env, log, rate, call } = make({ limit: 1, perMs: 100, maxWaitMs: Infinity });
    const until = (deadline: number) =>
      rate
        .run(() => log.push(`in time at ${env.now()}`), new Call(env, undefined, { deadline }))
        .catch((error: unknown) => log.push(`until ${deadline}: ${error}`));

    await until(0);
    void call('a');
    await until(100);
    void until(101);
    await env.run();

    expect(log).toEqual([
      'until 0: RateLimitedError: Too many calls: wait 0 ms',
      'a at 0',
      'until 100: RateLimitedError: Too many calls: wait 100 ms',
      'in time at 100',
    ]);
  });

  it('gives the token to the next, and to no newcomer, when a late timer finds that a call has no time any more', async () => {
    const timers: (() => void)[] = [];
    let now = 0;
    const env = {
      ...realEnv(),
      now: () => now,
      setTimer: (_delayMs: number, fn: () => void) => {
        timers.push(fn);
        return { cancel: () => {} };
      },
    };
    const rate = rateLimit({ limit: 1, perMs: 100, maxWaitMs: Infinity, env });
    await rate.execute(() => 1);
    const late = rate.run(() => 'late', new Call(env, undefined, { deadline: 150 }));
    const next = rate.execute(() => 'next');

    now = 180;
    const log: string[] = [];
    const newcomer = rate.execute(() => log.push('newcomer'));
    expect([log, rate.inspect().queued]).toEqual([[], 3]);
    timers[0]?.();

    await expect(late).rejects.toMatchObject({ code: 'TELLASK_RATE_LIMITED' });
    expect(await next).toBe('next');
    now = 300;
    timers.at(-1)?.();
    expect(await newcomer).toBe(1);
  });

  it('works on real time', async () => {
    const rate = rateLimit({ limit: 1, perMs: 5, maxWaitMs: Infinity });

    const results = await Promise.all([1, 2, 3].map((value) => rate.execute(() => value)));

    expect(results).toEqual([1, 2, 3]);
  });

  it('knows no bounds with Infinity', async () => {
    const boundless = make({ limit: Infinity, perMs: 1 });
    await Promise.all(Array.from({ length: 100 }, () => boundless.call('a')));
    await boundless.env.advance(10);
    await boundless.call('b');
    const once = make({ limit: 1, perMs: Infinity });
    await once.call('a');
    await once.env.advance(1e9);
    await once.call('b');

    expect(boundless.log).toHaveLength(101);
    expect(once.log).toEqual(['a at 0', 'b: RateLimitedError: Too many calls: wait Infinity ms']);
  });

  it.each([
    [undefined, TypeError, 'rateLimit must be an object of options'],
    [{ perMs: 1 }, TypeError, 'rateLimit.limit must be a number'],
    [{ limit: 0, perMs: 1 }, RangeError, 'rateLimit.limit must be a whole number from 1'],
    [{ limit: 1, perMs: 0 }, RangeError, 'rateLimit.perMs must be more than 0'],
    [
      { limit: 1, perMs: 1, maxWaitMs: -1 },
      RangeError,
      'rateLimit.maxWaitMs must be a number from 0',
    ],
    [{ limit: 1, perMs: 1, maxWaitMs: '1' }, TypeError, 'rateLimit.maxWaitMs must be a number'],
    [{ limit: 1, perMs: 1, wait: true }, TypeError, 'rateLimit has no option wait'],
  ])('refuses %j', (options, type, message) => {
    expect(() => rateLimit(options as never)).toThrow(type);
    expect(() => rateLimit(options as never)).toThrow(message);
  });

  it('keeps its rate in any stretch of time, and its order', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.nat(40), { minLength: 1, maxLength: 30 }),
      async (limit, perMs, gaps) => {
        const { env, rate } = make({ limit, perMs, maxWaitMs: Infinity });
        const starts: { id: number; at: number }[] = [];
        for (const [id, gap] of gaps.entries()) {
          void rate.execute(() => starts.push({ id, at: env.now() }));
          await env.advance(gap);
        }
        await env.run();

        expect(starts.map(({ id }) => id)).toEqual(gaps.map((_, id) => id));
        for (const [index, { at }] of starts.entries()) {
          // A full bucket and what comes in meanwhile: `limit` more than the rate at most.
          const earliest = starts[index - limit - Math.ceil(limit)]?.at ?? -Infinity;
          expect(at - earliest).toBeGreaterThanOrEqual(perMs - 1e-6);
        }
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });
});
