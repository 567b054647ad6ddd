import { describe, expect, it } from 'vitest';
import {
  type CircuitBreakerOptions,
  type CircuitChange,
  CircuitOpenError,
  circuitBreaker,
  isTellaskError,
} from '../../src/index.ts';
import { Call } from '../../src/resilience/call.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { Jobs, policyEnv } from './policy-env.ts';

const boom = new Error('boom');
const fails =
  (error: unknown = boom) =>
  () =>
    Promise.reject(error);
const works = () => 'well';

/** A breaker on simulated time, and the ways in which its tests use it. */
function make(options: CircuitBreakerOptions = {}) {
  const env = new SimEnv();
  const breaker = circuitBreaker({ ...options, env });
  return {
    env,
    breaker,
    jobs: new Jobs(),
    /** What a call comes to: its value, the message of its error, or the code of a refusal. */
    outcome: (work: () => unknown, signal?: AbortSignal) =>
      breaker.execute(work, signal).then(String, said),
    async failTimes(times: number) {
      for (let time = 0; time < times; time += 1) await breaker.execute(fails()).catch(() => {});
    },
  };
}

const said = (error: unknown): string =>
  isTellaskError(error) ? error.code : (error as Error).message;
const refused = 'TELLASK_CIRCUIT_OPEN';

describe.each(['real', 'simulated'] as const)('a circuit breaker, on the %s Env', (name) => {
  // R:H1
  it('opens at the fifth failure in a row, and begins no work from then on', async () => {
    const breaker = circuitBreaker({ env: policyEnv(name).env });
    const log: string[] = [];
    const work = async () => {
      log.push('begun');
      throw boom;
    };

    for (let call = 1; call <= 7; call += 1) {
      log.push(await breaker.execute(work).catch(said));
    }

    expect(log).toEqual([...Array(5).fill(['begun', 'boom']).flat(), refused, refused]);
    expect(breaker.status).toBe('open');
  });

  // R:H1
  it('counts failures in a row alone', async () => {
    const breaker = circuitBreaker({ failures: 2, env: policyEnv(name).env });

    for (const work of [fails(), works, fails(), works, fails()]) {
      await breaker.execute(work).catch(() => {});
    }

    expect(breaker.status).toBe('closed');
  });

  // R:H1
  it('says in its rejection when to come back, what it is in, and what failed last', async () => {
    const breaker = circuitBreaker({ failures: 1, env: policyEnv(name).env });
    await breaker.execute(fails()).catch(() => {});

    const error = (await breaker.execute(works).catch((reason: unknown) => reason)) as never;

    expect(error).toBeInstanceOf(CircuitOpenError);
    expect(error).toMatchObject({ status: 'open', key: '', cause: boom, retryable: false });
    expect((error as CircuitOpenError).retryAfterMs).toBeGreaterThan(29_000);
    expect((error as CircuitOpenError).retryAfterMs).toBeLessThanOrEqual(30_000);
  });

  it('passes on what the work returns, throws and is told', async () => {
    const breaker = circuitBreaker({ env: policyEnv(name).env });
    const controller = new AbortController();

    const told = await breaker.execute(({ attempt, signal }) => {
      controller.abort('enough');
      return [attempt, signal.reason];
    }, controller.signal);
    const thrown = breaker.execute(() => {
      throw boom;
    });

    expect(told).toEqual([1, 'enough']);
    await expect(thrown).rejects.toBe(boom);
  });
});

describe('the open time of a circuit breaker', () => {
  // R:H1
  it('ends inclusively, at the next call, and without a timer', async () => {
    const { env, breaker, failTimes, outcome } = make({ failures: 1, openMs: 100 });
    await failTimes(1);

    await env.advance(99);
    const early = await outcome(works);
    await env.advance(1);

    expect([early, breaker.status]).toEqual([refused, 'open']);
    expect(await outcome(works)).toBe('well');
    expect(breaker.status).toBe('closed');
  });

  // R:H1
  it('grows with each probe that fails, and begins anew once closed', async () => {
    const { env, breaker, failTimes, outcome } = make({
      ...{ failures: 1, openMs: 100, openFactor: 3, maxOpenMs: 500 },
    });
    const times: number[] = [];
    const openTime = async () => {
      const error = await breaker.execute(works).catch((reason: unknown) => reason);
      times.push((error as CircuitOpenError).retryAfterMs);
      await env.advance((error as CircuitOpenError).retryAfterMs);
    };

    await failTimes(1);
    for (let probe = 0; probe < 3; probe += 1) {
      await openTime();
      await failTimes(1);
    }
    await openTime();
    await outcome(works);
    await failTimes(1);
    await openTime();

    expect(times).toEqual([100, 300, 500, 500, 100]);
  });
});

