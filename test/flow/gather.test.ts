import { describe, expect, it } from 'vitest';
import {
  type Agent,
  type Context,
  first,
  type Gathered,
  type GatheredSoFar,
  type GatherOptions,
  isTellaskError,
  type MessageBus,
  quorum,
  type Until,
} from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, gate, hang, outcomeOf } from './books.ts';

/** Registers agents that serve `q`, each in its way. */
function staff(bus: MessageBus, ways: Record<string, (context: Context) => unknown>): Agent[] {
  return Object.entries(ways).map(([name, way]) => {
    const agent = bus.register(name);
    agent.serve('q', (_m, context) => way(context));
    return agent;
  });
}

/** A result with errors as codes or messages, short enough to compare. */
function brief({ ok, failed, pending, cancelled, reason }: Gathered): unknown {
  return {
    ok: ok.map(({ from, value }) => `${from} ${value}`),
    failed: failed.map(({ from, error }) => `${from} ${codeOrMessage(error)}`),
    pending,
    cancelled: cancelled.map((one) => `${one.from} ${one.reason}`),
    reason,
  };
}

function codeOrMessage(error: unknown): string {
  return isTellaskError(error) ? error.code : (error as Error).message;
}

function fails(): unknown {
  throw new Error('no idea');
}

type Row = [string, Until, () => unknown, () => unknown, Gathered['reason']];

const NOTHING = { ok: [], failed: [], pending: [], cancelled: [] };

