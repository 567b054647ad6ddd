import { describe, expect, it } from 'vitest';
import {
  type Context,
  chain,
  first,
  mapReduce,
  NOT_MINE,
  parallel,
  type WorkflowTimeoutError,
} from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, hang, outcomeOf } from './books.ts';

describe.each(['real', 'simulated'] as const)('parallel with a bus, on the %s Env', (env) => {
  // R:F:F2
  it('asks as the agent it is given', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('clerk').serve('who', (request) => `${request.from} asks`);
    const asker = bus.register('asker');

    const asked = parallel(
      {
        one: (work) => work.request('who', 1),
        all: async (work) => (await work.gather('who', 1)).ok.map(({ value }) => value),
        host: () => bus.request('who', 1),
      },
      { as: asker },
    );
    await settle();

    expect(await asked).toEqual({ one: 'asker asks', all: ['asker asks'], host: '$host asks' });
    expectBalanced(bus);
  });

  it('inherits conversation and depth from the context it is given', async () => {
    const { bus, settle } = makeBus(env);
    const seen: unknown[] = [];
    bus.register('clerk').serve('who', ({ correlationId, causationId }) => {
      seen.push([correlationId, causationId]);
    });
    let id = '';
    bus.register('asker').serve('all', (request, context) => {
      id = request.id;
      return parallel([(work) => work.request('who', 1)], { as: context });
    });

    const asked = bus.request('all', 1, { correlationId: 'talk' });
    await settle();
    await asked;

    expect(seen).toEqual([['talk', id]]);
  });

  it('calls off what it asked when another task fails', async () => {
    const { bus, settle } = makeBus(env);
    const reasons: unknown[] = [];
    bus.register('slow').serve('slow', (_request, context) => {
      context.signal.addEventListener('abort', () => reasons.push(context.signal.reason.code));
      return hang();
    });
    bus.register('bad').serve('bad', () => Promise.reject(new Error('no')));

    const asked = parallel(
      { slow: (work) => work.request('slow', 1), bad: (work) => work.request('bad', 1) },
      { as: bus, mode: 'first-error' },
    );
    const outcome = outcomeOf(asked);
    await settle();

    expect(outcome.now()).toMatchObject({ error: { code: 'TELLASK_WORKFLOW' } });
    expect(reasons).toEqual(['TELLASK_CANCELLED']);
    expectBalanced(bus);
  });

  it("calls off a stream and what has a signal of the caller's own", async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.register('counter').serve('count', async function* (_request, context) {
      context.signal.addEventListener('abort', () => log.push('counter is told'));
      yield 1;
      await hang();
    });
    bus.register('slow').serve('slow', (_request, context) => {
      context.signal.addEventListener('abort', () => log.push('slow is told'));
      return hang();
    });
    const [mine, all] = [new AbortController(), new AbortController()];

    const asked = parallel(
      {
        count: async (work) => {
          for await (const n of work.stream('count', 1)) log.push(`${n}`);
        },
        slow: (work) => work.request('slow', 1, { signal: mine.signal }),
      },
      { as: bus, signal: all.signal, mode: 'settle' },
    );
    await settle();
    all.abort(new Error('enough'));
    await settle();

    expect(await asked).toMatchObject({ reason: 'withdrawn', cancelled: [{}, {}] });
    expect(log.toSorted()).toEqual(['1', 'counter is told', 'slow is told']);
    expectBalanced(bus);
  });

  it("leaves no listener on a signal of the caller's own", async () => {
    const { bus, settle } = makeBus(env);
    bus.register('clerk').serve('q', async function* () {
      yield 1;
    });
    const { signal } = new AbortController();
    let listeners = 0;
    for (const [name, step] of [
      ['addEventListener', 1],
      ['removeEventListener', -1],
    ] as const) {
      const original = signal[name].bind(signal) as (...args: unknown[]) => void;
      Object.assign(signal, {
        [name]: (...args: unknown[]) => {
          listeners += step;
          original(...args);
        },
      });
    }

    const asked = parallel(
      [
        (work) => work.request('q', 1, { signal }),
        (work) => work.gather('q', 1, { signal }),
        (work) => work.stream('q', 1, { signal }).result,
      ],
      { as: bus, mode: 'settle' },
    );
    await settle();

    expect((await asked).failed).toEqual([]);
    expect(listeners).toBe(0);
  });

  it("lets the caller's own signal end one request and no other", async () => {
    const { bus, settle } = makeBus(env);
    bus.register('slow', { concurrency: 2 }).serve('slow', hang);
    const mine = new AbortController();

    const asked = parallel(
      { slow: (work) => work.request('slow', 1, { signal: mine.signal }), quick: () => 1 },
      { as: bus, mode: 'settle' },
    );
    await settle();
    mine.abort(new Error('not this one'));
    await settle();

    expect(await asked).toMatchObject({ ok: { quick: 1 }, failed: [{ task: 'slow' }] });
  });

  it('ends with the handler whose context it was given', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.register('slow').serve('slow', hang);
    bus.register('asker').serve('all', async (_request, context) => {
      const { cancelled, reason } = await parallel([(work) => work.request('slow', 1)], {
        as: context,
        mode: 'settle',
      });
      log.push(`${reason} ${cancelled.length}`);
    });
    const controller = new AbortController();

    const asked = outcomeOf(bus.request('all', 1, { signal: controller.signal }));
    await settle();
    controller.abort(new Error('never mind'));
    await settle();

    expect(asked.now()).toMatchObject({ error: { message: 'never mind' } });
    expect(log).toEqual(['withdrawn 1']);
    expectBalanced(bus);
  });

  it('works inside of a task of another one', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('clerk', { concurrency: 2 }).serve('double', ({ payload }) => Number(payload) * 2);

    const asked = parallel(
      [
        (work) =>
          parallel([(inner) => inner.request('double', 1), (inner) => inner.request('double', 2)], {
            as: work,
          }),
      ],
      { as: bus },
    );
    await settle();

    expect(await asked).toEqual([[2, 4]]);
  });
});

