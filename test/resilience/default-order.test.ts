import { describe, expect, it } from 'vitest';
import {
  bulkhead,
  circuitBreaker,
  compose,
  fallback,
  isTellaskError,
  rateLimit,
  retry,
  timeout,
} from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { Jobs } from './policy-env.ts';

const codeOf = (error: unknown): string => (isTellaskError(error) ? error.code : `${error}`);

// R:H5
describe('retry(breaker(bulkhead(timeout(call))))', () => {
  const make = () => {
    const env = new SimEnv();
    const breaker = circuitBreaker({ failures: 3 });
    const seats = bulkhead({ limit: 1 });
    const limit = timeout({ timeoutMs: 100 });
    const again = retry({ maxAttempts: 3, baseMs: 1_000, jitter: 'none' });
    const policy = compose(again, breaker, seats, limit);
    policy.bind(env);
    return { env, breaker, seats, policy };
  };

  it('gives each attempt its own time, and tries again after a pause', async () => {
    const { env, policy } = make();
    const log: string[] = [];
    const call = policy.execute(({ attempt, remainingMs, signal }) => {
      log.push(`${attempt} at ${env.now()} for ${remainingMs}`);
      if (attempt === 3) return 'well';
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject('stopped')));
    });

    await env.run();

    expect(await call).toBe('well');
    expect(log).toEqual(['1 at 0 for 100', '2 at 1100 for 100', '3 at 3200 for 100']);
  });

  // R:H4
  it('starts no attempt while the work of an earlier one goes on that heeds no signal', async () => {
    const { env, seats, policy } = make();
    const jobs = new Jobs();
    const call = policy.execute(jobs.job('deaf')).catch(codeOf);
    await env.advance(1_100);

    expect(seats.inspect().running).toBe(1);
    await env.run();

    expect(await call).toBe('TELLASK_BULKHEAD_FULL');
    expect(jobs.log).toEqual(['deaf starts']);
    jobs.end('deaf');
    await env.settle();
    expect(seats.inspect().running).toBe(0);
  });

  // R:H1
  it('does not open the circuit because the bulkhead is full', async () => {
    const { env, breaker, policy } = make();
    const jobs = new Jobs();
    const first = policy.execute(jobs.job('a'));
    const others = [1, 2, 3, 4].map(() => policy.execute(jobs.job('b')).catch(codeOf));

    await env.advance(50);
    jobs.end('a');
    await first;

    expect(breaker.status).toBe('closed');
    for (let attempt = 0; attempt < 3; attempt++) {
      await env.advance(1_000);
      jobs.end('b');
      await env.settle();
    }
    await env.run();
    expect((await Promise.all(others)).filter((code) => code === 'b').length).toBeGreaterThan(0);
    expect(breaker.status).toBe('closed');
  });

  it('opens the circuit because of what takes too long, and a fallback outside answers', async () => {
    const { env, breaker, policy } = make();
    const answered = compose(fallback({ value: 'cached' }), policy);
    const hangs = ({ signal }: { signal: AbortSignal }) =>
      new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject('stopped')));

    const call = answered.execute(hangs);
    await env.run();

    expect([await call, breaker.status]).toEqual(['cached', 'open']);
  });

  it('leaves no timer behind, however it ends', async () => {
    const { env, policy } = make();
    const controller = new AbortController();
    const call = policy.execute(() => new Promise(() => {}), controller.signal).catch(codeOf);
    await env.settle();

    controller.abort('enough');

    expect(await call).toBe('enough');
    expect(env.pendingTimers()).toEqual([]);
  });
});

describe('a rate limit inside of a breaker and a retry', () => {
  it('says nothing about the callee, and tells the retry when to come again', async () => {
    const env = new SimEnv();
    const breaker = circuitBreaker({ failures: 1, env });
    const rate = rateLimit({ limit: 1, perMs: 5_000, env });
    const policy = compose(retry({ maxAttempts: 2, baseMs: 1, env }), breaker, rate);

    await policy.execute(() => 'first');
    const second = policy.execute(() => env.now());
    await env.run();

    expect([await second, breaker.status]).toEqual([5_000, 'closed']);
  });
});
