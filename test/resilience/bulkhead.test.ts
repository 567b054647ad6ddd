import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BulkheadFullError, type BulkheadOptions, bulkhead, compose } from '../../src/index.ts';
import { Call } from '../../src/resilience/call.ts';
import { OwnPolicy, type Work } from '../../src/resilience/policy.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { Jobs, policyEnv } from './policy-env.ts';

/** Gives up on what it calls when it is told to: an aggressive time-out without a clock. */
class GivesUp extends OwnPolicy {
  giveUp: () => void = () => {};

  constructor() {
    super(undefined);
  }

  async run<T>(fn: Work<T>, call: Call): Promise<T> {
    const below = call.below();
    const work = (async () => fn(below))();
    const given = new Promise<never>((_resolve, reject) => {
      this.giveUp = () => {
        call.leaveBehind(work);
        reject(new Error('too long'));
      };
    });
    return Promise.race([work, given]);
  }
}

const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    (value) => `${value}`,
    (error: unknown) => `${error}`,
  );

describe.each(['real', 'simulated'] as const)('a bulkhead, on the %s Env', (name) => {
  const make = (options: BulkheadOptions) => {
    const { env, settle } = policyEnv(name);
    return { seats: bulkhead({ ...options, env }), env, settle, jobs: new Jobs() };
  };

  // R:H4
  it('starts who waits in the order in which they came, one for each slot that is freed', async () => {
    const { seats, settle, jobs } = make({ limit: 2, queue: 3 });
    const calls = ['a', 'b', 'c', 'd', 'e'].map((call) => seats.execute(jobs.job(call)));

    expect(jobs.log).toEqual(['a starts', 'b starts']);
    for (const call of ['b', 'a', 'c', 'e', 'd']) {
      jobs.end(call);
      await settle();
    }

    expect(jobs.log.slice(2).join(', ')).toBe(
      'b ends, c starts, a ends, d starts, c ends, e starts, e ends, d ends',
    );
    expect(await Promise.all(calls)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(seats.inspect()).toEqual({ running: 0, queued: 0 });
  });

  // R:H4
  it('lets no newcomer overtake, also not in the turn in which a slot is freed', async () => {
    const { seats, settle, jobs } = make({ limit: 1, queue: Infinity });
    const first = seats.execute(jobs.job('first'));
    void seats.execute(jobs.job('second'));
    const third = first.then(() => {
      void seats.execute(jobs.job('third'));
    });

    jobs.end('first');
    // Whoever comes in any microtask of this turn comes after who waits.
    for (let turn = 0; turn < 10; turn++) {
      void seats.execute(jobs.job(`later ${turn}`));
      await null;
    }
    await Promise.all([third, settle()]);

    expect(jobs.log).toEqual(['first starts', 'first ends', 'second starts']);
    expect(seats.inspect()).toEqual({ running: 1, queued: 11 });
  });

  it.each([
    [
      'no queue, which is the default',
      {},
      'BulkheadFullError: The bulkhead is full: 1 run and 0 wait',
    ],
    ['a full queue', { queue: 2 }, 'BulkheadFullError: The bulkhead is full: 1 run and 2 wait'],
  ])('turns away at once who finds %s', async (_case, options, expected) => {
    const { seats, settle, jobs } = make({ limit: 1, ...options });
    const calls = ['a', 'b', 'c', 'd'].map((call) => seats.execute(jobs.job(call)));
    for (const call of calls.slice(0, -1)) call.catch(() => {});

    const last = calls.at(-1) as Promise<string>;

    expect(await outcome(last)).toBe(expected);
    expect(await last.catch((error: unknown) => error)).toMatchObject({
      code: 'TELLASK_BULKHEAD_FULL',
      retryable: true,
      limit: 1,
    });
    expect(jobs.log).toEqual(['a starts']);
    await settle();
  });

  // R:H4
  it('lets an aborted call leave the queue at once, with the reason, and never starts it', async () => {
    const { seats, settle, jobs } = make({ limit: 1, queue: 2 });
    const controller = new AbortController();
    void seats.execute(jobs.job('a'));
    const gone = outcome(seats.execute(jobs.job('b'), controller.signal));
    void seats.execute(jobs.job('c'));

    controller.abort('no longer needed');

    expect(seats.inspect()).toEqual({ running: 1, queued: 1 });
    expect(await gone).toBe('no longer needed');
    jobs.end('a');
    await settle();
    expect(jobs.log).toEqual(['a starts', 'a ends', 'c starts']);
  });

  it('starts nothing for a call that is aborted already', async () => {
    const { seats, jobs } = make({ limit: 1 });

    expect(await outcome(seats.execute(jobs.job('a'), AbortSignal.abort('over')))).toBe('over');
    const inner = new Call(policyEnv(name).env);
    inner.abort('over inside');
    expect(await outcome(seats.run(jobs.job('a'), inner))).toBe('over inside');
    expect([jobs.log, seats.inspect().running]).toEqual([[], 0]);
  });

  it('holds the slot of an aborted call until its work has ended', async () => {
    const { seats, settle, jobs } = make({ limit: 1, queue: 1 });
    const controller = new AbortController();
    void seats.execute(jobs.job('deaf'), controller.signal);
    void seats.execute(jobs.job('next'));

    controller.abort('enough');
    await settle();

    expect(jobs.log).toEqual(['deaf starts']);
    jobs.end('deaf');
    await settle();
    expect(jobs.log).toEqual(['deaf starts', 'deaf ends', 'next starts']);
  });

  // R:H4
  it('holds the slot of work that was given up inside of it, until that work has ended', async () => {
    const { seats, settle, jobs } = make({ limit: 1, queue: 1 });
    const inner = new GivesUp();
    const given = outcome(compose(seats, inner).execute(jobs.job('slow')));
    void seats.execute(jobs.job('next'));

    inner.giveUp();
    expect(await given).toBe('Error: too long');
    await settle();

    expect(seats.inspect()).toEqual({ running: 1, queued: 1 });
    jobs.end('slow', new Error('nobody hears it'));
    await settle();
    expect(jobs.log).toEqual(['slow starts', 'slow ends', 'next starts']);
  });

  // R:H4
  it('holds the slot of work that was given up outside of it, until that work has ended', async () => {
    const { seats, settle, jobs } = make({ limit: 1, queue: 1 });
    const outer = new GivesUp();
    const given = outcome(compose(outer, seats).execute(jobs.job('slow')));
    void seats.execute(jobs.job('next'));

    outer.giveUp();
    expect(await given).toBe('Error: too long');
    await settle();

    expect(seats.inspect()).toEqual({ running: 1, queued: 1 });
    jobs.end('slow');
    await settle();
    expect(jobs.log.at(-1)).toBe('next starts');
  });

  it('gives the slot back whatever the work does', async () => {
    const { seats } = make({ limit: 1 });
    const works: Work<unknown>[] = [
      () => 'a value',
      () => Promise.reject(new Error('late')),
      () => {
        throw new Error('at once');
      },
      // biome-ignore lint/suspicious/noThenProperty: what user code may return
      () => ({ then: (_: unknown, reject: (error: string) => void) => reject('a thenable') }),
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: what user code may return
        get then(): never {
          throw new Error('hostile');
        },
      }),
    ];

    const outcomes: string[] = [];
    for (const work of works) outcomes.push(await outcome(seats.execute(work)));

    expect(outcomes).toEqual([
      'a value',
      'Error: late',
      'Error: at once',
      'a thenable',
      'Error: hostile',
    ]);
    expect(seats.inspect()).toEqual({ running: 0, queued: 0 });
  });

  it('takes ten thousand calls that end at once, inside of each other too', async () => {
    const { seats, settle } = make({ limit: 1, queue: Infinity });
    let done = 0;
    const again = (left: number): Promise<unknown> =>
      seats.execute(() => {
        done++;
        if (left > 0) again(left - 1).catch(() => {});
      });

    const calls = Array.from({ length: 10_000 }, () => seats.execute(() => done++));
    void again(100);
    while (seats.inspect().queued > 0) await settle();
    await Promise.all(calls);

    expect(done).toBe(10_101);
  });

  it('never starts work whose time is over, and starts the next instead', async () => {
    const { seats, env, settle, jobs } = make({ limit: 1, queue: 2 });
    const late = new Call(env, undefined, { deadline: env.now() + 1 });
    void seats.execute(jobs.job('a'));
    const gone = outcome(seats.run(jobs.job('late'), late));
    void seats.execute(jobs.job('c'));

    while (late.remainingMs > 0) {
      if (env instanceof SimEnv) await env.advance(1);
      await settle();
    }
    jobs.end('a');
    await settle();

    expect(await gone).toContain('BulkheadFullError');
    expect(jobs.log).toEqual(['a starts', 'a ends', 'c starts']);
    expect(await outcome(seats.run(jobs.job('dead'), late))).toContain('BulkheadFullError');
  });
});