describe.each(['real', 'simulated'] as const)('mapReduce with a bus, on the %s Env', (env) => {
  // R:F:F3
  it('has at most so many open requests, and reduces in the order of the items', async () => {
    const { bus, settle } = makeBus(env);
    let most = 0;
    bus.register('clerk', { concurrency: 9 }).serve('double', async ({ payload }) => {
      most = Math.max(most, bus.inspect().inFlight);
      await Promise.resolve();
      return Number(payload) * 2;
    });

    const asked = mapReduce([1, 2, 3, 4, 5, 6], {
      map: (n, work) => work.request('double', n),
      reduce: (values) => values.join(' '),
      concurrency: 2,
      as: bus,
    });
    await settle();

    expect(await asked).toBe('2 4 6 8 10 12');
    expect(most).toBe(2);
    expectBalanced(bus);
  });

  it('maps with the context of a handler, and keeps what the responder threw', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('clerk').serve('root', ({ payload }) => {
      if (Number(payload) < 0) throw new RangeError('no root');
      return Math.sqrt(Number(payload));
    });
    bus.register('asker').serve('roots', (request, context) =>
      mapReduce(request.payload as number[], {
        map: (n, work) => work.request('root', n),
        reduce: (roots) => roots,
        mode: 'settle',
        as: context,
      }),
    );

    const asked = bus.request('roots', [4, -1, 9]);
    await settle();

    expect(await asked).toMatchObject({
      value: [2, 3],
      failed: [{ task: 1, error: new RangeError('no root'), items: [-1] }],
    });
  });

  it('reads a stream no faster than it works', async () => {
    const { bus, settle } = makeBus(env);
    let made = 0;
    bus.register('counter').serve('count', async function* () {
      for (;;) {
        made += 1;
        yield made;
      }
    });
    const stop = new AbortController();

    const asked = mapReduce(bus.stream('count', 1, { highWaterMark: 1 }), {
      map: () => hang(),
      reduce: (values) => values,
      concurrency: 2,
      mode: 'settle',
      signal: stop.signal,
    });
    await settle();
    const soFar = made;
    stop.abort(new Error('enough'));
    await settle();

    expect(soFar).toBeLessThanOrEqual(6);
    expect((await asked).cancelled).toHaveLength(3);
    expect(bus.inspect()).toMatchObject({ inFlight: 0 });
    expectBalanced(bus);
  });
});

