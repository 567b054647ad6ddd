import { describe, expect, it } from 'vitest';
import {
  type BatchContext,
  BatchResultError,
  defineContract,
  type Message,
  type MessageBus,
  type SubscribeBatchOptions,
} from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, gate, hang, outcomeOf } from './books.ts';

interface Job {
  readonly id?: string;
  readonly n: number;
}

const jobOf = ({ payload }: { payload: unknown }): Job => payload as Job;
const key = (message: { payload: unknown }): unknown => jobOf(message).id;
const numbersOf = (messages: readonly Message[]): number[] => messages.map((m) => jobOf(m).n);

/** Collects in `log` the numbers of every batch. */
function collect(bus: MessageBus, options: SubscribeBatchOptions, log: number[][] = []) {
  const agent = bus.register('a');
  const handle = agent.subscribeBatch('x', (messages) => void log.push(numbersOf(messages)), {
    ...options,
  });
  return { agent, handle, log };
}

/** What a promise becomes while the bus runs: on simulated time nothing runs by itself. */
async function during<T>(settle: () => Promise<void>, promise: Promise<T>): Promise<T> {
  await settle();
  return promise;
}

function publish(bus: MessageBus, ...numbers: number[]) {
  return numbers.map((n) => bus.publish('x', { n }));
}

