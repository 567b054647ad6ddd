import { describe, expect, it } from 'vitest';
import {
  BudgetExhaustedError,
  type Context,
  type MessageBus,
  type RequestOptions,
} from '../../src/index.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { createTestBus, type TestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { codeOf, expectBalanced, gate, hang, outcomeOf } from './books.ts';

const EXHAUSTED = 'TELLASK_BUDGET';

/** Serves `work` with a handler that says `count` events and tells how many were let through. */
function serveTalker(bus: MessageBus, say: (context: Context, n: number) => unknown): void {
  bus.register('talker').serve('work', async (request, context) => {
    let said = 0;
    for (let n = 0; n < Number(request.payload); n++) {
      try {
        await say(context, n);
        said++;
      } catch (error) {
        return { said, code: (error as { code: string }).code };
      }
    }
    return { said };
  });
}

// R:G2 F:D11
describe.each(['real', 'simulated'] as const)('budgets, on the %s Env', (env) => {
  it.each([
    ['publish', (context: Context) => context.publish('news', 1)],
    ['send', (context: Context) => context.send('mate', 'note', 1)],
    ['request', (context: Context) => context.request('echo', 1)],
    ['stream', (context: Context) => context.stream('echo', 1).result],
  ] as const)('count every %s below them, and not the ask that sets them', async (_verb, say) => {
    const { bus, settle } = makeBus(env);
    serveTalker(bus, say);
    const mate = bus.register('mate');
    for (const pattern of ['news', 'note', 'new*']) mate.subscribe(pattern, () => {});
    mate.serve('echo', ({ payload }) => payload);

    const asked = [0, 2, Infinity].map((messages) =>
      outcomeOf(bus.request('work', 3, { budget: { messages } })),
    );
    await settle();

    expect(asked.map((one) => one.now())).toEqual([
      { value: { said: 0, code: EXHAUSTED } },
      { value: { said: 2, code: EXHAUSTED } },
      { value: { said: 3 } },
    ]);
    expect(bus.inspect().refused).toBe(2);
    expectBalanced(bus);
  });

  it('refuse with a letter and an event, and deliver nothing', async () => {
    const { bus, settle } = makeBus(env);
    const told: string[] = [];
    bus.events.on('refused', (topic, from, error) => {
      told.push(`${from} ${topic} ${(error as Error).message}`);
    });
    bus.subscribe('news', () => told.push('delivered'));
    bus.register('talker').serve('work', (_request, context) => context.publish('news', 'tea').id);

    const asked = outcomeOf(bus.request('work', 1, { budget: { messages: 0 } }));
    await settle();

    expect(asked.now()).toMatchObject({
      error: { code: EXHAUSTED, resource: 'messages', limit: 0, spent: 0, retryable: false },
    });
    expect(told).toEqual(['talker news The budget of 0 messages is used up: 0 spent']);
    expect(bus.deadLetters.list({ refused: true })).toMatchObject([
      { reason: 'budget', message: { topic: 'news', payload: 'tea' } },
    ]);
  });

  it('end the delivery whose handler lets the error pass: a letter, no retry', async () => {
    const { bus, settle } = makeBus(env);
    let calls = 0;
    const spend = (_request: unknown, context: Context): void => {
      calls++;
      context.spend({ tokens: 11 });
    };
    bus.register('talker').serve('work', spend, { retry: { maxAttempts: 3, baseMs: 0 } });

    const asked = outcomeOf(bus.request('work', 1, { budget: { tokens: 10 } }));
    await settle();

    expect(asked.now()).toMatchObject({ error: { resource: 'tokens', limit: 10, spent: 11 } });
    expect((asked.now() as { error: unknown }).error).toBeInstanceOf(BudgetExhaustedError);
    expect(bus.deadLetters.list()).toMatchObject([{ reason: 'budget', attempts: 1 }]);
    expect(calls).toBe(1);
    expectBalanced(bus);
  });

  it('cover the whole tree, through events and asks', async () => {
    const { bus, settle } = makeBus(env);
    const left: number[] = [];
    bus.register('a').serve('top', async (_request, context) => {
      context.publish('started', 1);
      await context.request('middle', 1);
      return context.budget.remaining;
    });
    bus.register('b').serve('middle', (_request, context) => context.send('c', 'leaf', 1).id);
    const note = (_message: unknown, context: Context): void => {
      context.spend({ cost: 0.25 });
      left.push(context.budget.remaining.messages);
    };
    bus.register('c').subscribe('{leaf,started}', note, { lane: 'own' });

    const asked = outcomeOf(bus.request('top', 1, { budget: { messages: 5, cost: 1 } }));
    await settle();

    expect(left).toHaveLength(2);
    expect(asked.now()).toMatchObject({ value: { messages: 2, tokens: Infinity } });
    expect(bus.inspect()).toMatchObject({ deadLettered: 0, handled: 4 });
  });

  it('only become narrower: a budget below holds as well as those above', async () => {
    const { bus, settle } = makeBus(env);
    const seen: unknown[] = [];
    bus.register('outer').serve('outer', async (_request, context) => {
      const wide = { budget: { messages: 99, tokens: 5 } };
      await context.request('inner', 1, wide).catch(() => {});
      seen.push(context.budget.spent);
      return context.budget.remaining;
    });
    bus.register('inner').serve('inner', (_request, context) => {
      seen.push(context.budget.remaining);
      context.spend({ tokens: 6 });
    });

    const asked = outcomeOf(bus.request('outer', 1, { budget: { messages: 3, tokens: 50 } }));
    await settle();

    expect(seen).toMatchObject([
      { messages: 2, tokens: 5, cost: Infinity },
      { messages: 1, tokens: 6 },
    ]);
    expect(asked.now()).toMatchObject({ value: { messages: 2, tokens: 44 } });
  });

  it('give a message back that was refused for another reason', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('full', { capacity: 0 }).subscribe('note', () => {});
    bus.register('talker').serve('work', async (_request, context) => {
      const codes = [
        codeOf(() => context.send('full', 'note', 1)),
        codeOf(() => context.send('nobody', 'note', 1)),
        codeOf(() => context.publish('$bus.mine', 1)),
        await context.request('unserved', 1).catch(({ code }) => code),
      ];
      return [...codes, context.budget.spent.messages];
    });

    const asked = outcomeOf(bus.request('work', 1, { budget: { messages: 1 } }));
    await settle();

    expect(asked.now()).toEqual({
      value: [
        'TELLASK_MAILBOX_FULL',
        'TELLASK_UNKNOWN_RECIPIENT',
        'TELLASK_DENIED',
        'TELLASK_NO_RESPONDER',
        0,
      ],
    });
  });

  it('are shared by all whom a gather asks, each of whom is a message', async () => {
    const { bus, settle } = makeBus(env);
    const left: number[] = [];
    for (const name of ['a', 'b', 'c']) {
      bus.register(name).serve('q', (_request, context) => {
        context.spend({ tokens: 4 });
        left.push(context.budget.remaining.tokens);
        return name;
      });
    }
    bus.register('top').serve('top', (_request, context) => {
      return context.gather('q', 1, { budget: { tokens: 10 } });
    });

    const asked = outcomeOf(bus.request('top', 1, { budget: { messages: 2 } }));
    await settle();

    expect(asked.now()).toMatchObject({
      value: {
        // Who is asked first is anybody's guess, and the last finds nothing left.
        ok: [expect.anything(), expect.anything()],
        failed: [expect.anything()],
        reason: 'all',
      },
    });
    expect(left).toEqual([6, 2]);
  });

  it('hold over whole trees of agents that draw as they like', async () => {
    const random = seededRandom(7);
    let exhausted = 0;
    for (let run = 0; run < 20; run++) {
      const { bus, settle } = makeBus(env);
      for (const name of ['a', 'b', 'c']) {
        const agent = bus.register(name, { concurrency: Infinity });
        agent.serve('grow', async (_request, context) => {
          const asks: Promise<unknown>[] = [];
          for (let n = 0; n < 3; n++) {
            const budget = random() < 0.3 ? { messages: Math.floor(random() * 4) } : {};
            asks.push(context.request('grow', n, { budget }));
            if (random() < 0.5) await Promise.allSettled(asks);
          }
          await Promise.allSettled(asks);
          context.publish('leaf', 1);
        });
      }
      const messages = Math.floor(random() * 30);

      const asked = outcomeOf(bus.request('grow', 1, { budget: { messages } }));
      await settle();

      if ('error' in (asked.now() as object)) exhausted++;
      expect(bus.inspect().messages).toBeLessThanOrEqual(messages + 1);
      expect(bus.inspect().pendingRequests).toBe(0);
      expectBalanced(bus);
    }
    expect(exhausted).toBeGreaterThan(10);
  });

  it('count every message of a broadcast', async () => {
    const { bus, settle } = makeBus(env);
    for (const name of ['a', 'b', 'c']) bus.register(name).subscribe('note', () => {});
    bus.register('talker').serve('work', (_request, context) => {
      const { recipients } = context.broadcast(['a', 'b', 'c'], 'note', 1);
      return recipients.map(({ error }) => (error as { code?: string } | undefined)?.code);
    });

    const asked = outcomeOf(bus.request('work', 1, { budget: { messages: 2 } }));
    await settle();

    expect(asked.now()).toEqual({ value: [undefined, undefined, EXHAUSTED] });
  });

  it('end a stream after its chunks, with the partial result', async () => {
    const { bus, settle } = makeBus(env);
    async function* write(_request: unknown, context: Context): AsyncGenerator<string, string> {
      for (let page = 1; ; page++) {
        context.spend({ tokens: 4 });
        yield `page ${page}`;
      }
    }
    bus.register('writer').serve('write', write, { wrapUp: () => 'unfinished' });
    const relay = (_request: unknown, context: Context): unknown => context.stream('write', 1);
    bus.register('relay').serve('relay', relay);

    const seen: unknown[] = [];
    for (const topic of ['write', 'relay']) {
      const stream = bus.stream(topic, 1, { budget: { tokens: 10 } });
      const read = async (): Promise<void> => {
        for await (const page of stream) seen.push(page);
      };
      const ended = outcomeOf(read());
      const result = outcomeOf(stream.result);
      await settle();
      seen.push(ended.now());
      expect(result.now()).toEqual(ended.now());
    }

    const end = { error: { code: EXHAUSTED, spent: 12, partial: 'unfinished' } };
    const pages = ['page 1', 'page 2'];
    expect(seen).toMatchObject([...pages, end, ...pages, end]);
    expectBalanced(bus);
  });

  it('draw one message for what is delayed, when it is said, and none for a duplicate', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('talker').serve('work', (_request, context) => {
      context.publish('later', 1, { delayMs: 60_000 });
      context.publish('once', 1, { dedupeKey: 'k' });
      context.publish('once', 1, { dedupeKey: 'k' });
      return context.budget.spent.messages;
    });

    const asked = outcomeOf(bus.request('work', 1, { budget: {} }));
    await settle();
    await bus.close();

    expect(asked.now()).toEqual({ value: 2 });
  });

  it('are drawn from once by a message whose handler is tried again', async () => {
    const { bus, settle } = makeBus(env);
    const spent: number[] = [];
    const flaky = (_request: unknown, context: Context): void => {
      spent.push(context.budget.spent.messages);
      if (spent.length < 3) throw new Error('try again');
    };
    bus.register('b').serve('leaf', flaky, {
      retry: { maxAttempts: 3, baseMs: 0, jitter: 'none' },
    });
    bus.register('a').serve('top', (_request, context) => context.request('leaf', 1));

    await Promise.all([bus.request('top', 1, { budget: { messages: 1 } }), settle()]);

    expect(spent).toEqual([1, 1, 1]);
  });

  it('may be set by publish and send, too', async () => {
    const { bus, settle } = makeBus(env);
    const codes: unknown[] = [];
    const talk = (_message: unknown, context: Context): void => {
      codes.push(codeOf(() => context.publish('more', 1)));
    };
    bus.register('a').subscribe('{begin,task}', talk);

    bus.publish('begin', 1, { budget: { messages: 0 } });
    bus.send('a', 'task', 1, { budget: { messages: 1 } });
    await settle();

    expect(codes).toEqual([EXHAUSTED, undefined]);
  });

  it('are unlimited where nobody set one: spend does nothing, but looks at what it is told', async () => {
    const { bus, settle } = makeBus(env);
    const seen: unknown[] = [];
    bus.subscribe('event', (_message, context) => {
      context.spend({ tokens: 1e9, cost: 1e9 });
      seen.push(context.budget.remaining, context.budget.spent);
      expect(() => context.spend({ tokens: -1 })).toThrow(RangeError);
    });

    bus.publish('event', 1);
    await settle();

    expect(bus.inspect()).toMatchObject({ handled: 1, deadLettered: 0 });
    expect(seen).toEqual([
      { messages: Infinity, tokens: Infinity, cost: Infinity, ms: Infinity },
      { messages: 0, tokens: 0, cost: 0, ms: 0 },
    ]);
  });

  it.each([[{ budget: { messages: -1 } }], [{ budget: { tokens: Number.NaN } }]])(
    'refuse %j with a RangeError, as a rejection where one asks',
    async (options) => {
      const { bus } = makeBus(env);

      expect(() => bus.publish('event', 1, options)).toThrow(RangeError);
      await expect(bus.request('q', 1, options)).rejects.toThrow(RangeError);
    },
  );

  it('are forgotten by a letter that is sent again', async () => {
    const { bus, settle } = makeBus(env);
    const seen: unknown[] = [];
    bus.register('b').serve('leaf', (_request, context) => {
      seen.push(context.budget.remaining.tokens);
      context.spend({ tokens: 5 });
    });

    const asked = outcomeOf(bus.request('leaf', 1, { budget: { tokens: 4 } }));
    await settle();
    await bus.deadLetters.redrive({ reason: 'budget' });
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: EXHAUSTED } });
    expect(seen).toEqual([4, Infinity]);
    expect(bus.deadLetters.size).toBe(0);
  });

  it.each([
    ['wrapUp', 1, 'wrapUp must be a function of the request and its context, but it is 1'],
    ['wrapUpTimeoutMs', -1, 'wrapUpTimeoutMs must be 0 or more'],
  ])('refuse a wrong %s of serve, and any where nobody asks', (name, wrong, text) => {
    const agent = makeBus(env).bus.register('a');
    const options = { [name]: wrong } as never;

    expect(() => agent.serve('q', () => 1, options)).toThrow(text);
    expect(() => agent.subscribe('q', () => 1, options)).toThrow(`${name} belongs to serve`);
    expect(() => agent.serveBatch('q', () => [], options)).toThrow(name);
  });

  // ---- partial results

  it('end with the partial result that a handler throws along, in the own of the library', async () => {
    const { bus, settle } = makeBus(env);
    const pages = ['one'];
    bus.register('writer').serve('write', (_request, context) => {
      try {
        context.spend({ tokens: 2 });
      } catch (error) {
        throw (error as BudgetExhaustedError).withPartial(pages);
      }
    });

    const asked = outcomeOf(bus.request('write', 1, { budget: { tokens: 1 } }));
    await settle();
    pages.push('two');

    expect(asked.now()).toMatchObject({ error: { partial: ['one'], resource: 'tokens' } });
  });

  it('give a responder one last call, in which nothing more can be begun', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    const write = (_request: unknown, context: Context): void => context.spend({ tokens: 2 });
    const wrapUp = async (request: { payload: unknown }, context: Context): Promise<unknown> => {
      context.spend({ tokens: 7 });
      log.push(codeOf(() => context.publish('news', 1)));
      log.push(await context.request('q', 1).catch(({ code }) => code));
      log.push(context.budget.spent.tokens, context.attempt, bus.inspect().inFlight);
      return { partOf: request.payload };
    };
    const writer = bus.register('writer');
    writer.serve('write', write, { wrapUp });
    writer.serve('q', () => 1);

    const asked = outcomeOf(bus.request('write', 'a book', { budget: { tokens: 1 } }));
    await settle();

    expect(asked.now()).toMatchObject({
      error: { code: EXHAUSTED, partial: { partOf: 'a book' }, spent: 2 },
    });
    expect(log).toEqual([EXHAUSTED, EXHAUSTED, 9, 1, 1]);
    expect(bus.deadLetters.list({ refused: false })).toMatchObject([
      { reason: 'budget', attempts: 1 },
    ]);
    expect(writer.inspect()).toMatchObject({ running: 0, status: 'idle' });
    expectBalanced(bus);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    [
      'returns what cannot be kept',
      () => Object.defineProperty({}, 'x', { get: () => 1, enumerable: true }),
    ],
    ['puts its answer off', (_request: unknown, context: Context) => context.defer()],
    ['hands its answer over', (_request: unknown, context: Context) => context.forward('writer')],
  ])('let the first error stand when the last call %s', async (_what, wrapUp) => {
    const faults: string[] = [];
    const { bus, settle } = makeBus(env, { onFault: (_error, where) => faults.push(where) });
    const write = (_request: unknown, context: Context): void => context.spend({ tokens: 2 });
    bus.register('writer').serve('write', write, { wrapUp });

    const asked = outcomeOf(bus.request('write', 1, { budget: { tokens: 1 } }));
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: EXHAUSTED, partial: undefined } });
    expect(faults).toEqual(['wrapUp of writer']);
    expectBalanced(bus);
  });

  it('let everybody on the way up add what he has: the outermost asker gets the last', async () => {
    const { bus, settle } = makeBus(env);
    const leaf = (_request: unknown, context: Context): void => context.spend({ tokens: 9 });
    bus.register('c').serve('leaf', leaf, { wrapUp: () => 'leaf' });
    const pass = (_request: unknown, context: Context): unknown => context.request('leaf', 1);
    bus.register('b').serve('pass', pass);
    bus.register('a').serve('top', async (_request, context) => {
      try {
        return await context.request('pass', 1);
      } catch (error) {
        const exhausted = error as BudgetExhaustedError;
        throw exhausted.withPartial(`top with ${exhausted.partial}`);
      }
    });

    const asked = outcomeOf(bus.request('top', 1, { budget: { tokens: 1 } }));
    await settle();

    expect(asked.now()).toMatchObject({ error: { partial: 'top with leaf', resource: 'tokens' } });
    expect(bus.deadLetters.list().map(({ reason }) => reason)).toEqual(Array(3).fill('budget'));
  });

  it('make no last call of a responder that was taken away', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const { opened, open } = gate();
    const write = async (_request: unknown, context: Context): Promise<void> => {
      await opened;
      context.spend({ tokens: 2 });
    };
    const served = bus.register('writer').serve('write', write, { wrapUp: () => log.push('last') });

    const asked = outcomeOf(bus.request('write', 1, { budget: { tokens: 1 } }));
    await settle();
    served.unsubscribe();
    open();
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: EXHAUSTED } });
    expect(log).toEqual([]);
    expectBalanced(bus);
  });
});