describe.each(['real', 'simulated'] as const)('a chain with a bus, on the %s Env', (env) => {
  // R:F:F4
  it('asks agents until one says that it is theirs', async () => {
    const { bus, settle } = makeBus(env);
    const asked: string[] = [];
    for (const [name, words] of Object.entries({ billing: ['bill'], law: ['court', 'bill'] })) {
      bus.register(name).serve(`${name}.handle`, ({ payload, from }) => {
        asked.push(`${name} by ${from}`);
        return words.some((word) => String(payload).includes(word)) ? `${name} did it` : NOT_MINE;
      });
    }
    const desk = chain<string, unknown>([
      { topic: 'billing.handle', name: 'billing' },
      { topic: 'law.handle', to: 'law' },
    ]);
    const clerk = bus.register('clerk');

    const [court, tea] = [
      desk.run('a day in court', { as: clerk }),
      desk.run('a cup of tea', { as: clerk }).catch((error) => error.declined),
    ];
    await settle();

    expect(await court).toBe('law did it');
    expect(await tea).toEqual(['billing', 'law.handle']);
    expect(asked.toSorted()).toEqual([
      'billing by clerk',
      'billing by clerk',
      'law by clerk',
      'law by clerk',
    ]);
    expectBalanced(bus);
  });

  it('fails when a link asks and nobody was given who speaks', async () => {
    await expect(chain([{ topic: 'q' }]).run(1)).rejects.toThrow(
      'Nobody speaks here: give the workflow the option as: an agent, a context or a bus',
    );
  });
});

describe('parallel with a bus, in time', () => {
  // R:F3
  it.each([
    [undefined, 1_000],
    [5_000, 1_000],
    [200, 200],
  ])('lets a request with timeoutMs %j wait %d of 1 000 ms', async (timeoutMs, expected) => {
    const t = createTestBus();
    const seen: number[] = [];
    t.bus.register('clerk').serve('q', (_request, context: Context) => {
      seen.push(context.remainingMs);
    });

    const options = timeoutMs === undefined ? {} : { timeoutMs };
    const asked = parallel([(work) => work.request('q', 1, options)], {
      as: t.bus,
      timeoutMs: 1_000,
    });
    await t.run();

    await asked;
    expect(seen).toEqual([expected]);
  });

  it('never lasts longer than the handler whose context it was given', async () => {
    const t = createTestBus();
    const seen: unknown[] = [];
    t.bus.register('slow').serve('slow', (_request, context) => {
      seen.push(context.remainingMs);
      return hang();
    });
    t.bus.register('asker').serve('all', (_request, context) =>
      parallel([(work) => work.request('slow', 1)], { as: context, timeoutMs: 60_000 }).catch(
        (error) => {
          seen.push(t.clock.nowMs, error.code);
          throw error;
        },
      ),
    );

    const asked = outcomeOf(t.bus.request('all', 1, { timeoutMs: 2_000 }));
    await t.clock.advance(2_000);

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_TIMEOUT' } });
    // The time of the asker, of the handler and of the request is over at one instant.
    expect(seen).toEqual([2_000, 2_000, expect.stringMatching(/^TELLASK_(HANDLER_)?TIMEOUT$/)]);
    expectBalanced(t.bus);
  });

  it('names in its time-out what is open, and tells the responders', async () => {
    const t = createTestBus();
    const told: unknown[] = [];
    t.bus.register('slow').serve('slow', (_request, context) => {
      context.signal.addEventListener('abort', () => told.push(t.clock.nowMs));
      return hang();
    });
    t.bus.register('quick').serve('quick', () => 1);

    const asked = parallel(
      { quick: (work) => work.request('quick', 1), slow: (work) => work.request('slow', 1) },
      { as: t.bus, timeoutMs: 300 },
    ).catch((error: WorkflowTimeoutError) => [error.ok, error.pending]);
    await t.clock.advance(300);

    expect(await asked).toEqual([{ quick: 1 }, ['slow']]);
    expect(told).toEqual([300]);
    expectBalanced(t.bus);
  });

  it('takes the first of many answers with gather', async () => {
    const t = createTestBus();
    for (const name of ['a', 'b']) t.bus.register(name).serve('q', () => name);

    const asked = parallel(
      { any: (work) => work.gather('q', 1, { until: first() }) },
      { as: t.bus },
    );
    await t.run();

    // What has come at the same moment is kept.
    expect((await asked).any).toMatchObject({ reason: 'enough' });
    expect((await asked).any.ok.length).toBeGreaterThan(0);
  });
});
