import * as cockatiel4 from 'cockatiel';
import * as cockatiel3 from 'cockatiel3';
import CircuitBreaker from 'opossum';
import pRetry, { AbortError } from 'p-retry';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { bulkhead, compose, fallback, type Policy, retry, timeout } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

const AT_ONCE = { backoff: new cockatiel3.ConstantBackoff(0), maxAttempts: 2 };

/** Fails so many times before it succeeds. */
function flaky(times: number) {
  let calls = 0;
  return {
    get calls() {
      return calls;
    },
    work: async () => {
      calls += 1;
      if (calls <= times) throw new Error(`failure ${calls}`);
      return `success ${calls}`;
    },
  };
}

const untilAborted = ({ signal }: { signal: AbortSignal }): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

// What the documents show: one line for each library.
const viaPRetry: Policy = {
  execute: (fn, signal) =>
    pRetry((attempt) => fn({ signal, attempt }), { signal, retries: 2, minTimeout: 0 }),
};
// biome-ignore lint/suspicious/noExplicitAny: its breaker has one type of result for all calls
type AnyBreaker = CircuitBreaker<[() => any], any>;
const opossum = (options: CircuitBreaker.Options = {}): AnyBreaker =>
  new CircuitBreaker(async (work: () => unknown) => work(), { timeout: false, ...options });
const viaOpossum = (breaker = opossum()): Policy => ({ execute: (fn) => breaker.fire(fn) });

// R:H5
describe.each([
  ['cockatiel 3', cockatiel3],
  ['cockatiel 4', cockatiel4 as unknown as typeof cockatiel3],
])('policies of %s', (_name, cockatiel) => {
  const again = () =>
    cockatiel.retry(cockatiel.handleAll, { ...AT_ONCE, backoff: new cockatiel.ConstantBackoff(0) });

  it('stand inside of ours', async () => {
    const seats = bulkhead({ limit: 1 });
    const { work } = flaky(2);

    expect(await compose(seats, again()).execute(work)).toBe('success 3');
    expect(seats.inspect().running).toBe(0);
  });

  it('stand outside of ours, and count attempts for them', async () => {
    const attempts: number[] = [];
    const policy = compose(again(), bulkhead({ limit: 1 }), timeout({ timeoutMs: 1_000 }));
    const { work } = flaky(2);

    const result = await policy.execute(({ attempt }) => {
      attempts.push(attempt);
      return work();
    });

    expect([result, attempts]).toEqual(['success 3', [1, 2, 3]]);
  });

  it('call ours in their own way of composing', async () => {
    const seats = bulkhead({ limit: 1 });
    const ours = retry({ maxAttempts: 3, baseMs: 0, jitter: 'none' });
    const { work } = flaky(2);

    const result = await again().execute(({ signal }) =>
      seats.execute(() => ours.execute(work, signal), signal),
    );

    expect(result).toBe('success 3');
  });

  it('hand results and errors on as they are', async () => {
    const error = new Error('final');
    const policy = compose(bulkhead({ limit: 1 }), cockatiel.noop, timeout({ timeoutMs: 1_000 }));

    expect(await policy.execute(() => undefined)).toBe(undefined);
    await expect(policy.execute(() => Promise.reject(error))).rejects.toBe(error);
    await expect(
      policy.execute(() => {
        throw error;
      }),
    ).rejects.toBe(error);
  });

  it('reject as ever with their own errors, and open circuits of theirs are not retried by ours', async () => {
    const breaker = cockatiel.circuitBreaker(cockatiel.handleAll, {
      halfOpenAfter: 60_000,
      breaker: new cockatiel.ConsecutiveBreaker(2),
    });
    const { work } = flaky(100);
    const failing = flaky(100);

    await breaker.execute(work).catch(() => {});
    await breaker.execute(work).catch(() => {});
    const refused: unknown = await compose(retry({ baseMs: 0 }), breaker)
      .execute(failing.work)
      .catch((error: unknown) => error);

    expect(cockatiel.isBrokenCircuitError(refused as Error)).toBe(true);
    expect(failing.calls).toBe(0);
  });

  it('hear of the abort of the caller, and so does the work inside of them', async () => {
    const controller = new AbortController();
    const policy = compose(
      bulkhead({ limit: 1 }),
      cockatiel.timeout(60_000, cockatiel.TimeoutStrategy.Cooperative),
      bulkhead({ limit: 1 }),
    );
    const call = policy.execute(untilAborted, controller.signal);

    controller.abort('enough');

    await expect(call).rejects.toBe('enough');
  });

  it('abort the work inside when their time is over', async () => {
    const heard: string[] = [];
    const policy = compose(
      retry({ maxAttempts: 1 }),
      cockatiel.timeout(1, cockatiel.TimeoutStrategy.Aggressive),
      bulkhead({ limit: 1 }),
    );

    const error: unknown = await policy
      .execute(({ signal }) => {
        signal.addEventListener('abort', () => heard.push('the work'));
        return new Promise(() => {});
      })
      .catch((reason: unknown) => reason);

    expect(error).toMatchObject({ message: expect.stringContaining('timed out') });
    expect(heard).toEqual(['the work']);
  });

  // R:H4
  it('keep the slot outside of them as long as work that they gave up goes on', async () => {
    const seats = bulkhead({ limit: 1 });
    let end: () => void = () => {};
    const deaf = () => new Promise<void>((resolve) => (end = resolve));
    const brief = cockatiel.timeout(1, cockatiel.TimeoutStrategy.Aggressive);

    await expect(compose(seats, brief).execute(deaf)).rejects.toThrow('timed out');
    expect(seats.inspect().running).toBe(1);

    end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(seats.inspect().running).toBe(0);
  });
});