describe('a bulkhead', () => {
  it.each([
    [undefined, 'bulkhead must be an object of options, but it is undefined'],
    [{}, 'bulkhead.limit must be a number, but it is undefined'],
    [{ limit: 0 }, 'bulkhead.limit must be a whole number from 1, or Infinity, but it is 0'],
    [{ limit: 1.5 }, 'bulkhead.limit must be a whole number from 1, or Infinity, but it is 1.5'],
    [
      { limit: 1, queue: -1 },
      'bulkhead.queue must be a whole number from 0, or Infinity, but it is -1',
    ],
    [
      { limit: 1, queue: Number.NaN },
      'bulkhead.queue must be a whole number from 0, or Infinity, but it is NaN',
    ],
    [{ limit: 1, size: 2 }, 'bulkhead has no option size; it has limit, queue, env'],
  ])('refuses %j', (options, message) => {
    expect(() => bulkhead(options as never)).toThrow(message);
  });

  // R:H4
  it('keeps its limit, its order and its books in any sequence of comings, endings and aborts', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant('come' as const) },
      { weight: 2, arbitrary: fc.constant('end' as const) },
      fc.constant('abort' as const),
      fc.constant('settle' as const),
    );
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 3 }),
      fc.array(fc.tuple(step, fc.nat(10)), { maxLength: 40 }),
      async (limit, queue, steps) => {
        const env = new SimEnv();
        const seats = bulkhead({ limit, queue, env });
        const running = new Map<number, () => void>();
        const waiting = new Map<number, AbortController>();
        const started: number[] = [];
        let comers = 0;
        let refused = 0;
        for (const [what, which] of steps) {
          if (what === 'settle') await env.settle();
          if (what === 'end') {
            const id = [...running.keys()][which % Math.max(1, running.size)];
            if (id !== undefined) running.get(id)?.();
            if (id !== undefined) running.delete(id);
          }
          if (what === 'abort') {
            const id = [...waiting.keys()][which % Math.max(1, waiting.size)];
            if (id !== undefined) waiting.get(id)?.abort(id);
            if (id !== undefined) waiting.delete(id);
          }
          if (what !== 'come') continue;
          const id = ++comers;
          const controller = new AbortController();
          waiting.set(id, controller);
          const work = () => {
            waiting.delete(id);
            started.push(id);
            return new Promise<void>((resolve) => running.set(id, resolve));
          };
          seats.execute(work, controller.signal).catch((error: unknown) => {
            if (error instanceof BulkheadFullError) refused++;
            waiting.delete(id);
          });
          expect(running.size).toBeLessThanOrEqual(limit);
          expect(seats.inspect().queued).toBeLessThanOrEqual(queue);
        }
        await env.settle();
        expect(seats.inspect()).toEqual({ running: running.size, queued: waiting.size });
        expect(waiting.size === 0 || running.size === limit).toBe(true);
        expect(started).toEqual([...started].sort((a, b) => a - b));
        expect(refused + started.length + waiting.size).toBeLessThanOrEqual(comers);
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });

  it('starts by a step of the simulation, so that other steps may come before', async () => {
    const env = new SimEnv();
    const seats = bulkhead({ limit: 1, queue: 1, env });
    const jobs = new Jobs();
    void seats.execute(jobs.job('a'));
    void seats.execute(jobs.job('b'));

    jobs.end('a');
    await new Promise((resolve) => setImmediate(resolve));

    expect([env.readyLanes(), jobs.log]).toEqual([['bulkhead'], ['a starts', 'a ends']]);
    env.step();
    expect(jobs.log.at(-1)).toBe('b starts');
  });

  it('leaves no listener on a signal that outlives its calls', async () => {
    const seats = bulkhead({ limit: 1, queue: 5 });
    const { signal } = new AbortController();
    let listeners = 0;
    const [add, remove] = [signal.addEventListener, signal.removeEventListener];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      return add.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      return remove.apply(signal, args);
    };

    const calls = [1, 2, 3].map((value) => seats.execute(() => value, signal));
    expect(listeners).toBe(1);

    expect(await Promise.all(calls)).toEqual([1, 2, 3]);
    expect(listeners).toBe(0);
  });
});
