import { describe, expect, it } from 'vitest';
import {
  type CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitBreakerSnapshot,
  CircuitOpenError,
  circuitBreaker,
} from '../../src/index.ts';
import { Call } from '../../src/resilience/call.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const boom = new Error('boom');
const fails = () => Promise.reject(boom);

const make = (options: CircuitBreakerOptions = {}) => {
  const env = new SimEnv();
  return { env, breaker: circuitBreaker({ failures: 1, ...options, env }) };
};
const breakIt = (breaker: CircuitBreaker, ...keys: string[]): void => {
  for (const key of keys) breaker.for(key).tryAcquire()?.fail(boom);
};
const statuses = (breaker: CircuitBreaker, ...keys: string[]): string[] =>
  keys.map((key) => breaker.for(key).status);

describe('a circuit breaker with keys', () => {
  // R:H1
  it('has a circuit for each, and one without a key', async () => {
    const { breaker } = make();

    await breaker
      .for('ada')
      .execute(fails)
      .catch(() => {});
    const error = await breaker
      .for('ada')
      .execute(fails)
      .catch((reason: unknown) => reason);

    expect(error).toMatchObject({ key: 'ada', status: 'open', cause: boom });
    expect(statuses(breaker, 'ada', 'bea', '')).toEqual(['open', 'closed', 'closed']);
    expect([breaker.status, breaker.admits()]).toEqual(['closed', true]);
    expect(breaker.for('').admits()).toBe(true);
  });

  // R:H1
  it('lets the call choose among those who would be let through', async () => {
    const { env, breaker } = make();
    breakIt(breaker, 'ada', 'bea');
    const asked: string[] = [];
    const target = {
      choose(admits: (key: string) => boolean) {
        const [chosen = 'ada'] = ['ada', 'bea', 'cleo'].filter(admits);
        asked.push(chosen);
        return chosen;
      },
    };
    const call = () => new Call(env, undefined, {}, target);

    await breaker.run(fails, call()).catch(() => {});
    const refused = await breaker.run(fails, call()).catch((reason: unknown) => reason);

    expect(asked).toEqual(['cleo', 'ada']);
    expect(refused).toBeInstanceOf(CircuitOpenError);
    expect(statuses(breaker, 'cleo')).toEqual(['open']);
  });

  it('rejects when the choice throws', async () => {
    const { env, breaker } = make();
    const target = {
      choose: () => {
        throw boom;
      },
    };

    await expect(breaker.run(fails, new Call(env, undefined, {}, target))).rejects.toBe(boom);
  });

  // R:H1
  it('forgets idle closed circuits alone when there are too many', () => {
    const { breaker } = make({ maxCircuits: 3 });
    breakIt(breaker, 'a', 'b');
    for (let key = 0; key < 1_000; key += 1) breaker.for(`key ${key}`).tryAcquire()?.succeed();

    expect(statuses(breaker, 'a', 'b')).toEqual(['open', 'open']);
    expect(breaker.for('key 999').explain().key).toBe('key 999');
  });

  // R:H1
  it('keeps those that are called, or have failed, and lets new keys share one meanwhile', () => {
    const { breaker } = make({ maxCircuits: 2, failures: 2 });
    const running = breaker.for('a').tryAcquire();
    breakIt(breaker, 'b');

    breakIt(breaker, 'c', 'd');
    const shared = [breaker.for('c').explain().key, ...statuses(breaker, 'a', 'b', 'c', 'e')];
    running?.succeed();
    breakIt(breaker, 'b');

    expect(shared).toEqual(['*', 'closed', 'closed', 'open', 'open']);
    expect(statuses(breaker, 'b', 'e')).toEqual(['open', 'closed']);
  });

  // R:H1
  it('isolates a key even when there is no place for it', () => {
    const { breaker } = make({ maxCircuits: 1 });
    breakIt(breaker, 'a');

    const hold = breaker.for('b').isolate();

    expect(statuses(breaker, 'a', 'b', 'c')).toEqual(['open', 'isolated', 'closed']);
    hold[Symbol.dispose]();
    expect(statuses(breaker, 'b')).toEqual(['closed']);
  });

  it('resets one key and makes nothing for one that it does not know', () => {
    const { breaker } = make();
    breakIt(breaker, 'a', 'b');

    for (const key of ['a', 'c']) breaker.for(key).reset();

    expect(statuses(breaker, 'a', 'b', 'c')).toEqual(['closed', 'open', 'closed']);
  });
});