describe('a breaker of opossum behind one line', () => {
  it('stands inside and outside of ours', async () => {
    const { work } = flaky(1);
    const breaker = opossum({ volumeThreshold: 10 });
    const inside = compose(
      bulkhead({ limit: 1 }),
      viaOpossum(breaker),
      timeout({ timeoutMs: 1_000 }),
    );

    await expect(inside.execute(work)).rejects.toThrow('failure 1');
    expect(await viaOpossum().execute(() => inside.execute(() => 'well'))).toBe('well');
  });

  it('opens, and a fallback of ours answers instead', async () => {
    const breaker = opossum();
    const policy = compose(fallback({ value: 'cached' }), viaOpossum(breaker));
    const failing = flaky(100);

    const answers = [await policy.execute(failing.work), await policy.execute(failing.work)];

    expect([answers, breaker.opened, failing.calls]).toEqual([['cached', 'cached'], true, 1]);
  });

  it('lets the work inside hear of the abort of the caller', async () => {
    const controller = new AbortController();
    const call = compose(viaOpossum()).execute(untilAborted, controller.signal);

    controller.abort('enough');

    await expect(call).rejects.toBe('enough');
  });
});

describe('p-retry behind one line', () => {
  it('stands inside and outside of ours', async () => {
    const attempts: number[] = [];
    const policy = compose(bulkhead({ limit: 1 }), viaPRetry, timeout({ timeoutMs: 1_000 }));
    const { work } = flaky(2);

    const result = await policy.execute(({ attempt }) => {
      attempts.push(attempt);
      return work();
    });
    const { work: other } = flaky(2);

    expect([result, attempts]).toEqual(['success 3', [1, 2, 3]]);
    expect(await pRetry(() => bulkhead({ limit: 1 }).execute(other), { minTimeout: 0 })).toBe(
      'success 3',
    );
  });

  it('throws its last error itself, and what it calls final at once', async () => {
    const final = new Error('no such page');

    await expect(compose(viaPRetry).execute(flaky(100).work)).rejects.toThrow('failure 3');
    await expect(
      compose(viaPRetry).execute(() => Promise.reject(new AbortError(final))),
    ).rejects.toBe(final);
  });

  it('stops when the caller aborts, and so does the work', async () => {
    const controller = new AbortController();
    const call = compose(viaPRetry).execute(untilAborted, controller.signal);

    controller.abort(new Error('enough'));

    await expect(call).rejects.toThrow('enough');
  });
});

describe('the type of a policy', () => {
  // R:H5
  it('is that of the policies of cockatiel 3 and 4, of what they wrap, and of adapters', () => {
    const three: Policy = cockatiel3.wrap(
      cockatiel3.retry(cockatiel3.handleAll, AT_ONCE),
      cockatiel3.timeout(1, cockatiel3.TimeoutStrategy.Aggressive),
    );
    const four: Policy = cockatiel4.bulkhead(1);
    const all = compose(three, four, viaOpossum(), viaPRetry, cockatiel4.noop);

    expectTypeOf(all.execute(() => 1)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(
      compose(cockatiel4.fallback(cockatiel4.handleAll, 'else')).execute(() => 1),
    ).toEqualTypeOf<Promise<number | string>>();
  });

  it('is bound to an Env without harm to policies that know of none', async () => {
    const policy = compose(cockatiel4.noop, viaOpossum(), retry());

    policy.bind(new SimEnv());

    expect(await policy.execute(() => 'well')).toBe('well');
  });
});
