import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type Context,
  defineContract,
  type Message,
  type MessageStream,
  RejectedError,
} from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, gate, hang, outcomeOf } from './books.ts';

/** Reads a stream to its end, whatever that is. */
async function read(stream: MessageStream): Promise<{ chunks: unknown[]; end: unknown }> {
  const chunks: unknown[] = [];
  try {
    for (;;) {
      const { done, value } = await stream.next();
      if (done === true) return { chunks, end: { value } };
      chunks.push(value);
    }
  } catch (error) {
    return { chunks, end: { error } };
  }
}

async function* counting({ payload }: Message): AsyncGenerator<number, string, undefined> {
  for (let n = 1; n <= Number(payload); n++) yield n;
  return 'counted';
}

describe.each(['real', 'simulated'] as const)('streams, on the %s Env', (env) => {
  // R:F5 F:C10
  it('bring what a generator yields, in order, and then what it returns', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('count', counting);

    const stream = bus.stream('count', 100);
    const reading = outcomeOf(read(stream));
    await settle();

    const chunks = Array.from({ length: 100 }, (_, n) => n + 1);
    expect(reading.now()).toEqual({ value: { chunks, end: { value: 'counted' } } });
    expect(await stream.result).toBe('counted');
    expect(bus.inspect()).toMatchObject({ handled: 1, pendingRequests: 0 });
    expectBalanced(bus);
  });

  const once = { next: async () => ({ done: true, value: 'end' }) };
  it.each<[string, () => unknown, unknown[], unknown]>([
    [
      'a synchronous generator',
      function* () {
        yield 1;
        yield Promise.resolve(2);
        return 3;
      },
      [1, 2],
      3,
    ],
    [
      'a promise of a generator',
      async () => counting({ payload: 2 } as Message),
      [1, 2],
      'counted',
    ],
    ['an async iterable', () => ({ [Symbol.asyncIterator]: () => once }), [], 'end'],
    ['an iterator', () => [1, 2][Symbol.iterator](), [1, 2], undefined],
    ['an array', () => [1, 2], [], [1, 2]],
    ['a Map', () => new Map([[1, 2]]), [], new Map([[1, 2]])],
    ['a string', () => 'text', [], 'text'],
    ['a plain answer', () => ({ next: 1 }), [], { next: 1 }],
    ['nothing', () => undefined, [], undefined],
  ])('reads %s', async (_, handler, chunks, value) => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('q', handler);

    const streamed = outcomeOf(read(bus.stream('q', 1)));
    const asked = outcomeOf(bus.request('q', 1));
    await settle();

    expect(streamed.now()).toEqual({ value: { chunks, end: { value } } });
    expect(asked.now()).toEqual({ value });
  });

  // R:F5
  it.each([1, 2, 3])(
    'ask for a chunk only while fewer than %i are unread',
    async (highWaterMark) => {
      const { bus, settle } = makeBus(env);
      const log: string[] = [];
      bus.register('a').serve('q', async function* () {
        for (let n = 1; n <= 5; n++) {
          log.push(`makes ${n}`);
          yield n;
        }
      });

      const stream = bus.stream('q', 1, { highWaterMark });
      await settle();
      expect(log).toHaveLength(highWaterMark);
      expect(stream.unread).toBe(highWaterMark);
      await stream.next();
      await settle();

      expect(log).toHaveLength(highWaterMark + 1);
      expect(bus.inspect()).toMatchObject({ inFlight: 1 });
      stream.cancel();
      await settle();
      expectBalanced(bus);
    },
  );

  // R:F2 R:F5
  it('bring an error after the chunks that came before it', async () => {
    const { bus, settle } = makeBus(env);
    const error = new Error('mine');
    bus.register('a').serve('q', async function* () {
      yield 1;
      yield 2;
      throw error;
    });

    const stream = bus.stream('q', 1);
    await settle();
    const result = outcomeOf(stream.result);
    const reading = outcomeOf(read(stream));
    await settle();

    expect(reading.now()).toEqual({ value: { chunks: [1, 2], end: { error } } });
    expect(result.now()).toEqual({ error });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(bus.deadLetters.list()).toMatchObject([{ reason: 'handler-error' }]);
    expectBalanced(bus);
  });

  it('never throw, and leave no rejection unhandled', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('q', counting);
    const gone = bus.register('b');
    await gone.leave();

    const wrong = [
      bus.stream('nobody', 1),
      bus.stream('not a topic', 1),
      bus.stream('q', 1, { highWaterMark: 0 }),
      bus.stream('q', 1, { highWaterMark: 1.5 }),
      bus.stream('q', 1, { idleTimeoutMs: -1 }),
      bus.stream('q', 1, { timeoutMs: 'soon' as never }),
      bus.stream('q', 1, { onProgress: 7 as never }),
      bus.stream('q', 1, null as never),
      bus.stream('q', 1, { signal: AbortSignal.abort('never') }),
      gone.stream('q', 1),
    ];
    const ends = await Promise.all(wrong.map(read));
    const results = await Promise.allSettled(wrong.map(({ result }) => result));
    await settle();

    const names = ends.map(({ end }) => {
      const { error } = end as { error: { code?: string; name?: string } };
      return error.code ?? error.name ?? error;
    });
    expect(names).toEqual([
      'TELLASK_NO_RESPONDER',
      'TELLASK_INVALID_TOPIC',
      'RangeError',
      'RangeError',
      'RangeError',
      'TypeError',
      'TypeError',
      'TypeError',
      'never',
      'TELLASK_REVOKED',
    ]);
    const reasons = results.map((one) => (one as PromiseRejectedResult).reason);
    expect(reasons).toEqual(ends.map(({ end }) => (end as { error: unknown }).error));
    expect(bus.inspect()).toMatchObject({ admitted: 0, pendingRequests: 0 });
  });

  const ways: [string, (stream: MessageStream, asker: AbortController) => unknown, unknown][] = [
    ['break', (stream) => stream.return?.(), { code: 'TELLASK_CANCELLED' }],
    ['throw', (stream) => stream.throw?.('out').catch(() => {}), { code: 'TELLASK_CANCELLED' }],
    ['disposal', (stream) => stream[Symbol.asyncDispose](), { code: 'TELLASK_CANCELLED' }],
    ['cancel', (stream) => stream.cancel(), { code: 'TELLASK_CANCELLED' }],
    ['cancel with a reason', (stream) => stream.cancel('bored'), 'bored'],
    ['the signal', (_, asker) => asker.abort('late'), 'late'],
  ];
  // R:D4 R:F5
  describe.each(ways)('ended by %s', (_, end, reason) => {
    it.each(['waits for room', 'waits for something'])(
      'tell a producer that %s in the same step',
      async (state) => {
        const { bus, settle } = makeBus(env);
        const log: string[] = [];
        bus.register('a').serve('q', async function* (_request, context) {
          context.signal.addEventListener('abort', () => log.push('aborted'));
          try {
            yield 1;
            if (state === 'waits for room') yield 2;
            else await untilAborted(context);
          } finally {
            log.push(`ends, aborted: ${context.signal.aborted}`);
          }
        });
        const asker = new AbortController();
        const stream = bus.stream('q', 1, { highWaterMark: 1, signal: asker.signal });
        const result = outcomeOf(stream.result);
        await settle();
        if (state !== 'waits for room') await stream.next();
        await settle();

        end(stream, asker);
        expect(log).toEqual(['aborted']);
        await settle();

        expect(log).toEqual(['aborted', 'ends, aborted: true']);
        const expected = typeof reason === 'string' ? reason : expect.objectContaining(reason);
        expect(result.now()).toEqual({ error: expected });
        expect(bus.inspect()).toMatchObject({ cancelled: 1, inFlight: 0, pendingRequests: 0 });
        expect(bus.inspect().lateReplies).toBe(0);
        expectBalanced(bus);
      },
    );
  });

  it('are an error to a reader who waits while somebody else cancels', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('q', async function* (_request, context) {
      yield 1;
      await untilAborted(context);
    });

    const stream = bus.stream('q', 1);
    const reading = outcomeOf(read(stream));
    await settle();
    stream.cancel('enough');
    await settle();

    expect(reading.now()).toEqual({ value: { chunks: [1], end: { error: 'enough' } } });
  });

  it('end with the handler that asked', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.register('far').serve('q', async function* (_request, context) {
      try {
        yield 1;
        await untilAborted(context);
      } finally {
        log.push('far ends');
      }
    });
    bus.register('near').serve('relay', async (_request, context) => {
      for await (const chunk of context.stream('q', 1)) log.push(`near reads ${chunk}`);
    });

    const asker = new AbortController();
    const asked = outcomeOf(bus.request('relay', 1, { signal: asker.signal }));
    await settle();
    asker.abort('stop');
    await settle();

    expect(log).toEqual(['near reads 1', 'far ends']);
    expect(asked.now()).toEqual({ error: 'stop' });
    expect(bus.inspect()).toMatchObject({ cancelled: 2, inFlight: 0 });
    expectBalanced(bus);
  });

  // R:F5 "yield* chains"
  describe('through a chain of three', () => {
    function makeChain(fails?: Error) {
      const made = makeBus(env);
      const log: string[] = [];
      const next: Record<string, string> = { first: 'second', second: 'third' };
      for (const name of ['first', 'second', 'third']) {
        const to = next[name];
        made.bus.register(name).serve(name, async function* (request, context) {
          try {
            if (to !== undefined) return yield* context.stream(to, request.payload);
            yield* counting(request);
            if (fails !== undefined) throw fails;
            return 'the end';
          } finally {
            log.push(name);
          }
        });
      }
      return { ...made, log };
    }

    it('chunks and result pass on', async () => {
      const { bus, settle, log } = makeChain();
      const reading = outcomeOf(read(bus.stream('first', 3)));
      await settle();
      expect(reading.now()).toEqual({ value: { chunks: [1, 2, 3], end: { value: 'the end' } } });
      expect(log).toEqual(['third', 'second', 'first']);
      expect(bus.inspect()).toMatchObject({ handled: 3 });
    });

    it('errors pass on after the chunks', async () => {
      const error = new Error('far away');
      const { bus, settle } = makeChain(error);
      const reading = outcomeOf(read(bus.stream('first', 3)));
      await settle();
      expect(reading.now()).toEqual({ value: { chunks: [1, 2, 3], end: { error } } });
      expect(bus.inspect()).toMatchObject({ deadLettered: 3 });
    });

    it.each([1, 2, 16])('leaving it ends all three, %i chunks ahead', async (highWaterMark) => {
      const { bus, settle, log } = makeChain();
      const seen: unknown[] = [];
      const reading = outcomeOf(
        (async () => {
          for await (const n of bus.stream('first', 1e6, { highWaterMark })) {
            seen.push(n);
            if (n === 3) break;
          }
        })(),
      );
      await settle();
      expect(reading.now()).toEqual({ value: undefined });
      expect(seen).toEqual([1, 2, 3]);
      expect(log.sort()).toEqual(['first', 'second', 'third']);
      expect(bus.inspect()).toMatchObject({ cancelled: 3, inFlight: 0, pendingRequests: 0 });
      expectBalanced(bus);
    });
  });

  it('check and take in every chunk, and end with the first that is wrong', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const mine = { n: 1 };
    bus.register('a').serve('q', async function* () {
      try {
        yield mine;
        mine.n = 2;
        yield mine;
        yield Object.defineProperty({}, 'x', { get: () => 1, enumerable: true });
      } finally {
        log.push('ended');
      }
    });

    const reading = outcomeOf(read(bus.stream('q', 1)));
    await settle();

    expect(reading.now()).toMatchObject({
      value: { chunks: [{ n: 1 }, { n: 2 }], end: { error: { code: 'TELLASK_PAYLOAD' } } },
    });
    expect(log).toEqual(['ended']);
    expectBalanced(bus);
  });

  // F:A6
  it('give each chunk back as the schema of the contract does, once', async () => {
    let parsed = 0;
    const chunk = z.string().transform((text) => {
      parsed++;
      return text.length;
    });
    const contract = defineContract({
      requests: { q: { input: z.number(), output: z.string(), chunk } },
    });
    const { bus, settle } = makeBus(env, { contract });
    bus.register('a').serve('q', async function* (request) {
      yield 'one';
      yield 'three';
      if (request.payload > 1) yield 7 as never;
      return 'done';
    });

    const right = outcomeOf(read(bus.stream('q', 1)));
    const asked = outcomeOf(bus.request('q', 1));
    const wrong = outcomeOf(read(bus.stream('q', 2)));
    await settle();

    expect(right.now()).toEqual({ value: { chunks: [3, 5], end: { value: 'done' } } });
    expect(asked.now()).toEqual({ value: 'done' });
    expect(wrong.now()).toMatchObject({
      value: { chunks: [3, 5], end: { error: { code: 'TELLASK_VALIDATION' } } },
    });
    // Nobody reads the chunks of a request.
    expect(parsed).toBe(4);
    expectBalanced(bus);
  });

  // R:F5 retry
  it('are tried again until the first chunk was handed over, and never after', async () => {
    const { bus, settle } = makeBus(env);
    let calls = 0;
    const retry = { maxAttempts: 5, baseMs: 0, jitter: 'none' } as const;
    bus.register('a').serve(
      'q',
      async function* ({ payload }) {
        calls++;
        if (calls < 3) throw new Error('before');
        yield calls;
        if (payload === 'breaks') throw new Error('after');
        return 'fine';
      },
      { retry },
    );

    const [fine] = await Promise.all([read(bus.stream('q', 'fine')), settle()]);
    expect(fine).toEqual({ chunks: [3], end: { value: 'fine' } });
    calls = 2;
    const [broken] = await Promise.all([read(bus.stream('q', 'breaks')), settle()]);

    expect(broken).toMatchObject({ chunks: [3], end: { error: { message: 'after' } } });
    expect(calls).toBe(3);
    expect(bus.deadLetters.list()).toMatchObject([{ reason: 'handler-error', attempts: 1 }]);
    expectBalanced(bus);
  });

  it('that a handler refuses are never tried again', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('q', async function* () {
      yield 1;
      throw new RejectedError('no');
    });
    const reading = outcomeOf(read(bus.stream('q', 1)));
    await settle();
    expect(reading.now()).toMatchObject({
      value: { end: { error: { code: 'TELLASK_REJECTED' } } },
    });
    expect(bus.deadLetters.list()).toMatchObject([{ reason: 'rejected' }]);
  });

  // R:A3
  it('end when the bus is closed: what is buffered comes, then the error', async () => {
    const { bus, settle } = makeBus(env, { graceMs: 20 });
    const log: string[] = [];
    bus.register('a').serve('q', async function* () {
      try {
        for (let n = 1; ; n++) yield n;
      } finally {
        log.push('ended');
      }
    });
    const stream = bus.stream('q', 1, { highWaterMark: 2 });
    await settle();

    const closed = bus.close({ mode: 'abort' });
    await settle();
    const reading = outcomeOf(read(stream));
    await settle();

    expect((await closed).abandoned).toEqual([]);
    expect(log).toEqual(['ended']);
    expect(reading.now()).toMatchObject({
      value: { chunks: [1, 2], end: { error: { code: 'TELLASK_CLOSED' } } },
    });
    expectBalanced(bus);
  });

  it('end when the responder leaves: what is buffered comes, then the error', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const agent = bus.register('a');
    agent.serve('q', async function* () {
      try {
        for (let n = 1; ; n++) yield n;
      } finally {
        log.push('ended');
      }
    });
    const stream = bus.stream('q', 1, { highWaterMark: 2 });
    await settle();

    const left = outcomeOf(agent.leave());
    await settle();
    const reading = outcomeOf(read(stream));
    await settle();

    expect(left.now()).toEqual({ value: undefined });
    expect(log).toEqual(['ended']);
    expect(reading.now()).toMatchObject({
      value: { chunks: [1, 2], end: { error: { code: 'TELLASK_RESPONDER_LEFT' } } },
    });
    expect(bus.inspect()).toMatchObject({ inFlight: 0, pendingRequests: 0 });
    expectBalanced(bus);
  });

  it('are waited for by drain', async () => {
    const { bus, settle } = makeBus(env);
    const door = gate();
    bus.register('a').serve('q', async function* () {
      yield 1;
      await door.opened;
    });
    const stream = bus.stream('q', 1);
    await settle();

    const drained = outcomeOf(bus.drain());
    await settle();
    expect(drained.now()).toBe('pending');
    door.open();
    await settle();

    expect(drained.now()).toEqual({ value: true });
    expect(await read(stream)).toEqual({ chunks: [1], end: { value: undefined } });
  });

  it('end with what the generator replied early; what it yields then is dropped', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('q', async function* (_request, context) {
      yield 1;
      yield 2;
      context.reply('early');
      for (let n = 3; n < 9; n++) yield n;
      return 'late';
    });
    const stream = bus.stream('q', 1, { highWaterMark: 3 });
    await settle();
    expect(await outcomeAfter(settle, read(stream))).toEqual({
      value: { chunks: [1, 2], end: { value: 'early' } },
    });
    expect(bus.inspect()).toMatchObject({ handled: 1, lateReplies: 0 });
  });

  it('are one call to middleware and to idempotent responders', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    bus.use({
      name: 'watch',
      handle: async (_message, _context, next) => {
        const value = await next();
        log.push(value);
        return value;
      },
    });
    bus.register('a').serve('count', counting, { idempotent: { windowMs: 1_000 } });

    const first = read(bus.stream('count', 2, { idempotencyKey: 'k' }));
    const [one, again] = await Promise.all([
      first,
      first.then(() => read(bus.stream('count', 2, { idempotencyKey: 'k' }))),
      settle().then(settle),
    ]);

    expect(one).toEqual({ chunks: [1, 2], end: { value: 'counted' } });
    expect(again).toEqual({ chunks: [], end: { value: 'counted' } });
    expect(log).toEqual(['counted', 'counted']);
  });
});