describe('a snapshot of a circuit breaker', () => {
  const moved = (breaker: CircuitBreaker, options: CircuitBreakerOptions = {}) => {
    const snapshot = JSON.parse(JSON.stringify(breaker.snapshot())) as CircuitBreakerSnapshot;
    const env = new SimEnv();
    return { env, snapshot, breaker: circuitBreaker({ failures: 1, ...options, env, snapshot }) };
  };

  // R:H1
  it('holds what is left of the open time, and not when it ends', async () => {
    const { env, breaker } = make({ openMs: 100, openFactor: 2 });
    await env.advance(1_000_000);
    breakIt(breaker, 'a');
    await env.advance(30);

    const later = moved(breaker, { openMs: 100, openFactor: 2 });
    const circuit = later.breaker.for('a');
    const error = await circuit.execute(fails).catch((reason: unknown) => reason);
    await later.env.advance(70);
    await circuit.execute(fails).catch(() => {});
    const second = await circuit.execute(fails).catch((reason: unknown) => reason);

    expect(later.snapshot).toEqual({
      version: 1,
      circuits: [{ key: 'a', status: 'open', remainingMs: 70, opens: 1 }],
    });
    expect([error, second]).toMatchObject([{ retryAfterMs: 70 }, { retryAfterMs: 200 }]);
  });

  // R:H1
  it('goes on counting where it stopped', () => {
    const { breaker } = make({ failures: 3 });
    breakIt(breaker, '', 'a', '');

    const later = moved(breaker, { failures: 3 });
    breakIt(later.breaker, '', 'a');

    expect(statuses(later.breaker, '', 'a')).toEqual(['open', 'closed']);
    expect(later.breaker.explain().text).toContain('in a row');
  });

  it('lets a half-open circuit probe at once, and keeps an isolated one until it is reset', async () => {
    const { env, breaker } = make({ openMs: 10 });
    breakIt(breaker, 'a');
    await env.advance(10);
    breaker.for('a').tryAcquire();
    breaker.for('b').isolate();

    const later = moved(breaker).breaker;
    const before = statuses(later, 'a', 'b');
    later.for('a').tryAcquire()?.succeed();
    later.for('b').reset();

    expect(before).toEqual(['open', 'isolated']);
    expect(statuses(later, 'a', 'b')).toEqual(['closed', 'closed']);
  });

  it('says nothing of circuits that have nothing to remember', () => {
    const { breaker } = make({ openMs: Number.POSITIVE_INFINITY });
    breaker.for('idle').tryAcquire()?.succeed();
    breakIt(breaker, 'for good');

    const later = moved(breaker);

    expect(later.snapshot.circuits).toEqual([{ key: 'for good', status: 'open', opens: 1 }]);
    expect(later.breaker.for('for good').admits()).toBe(false);
  });

  it('leaves out what another kind of window has counted', () => {
    const { breaker } = make({ failures: 2 });
    breakIt(breaker, '');
    const snapshot = breaker.snapshot();

    const other = circuitBreaker({ window: { lastMs: 1_000 }, snapshot, env: new SimEnv() });

    expect(other.snapshot().circuits).toEqual([]);
  });

  it.each([
    [null],
    [{ version: 2, circuits: [] }],
    [{ version: 1 }],
    [{ version: 1, circuits: [null] }],
    [{ version: 1, circuits: [{ key: 1, status: 'open' }] }],
    [{ version: 1, circuits: [{ key: '', status: 'ajar' }] }],
    [{ version: 1, circuits: [{ key: '', status: 'open', remainingMs: -1 }] }],
    [{ version: 1, circuits: [{ key: '', status: 'closed', window: { calls: 'x', ageMs: 0 } }] }],
    [{ version: 1, circuits: [{ key: '', status: 'closed', window: { steps: [[1]] } }] }],
    [{ version: 1, circuits: [{ key: '', status: 'closed', window: 'none' }] }],
  ])('is refused when it is %o', (snapshot) => {
    expect(() => circuitBreaker({ snapshot: snapshot as never })).toThrow(TypeError);
  });
});

