import { describe, expect, it } from 'vitest';
import { bulkhead, compose, type Execution, type Policy } from '../../src/index.ts';
import { Call } from '../../src/resilience/call.ts';
import { OwnPolicy, type Work } from '../../src/resilience/policy.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

/** Notes when it is entered and left, and calls `times` times. */
class Noting extends OwnPolicy {
  readonly #name: string;
  readonly #log: string[];
  readonly #times: number;

  constructor(name: string, log: string[], times = 1) {
    super(undefined);
    this.#name = name;
    this.#log = log;
    this.#times = times;
  }

  async run<T>(fn: Work<T>, call: Call): Promise<T> {
    this.#log.push(`> ${this.#name}`);
    let result = await fn(call);
    for (let attempt = 2; attempt <= this.#times; attempt++) {
      result = await fn(call.below({ attempt }));
    }
    this.#log.push(`< ${this.#name}`);
    return result;
  }
}

/** The same as of another library: it knows of nothing but `execute`. */
function foreign(name: string, log: string[]): Policy {
  const noting = new Noting(name, log);
  return { execute: (fn, signal) => noting.execute(fn, signal) };
}

describe('compose', () => {
  // R:H5
  it.each([
    ['own ones', (name: string, log: string[]) => new Noting(name, log)],
    ['foreign ones', foreign],
    [
      'both',
      (name: string, log: string[]) =>
        (name === 'b' ? foreign : (n: string) => new Noting(n, log))(name, log),
    ],
  ])('puts policies around each other in the order written: %s', async (_case, make) => {
    const log: string[] = [];
    const policy = compose(make('a', log), make('b', log), make('c', log));

    const result = await policy.execute(() => {
      log.push('work');
      return 42;
    });

    expect(result).toBe(42);
    expect(log.join(' ')).toBe('> a > b > c work < c < b < a');
  });

  it('is only a call when it is of none', async () => {
    const { signal } = new AbortController();

    expect(await compose().execute(({ attempt, remainingMs }) => [attempt, remainingMs])).toEqual([
      1,
      Number.POSITIVE_INFINITY,
    ]);
    await expect(compose().execute(() => Promise.reject('late'))).rejects.toBe('late');
    const thrown = compose().execute(() => {
      throw new Error('at once');
    }, signal);
    await expect(thrown).rejects.toThrow('at once');
  });

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [{}, 'an object'],
    [{ execute: 1 }, 'an object'],
    [() => {}, 'a function'],
  ])('refuses %j, which has no execute', (policy, what) => {
    expect(() => compose(policy as never)).toThrow(
      `A policy has an execute method, but ${what} has none`,
    );
    expect(() => compose(policy as never)).toThrow(TypeError);
  });

  it('is a policy like any other, at any depth', async () => {
    const log: string[] = [];
    const of = (name: string) => new Noting(name, log);
    const nested = compose(of('a'), compose(of('b'), compose()), compose(compose(of('c'))));

    await nested.execute(() => log.push('work'));

    expect(log.join(' ')).toBe('> a > b > c work < c < b < a');
  });

  it('runs many calls at a time without mixing them up', async () => {
    const policy = compose(
      new Noting('a', []),
      foreign('b', []),
      bulkhead({ limit: 3, queue: 100 }),
    );

    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) => policy.execute(async () => index)),
    );

    expect(results).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });

  // R:H5
  it('makes no signal when nobody reads one', async () => {
    const made: AbortController[] = [];
    const Original = globalThis.AbortController;
    globalThis.AbortController = class extends Original {
      constructor() {
        super();
        made.push(this);
      }
    };
    try {
      const policy = compose(new Noting('a', []), bulkhead({ limit: 1 }), new Noting('b', []));
      await policy.execute(() => 1);
      expect(made).toHaveLength(0);
      await policy.execute(({ signal }) => signal.aborted);
      expect(made.length).toBeGreaterThan(0);
    } finally {
      globalThis.AbortController = Original;
    }
  });

  it('tells who is bound to an Env, foreign policies too if they want to know', () => {
    const env = new SimEnv();
    const told: unknown[] = [];
    const listening: Policy = {
      execute: async (fn) => fn({} as never),
      bind: (to) => told.push(to),
    };
    const own = new Noting('a', []);

    compose(own, compose(listening, foreign('b', []))).bind(env);

    expect([own.env, told]).toEqual([env, [env]]);
  });
});