async function outcomeAfter(settle: () => Promise<void>, promise: Promise<unknown>) {
  const outcome = outcomeOf(promise);
  await settle();
  return outcome.now();
}

function untilAborted({ signal }: Context): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

describe('the limits of a stream', () => {
  // R:F3 R:F5
  it('end it when the producer owes a chunk for too long, and chunks count anew', async () => {
    const t = createTestBus();
    const doors = [gate(), gate()];
    t.bus.register('a').serve('q', async function* () {
      yield 1;
      await doors[0]?.opened;
      yield 2;
      await hang();
    });

    const stream = t.bus.stream('q', 1, { idleTimeoutMs: 1_000 });
    const reading = outcomeOf(read(stream));
    await t.clock.advance(999);
    doors[0]?.open();
    await t.clock.advance(999);
    expect(reading.now()).toBe('pending');
    await t.clock.advance(1);

    expect(reading.now()).toMatchObject({
      value: {
        chunks: [1, 2],
        end: {
          error: {
            code: 'TELLASK_TIMEOUT',
            limit: 'idle',
            message: 'a gave no sign of life on q for 1000 ms: running for 2.0 s',
          },
        },
      },
    });
    await t.clock.advance(1_000);
    expect(t.bus.inspect()).toMatchObject({ abandoned: 1, inFlight: 0, deadLettered: 1 });
    expect(t.bus.deadLetters.list()).toMatchObject([{ reason: 'handler-timeout' }]);
    expectBalanced(t.bus);
  });

  it('end it when the reader leaves a full buffer unread, and reading counts anew', async () => {
    const t = createTestBus();
    const log: string[] = [];
    t.bus.register('a').serve('q', async function* () {
      try {
        for (let n = 1; ; n++) yield n;
      } finally {
        log.push(`ended at ${t.clock.nowMs}`);
      }
    });

    const stream = t.bus.stream('q', 1, { idleTimeoutMs: 1_000, highWaterMark: 2 });
    await t.clock.advance(600);
    await stream.next();
    await t.clock.advance(999);
    expect(log).toEqual([]);
    await t.clock.advance(1);

    expect(log).toEqual(['ended at 1600']);
    const reading = outcomeOf(read(stream));
    await t.settle();
    expect(reading.now()).toMatchObject({
      value: {
        chunks: [2, 3],
        end: {
          error: {
            code: 'TELLASK_TIMEOUT',
            limit: 'reader',
            message: 'a could not go on with q for 1000 ms: $host has left 2 chunks unread',
          },
        },
      },
    });
    expect(t.bus.inspect()).toMatchObject({ cancelled: 1, deadLettered: 0, inFlight: 0 });
    expectBalanced(t.bus);
  });

  it('count while it is queued', async () => {
    const t = createTestBus();
    const agent = t.bus.register('a');
    agent.serve('q', counting);
    agent.subscribe('busy', hang);
    t.bus.send('a', 'busy', 1);
    const reading = outcomeOf(read(t.bus.stream('q', 1)));
    await t.clock.advance(29_999);
    expect(reading.now()).toBe('pending');
    await t.clock.advance(1);
    expect(reading.now()).toMatchObject({
      value: {
        end: {
          error: {
            limit: 'idle',
            where: expect.stringContaining('next in line; a has been running'),
          },
        },
      },
    });
    expect(t.bus.inspect()).toMatchObject({ expired: 1 });
  });

  it('can be switched off', async () => {
    const t = createTestBus();
    const door = gate();
    t.bus.register('a').serve('q', async function* () {
      yield 1;
      await door.opened;
      return 'at last';
    });
    const reading = outcomeOf(read(t.bus.stream('q', 1, { idleTimeoutMs: Infinity })));
    await t.clock.advance(3_600_000);
    expect(reading.now()).toBe('pending');
    door.open();
    await t.settle();
    expect(reading.now()).toEqual({ value: { chunks: [1], end: { value: 'at last' } } });
  });

  it('have no hard one unless it is given, or the asker has one', async () => {
    const t = createTestBus();
    const left: unknown[] = [];
    t.bus.register('far').serve('q', async function* (request, context) {
      left.push([context.remainingMs, request.expiresAt]);
      yield 1;
      await hang();
    });
    t.bus.register('near').serve('relay', async function* (_request, context) {
      return yield* context.stream('q', 1, { idleTimeoutMs: Infinity });
    });
    t.bus.stream('q', 1).cancel();
    const open = t.bus.stream('q', 1);
    await t.settle();
    expect(left).toEqual([[Infinity, undefined]]);
    open.cancel();
    await t.clock.advance(1_000);

    const asked = outcomeOf(read(t.bus.stream('relay', 1, { timeoutMs: 5_000 })));
    await t.clock.advance(5_000);

    expect(left[1]).toMatchObject([5_000, expect.any(Number)]);
    expect(asked.now()).toMatchObject({
      value: { chunks: [1], end: { error: { code: 'TELLASK_TIMEOUT', limit: 'answer' } } },
    });
    await t.run();
    expect(t.bus.inspect()).toMatchObject({ inFlight: 0, pendingRequests: 0 });
    expectBalanced(t.bus);
  });

  // R:B4
  it('fence a producer that does not end, and drop what it yields then', async () => {
    const t = createTestBus();
    const door = gate();
    const log: unknown[] = [];
    const agent = t.bus.register('a');
    agent.serve('q', async function* (_request, context) {
      yield 1;
      await door.opened;
      try {
        context.publish('x', 1);
      } catch (error) {
        log.push((error as { code: string }).code);
      }
      yield 2;
      log.push('goes on');
      return 'late';
    });
    agent.subscribe('x', () => void log.push('next'));
    const stream = t.bus.stream('q', 1);
    await t.settle();

    stream.cancel();
    t.bus.publish('x', 1);
    await t.clock.advance(999);
    expect(log).toEqual([]);
    await t.clock.advance(1);
    expect(log).toEqual(['next']);
    door.open();
    await t.run();

    expect(log).toEqual(['next', 'TELLASK_FENCED']);
    expect(t.bus.inspect()).toMatchObject({ abandoned: 1, cancelled: 1, handled: 1 });
    expect(t.bus.inspect()).toMatchObject({ lateReplies: 0 });
    expectBalanced(t.bus);
  });

  it('fence a plain handler without a time-out too, when nobody waits', async () => {
    const t = createTestBus();
    t.bus.register('a').serve('q', hang);
    const stream = t.bus.stream('q', 1);
    await t.settle();
    stream.cancel();
    await t.clock.advance(1_000);
    expect(t.bus.inspect()).toMatchObject({ abandoned: 1, cancelled: 1, inFlight: 0 });
  });

  it('are given more time by chunks that nobody reads', async () => {
    const t = createTestBus();
    t.bus.register('steps').serve('wait', async (_request, context) => {
      await context.request('tick', 1, { timeoutMs: 100 }).catch(() => {});
      return undefined;
    });
    t.bus.register('clock').serve('tick', (_request, context) => untilAborted(context));
    t.bus.register('a').serve('q', async function* (_request, context) {
      for (let n = 0; n < 5; n++) {
        await context.request('wait', 1);
        yield n;
      }
      return 'done';
    });
    const asked = outcomeOf(t.bus.request('q', 1, { timeoutMs: 10_000 }));
    await t.clock.advance(600);
    expect(asked.now()).toEqual({ value: 'done' });
  });
});

// Promises alone would never let the event loop turn.
it('lets the event loop turn, however fast chunks come', async () => {
  const { bus } = makeBus('real');
  let stop = false;
  bus.register('a', { concurrency: 2 }).serve('endless', async function* () {
    while (!stop) yield 1;
    return 'stopped';
  });
  const turned = new Promise((resolve) => setImmediate(resolve));

  const asked = bus.request('endless', 1);
  const reading = read(bus.stream('endless', 1));
  await turned;
  stop = true;

  expect(await asked).toBe('stopped');
  expect((await reading).end).toEqual({ value: 'stopped' });
});