// F:B16
describe.each(['real', 'simulated'] as const)('batches, on the %s Env', (env) => {
  it('hands over what is there when the agent is free, at most max at a time', async () => {
    const { bus, settle } = makeBus(env);
    const { log } = collect(bus, { batch: { max: 2, waitMs: 0 } });

    const receipts = publish(bus, 1, 2, 3);
    await settle();

    expect(log).toEqual([[1, 2], [3]]);
    expect((await receipts[2]?.settled)?.handled).toBe(1);
    expect(bus.inspect()).toMatchObject({ handled: 3, queued: 0, inFlight: 0 });
    expectBalanced(bus);
  });

  it('waits for a batch to be full, and counts what waits as queued', async () => {
    const { bus, settle } = makeBus(env);
    const { log } = collect(bus, { batch: { max: 3, waitMs: Infinity } });

    publish(bus, 1, 2);
    await settle();
    expect(log).toEqual([]);
    expect(bus.inspect()).toMatchObject({ queued: 2, admitted: 2 });
    expectBalanced(bus);
    publish(bus, 3, 4);
    await settle();

    expect(log).toEqual([[1, 2, 3]]);
    expect(bus.inspect()).toMatchObject({ queued: 1, handled: 3 });
    await during(settle, bus.close({ mode: 'abort' }));
    expect(bus.inspect()).toMatchObject({ queued: 0, cancelled: 1 });
  });

  it('lets who comes while the agent is busy come along in the next batch', async () => {
    const { bus, settle } = makeBus(env);
    const log: number[][] = [];
    const first = gate();
    bus.register('a').subscribeBatch(
      'x',
      async (messages) => {
        log.push(numbersOf(messages));
        await first.opened;
      },
      { batch: { max: 3, waitMs: 0 } },
    );

    publish(bus, 1);
    await settle();
    publish(bus, 2);
    await settle();
    publish(bus, 3, 4, 5);
    await settle();
    expect(bus.agents()[0]).toMatchObject({ running: 1, queued: 4 });
    first.open();
    await settle();

    expect(log).toEqual([[1], [2, 3, 4], [5]]);
    expectBalanced(bus);
  });

  it('runs as many batches side by side as the agent has slots', async () => {
    const { bus, settle } = makeBus(env);
    const log: number[][] = [];
    const held = gate();
    bus.register('a', { concurrency: 2 }).subscribeBatch(
      'x',
      async (messages) => {
        log.push(numbersOf(messages));
        await held.opened;
      },
      { batch: { max: 2, waitMs: 0 } },
    );

    publish(bus, 1, 2, 3, 4, 5);
    await settle();

    expect(log).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(bus.inspect()).toMatchObject({ inFlight: 4, queued: 1 });
    expect(bus.agents()[0]).toMatchObject({ running: 2 });
    held.open();
    await settle();
    expect(log).toHaveLength(3);
  });

  // F:B2
  it('stands in the mailbox with the priority of its most urgent message', async () => {
    const { bus, settle } = makeBus(env);
    const { log, agent } = collect(bus, { batch: { max: 3, waitMs: 0 } });
    agent.subscribe('y', (message) => void log.push([jobOf(message).n]));
    agent.pause();

    bus.publish('x', { n: 1 });
    bus.publish('y', { n: 2 }, { priority: 'high' });
    bus.publish('x', { n: 3 }, { priority: 'critical' });
    bus.publish('x', { n: 4 }, { priority: 'low' });
    agent.resume();
    await settle();

    expect(log).toEqual([[3, 1, 4], [2]]);
    expectBalanced(bus);
  });

  // R:B5
  it('holds one key in a batch, one batch of a key at a time and in order', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const held = gate();
    bus.register('a', { concurrency: 5 }).subscribeBatch(
      'x',
      async (messages) => {
        log.push(messages.map((m) => `${jobOf(m).id ?? '-'}${jobOf(m).n}`).join(' '));
        await held.opened;
      },
      { key, batch: { max: 2, waitMs: 0 } },
    );

    for (const n of [1, 2, 3]) for (const id of ['p', 'q']) bus.publish('x', { id, n });
    bus.publish('x', { id: 'p', n: 4 }, { priority: 10 });
    for (const n of [1, 2, 3]) bus.publish('x', { n });
    await settle();
    expect(log.slice().sort()).toEqual(['-1 -2', '-3', 'p1 p2', 'q1 q2']);
    held.open();
    await settle();

    expect(log.slice(4).sort()).toEqual(['p3 p4', 'q3']);
    expectBalanced(bus);
  });

  // R:B5
  it('keeps a key closed while one of its batch waits for a retry', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const failed = new Set<number>();
    bus.subscribeBatch(
      'x',
      (messages) => {
        log.push(messages.map((m) => `${jobOf(m).id}${jobOf(m).n}`).join(' '));
        return messages.map((m) => {
          const { n } = jobOf(m);
          if (n % 2 === 1 && n < 4 && !failed.has(n)) return failed.add(n) && new Error('once');
          return undefined;
        });
      },
      { key, batch: { max: 3, waitMs: 0 }, retry: { maxAttempts: 2, baseMs: 0 } },
    );

    for (const n of [1, 2, 3, 4, 5]) bus.publish('x', { id: 'p', n });
    await during(settle, bus.drain());

    expect(log).toEqual(['p1 p2 p3', 'p1 p3 p4', 'p5']);
    expectBalanced(bus);
  });

  it('fails alone the message whose entry is an Error', async () => {
    const { bus, settle } = makeBus(env);
    bus.subscribeBatch('x', (messages) =>
      messages.map((m) => (jobOf(m).n === 2 ? new Error('two') : 0)),
    );

    const receipts = publish(bus, 1, 2, 3);
    await during(settle, bus.drain());

    expect(await Promise.all(receipts.map(async (r) => (await r.settled).handled))).toEqual([
      1, 0, 1,
    ]);
    expect(bus.deadLetters.list()).toMatchObject([{ reason: 'handler-error', attempts: 1 }]);
  });

  it.each([
    [
      'an Error that is thrown',
      () => {
        throw new Error('all');
      },
      'all',
    ],
    [
      'a promise that rejects',
      async () => {
        throw new Error('all');
      },
      'all',
    ],
    ['an array of another length', () => [1], 'a returned an array of 1 for a batch of 2'],
    [
      'an array that throws when it is read',
      () =>
        new Proxy([1, 2], {
          get: () => {
            throw new Error('proxy');
          },
        }),
      'proxy',
    ],
  ] as const)('fails all of the batch by %s', async (_what, handle, says) => {
    const { bus, settle } = makeBus(env);
    bus.register('a').subscribeBatch('x', handle);

    publish(bus, 1, 2);
    await during(settle, bus.drain());

    expect(bus.deadLetters.list().map(({ error }) => error?.message)).toEqual([says, says]);
    expectBalanced(bus);
  });

  it('takes what is no array for success', async () => {
    const { bus, settle } = makeBus(env);
    bus.subscribeBatch('x', (messages) => messages.length);

    publish(bus, 1, 2);
    await during(settle, bus.drain());

    expect(bus.inspect()).toMatchObject({ handled: 2 });
  });

  it('retries what failed in a later batch, so that poison holds back nobody', async () => {
    const { bus, settle } = makeBus(env);
    const { log, agent } = collect(bus, { batch: { max: 10, waitMs: 0 } });
    agent.subscribeBatch(
      'y',
      (messages) => {
        log.push(numbersOf(messages));
        return messages.map((m) => (jobOf(m).n === 1 ? new Error('poison') : undefined));
      },
      { batch: { max: 2, waitMs: 0 }, retry: { maxAttempts: 2, baseMs: 0 } },
    );

    for (const n of [1, 2, 3, 4]) bus.publish('y', { n });
    await during(settle, bus.drain());

    expect(log).toEqual([[1, 2], [3, 4], [1]]);
    expect(bus.inspect()).toMatchObject({ handled: 3, deadLettered: 1, retries: 1 });
    expect(bus.deadLetters.list()).toMatchObject([{ reason: 'max-attempts', attempts: 2 }]);
    expectBalanced(bus);
  });

  // R:A7
  it.each([1, 2, 3])('starts a batch that fills a mailbox of %i', async (capacity) => {
    const { bus, settle } = makeBus(env);
    const log: number[][] = [];
    bus
      .register('a', { capacity, overflow: 'wait' })
      .subscribeBatch('x', (messages) => void log.push(numbersOf(messages)), {
        batch: { max: 100, waitMs: Infinity },
        retry: { maxAttempts: 2 },
      });

    publish(bus, ...Array.from({ length: 2 * capacity }, (_, n) => n));
    await settle();

    expect(log.flat()).toEqual(Array.from({ length: 2 * capacity }, (_, n) => n));
    expect(Math.max(...log.map((one) => one.length))).toBe(capacity);
    expect(bus.inspect()).toMatchObject({ handled: 2 * capacity, waiting: 0, queued: 0 });
  });

  it('starts the batches of all keys when the mailbox is full', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus
      .register('a', { capacity: 2 })
      .subscribeBatch(
        'x',
        (messages) => void log.push(messages.map((m) => `${jobOf(m).id}${jobOf(m).n}`).join(' ')),
        { key, batch: { max: 10, waitMs: Infinity } },
      );

    bus.publish('x', { id: 'p', n: 1 });
    const last = bus.publish('x', { id: 'q', n: 1 });
    await settle();

    expect(last.overflowed).toEqual([]);
    expect(log).toEqual(['p1', 'q1']);
  });

  it('lets go what waits when the bus is drained or closed', async () => {
    const { bus, settle } = makeBus(env);
    const { log, agent } = collect(bus, { batch: { max: 10, waitMs: Infinity } });
    agent.subscribe('later', (_message, context) => {
      context.publish('y', { n: 3 });
    });
    agent.subscribeBatch('y', (messages) => void log.push(numbersOf(messages)), {
      echo: true,
      batch: { waitMs: 60_000 },
    });

    publish(bus, 1, 2);
    expect(await during(settle, bus.drain({ timeoutMs: 1_000 }))).toBe(true);
    publish(bus, 4);
    bus.publish('later', {});
    const { drained } = await during(settle, bus.close({ timeoutMs: 1_000 }));

    expect(drained).toBe(true);
    expect(log).toEqual([[1, 2], [4], [3]]);
  });

  // R:A3
  it.each(['unsubscribe', 'leave', 'close'] as const)(
    'empties its buffer into outcomes by %s',
    async (how) => {
      const { bus, settle } = makeBus(env);
      const { handle, agent, log } = collect(bus, { key, batch: { max: 3, waitMs: Infinity } });
      const waiting = [1, 2].map((n) => bus.publish('x', { id: 'p', n }));
      agent.pause();
      const due = [3, 4, 5].map((n) => bus.publish('x', { n }));
      await settle();
      expect(bus.inspect()).toMatchObject({ queued: 5 });

      if (how === 'unsubscribe') handle.unsubscribe();
      else if (how === 'leave') await during(settle, agent.leave());
      else await during(settle, bus.close({ mode: 'abort' }));

      const ended = how === 'leave' ? 'deadLettered' : 'cancelled';
      expect(bus.inspect()).toMatchObject({ queued: 0, [ended]: 5 });
      await Promise.all([...waiting, ...due].map(({ settled }) => settled));
      expect(log).toEqual([]);
      expectBalanced(bus);
    },
  );

  it('leaves out who expired while it waited', async () => {
    const { bus, settle } = makeBus(env);
    const { log } = collect(bus, { batch: { max: 4, waitMs: 0 } });

    bus.publish('x', { n: 1 }, { ttlMs: 0 });
    bus.publish('x', { n: 2 });
    bus.publish('x', { n: 3 }, { ttlMs: 0 });
    bus.publish('x', { n: 4 });
    await settle();

    expect(log).toEqual([[2, 4]]);
    expect(bus.inspect()).toMatchObject({ handled: 2, expired: 2 });
    expectBalanced(bus);
  });

  it('begins with no batch while the agent is paused', async () => {
    const { bus, settle } = makeBus(env);
    const { log, agent } = collect(bus, { batch: { max: 10, waitMs: 0 } });
    agent.pause();

    publish(bus, 1, 2);
    await settle();
    expect(log).toEqual([]);
    agent.resume();
    await settle();

    expect(log).toEqual([[1, 2]]);
  });

  it('speaks inside the conversation of one message at a time', async () => {
    const { bus, settle } = makeBus(env);
    const heard: string[] = [];
    const errors: unknown[] = [];
    const agent = bus.register('a');
    agent.subscribeBatch('x', (messages, context) => {
      expect(context).toMatchObject({ agent: 'a', size: 2 });
      for (const message of messages) context.for(message).publish('said', {});
      try {
        context.for({ ...messages[0], id: 'of another batch' } as Message);
      } catch (error) {
        errors.push(error);
      }
    });
    bus.subscribe(
      'said',
      ({ correlationId, causationId }) => void heard.push(`${correlationId} ${causationId}`),
    );

    const receipts = ['one', 'two'].map((correlationId) => bus.publish('x', {}, { correlationId }));
    await during(settle, bus.drain());

    expect(heard).toEqual([`one ${receipts[0]?.id}`, `two ${receipts[1]?.id}`]);
    expect(errors[0]).toBeInstanceOf(TypeError);
  });

  it.each(['bus', 'agent'] as const)(
    'lets a batch close the %s without waiting for itself',
    async (whose) => {
      const { bus, settle } = makeBus(env);
      const log: string[] = [];
      const options = { batch: { max: 2, waitMs: Infinity } };
      const close = async (messages: readonly Message[], context: BatchContext): Promise<void> => {
        await context.for(messages[1] as Message).close();
        log.push('closed');
      };
      if (whose === 'bus') bus.subscribeBatch('x', close, options);
      else bus.register('a').subscribeBatch('x', close, options);

      publish(bus, 1, 2);
      await settle();

      expect(log).toEqual(['closed']);
      expect(bus.inspect()).toMatchObject({ handled: 2, abandoned: 0, agents: 0 });
    },
  );

  it('calls the handler with those whose middleware called next', async () => {
    const { bus, settle } = makeBus(env);
    const { log } = collect(bus, {});
    bus.use({
      name: 'filter',
      handle: async (message, _context, next) => {
        const { n } = jobOf(message);
        if (n === 4) throw new Error('four');
        if (n === 3) await undefined;
        return n === 2 ? undefined : next();
      },
    });

    publish(bus, 1, 2, 3, 4);
    await during(settle, bus.drain());

    expect(log).toEqual([[1, 3]]);
    expect(bus.inspect()).toMatchObject({ handled: 2, cancelled: 1, deadLettered: 1 });
    expectBalanced(bus);
  });

  it('lets a middleware change one result, and drop another without an unhandled rejection', async () => {
    const { bus, settle } = makeBus(env);
    bus.use({
      name: 'rescue',
      handle: (message, _context, next) => {
        const result = next() as Promise<unknown>;
        return jobOf(message).n === 1 ? result.catch(() => 'rescued') : undefined;
      },
    });
    bus.subscribeBatch('x', () => Promise.reject(new Error('no')));

    publish(bus, 1, 2);
    await during(settle, bus.drain());

    expect(bus.inspect()).toMatchObject({ handled: 2, deadLettered: 0 });
  });
});