describe('a half-open circuit', () => {
  // R:H1
  it('rejects who comes too much, and queues nobody', async () => {
    const { env, jobs, failTimes, outcome } = make({ failures: 1, openMs: 10, permits: 2 });
    await failTimes(1);
    await env.advance(10);

    const probes = [outcome(jobs.job('a')), outcome(jobs.job('b'))];
    const third = await outcome(jobs.job('c'));
    jobs.end('a');
    jobs.end('b');

    expect(third).toBe(refused);
    expect(await Promise.all(probes)).toEqual(['a', 'b']);
    expect(jobs.log).toEqual(['a starts', 'b starts', 'a ends', 'b ends']);
  });

  // R:H1
  it('gives the permit of a hung probe to the next call, and ignores what it comes to', async () => {
    const { env, breaker, jobs, failTimes, outcome } = make({
      ...{ failures: 1, openMs: 10, probeLeaseMs: 500 },
    });
    await failTimes(1);
    await env.advance(10);
    const hung = outcome(jobs.job('hung'));
    await env.advance(499);
    const early = await outcome(works);
    await env.advance(1);

    const second = outcome(jobs.job('second'));
    jobs.end('hung', new Error('late'));
    const late = await hung;
    const between = breaker.status;
    jobs.end('second');

    expect([early, late, between, await second]).toEqual([refused, 'late', 'half-open', 'second']);
    expect(breaker.status).toBe('closed');
  });

  // R:H1
  it('says how long the others wait at the longest', async () => {
    const { env, breaker, jobs, failTimes, outcome } = make({
      ...{ failures: 1, openMs: 10, probeLeaseMs: 500 },
    });
    await failTimes(1);
    await env.advance(10);
    void outcome(jobs.job('probe'));
    await env.advance(100);

    const error = await breaker.execute(works).catch((reason: unknown) => reason);

    expect(error).toMatchObject({ status: 'half-open', retryAfterMs: 400, cause: boom });
  });

  // R:H1
  it('gives a permit back when its caller aborts or its error is ignored', async () => {
    const { env, breaker, jobs, failTimes, outcome } = make({
      ...{ failures: 1, openMs: 10, failureIf: (error: unknown) => error === boom },
    });
    await failTimes(1);
    await env.advance(10);
    const controller = new AbortController();

    const aborted = outcome(jobs.job('aborted'), controller.signal);
    controller.abort(new Error('gone'));
    jobs.end('aborted', new Error('stopped'));
    const first = await aborted;
    const ignored = await outcome(fails(new Error('not found')));

    expect([first, ignored, breaker.status]).toEqual(['stopped', 'not found', 'half-open']);
    expect([await outcome(works), breaker.status]).toEqual(['well', 'closed']);
  });

  it('takes an error that throws when it is looked at for a failure, and never throws itself', async () => {
    const { env, breaker, failTimes } = make({ failures: 1, openMs: 10 });
    const hostile = new Proxy(new Error('trap'), {
      getPrototypeOf: () => {
        throw new Error('look away');
      },
    });
    await failTimes(1);
    await env.advance(10);

    const failed = breaker.execute(() => {
      throw hostile;
    });

    expect(await failed.catch((error) => error === hostile)).toBe(true);
    expect([breaker.status, breaker.admits()]).toEqual(['open', false]);
  });
});

describe('a result that comes late', () => {
  // R:H1
  it('is ignored when it was admitted before the circuit opened', async () => {
    const { env, breaker, jobs, failTimes, outcome } = make({ failures: 1, openMs: 10 });
    const slow = ['a', 'b'].map((job) => outcome(jobs.job(job)));
    await failTimes(1);
    await env.advance(10);
    const probe = outcome(jobs.job('probe'));

    jobs.end('a');
    jobs.end('b', boom);
    await Promise.all(slow);
    const between = breaker.status;
    jobs.end('probe');
    await probe;

    expect([between, breaker.status]).toEqual(['half-open', 'closed']);
  });

  // R:H1
  it('is ignored when it was admitted before a reset', async () => {
    const { breaker, jobs, outcome } = make({ failures: 1 });
    const slow = outcome(jobs.job('slow'));
    breaker.reset();

    jobs.end('slow', boom);
    await slow;

    expect(breaker.status).toBe('closed');
  });
});

describe('what a circuit breaker counts', () => {
  // R:H1
  it('leaves out callers who abort', async () => {
    const { breaker, outcome } = make({ failures: 1 });
    const controller = new AbortController();

    const result = await outcome(() => {
      controller.abort(new Error('gone'));
      throw controller.signal.reason;
    }, controller.signal);
    const after = await outcome(works, controller.signal);

    expect([result, after, breaker.status]).toEqual(['gone', 'gone', 'closed']);
  });

  it.each([
    ['a signal of the platform', (call: Call) => call.abort(new DOMException('', 'TimeoutError'))],
    ['the deadline of the call', (call: Call) => call.abort(boom)],
  ])('holds a time that is over against the callee: %s', async (what, end) => {
    const { env, breaker } = make({ failures: 1 });
    const deadline = what === 'the deadline of the call' ? env.now() : Infinity;
    const call = new Call(env, undefined, { deadline });

    await breaker
      .run(() => {
        end(call);
        throw boom;
      }, call)
      .catch(() => {});

    expect(breaker.status).toBe('open');
  });

  // R:H6
  it('is a failure when the predicate throws, and the caller gets his own error', async () => {
    const { breaker, outcome } = make({
      failures: 1,
      failureIf: () => {
        throw new Error('of the predicate');
      },
    });

    expect(await outcome(fails())).toBe('boom');
    expect(breaker.status).toBe('open');
  });

  // R:H1
  it('forgets failures after a long silence', async () => {
    const { env, breaker, failTimes } = make({ failures: 2, forgetMs: 1_000 });
    await failTimes(1);
    await env.advance(1_000);
    await failTimes(1);
    const forgotten = breaker.status;
    await env.advance(999);
    await failTimes(1);

    expect([forgotten, breaker.status]).toEqual(['closed', 'open']);
  });
});