describe.each(['real', 'simulated'] as const)('gather, on the %s Env', (env) => {
  /** What a gather has become; `when` happens while it waits. */
  async function gathered(
    ways: Record<string, (context: Context) => unknown>,
    options: GatherOptions,
    when: (bus: MessageBus, agents: Agent[]) => void = () => {},
  ): Promise<{ result: unknown; bus: MessageBus; settle: () => Promise<void> }> {
    const { bus, settle } = makeBus(env);
    const agents = staff(bus, ways);
    const asked = bus.gather('q', 1, options).then(brief, (error) => ({ error }));
    const outcome = outcomeOf(asked);
    await settle();
    when(bus, agents);
    await settle();
    const now = outcome.now() as { value: unknown };
    return { result: now.value ?? now, bus, settle };
  }

  // R:F4 F:C8
  it('asks all who serve, and keeps answers and failures apart', async () => {
    const ways = { a: () => 1, b: fails, c: async () => 3 };

    const { result, bus } = await gathered(ways, {});

    expect(result).toEqual({
      ...NOTHING,
      ok: ['a 1', 'c 3'],
      failed: ['b no idea'],
      reason: 'all',
    });
    expect(bus.inspect()).toMatchObject({ admitted: 3, handled: 2, deadLettered: 1 });
    expect(bus.inspect()).toMatchObject({ pendingRequests: 0, lateReplies: 0 });
    expectBalanced(bus);
  });

  it('keeps answers in the order in which they were given', async () => {
    const gates = { a: gate(), b: gate(), c: gate() };
    const ways = {
      a: () => gates.a.opened,
      b: () => gates.b.opened,
      c: () => gates.c.opened,
    };
    const { bus, settle } = makeBus(env);
    staff(bus, ways);

    const asked = outcomeOf(bus.gather('q', 1));
    await settle();
    for (const name of ['c', 'a', 'b'] as const) {
      gates[name].open();
      await settle();
    }

    const { ok } = (asked.now() as { value: Gathered }).value;
    expect(ok.map(({ from }) => from)).toEqual(['c', 'a', 'b']);
  });

  it.each([
    // until, how the first two do, what comes of it while the third hangs
    ['first', first(), fails, () => 1, 'enough'],
    ['quorum', quorum(2), () => 1, () => 2, 'enough'],
    ['a quorum that is out of reach', quorum(3), () => 1, fails, 'impossible'],
    ['a predicate', ({ failed }: GatheredSoFar) => failed.length === 1, () => 1, fails, 'enough'],
  ] satisfies Row[])('ends early with %s', async (_name, until, a, b, reason) => {
    const { bus, settle } = makeBus(env);
    const [one, other] = [gate(), gate()];
    staff(bus, { a: () => one.opened.then(a), b: () => other.opened.then(b), c: hang });

    const asked = outcomeOf(bus.gather('q', 1, { until }).then(brief));
    for (const { open } of [{ open: () => {} }, one, other]) {
      await settle();
      open();
    }
    await settle();

    expect(asked.now()).toMatchObject({
      value: { cancelled: ['c withdrawn'], reason, pending: [] },
    });
    expect(bus.inspect().pendingRequests).toBe(0);
    expectBalanced(bus);
  });

  it('asks nobody when there are fewer than have to answer', async () => {
    const { result, bus } = await gathered({ a: () => 1, b: () => 2 }, { until: quorum(3) });

    expect(result).toEqual({
      ...NOTHING,
      cancelled: ['a withdrawn', 'b withdrawn'],
      reason: 'impossible',
    });
    expect(bus.inspect().admitted).toBe(0);
  });

  it('shows a predicate all that has come, each time that somebody has ended', async () => {
    const seen: unknown[] = [];
    const until = (soFar: GatheredSoFar): boolean => {
      seen.push([soFar.ok.length, soFar.failed.length, soFar.pending.join()]);
      return false;
    };

    const { result } = await gathered({ a: () => 1, b: fails }, { until });

    // Who ends first is anybody's guess.
    expect([
      [1, 0, 'b'],
      [0, 1, 'a'],
    ]).toContainEqual(seen[0]);
    expect(seen.slice(1)).toEqual([[1, 1, '']]);
    expect(result).toMatchObject({ reason: 'all' });
  });

  it.each([
    ['throws', fails, 'no idea'],
    ['returns a promise', async () => true, 'until must be synchronous, but it returned a promise'],
  ])('rejects when a predicate %s, and treats stragglers as chosen', async (_how, until, text) => {
    const reasons: unknown[] = [];
    const listens = ({ signal }: Context): Promise<never> => {
      signal.addEventListener('abort', () => reasons.push(signal.reason.code));
      return hang();
    };
    const options = { until: until as never };
    const all = gate();

    const { result, bus } = await gathered({ b: listens, a: () => all.opened }, options, all.open);

    expect(result).toMatchObject({ error: { message: text } });
    expect(reasons).toEqual(['TELLASK_CANCELLED']);
    expect(bus.inspect().pendingRequests).toBe(0);
  });

  it('aborts stragglers and takes back what has not begun: they are cancelled, not failed', async () => {
    const reasons: unknown[] = [];
    const { bus, settle } = makeBus(env);
    const slow = (context: Context): Promise<never> =>
      new Promise((_resolve, reject) => {
        context.signal.addEventListener('abort', () => {
          reasons.push(context.signal.reason.code);
          reject(context.signal.reason);
        });
      });
    const all = gate();
    const [, , paused] = staff(bus, { b: slow, a: () => all.opened.then(() => 1), c: () => 3 });
    paused?.pause();

    const asked = outcomeOf(bus.gather('q', 1, { until: first() }).then(brief));
    await settle();
    all.open();
    await settle();

    expect(asked.now()).toEqual({
      value: {
        ...NOTHING,
        ok: ['a 1'],
        cancelled: ['b withdrawn', 'c withdrawn'],
        reason: 'enough',
      },
    });
    expect(reasons).toEqual(['TELLASK_CANCELLED']);
    expect(bus.inspect()).toMatchObject({ handled: 1, cancelled: 2, deadLettered: 0, letters: 0 });
    expectBalanced(bus);
  });

  it('lets stragglers run on by choice: what they answer is handled, and no late reply', async () => {
    const late = gate();
    const replied: unknown[] = [];
    const slow = async (context: Context): Promise<string> => {
      await late.opened;
      replied.push(context.signal.aborted, context.reply('at last'));
      return 'unused';
    };
    const options: GatherOptions = { until: first(), stragglers: 'run' };

    const { result, bus, settle } = await gathered({ a: () => 1, b: slow }, options);
    late.open();
    await settle();

    expect(result).toEqual({ ...NOTHING, ok: ['a 1'], pending: ['b'], reason: 'enough' });
    expect(replied).toEqual([false, false]);
    expect(bus.inspect()).toMatchObject({ handled: 2, lateReplies: 0, letters: 0 });
    expect(bus.inspect().pendingRequests).toBe(0);
    expectBalanced(bus);
  });

  it.each(['run', 'abort'] as const)(
    'resolves with what there is when its signal aborts, and calls the rest off (%s)',
    async (stragglers) => {
      const controller = new AbortController();
      const reasons: unknown[] = [];
      const listens = ({ signal }: Context): Promise<never> => {
        signal.addEventListener('abort', () => reasons.push(signal.reason));
        return hang();
      };
      const { signal } = controller;

      const { result, bus } = await gathered(
        { a: () => 1, b: listens },
        { signal, stragglers },
        () => controller.abort('enough'),
      );

      expect(result).toEqual({
        ...NOTHING,
        ok: ['a 1'],
        cancelled: ['b withdrawn'],
        reason: 'withdrawn',
      });
      expect(reasons).toEqual(['enough']);
      expect(bus.inspect().pendingRequests).toBe(0);
    },
  );

  it('rejects with the reason of a signal that had aborted before: nobody was asked', async () => {
    const { result, bus } = await gathered({ a: () => 1 }, { signal: AbortSignal.abort('before') });

    expect(result).toEqual({ error: 'before' });
    expect(bus.inspect().admitted).toBe(0);
  });

  // R:F1
  it('fails at once who leaves, and goes on with the others', async () => {
    const { result } = await gathered({ a: hang, b: () => 2, c: hang }, {}, (_bus, agents) => {
      void agents[0]?.leave();
      void agents[2]?.leave();
    });

    expect(result).toEqual({
      ...NOTHING,
      ok: ['b 2'],
      failed: expect.toSatisfy(
        (failed: string[]) =>
          failed.toSorted().join() === 'a TELLASK_RESPONDER_LEFT,c TELLASK_RESPONDER_LEFT',
      ),
      reason: 'all',
    });
  });

  // R:F1 R:A3
  it('resolves with what there is when the bus closes', async () => {
    const { bus, settle } = makeBus(env, { graceMs: 0 });
    const agents = staff(bus, { a: () => 1, b: hang, c: () => 3 });
    agents[2]?.pause();

    const asked = outcomeOf(bus.gather('q', 1).then(brief));
    await settle();
    const closed = bus.close({ mode: 'abort' });
    await settle();
    await closed;

    const { value } = asked.now() as { value: { cancelled: string[] } };
    expect(value).toMatchObject({ ok: ['a 1'], failed: [], reason: 'closed' });
    expect(value.cancelled.sort()).toEqual(['b closed', 'c closed']);
  });

  // R:F1
  it('rejects at once when nobody serves, the asker itself left out', async () => {
    const { bus, settle } = makeBus(env);
    const alone = bus.register('alone');
    alone.serve('q', () => 1);

    const asked = [
      outcomeOf(bus.gather('other', 1)),
      outcomeOf(alone.gather('q', 1)),
      outcomeOf(bus.gather('q', 1, { to: { capability: 'draw' } })),
      outcomeOf(bus.gather('q', 1, { to: [] })),
    ];
    await settle();

    for (const one of asked) {
      expect(one.now()).toMatchObject({ error: { code: 'TELLASK_NO_RESPONDER' } });
    }
    expect(bus.inspect()).toMatchObject({ admitted: 0, refused: 4 });
  });

  it('asks names, of whom those who cannot be asked are failures of their own', async () => {
    const { bus, settle } = makeBus(env);
    const [a] = staff(bus, { a: () => 1, b: () => 2 });
    bus.register('idle');

    const to = ['b', 'a', 'b', 'idle', 'nobody'];
    const asked = outcomeOf((a as Agent).gather('q', 1, { to }).then(brief));
    await settle();

    const { value } = asked.now() as { value: { ok: string[] } };
    expect(value.ok.sort()).toEqual(['a 1', 'b 2']);
    expect(value).toMatchObject({
      failed: ['idle TELLASK_NO_RESPONDER', 'nobody TELLASK_UNKNOWN_RECIPIENT'],
      reason: 'all',
    });
  });

  it('resolves when all names are wrong', async () => {
    const options = { to: ['nobody'], until: first() };

    const { result } = await gathered({ a: () => 1 }, options);

    expect(result).toMatchObject({
      failed: ['nobody TELLASK_UNKNOWN_RECIPIENT'],
      reason: 'impossible',
    });
  });

  it('asks those who have a capability and serve', async () => {
    const { bus, settle } = makeBus(env);
    staff(bus, { a: () => 1 });
    bus.register('b', { capabilities: ['draw'] }).serve('q', () => 2);
    bus.register('c', { capabilities: ['draw'] });

    const asked = outcomeOf(bus.gather('q', 1, { to: { capability: 'draw' } }).then(brief));
    await settle();

    expect(asked.now()).toEqual({ value: { ...NOTHING, ok: ['b 2'], reason: 'all' } });
  });

  it('asks an agent once that serves the topic twice', async () => {
    const { bus, settle } = makeBus(env);
    const a = bus.register('a');
    a.serve('q', () => 1);
    a.serve('q', () => 2);

    const asked = outcomeOf(bus.gather('q', 1).then(brief));
    await settle();

    expect(asked.now()).toEqual({ value: { ...NOTHING, ok: ['a 1'], reason: 'all' } });
  });

  // R:A7
  it('counts a full mailbox as a failure of its own', async () => {
    const { bus, settle } = makeBus(env);
    const full = bus.register('full', { capacity: 1 });
    full.serve('q', () => 1);
    full.pause();
    bus.send('full', 'q', 'takes the place');
    staff(bus, { a: () => 1 });

    const asked = outcomeOf(bus.gather('q', 1).then(brief));
    await settle();

    expect(asked.now()).toMatchObject({
      value: { ok: ['a 1'], failed: ['full TELLASK_MAILBOX_FULL'], reason: 'all' },
    });
    expectBalanced(bus);
  });

  // R:F3
  it('says it once: one payload, one conversation, one cause, one deadline', async () => {
    const { bus, settle } = makeBus(env);
    const seen: { payload: unknown; told: string }[] = [];
    for (const name of ['a', 'b']) {
      bus.register(name).serve('q', (message, context) => {
        const { payload, correlationId, causationId, priority, headers, expiresAt } = message;
        const told = [correlationId, causationId, priority, headers['x'], expiresAt].join();
        seen.push({ payload, told: `${told} ${context.idempotencyKey}` });
      });
    }
    bus.register('chief').subscribe('go', async (_m, context) => {
      await context.gather('q', { page: 7 }, { headers: { x: 'y' }, idempotencyKey: 'k' });
    });

    const receipt = bus.publish('go', 1, { priority: 'high' });
    await settle();

    expect(seen).toHaveLength(2);
    expect(seen[0]?.payload).toBe(seen[1]?.payload);
    expect(seen[0]?.told).toBe(seen[1]?.told);
    expect(seen[0]?.told).toMatch(new RegExp(`^${receipt.id},${receipt.id},8,y,\\d+ k$`));
  });

  it('is called off with the handler that asked', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const controller = new AbortController();
    staff(bus, {
      a: ({ signal }) => {
        signal.addEventListener('abort', () => log.push(`a ${signal.reason}`));
        return hang();
      },
    });
    bus.register('chief').serve('lead', async (_m, context) => {
      const { reason } = await context.gather('q', 1);
      log.push(`gathered ${reason}`);
    });

    void bus.request('lead', 1, { signal: controller.signal }).catch(() => {});
    await settle();
    controller.abort('never mind');
    await settle();

    expect(log).toEqual(['a never mind', 'gathered withdrawn']);
  });

  it('tells a failure of a responder from its own end, though the error is of the same kind', async () => {
    const { bus, settle } = makeBus(env);
    bus.use({
      name: 'skip b',
      handle: (message, _context, next) => (message.to === 'b' ? undefined : next()),
    });
    const nested = gate();
    staff(bus, {
      a: async () => {
        const error = Object.assign(new Error('mine'), { code: 'TELLASK_CANCELLED' });
        await nested.opened;
        throw error;
      },
      b: () => 2,
    });

    const asked = outcomeOf(bus.gather('q', 1).then(brief));
    nested.open();
    await settle();

    expect(asked.now()).toEqual({
      value: { ...NOTHING, failed: ['a mine'], cancelled: ['b skipped'], reason: 'all' },
    });
  });

  it('hears of progress, and from whom', async () => {
    const log: string[] = [];
    const says = (context: Context): void => context.progress('half');
    const onProgress = (update: unknown, from: string) => log.push(`${update} by ${from}`);

    await gathered({ a: says, b: says }, { onProgress });

    expect(log.toSorted()).toEqual(['half by a', 'half by b']);
  });

  it('survives a listener that ends a responder while it is being asked', async () => {
    const { bus, settle } = makeBus(env);
    const [, b] = staff(bus, { a: () => 1, b: () => 2, c: () => 3 });
    bus.events.on('admitted', (_message, [name]) => {
      if (name === 'b') void b?.leave();
    });

    const asked = outcomeOf(bus.gather('q', 1).then(brief));
    await settle();

    const { value } = asked.now() as { value: { ok: string[] } };
    expect(value.ok.sort()).toEqual(['a 1', 'c 3']);
    expect(value).toMatchObject({ failed: ['b TELLASK_RESPONDER_LEFT'], reason: 'all' });
    expectBalanced(bus);
  });

  it.each([
    ['until', 'all', TypeError],
    ['until', { answers: 0 }, RangeError],
    ['stragglers', 'kill', TypeError],
    ['to', 'a', TypeError],
    ['to', [1], TypeError],
    ['to', { capability: 1 }, TypeError],
    ['timeoutMs', -1, RangeError],
    ['idleTimeoutMs', '1', TypeError],
    ['onProgress', 1, TypeError],
    ['waitForMs', 1, TypeError],
  ])('refuses %s: %j', async (name, value, kind) => {
    const { result, bus } = await gathered({ a: () => 1 }, { [name]: value } as GatherOptions);

    expect((result as { error: Error }).error).toBeInstanceOf(kind);
    expect(bus.inspect().admitted).toBe(0);
  });

  // R:E4
  it('is a request to a restricted handle', async () => {
    const { bus, settle } = makeBus(env);
    staff(bus, { a: () => 1 });
    const guest = bus.register('guest').restrict({ request: ['other.*'] });

    const asked = outcomeOf(guest.gather('q', 1));
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_DENIED' } });
  });
});