// F:B16
describe.each(['real', 'simulated'] as const)('serving batches, on the %s Env', (env) => {
  it('answers each request with its own output or error', async () => {
    const { bus, settle } = makeBus(env);
    bus
      .register('a')
      .serveBatch(
        'half',
        async (requests) =>
          requests.map(({ payload }) =>
            Number(payload) % 2 ? new RangeError(`${payload} is odd`) : Number(payload) / 2,
          ),
        { batch: { max: 3, waitMs: Infinity } },
      );

    const answers = await during(
      settle,
      Promise.allSettled([2, 3, 4].map((n) => bus.request('half', n))),
    );

    expect(answers).toMatchObject([
      { value: 1 },
      { reason: expect.objectContaining({ message: '3 is odd' }) },
      { value: 2 },
    ]);
    expectBalanced(bus);
  });

  it('takes promises for outputs, too', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serveBatch(
      'twice',
      (requests) =>
        requests.map(async ({ payload }) => {
          if (payload === 2) throw new Error('two');
          return Number(payload) * 2;
        }),
      { batch: { max: 2, waitMs: Infinity } },
    );

    const answers = await during(
      settle,
      Promise.allSettled([1, 2].map((n) => bus.request('twice', n))),
    );

    expect(answers).toMatchObject([{ value: 2 }, { status: 'rejected' }]);
  });

  it('checks each output by itself', async () => {
    const text = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) =>
          typeof value === 'string' ? { value } : { issues: [{ message: 'no text' }] },
      },
    } as const;
    const contract = defineContract({ requests: { name: { input: text, output: text } } });
    const { bus, settle } = makeBus(env, { contract });
    const handle = (requests: readonly Message[]) =>
      requests.map(({ payload }) => (payload === 'b' ? 7 : 'ok'));
    bus.register('a').serveBatch('name', handle as never, { batch: { max: 2, waitMs: Infinity } });

    const answers = await during(
      settle,
      Promise.allSettled(['a', 'b'].map((n) => bus.request('name', n as never))),
    );

    expect(answers).toMatchObject([{ value: 'ok' }, { reason: { code: 'TELLASK_VALIDATION' } }]);
  });

  it.each([
    ['too few', [1], 1],
    ['too many', [1, 2, 3], 3],
    ['no array', undefined, undefined],
    ['something else', 'ab', undefined],
  ] as const)('rejects all askers when %s outputs come', async (_what, outputs, received) => {
    const { bus, settle } = makeBus(env);
    bus
      .register('a')
      .serveBatch('q', (() => outputs) as never, { batch: { max: 2, waitMs: Infinity } });

    const answers = await during(
      settle,
      Promise.allSettled([1, 2].map((n) => bus.request('q', n))),
    );

    for (const answer of answers) {
      const { reason } = answer as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(BatchResultError);
      expect(reason).toMatchObject({
        code: 'TELLASK_BATCH_RESULT',
        expected: 2,
        received,
        agent: 'a',
      });
    }
  });

  it('aborts alone the message whose asker has gone, and all when nobody is left', async () => {
    const { bus, settle } = makeBus(env);
    const contexts: BatchContext[] = [];
    const signals: AbortSignal[] = [];
    const held = gate();
    bus.register('a').serveBatch(
      'q',
      async (requests, context) => {
        contexts.push(context);
        signals.push(context.signal, ...requests.map((one) => context.for(one).signal));
        await held.opened;
        return requests.map(({ payload }) => payload);
      },
      { batch: { max: 2, waitMs: Infinity } },
    );
    const aborters = [new AbortController(), new AbortController()];
    const answers = aborters.map(({ signal }, n) => outcomeOf(bus.request('q', n, { signal })));
    await settle();

    aborters[0]?.abort(new Error('never mind'));
    await settle();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true, false]);
    held.open();
    await settle();

    expect(answers[0]?.now()).toMatchObject({ error: { message: 'never mind' } });
    expect(answers[1]?.now()).toEqual({ value: 1 });
    expect(signals[0]?.aborted).toBe(false);
    expectBalanced(bus);
  });

  it('aborts the whole batch when nobody waits any more', async () => {
    const { bus, settle } = makeBus(env);
    let whole: AbortSignal | undefined;
    bus.register('a').serveBatch(
      'q',
      (_requests, context) => {
        whole = context.signal;
        return new Promise<never>((_resolve, reject) => {
          context.signal.addEventListener('abort', () => reject(context.signal.reason));
        });
      },
      { batch: { max: 2, waitMs: Infinity } },
    );
    const aborter = new AbortController();
    const { signal } = aborter;
    const answers = [1, 2].map((n) => outcomeOf(bus.request('q', n, { signal })));
    await settle();

    aborter.abort(new Error('never mind'));
    await settle();

    expect(whole?.reason).toEqual(new Error('never mind'));
    expect(answers.map((one) => one.now())).toMatchObject([{ error: {} }, { error: {} }]);
    expect(bus.inspect()).toMatchObject({ cancelled: 2, inFlight: 0, lateReplies: 0 });
    expect(bus.agents()[0]?.status).toBe('idle');
  });

  it('takes a request out of the batch that nobody waits for before it begins', async () => {
    const { bus, settle } = makeBus(env);
    const { log } = { log: [] as unknown[] };
    const agent = bus.register('a');
    agent.serveBatch(
      'q',
      (requests) => {
        log.push(requests.map(({ payload }) => payload));
        return requests.map(() => 0);
      },
      { batch: { max: 3, waitMs: Infinity } },
    );
    const aborter = new AbortController();
    const gone = outcomeOf(bus.request('q', 'gone', { signal: aborter.signal }));
    const others = [outcomeOf(bus.request('q', 1))];
    await settle();

    aborter.abort(new Error('never mind'));
    others.push(outcomeOf(bus.request('q', 2)), outcomeOf(bus.request('q', 3)));
    await settle();

    expect(log).toEqual([[1, 2, 3]]);
    expect(gone.now()).toMatchObject({ error: { message: 'never mind' } });
    expect(bus.inspect()).toMatchObject({ cancelled: 1, handled: 3 });
  });

  it('answers one request early, and the others in the end', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serveBatch(
      'q',
      (requests, context) => {
        const [first] = requests;
        if (first !== undefined) context.for(first).reply('early');
        return requests.map(() => 'late');
      },
      { batch: { max: 2, waitMs: Infinity } },
    );

    expect(await during(settle, Promise.all([1, 2].map((n) => bus.request('q', n))))).toEqual([
      'early',
      'late',
    ]);
  });
});