describe('isolating a circuit', () => {
  // R:H1
  it('rejects all calls until everybody has released it, once each', async () => {
    const { env, breaker, outcome } = make({ openMs: 10 });
    const [first, second] = [breaker.isolate(), breaker.isolate()];
    await env.advance(1_000_000);
    const isolated = await breaker.execute(works).catch((reason: unknown) => reason);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    const held = await outcome(works);
    second[Symbol.dispose]();

    expect(isolated).toMatchObject({ status: 'isolated', retryAfterMs: Infinity });
    expect([held, await outcome(works)]).toEqual([refused, 'well']);
  });

  // R:H1
  it('ends with a reset, and a handle of before it releases nothing', async () => {
    const { breaker, outcome } = make();
    const before = breaker.isolate();
    breaker.reset();
    const after = await outcome(works);
    breaker.isolate();
    before[Symbol.dispose]();

    expect([after, breaker.status]).toEqual(['well', 'isolated']);
  });
});

describe('tryAcquire', () => {
  // R:H1
  it('gives a permit or nothing, and never throws', async () => {
    const { env, breaker } = make({ failures: 1, openMs: 10 });

    breaker.tryAcquire()?.fail(boom);
    const open = breaker.tryAcquire();
    await env.advance(10);
    const probe = breaker.tryAcquire();
    const second = breaker.tryAcquire();
    probe?.succeed();

    expect([open, second, breaker.status]).toEqual([undefined, undefined, 'closed']);
  });

  // R:H1
  it('counts the first end of a permit alone', async () => {
    const { breaker } = make({ failures: 2 });
    const permit = breaker.tryAcquire();

    permit?.fail(boom);
    permit?.fail(boom);
    permit?.release();

    expect(breaker.status).toBe('closed');
  });

  // R:H1
  it('is given back neutrally by a using declaration that ends early', async () => {
    const { env, breaker } = make({ failures: 1, openMs: 10 });
    breaker.tryAcquire()?.fail(boom);
    await env.advance(10);

    breaker.tryAcquire()?.[Symbol.dispose]();

    expect([breaker.status, breaker.admits()]).toEqual(['half-open', true]);
  });
});

describe('the onChange hook', () => {
  // R:H1
  it('hears of every change of status, with the key and the reason', async () => {
    const changes: string[] = [];
    const onChange = ({ key, from, to, why }: CircuitChange) =>
      changes.push(`${key}: ${from} -> ${to}, ${why}`);
    const { env, breaker } = make({ failures: 1, openMs: 10, onChange });
    const circuit = breaker.for('ada');

    await circuit.execute(fails()).catch(() => {});
    await env.advance(10);
    await circuit.execute(fails()).catch(() => {});
    await env.advance(10);
    await circuit.execute(works);
    circuit.reset();
    circuit.isolate()[Symbol.dispose]();

    expect(changes).toEqual([
      'ada: closed -> open, failures',
      'ada: open -> half-open, open-time-over',
      'ada: half-open -> open, probe-failed',
      'ada: open -> half-open, open-time-over',
      'ada: half-open -> closed, probes-succeeded',
      'ada: closed -> isolated, isolated',
      'ada: isolated -> closed, released',
    ]);
  });

  // R:H6
  it.each([
    [
      'throws',
      () => {
        throw new Error('of the hook');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('of the hook'))],
  ])('changes nothing when it %s', async (_how, onChange) => {
    const { breaker, outcome } = make({ failures: 1, onChange });

    expect(await outcome(fails())).toBe('boom');
    expect([await outcome(works), breaker.status]).toEqual([refused, 'open']);
  });

  // R:H6
  it('may use the breaker itself', async () => {
    const log: string[] = [];
    const { breaker, outcome } = make({
      failures: 1,
      onChange: ({ from, to }) => {
        log.push(`${from} -> ${to}`);
        if (to === 'open') breaker.reset();
      },
    });

    expect(await outcome(fails())).toBe('boom');
    expect([log, await outcome(works)]).toEqual([['closed -> open', 'open -> closed'], 'well']);
  });
});
