import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CircuitBreakerOptions, circuitBreaker } from '../../src/index.ts';
import type { WindowRule } from '../../src/resilience/circuit-options.ts';
import { makeWindow, restoreWindow } from '../../src/resilience/circuit-window.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const rates = { failureRate: 0.5, slowRate: Infinity, minimumCalls: 1 };
const COUNT: WindowRule = { kind: 'count', lastCalls: 4, forgetMs: 1_000, ...rates };
const TIME: WindowRule = { kind: 'time', lastMs: 1_000, ...rates };

/** Calls through a breaker: `.` well, `f` fails, `s` slow, a number waits so many milliseconds. */
async function statusAfter(options: CircuitBreakerOptions, script: string): Promise<string> {
  const env = new SimEnv();
  const breaker = circuitBreaker({ ...options, env });
  for (const step of script.split(' ')) {
    if (/\d/.test(step)) await env.advance(Number(step));
    for (const mark of step.replace(/\d+/, '')) {
      const permit = breaker.tryAcquire();
      if (mark === 's') await env.advance(100);
      if (mark === 'f') permit?.fail(new Error('boom'));
      else permit?.succeed();
    }
  }
  return breaker.status;
}

const last4 = { lastCalls: 4 };
const last1s = { lastMs: 1_000, minimumCalls: 4 };

describe('the window of a circuit breaker', () => {
  // R:H1
  it.each([
    ['...f', last4, 'closed', 'a quarter failed'],
    ['..ff', last4, 'open', 'half of them is enough'],
    ['ff', last4, 'closed', 'too few to tell'],
    ['fff.', last4, 'open', 'a success makes them enough to tell'],
    ['f...f', last4, 'closed', 'the oldest has left the window'],
    ['ff 300000 ..', last4, 'closed', 'forgotten after a long silence'],
    ['ff 299999 ..', last4, 'open', 'not forgotten yet'],
    ['fff', { lastCalls: 10, minimumCalls: 3, failureRate: 1 }, 'open', 'all of them failed'],
    ['.......fff', { lastCalls: 10, failureRate: 0.3 }, 'open', '3 of 10 is 0.3'],
    ['..ss', { ...last4, slowMs: 100 }, 'closed', 'not all were slow'],
    ['ssss', { ...last4, slowMs: 100 }, 'open', 'all were slow'],
    ['ssss', { ...last4, slowMs: 101 }, 'closed', 'none was slow enough'],
    ['.sss', { ...last4, slowMs: 100, slowRate: 0.75 }, 'open', 'three quarters were slow'],
    ['..ff', last1s, 'open', 'half of them failed in time'],
    ['ff 1000 ..', last1s, 'closed', 'a silence empties the window'],
    ['ff 1000000 ff', last1s, 'closed', 'however long it is'],
    ['ff 900 ..', last1s, 'open', 'they are in the window still'],
    ['f 500 .. 500 f', last1s, 'closed', 'the first has left it'],
    ['f 500 .. 400 f', last1s, 'open', 'the first is in it still'],
  ] as const)('after %s with %o it is %s: %s', async (script, window, status, _why) => {
    expect(await statusAfter({ window }, script)).toBe(status);
  });

  // R:H1
  it('leaves out calls that have not ended', () => {
    const breaker = circuitBreaker({ window: last4, env: new SimEnv() });
    const running = Array.from({ length: 100 }, () => breaker.tryAcquire());

    for (const permit of running.slice(0, 4)) permit?.fail(new Error('boom'));

    expect(breaker.status).toBe('open');
  });

  // R:H1
  it('takes a probe that was slow for one that failed', async () => {
    const env = new SimEnv();
    const breaker = circuitBreaker({ window: { ...last4, slowMs: 100 }, openMs: 10, env });
    for (let call = 0; call < 4; call += 1) breaker.tryAcquire()?.fail(new Error('boom'));
    await env.advance(10);
    const probe = breaker.tryAcquire();
    await env.advance(100);
    probe?.succeed();

    expect([breaker.status, breaker.explain().why]).toEqual(['open', 'probe-slow']);
  });
});

describe('the counts of a window', () => {
  const results = fc.array(
    fc.record({ failed: fc.boolean(), slow: fc.boolean(), waitMs: fc.nat(400) }),
    { maxLength: 40 },
  );

  // R:H1
  it('are those of the last calls', () => {
    fc.assert(
      fc.property(results, (calls) => {
        const window = makeWindow(COUNT);
        let now = 0;
        for (const { failed, slow, waitMs } of calls) {
          now += waitMs;
          window.record(failed, slow, now);
        }
        const last = calls.slice(-4);

        expect(window.tally(now)).toEqual({
          calls: last.length,
          failures: last.filter(({ failed }) => failed).length,
          slow: last.filter(({ slow }) => slow).length,
        });
      }),
    );
  });

  // R:H1
  it('are those of the last milliseconds, to a tenth', () => {
    fc.assert(
      fc.property(results, (calls) => {
        const window = makeWindow(TIME);
        let now = 0;
        const ended: number[] = [];
        for (const { failed, slow, waitMs } of calls) {
          now += waitMs;
          window.record(failed, slow, now);
          ended.push(now);
        }
        const { calls: counted } = window.tally(now);

        expect(counted).toBeGreaterThanOrEqual(ended.filter((at) => at > now - 900).length);
        expect(counted).toBeLessThanOrEqual(ended.filter((at) => at > now - 1_000).length);
      }),
    );
  });

  // R:H1
  it.each([COUNT, TIME])('are the same after a snapshot, at another time: $kind', (rule) => {
    fc.assert(
      fc.property(results, fc.nat(100), (calls, later) => {
        const window = makeWindow(rule);
        let now = 0;
        for (const { failed, slow, waitMs } of calls) {
          now += waitMs;
          window.record(failed, slow, now);
        }
        const kept = JSON.parse(JSON.stringify(window.toSnapshot(now)));

        const restored = restoreWindow(rule, kept, 5_000_000 + later);

        expect(restored?.tally(5_000_000 + later)).toEqual(window.tally(now));
      }),
    );
  });
});