describe('batches and time', () => {
  it('starts when its first message has waited long enough', async () => {
    const t = createTestBus();
    const { log } = collect(t.bus, {});

    publish(t.bus, 1);
    await t.clock.advance(30);
    publish(t.bus, 2);
    await t.clock.advance(19);
    expect(log).toEqual([]);
    await t.clock.advance(1);

    expect(log).toEqual([[1, 2]]);
  });

  it('counts the time of what is left over from when it came', async () => {
    const t = createTestBus();
    const { log, agent } = collect(t.bus, { batch: { max: 2, waitMs: 50 } });
    agent.pause();

    publish(t.bus, 1, 2);
    await t.clock.advance(10);
    publish(t.bus, 3);
    await t.clock.advance(20);
    agent.resume();
    await t.settle();
    expect(log).toEqual([[1, 2]]);
    await t.clock.advance(29);
    expect(log).toEqual([[1, 2]]);
    await t.clock.advance(1);

    expect(log).toEqual([[1, 2], [3]]);
  });

  it('counts a batch as one start of a rate limit', async () => {
    const t = createTestBus();
    const { log } = collect(t.bus, {
      batch: { max: 2, waitMs: 0 },
      rateLimit: { limit: 1, perMs: 1_000 },
    });

    publish(t.bus, 1, 2, 3);
    await t.settle();
    expect(log).toEqual([[1, 2]]);
    publish(t.bus, 4, 5);
    await t.clock.advance(1_001);

    expect(log).toEqual([
      [1, 2],
      [3, 4],
    ]);
    await t.clock.advance(1_001);
    expect(log).toEqual([[1, 2], [3, 4], [5]]);
    expectBalanced(t.bus);
  });

  // R:C5
  it.each(['release', 'hold'] as const)(
    'gives up a handler that hangs, with onHang %s',
    async (onHang) => {
      const t = createTestBus();
      let whole: AbortSignal | undefined;
      const log: number[][] = [];
      const agent = t.bus.register('a', { onHang });
      agent.subscribeBatch(
        'x',
        (messages, context) => {
          log.push(numbersOf(messages));
          whole ??= context.signal;
          return log.length === 1 ? hang() : undefined;
        },
        { timeoutMs: 100, batch: { max: 2, waitMs: 0 } },
      );

      publish(t.bus, 1, 2, 3);
      await t.clock.advance(100);
      expect(whole?.aborted).toBe(true);
      await t.clock.advance(1_000);

      expect(t.bus.inspect()).toMatchObject({ abandoned: 2, deadLettered: 2 });
      expect(t.bus.deadLetters.list({ reason: 'handler-timeout' })).toHaveLength(2);
      expect(log).toEqual(onHang === 'hold' ? [[1, 2]] : [[1, 2], [3]]);
      expectBalanced(t.bus);
    },
  );

  it('ends a request at its own deadline while the others of its batch go on', async () => {
    const t = createTestBus();
    t.bus.register('a').serveBatch(
      'q',
      async (requests) => {
        await t.bus.once('go');
        return requests.map(() => 'done');
      },
      { batch: { max: 2, waitMs: Infinity } },
    );

    const short = outcomeOf(t.bus.request('q', 1, { timeoutMs: 100 }));
    const long = outcomeOf(t.bus.request('q', 2, { timeoutMs: 5_000 }));
    await t.clock.advance(2_000);
    expect(short.now()).toMatchObject({ error: { code: 'TELLASK_TIMEOUT' } });
    expect(t.bus.agents()[0]?.running).toBe(1);
    t.bus.publish('go', {});
    await t.settle();

    expect(long.now()).toEqual({ value: 'done' });
    expect(t.bus.agents()[0]?.running).toBe(0);
    expectBalanced(t.bus);
  });
});