describe('explain', () => {
  // R:H1
  it('says where a circuit is, why, for how long, and what comes next', async () => {
    const { env, breaker } = make({ failures: 2, openMs: 100 });
    const texts: string[] = [];
    const explain = (): void => void texts.push(breaker.explain().text);

    explain();
    breaker.tryAcquire()?.fail(boom);
    explain();
    breaker.tryAcquire()?.fail(boom);
    await env.advance(40);
    explain();
    await env.advance(60);
    explain();
    breaker.tryAcquire();
    explain();
    const hold = breaker.isolate();
    explain();
    hold[Symbol.dispose]();
    explain();

    expect(texts).toEqual([
      'The circuit is closed: it has never been otherwise. It opens at 2 failures in a row; there are 0.',
      'The circuit is closed: it has never been otherwise. It opens at 2 failures in a row; there are 1.',
      'The circuit has been open for 40 ms: too many calls in a row have failed. In 60 ms a call is let through as a probe.',
      'The circuit has been open for 100 ms: too many calls in a row have failed. The next call is let through as a probe.',
      'The circuit has been half-open for 0 ms: its open time is over. It closes when 1 more probe succeeds and opens at the first that fails; 1 of 1 permits is taken.',
      'The circuit has been isolated for 0 ms: somebody has isolated it. It closes when all who isolated it (1) have released it, or it is reset.',
      'The circuit has been closed for 0 ms: whoever isolated it has released it. It opens at 2 failures in a row; there are 0.',
    ]);
  });

  it('says what a window holds', () => {
    const window = { lastCalls: 10, slowMs: 50 };
    const breaker = circuitBreaker({ window, env: new SimEnv() });
    breaker.for('ada').tryAcquire()?.fail(boom);

    expect(breaker.for('ada').explain()).toMatchObject({
      key: 'ada',
      status: 'closed',
      why: 'new',
      sinceMs: undefined,
      next: 'It opens when a share of 0.5 fails or of 1 is slow, given 10 calls; of 1, 1 failed and 0 were slow.',
    });
  });
});

describe('the options of a circuit breaker', () => {
  it.each([
    [null, TypeError, 'circuitBreaker'],
    [5, TypeError, 'circuitBreaker'],
    [{ failure: 5 }, TypeError, 'no option failure'],
    [{ failures: 0 }, RangeError, 'failures'],
    [{ failures: 1.5 }, RangeError, 'failures'],
    [{ failures: '5' }, TypeError, 'failures'],
    [{ openMs: -1 }, RangeError, 'openMs'],
    [{ openMs: Number.NaN }, RangeError, 'openMs'],
    [{ openMs: 100, maxOpenMs: 99 }, RangeError, 'maxOpenMs'],
    [{ openFactor: 0.9 }, RangeError, 'openFactor'],
    [{ openJitter: 1.1 }, RangeError, 'openJitter'],
    [{ permits: 0 }, RangeError, 'permits'],
    [{ successes: Number.POSITIVE_INFINITY }, RangeError, 'successes'],
    [{ probeLeaseMs: 0 }, RangeError, 'probeLeaseMs'],
    [{ forgetMs: 0 }, RangeError, 'forgetMs'],
    [{ maxCircuits: 0 }, RangeError, 'maxCircuits'],
    [{ failureIf: true }, TypeError, 'failureIf'],
    [{ onChange: {} }, TypeError, 'onChange'],
    [{ window: null }, TypeError, 'window'],
    [{ window: {} }, TypeError, 'lastMs'],
    [{ failures: 5, window: { lastCalls: 10 } }, TypeError, 'failures'],
    [{ window: { lastCalls: 10, lastMs: 10 } }, TypeError, 'lastCalls or lastMs, not both'],
    [{ window: { lastCalls: 0 } }, RangeError, 'window.lastCalls'],
    [{ window: { lastCalls: 5, minimumCalls: 6 } }, RangeError, 'window.minimumCalls'],
    [{ window: { lastMs: 0 } }, RangeError, 'window.lastMs'],
    [{ window: { lastMs: 10, failureRate: 0 } }, RangeError, 'window.failureRate'],
    [{ window: { lastMs: 10, slowRate: 0.5 } }, TypeError, 'window.slowMs'],
    [{ window: { lastMs: 10, slowMs: 5, slowRate: 2 } }, RangeError, 'window.slowRate'],
    [{ window: { lastMs: 10, slowMs: '5' } }, TypeError, 'window.slowMs'],
  ])('are refused at once: %o', (options, kind, name) => {
    expect(() => circuitBreaker(options as never)).toThrow(kind);
    expect(() => circuitBreaker(options as never)).toThrow(name);
  });

  it('has keys that are strings', () => {
    expect(() => circuitBreaker().for(5 as never)).toThrow(TypeError);
  });
});

describe('the Env of a circuit breaker', () => {
  it('is that of the bus that it is used on, also for its keys', async () => {
    const env = new SimEnv();
    const breaker = circuitBreaker({ failures: 1, openMs: 100 });
    const circuit = breaker.for('ada');

    circuit.bind(env);
    circuit.tryAcquire()?.fail(boom);
    await env.advance(40);

    expect(circuit.explain().sinceMs).toBe(40);
  });

  // R:D2
  it('has no timer, whatever the circuit is in', async () => {
    const { env, breaker } = make({ openMs: 100 });
    env.setTimer = () => {
      throw new Error('a timer');
    };

    breakIt(breaker, 'open', 'half open');
    await env.advance(100);
    breaker.for('half open').tryAcquire();
    breaker.for('isolated').isolate();

    expect(statuses(breaker, 'open', 'half open', 'isolated')).toEqual([
      'open',
      'half-open',
      'isolated',
    ]);
  });
});