/** A bus whose clock the test moves, with what an ask became. */
function makeTimed(): {
  readonly t: TestBus;
  ask(topic: string, options: RequestOptions): { now(): unknown };
} {
  const t = createTestBus();
  return { t, ask: (topic, options) => outcomeOf(t.bus.request(topic, 1, options)) };
}

/** Ends when it is told to, with what it was told. */
function untilAborted(context: Context): Promise<never> {
  return new Promise((_resolve, reject) => {
    context.signal.addEventListener('abort', () => reject(context.signal.reason));
  });
}

const late = { code: EXHAUSTED, resource: 'ms', limit: 20, spent: 20 };

// R:G2
describe('the time of a budget', () => {
  it('ends the asker with the budget and not with a time-out, as soon as the handler ends', async () => {
    const { t, ask } = makeTimed();
    t.bus.register('a').serve('q', (_request, context) => untilAborted(context));

    const asked = ask('q', { budget: { ms: 20 } });
    await t.clock.advance(19);
    expect(asked.now()).toBe('pending');
    await t.clock.advance(1);

    expect(asked.now()).toMatchObject({ error: late });
    expect(t.bus.deadLetters.list()).toMatchObject([{ reason: 'budget' }]);
    expectBalanced(t.bus);
  });

  it.each([0, 20])('expires what nobody has begun after %d ms', async (ms) => {
    const { t, ask } = makeTimed();
    const busy = t.bus.register('a');
    busy.serve('q', hang);
    void ask('q', { timeoutMs: Infinity });
    await t.settle();

    const asked = ask('q', { budget: { ms } });
    await t.clock.advance(ms);

    expect(asked.now()).toMatchObject({ error: { code: EXHAUSTED, resource: 'ms', limit: ms } });
    expect(t.bus.inspect()).toMatchObject({ expired: 1, inFlight: 1 });
  });

  it('yields to a time-out that comes sooner, and to the end of a call that waits as long', async () => {
    const { t, ask } = makeTimed();
    t.bus.register('a', { concurrency: 2 }).serve('q', hang);

    const sooner = ask('q', { budget: { ms: 20 }, timeoutMs: 19 });
    const bounded = ask('q', { budget: { ms: 20 }, timeoutMs: 25 });
    await t.clock.advance(24);
    expect([sooner.now(), bounded.now()]).toMatchObject([
      { error: { code: 'TELLASK_TIMEOUT' } },
      'pending',
    ]);
    await t.clock.advance(1);

    expect(bounded.now()).toMatchObject({ error: late });
  });

  it('takes what a handler returns in the grace for the partial result', async () => {
    const { t, ask } = makeTimed();
    t.bus.register('a').serve('q', async (_request, context) => {
      await untilAborted(context).catch(() => {});
      return ['half'];
    });

    const asked = ask('q', { budget: { ms: 20 } });
    await t.clock.advance(20);

    expect(asked.now()).toMatchObject({ error: { ...late, partial: ['half'] } });
    expect(t.bus.inspect()).toMatchObject({ handled: 1, deadLettered: 0, lateReplies: 0 });
  });

  it.each([
    ['ends at once', untilAborted, 20],
    ['hangs', hang, 1_020],
  ] as const)('makes one last call when the handler %s', async (_how, end, at) => {
    const { t, ask } = makeTimed();
    const log: number[] = [];
    const agent = t.bus.register('a');
    const wrapUp = (_request: unknown, context: Context): string => {
      log.push(t.clock.nowMs, context.remainingMs);
      return 'half';
    };
    agent.serve('q', (_request, context) => end(context), { wrapUp });

    const asked = ask('q', { budget: { ms: 20 } });
    await t.clock.advance(5_000);

    expect(asked.now()).toMatchObject({ error: { ...late, partial: 'half' } });
    expect(log).toEqual([at, 1_000]);
    expect(t.bus.deadLetters.list()).toMatchObject([{ reason: 'budget', attempts: 1 }]);
    expect(agent.inspect().running).toBe(0);
    expectBalanced(t.bus);
  });

  it('is over after two graces at the latest, whatever hangs', async () => {
    const { t, ask } = makeTimed();
    const agent = t.bus.register('a');
    agent.serve('q', hang, { wrapUp: hang });

    const asked = ask('q', { budget: { ms: 20 } });
    await t.clock.advance(2_019);
    expect([asked.now(), agent.inspect().running]).toEqual(['pending', 1]);
    await t.clock.advance(1);

    expect(asked.now()).toMatchObject({ error: { ...late, partial: undefined } });
    expect(agent.inspect().running).toBe(0);
    expect(t.bus.inspect()).toMatchObject({ abandoned: 2, deadLettered: 1, pendingRequests: 0 });
    expectBalanced(t.bus);
  });

  it.each([
    ['release', 0],
    ['hold', 1],
  ] as const)('leaves the slot of a last call that hangs as %s says', async (onHang, running) => {
    const { t, ask } = makeTimed();
    const agent = t.bus.register('a', { onHang });
    const { opened, open } = gate();
    const spend = (_request: unknown, context: Context): void => context.spend({ tokens: 2 });
    agent.serve('q', spend, { wrapUp: () => opened, wrapUpTimeoutMs: 50 });

    const asked = ask('q', { budget: { tokens: 1 } });
    await t.clock.advance(50);
    expect(asked.now()).toMatchObject({ error: { resource: 'tokens' } });
    expect(agent.inspect().running).toBe(running);
    open();
    await t.settle();

    expect(agent.inspect().running).toBe(0);
    expectBalanced(t.bus);
  });

  it('stops the agent of a last call that hangs, where it says so', async () => {
    const { t, ask } = makeTimed();
    const agent = t.bus.register('a', { onHang: 'stop' });
    const spend = (_request: unknown, context: Context): void => context.spend({ tokens: 2 });
    agent.serve('q', spend, { wrapUp: hang });

    const asked = ask('q', { budget: { tokens: 1 } });
    await t.clock.advance(2_000);

    expect(asked.now()).toMatchObject({ error: { resource: 'tokens' } });
    expect(t.bus.agents()).toEqual([]);
    expectBalanced(t.bus);
  });

  it('lets a partial result come up through an asker that is stopped at the same time', async () => {
    const { t, ask } = makeTimed();
    const a = t.bus.register('a');
    t.bus.register('b').serve('leaf', async (_request, context) => {
      await untilAborted(context).catch(() => {});
      return 'leaf';
    });
    a.serve('top', async (_request, context) => {
      const { signal } = context;
      await context.request('leaf', 1, { signal }).catch((error: BudgetExhaustedError) => {
        throw error.withPartial(`top with ${error.partial}`);
      });
    });

    const asked = ask('top', { budget: { ms: 20 } });
    await t.clock.advance(20);

    expect(asked.now()).toMatchObject({ error: { ...late, partial: 'top with leaf' } });
    expect(t.bus.inspect()).toMatchObject({ pendingRequests: 0, inFlight: 0 });
  });

  it('ends a gather member by member, and keeps what has come', async () => {
    const t = createTestBus();
    t.bus.register('a').serve('q', () => 'a');
    t.bus.register('b').serve('q', (_request, context) => untilAborted(context));
    const wrapUp = (): string => 'half';
    t.bus.register('c').serve('q', (_request, context) => untilAborted(context), { wrapUp });

    const all = outcomeOf(t.bus.gather('q', 1, { budget: { ms: 20 } }));
    await t.clock.advance(20);

    expect(all.now()).toMatchObject({
      value: {
        ok: [{ from: 'a', value: 'a' }],
        failed: expect.arrayContaining([
          { from: 'b', error: expect.objectContaining(late) },
          { from: 'c', error: expect.objectContaining({ ...late, partial: 'half' }) },
        ]),
        reason: 'all',
      },
    });
    expectBalanced(t.bus);
  });

  it('gives an answer that is put off the same moment', async () => {
    const { t, ask } = makeTimed();
    const a = t.bus.register('a');
    a.serve('never', (_request, context) => context.defer());
    a.serve('half', (_request, context) =>
      context.defer((later) => {
        context.signal.addEventListener('abort', () => later.answer('half'));
      }),
    );
    a.serve('spent', (_request, context) =>
      context.defer((later) => {
        try {
          context.spend({ tokens: 1 });
        } catch (error) {
          later.fail((error as BudgetExhaustedError).withPartial('half'));
        }
      }),
    );

    const timed = ['never', 'half'].map((topic) => ask(topic, { budget: { ms: 20 } }));
    const spent = ask('spent', { budget: { tokens: 0 } });
    await t.clock.advance(20);
    const half = { error: { ...late, partial: 'half' } };
    expect(timed.map((one) => one.now())).toMatchObject(['pending', half]);
    await t.clock.advance(1_000);

    expect(timed[0]?.now()).toMatchObject({ error: late });
    expect(spent.now()).toMatchObject({ error: { resource: 'tokens', partial: 'half' } });
    expect(t.bus.inspect()).toMatchObject({ deferred: 0, expired: 1, handled: 1, deadLettered: 1 });
  });

  it('reaches who answers in the place of another, whose partial result comes back', async () => {
    const { t, ask } = makeTimed();
    const spent: number[] = [];
    t.bus.register('a').serve('q', (_request, context) => context.forward('b'));
    t.bus.register('b').serve('q', async (_request, context) => {
      await untilAborted(context).catch(() => {});
      spent.push(context.budget.spent.messages);
      return 'half';
    });

    const asked = ask('q', { to: 'a', budget: { ms: 20 } });
    await t.clock.advance(20);

    expect(asked.now()).toMatchObject({ error: { ...late, partial: 'half' } });
    expect(spent).toEqual([1]);
    expectBalanced(t.bus);
  });

  it('ends a stream with what its reader has not read yet, and then the error', async () => {
    const t = createTestBus();
    async function* write(_request: unknown, context: Context): AsyncGenerator<string, string> {
      yield 'page 1';
      await untilAborted(context).catch(() => {});
      return 'done after all';
    }
    const wrapUp = (): string => 'unfinished';
    t.bus.register('writer').serve('write', write, { wrapUp });

    const stream = t.bus.stream('write', 1, { budget: { ms: 20 } });
    await t.clock.advance(2_020);
    const seen: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const page of stream) seen.push(page);
    };
    const ended = outcomeOf(read());
    await t.settle();

    expect(seen).toEqual(['page 1']);
    expect(ended.now()).toMatchObject({ error: { ...late, partial: 'unfinished' } });
    expectBalanced(t.bus);
  });

  it('refuses what is said later, also in an event that goes on', async () => {
    const { t, ask } = makeTimed();
    const codes: unknown[] = [];
    const { opened, open } = gate();
    t.bus.subscribe('event', async (_message, context) => {
      await opened;
      codes.push(
        codeOf(() => context.publish('more', 1)),
        context.signal.aborted,
      );
    });
    t.bus.register('a').serve('q', (_request, context) => context.publish('event', 1).id);

    const asked = ask('q', { budget: { ms: 20 } });
    await t.clock.advance(30);
    open();
    await t.settle();

    expect(asked.now()).toMatchObject({ value: expect.any(String) });
    expect(codes).toEqual([EXHAUSTED, false]);
  });

  it('does not keep a closing bus waiting for a last call that hangs', async () => {
    const { t, ask } = makeTimed();
    const spend = (_request: unknown, context: Context): void => context.spend({ tokens: 2 });
    const options = { wrapUp: hang, wrapUpTimeoutMs: 60_000 };
    t.bus.register('a').serve('q', spend, options);
    const asked = ask('q', { budget: { tokens: 1 } });
    await t.settle();

    const closed = outcomeOf(t.bus.close({ mode: 'abort' }));
    await t.clock.advance(1_000);

    expect(closed.now()).toMatchObject({ value: { abandoned: [{ topic: 'q' }] } });
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_CLOSED' } });
    expect(t.bus.inspect()).toMatchObject({ inFlight: 0, cancelled: 1 });
  });

  it('gives the asker the budget, too, when his own time ends during the last call', async () => {
    const { t, ask } = makeTimed();
    const spend = (_request: unknown, context: Context): void => context.spend({ tokens: 2 });
    t.bus.register('a').serve('q', spend, { wrapUp: hang });

    const asked = ask('q', { budget: { tokens: 1 }, timeoutMs: 10 });
    await t.clock.advance(10);

    expect(asked.now()).toMatchObject({ error: { code: EXHAUSTED, resource: 'tokens' } });
    await t.clock.advance(1_000);
    expect(t.bus.inspect()).toMatchObject({ inFlight: 0, deadLettered: 1 });
  });
});