describe('options of batches', () => {
  it.each([
    [{ batch: { max: 0 } }, RangeError],
    [{ batch: { max: 1.5 } }, RangeError],
    [{ batch: { waitMs: -1 } }, RangeError],
    [{ batch: { waitMs: '5' } }, TypeError],
    [{ batch: { max: Infinity, waitMs: Infinity } }, RangeError],
    [{ batch: { size: 5 } }, TypeError],
    [{ batch: 5 }, TypeError],
    [{ group: 'g' }, TypeError],
    [{ busy: 'latest' }, TypeError],
    [{ wrapUp: () => 0 }, TypeError],
    [{ retry: { order: 'in-place' } }, TypeError],
    [{ idempotent: { windowMs: 1 } }, TypeError],
    [{ concurrency: 2 }, TypeError],
    [{ unknown: 1 }, TypeError],
    [null, TypeError],
  ])('refuses %o at once', (options, kind) => {
    const { bus } = makeBus('simulated');
    const agent = bus.register('a');

    expect(() => agent.subscribeBatch('x', () => {}, options as never)).toThrow(kind as never);
    expect(() => agent.serveBatch('x', () => [], options as never)).toThrow(kind as never);
    expect(bus.explain('x').recipients).toEqual([]);
  });

  it('refuses batch where messages come one by one', () => {
    const { bus } = makeBus('simulated');

    expect(() => bus.subscribe('x', () => {}, { batch: {} } as never)).toThrow('no option batch');
    expect(() => bus.subscribeBatch('x', undefined as never)).toThrow(TypeError);
  });

  it('takes a lane of its own', async () => {
    const { bus, settle } = makeBus('simulated');
    const log: number[][] = [];
    const agent = bus.register('a', { capacity: 1 });
    agent.subscribeBatch('x', (messages) => void log.push(numbersOf(messages)), {
      lane: 'own',
      capacity: 3,
      batch: { waitMs: Infinity },
    });

    publish(bus, 1, 2, 3);
    await settle();

    expect(log).toEqual([[1, 2, 3]]);
  });
});