// R:F3 R:F4 F:C3 F:C4
describe('the time of a gather', () => {
  it.each([
    ['abort', { cancelled: ['b withdrawn', 'c withdrawn'], pending: [] }],
    ['run', { cancelled: [], pending: ['b', 'c'] }],
  ] as const)('is over for all at once: %s', async (stragglers, rest) => {
    const t = createTestBus();
    const [, , paused] = staff(t.bus, { a: () => 1, b: hang, c: () => 3 });
    paused?.pause();

    const asked = outcomeOf(t.bus.gather('q', 1, { timeoutMs: 100, stragglers }).then(brief));
    await t.clock.advance(99);
    expect(asked.now()).toBe('pending');
    await t.clock.advance(1);

    expect(asked.now()).toEqual({ value: { ok: ['a 1'], failed: [], reason: 'timeout', ...rest } });
    expect(t.bus.inspect().pendingRequests).toBe(0);
    expectBalanced(t.bus);
  });

  it('lets a straggler that runs on finish after the time is over', async () => {
    const t = createTestBus({ handlerTimeoutMs: 1_000 });
    const late = gate();
    const [, , paused] = staff(t.bus, { a: () => 1, b: () => late.opened, c: () => 3 });
    paused?.pause();
    const options = { timeoutMs: 100, stragglers: 'run' } as const;
    const asked = outcomeOf(t.bus.gather('q', 1, options).then(brief));

    await t.clock.advance(500);
    paused?.resume();
    late.open();
    await t.settle();

    expect(asked.now()).toMatchObject({ value: { pending: ['b', 'c'], reason: 'timeout' } });
    expect(t.bus.inspect()).toMatchObject({ handled: 3, expired: 0, lateReplies: 0 });
  });

  it('bounds a straggler that runs on by the time that any handler has', async () => {
    const t = createTestBus({ handlerTimeoutMs: 1_000, graceMs: 10 });
    staff(t.bus, { b: hang });

    void t.bus.gather('q', 1, { timeoutMs: 100, stragglers: 'run' });
    await t.clock.advance(1_010);

    expect(t.bus.inspect()).toMatchObject({ deadLettered: 1, inFlight: 0, abandoned: 1 });
  });

  it('is 30 seconds unless given, never longer than what the asker has left', async () => {
    const t = createTestBus();
    staff(t.bus, { a: hang });
    const left: number[] = [];
    const log: unknown[] = [];
    t.bus.register('b').serve('q', (_m, { remainingMs }) => void left.push(remainingMs));
    t.bus.register('chief').serve('lead', async (_m, context) => {
      const options = { timeoutMs: 60_000, stragglers: 'run' } as const;
      const { reason } = await context.gather('q', 1, options);
      log.push(reason, t.clock.nowMs);
    });

    void t.bus.request('lead', 1, { timeoutMs: 1_000 }).catch(() => {});
    const asked = outcomeOf(t.bus.gather('q', 1).then(({ reason }) => reason));
    await t.clock.advance(29_999);
    expect(asked.now()).toBe('pending');
    await t.clock.advance(1);

    expect(asked.now()).toEqual({ value: 'timeout' });
    expect(left).toEqual([30_000, 1_000]);
    expect([
      ['withdrawn', 1_000],
      ['timeout', 1_000],
    ]).toContainEqual(log);
  });

  it('takes one timer for all, and leaves none', async () => {
    const t = createTestBus();
    const names = Array.from({ length: 10 }, (_, n) => `a${n}`);
    staff(t.bus, Object.fromEntries(names.map((name) => [name, () => name])));

    const asked = outcomeOf(t.bus.gather('q', 1));
    await t.settle();
    await t.run();

    expect(asked.now()).toMatchObject({ value: { reason: 'all' } });
    expect(t.clock.nowMs).toBe(0);
  });

  it('gives up a silent responder, and waits on for who gives signs of life', async () => {
    const t = createTestBus();
    let alive: Context | undefined;
    staff(t.bus, {
      silent: hang,
      lively: (context) => {
        alive = context;
        return hang();
      },
    });

    const asked = outcomeOf(
      t.bus.gather('q', 1, { idleTimeoutMs: 100, timeoutMs: 250 }).then(brief),
    );
    for (let n = 0; n < 3; n++) {
      await t.clock.advance(80);
      alive?.progress();
    }
    await t.clock.advance(10);

    expect(asked.now()).toEqual({
      value: {
        ...NOTHING,
        failed: ['silent TELLASK_TIMEOUT'],
        cancelled: ['lively withdrawn'],
        reason: 'timeout',
      },
    });
  });
});