describe('a foreign policy inside of compose', () => {
  const executionOf = (policy: Policy, call: Call): Promise<Execution> =>
    compose(new Noting('own', []), policy, new Noting('own', [])).run(
      (execution) => execution,
      call,
    );

  it('keeps what is known of the call: attempt, remaining time and target', async () => {
    const env = new SimEnv();
    const target = { choose: () => 'ann' };
    const call = new Call(env, undefined, { attempt: 3, deadline: 500 }, target);

    const inner = (await executionOf(foreign('b', []), call)) as Call;

    expect([inner.attempt, inner.remainingMs, inner.target]).toEqual([3, 500, target]);
  });

  it('counts the calls of a policy that calls again', async () => {
    const attempts: number[] = [];
    const thrice: Policy = {
      execute: async (fn) => {
        await fn({} as never);
        await fn({} as never);
        return fn({} as never);
      },
    };

    await compose(thrice).execute(({ attempt }) => attempts.push(attempt));

    expect(attempts).toEqual([1, 2, 3]);
  });

  it('hears of the abort outside, and the work of both, with the reason of the outer one', async () => {
    const [outer, inner] = [new AbortController(), new AbortController()];
    const heard: unknown[] = [];
    const policy: Policy = {
      execute: (fn, signal) => {
        // As other libraries do it: a signal of their own, which drops the reason.
        signal?.addEventListener('abort', () => inner.abort());
        return Promise.resolve(fn({ signal: inner.signal } as never));
      },
    };
    const wait: Work<unknown> = ({ signal }) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));

    const first = compose(policy).execute(wait, outer.signal);
    outer.abort('of the caller');
    heard.push(await first);
    const second = compose({
      execute: (fn) => Promise.resolve(fn({ signal: inner.signal } as never)),
    } as Policy);
    heard.push(await second.execute(({ signal }) => signal.reason));

    expect(heard).toEqual(['of the caller', inner.signal.reason]);
  });

  it('is not called when the call is aborted already', async () => {
    let called = false;
    const policy: Policy = {
      execute: async (fn) => {
        called = true;
        return fn({} as never);
      },
    };

    await expect(compose(policy).execute(() => 1, AbortSignal.abort('over'))).rejects.toBe('over');
    const inner = new Call(new SimEnv());
    inner.abort('over inside');
    await expect(compose(policy).run(() => 1, inner)).rejects.toBe('over inside');
    expect(called).toBe(false);
  });

  it('leaves no listener on a signal of its own, nor on that of the caller', async () => {
    const signals = [new AbortController().signal, new AbortController().signal];
    let listeners = 0;
    for (const signal of signals) {
      const [add, remove] = [signal.addEventListener, signal.removeEventListener];
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listeners++;
        return add.apply(signal, args);
      };
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listeners--;
        return remove.apply(signal, args);
      };
    }
    const [outer, own] = signals as [AbortSignal, AbortSignal];
    const lasting: Policy = { execute: async (fn) => fn({ signal: own }) };

    const results = await Promise.allSettled([
      compose(lasting).execute(({ signal }) => signal.aborted, outer),
      compose(lasting).execute(async ({ signal }) => signal.aborted, outer),
      compose(lasting).execute(({ signal }) => Promise.reject(signal.aborted), outer),
    ]);

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(listeners).toBe(0);
  });

  it('rejects with what it throws, at once or later', async () => {
    const throwing: Policy = {
      execute: () => {
        throw new Error('no promise');
      },
    };

    await expect(compose(throwing).execute(() => 1)).rejects.toThrow('no promise');
    await expect(compose(foreign('a', [])).execute(() => Promise.reject('late'))).rejects.toBe(
      'late',
    );
  });

  // R:H4
  it('leaves its work in its slot when it gives it up', async () => {
    const seats = bulkhead({ limit: 1 });
    const impatient: Policy = {
      execute: async (fn) => {
        void fn({} as never);
        throw new Error('too long');
      },
    };
    let end: (value: unknown) => void = () => {};
    const work = () => new Promise((resolve) => (end = resolve));

    await expect(compose(seats, impatient).execute(work)).rejects.toThrow('too long');
    expect(seats.inspect().running).toBe(1);

    end(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(seats.inspect().running).toBe(0);
  });
});
