import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/delivery/attempt.ts';
import type { Agent, MessageBus } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, gate, hang, outcomeOf } from './books.ts';

/** An agent that answers on its own name by asking the others in turn. */
function serveBy(bus: MessageBus, name: string, others: readonly string[], concurrency = 1): Agent {
  const agent = bus.register(name, { concurrency });
  agent.serve(name, async (_request, context) => {
    for (const other of others) await context.request(other, name);
    return `${name} is done`;
  });
  return agent;
}

const deadlock = (cycle: readonly string[]): object => ({
  error: { code: 'TELLASK_DEADLOCK', cycle, retryable: false },
});

describe.each(['real', 'simulated'] as const)('deadlock, on the %s Env', (env) => {
  // R:B6
  it.each([
    ['an agent that asks itself', { a: ['a'] }, ['a', 'a']],
    ['A -> B -> A', { a: ['b'], b: ['a'] }, ['a', 'b', 'a']],
    ['a cycle of four', { a: ['b'], b: ['c'], c: ['d'], d: ['a'] }, ['a', 'b', 'c', 'd', 'a']],
    ['a cycle that the first is no part of', { a: ['b'], b: ['c'], c: ['b'] }, ['b', 'c', 'b']],
  ])('fails at once with the cycle named: %s', async (_what, system, cycle) => {
    const { bus, settle } = makeBus(env);
    for (const [name, others] of Object.entries(system)) serveBy(bus, name, others);

    const asked = outcomeOf(bus.request('a', 1));
    await settle();

    expect(asked.now()).toMatchObject(deadlock(cycle));
    expect(bus.inspect()).toMatchObject({ refused: 1, pendingRequests: 0, inFlight: 0, queued: 0 });
    expectBalanced(bus);
  });

  // R:B6
  it('says who waits for whom, and what for, and leaves no letter of the refused call', async () => {
    const { bus, settle } = makeBus(env);
    const notices: unknown[] = [];
    bus.subscribe('$bus.guard.deadlock', ({ payload }) => notices.push(payload));
    serveBy(bus, 'a', ['b']);
    serveBy(bus, 'b', ['a']);

    const asked = outcomeOf(bus.request('a', 1, { correlationId: 'c1' }));
    await settle();

    expect(asked.now()).toMatchObject({
      error: { message: 'Everybody would wait for ever: a for b (b), b for a (a)' },
    });
    expect(notices).toEqual([
      {
        from: 'b',
        to: 'a',
        topic: 'a',
        conversation: 'c1',
        path: ['a -b-> b', 'b -a-> a'],
      },
    ]);
    expect(bus.deadLetters.list({ refused: true })).toEqual([]);
  });

  // R:B6
  it.each([
    ['at once', ['a', 'b', 'a'], { to: 'a' }],
    ['by who was asked instead', ['a', 'b', 'c', 'a'], { to: 'c' }],
  ])('sees through a handoff: the circle is closed %s', async (_how, cycle, { to }) => {
    const { bus, settle } = makeBus(env);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => bus.register(name)) as [Agent, Agent, Agent];
    a.serve('go', (_request, context) => context.request('what', 1, { to: 'b' }));
    a.serve('what', () => 'a');
    b.serve('what', (_request, context) => context.forward(to));
    c.serve('what', (_request, context) => context.request('what', 2, { to: 'a' }));

    const asked = outcomeOf(bus.request('go', 1));
    await settle();

    expect(asked.now()).toMatchObject(deadlock(cycle));
    expect(bus.inspect()).toMatchObject({ pendingRequests: 0, inFlight: 0, deferred: 0 });
    expectBalanced(bus);
  });

  // R:B6
  it('takes what a handler asked before it put its answer off for nothing that it waits for', async () => {
    const { bus, settle } = makeBus(env);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => bus.register(name)) as [Agent, Agent, Agent];
    a.serve('go', (_request, context) => context.request('what', 1));
    a.serve('news', () => 'none');
    b.serve('what', (_request, context) => {
      context.request('gossip', 1).catch(() => {});
      return context.defer((later) => later.answer('so far'));
    });
    c.serve('gossip', (_request, context) => context.request('news', 1));

    const asked = outcomeOf(bus.request('go', 1));
    await settle();

    expect(asked.now()).toEqual({ value: 'so far' });
    expect(bus.inspect()).toMatchObject({ refused: 0, handled: 4 });
  });

  // R:D1
  it('forgets what a handler has asked when that is answered or withdrawn', async () => {
    const { bus, settle } = makeBus(env);
    const a = bus.register('a');
    let open: number | undefined;
    a.serve('go', async (_request, context) => {
      for (let i = 0; i < 10; i++) await context.request('what', i);
      await context.request('what', 10, { timeoutMs: 0 }).catch(() => {});
      open = (context as unknown as Attempt).waits.size;
    });
    bus.register('b').serve('what', () => 'that');

    const asked = outcomeOf(bus.request('go', 1));
    await settle();

    expect(asked.now()).toEqual({ value: undefined });
    expect(open).toBe(0);
  });

  // R:B6
  it('finds two busy agents that ask each other in separate conversations', async () => {
    const { bus, settle } = makeBus(env);
    const both = gate();
    for (const [name, other] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const agent = bus.register(name);
      agent.serve(`of.${name}`, () => name);
      agent.serve(`go.${name}`, async (_request, context) => {
        await both.opened;
        return context.request(`of.${other}`, 1);
      });
    }

    const asked = [outcomeOf(bus.request('go.a', 1)), outcomeOf(bus.request('go.b', 1))];
    await settle();
    both.open();
    await settle();

    const outcomes = asked.map((one) => one.now());
    expect(outcomes).toContainEqual(
      expect.objectContaining({ error: expect.objectContaining({ code: 'TELLASK_DEADLOCK' }) }),
    );
    expect(outcomes.filter((one) => 'value' in (one as object))).toHaveLength(1);
    expect(bus.inspect()).toMatchObject({ refused: 1, pendingRequests: 0 });
    expectBalanced(bus);
  });

  // R:B6
  it('finds a cycle that closes later, through what lies in a queue', async () => {
    const { bus, settle } = makeBus(env);
    const open = gate();
    const b = bus.register('b');
    b.serve('of.b', () => 'b');
    b.serve('other', async (_request, context) => {
      await open.opened;
      return context.request('of.a', 1);
    });
    const a = bus.register('a');
    a.serve('of.a', () => 'a');
    a.serve('go.a', (_request, context) => context.request('of.b', 1));

    const first = outcomeOf(bus.request('other', 1));
    await settle();
    const second = outcomeOf(bus.request('go.a', 1));
    await settle();
    open.open();
    await settle();

    expect(first.now()).toMatchObject(deadlock(['a', 'b', 'a']));
    expect(second.now()).toEqual({ value: 'b' });
  });

  // R:B6
  it('counts slots: with two, the first request passes and the second closes the cycle', async () => {
    const { bus, settle } = makeBus(env);
    serveBy(bus, 'a', ['b'], 2);
    serveBy(bus, 'b', ['a'], 2);

    const asked = outcomeOf(bus.request('a', 1));
    await settle();

    // a1 -> b1 -> a2 -> b2, which finds both slots of a taken by those who wait for it.
    expect(asked.now()).toMatchObject(deadlock(['a', 'b', 'a', 'b', 'a']));
    expect(bus.inspect()).toMatchObject({ refused: 1, deadLettered: 4 });
  });

  it('takes a slot for free whose handler waits for nobody', async () => {
    const { bus, settle } = makeBus(env);
    const open = gate();
    const a = bus.register('a', { concurrency: 2 });
    a.serve('of.a', () => 'a');
    a.serve('slow', () => open.opened);
    serveBy(bus, 'b', ['of.a']);
    a.serve('go', (_request, context) => context.request('b', 1));

    const slow = outcomeOf(bus.request('slow', 1));
    const asked = outcomeOf(bus.request('go', 1));
    await settle();
    const before = asked.now();
    open.open();
    await settle();

    expect(before).toBe('pending');
    expect([slow.now(), asked.now()]).toEqual([{ value: undefined }, { value: 'b is done' }]);
  });

  it('is none when the mailbox of the subscription is another one', async () => {
    const { bus, settle } = makeBus(env);
    const a = serveBy(bus, 'a', []);
    const got: unknown[] = [];
    const ask = async (_message: unknown, context: { request: MessageBus['request'] }) => {
      got.push(await context.request('a', 1));
    };
    a.subscribe('own', ask, { lane: 'own' });
    bus.subscribe('host', ask);

    bus.publish('own', 1);
    bus.publish('host', 1);
    await settle();

    expect(got).toEqual(['a is done', 'a is done']);
  });

  // R:B6
  it('is none when the one who is asked answers in a lane of its own', async () => {
    const { bus, settle } = makeBus(env);
    const a = bus.register('a');
    a.serve('go.a', (_request, context) => context.request('b', 1));
    a.serve('of.a', () => 'a', { lane: 'own' });
    a.serveBatch('many.a', (requests) => requests.map(() => 'a'), {
      lane: 'own',
      batch: { waitMs: 0 },
    });
    serveBy(bus, 'b', ['of.a', 'many.a']);

    const asked = outcomeOf(bus.request('go.a', 1));
    await settle();

    expect(asked.now()).toEqual({ value: 'b is done' });
    expectBalanced(bus);
  });

  it('is none when an agent is only paused', async () => {
    const { bus, settle } = makeBus(env);
    const a = serveBy(bus, 'a', []);
    serveBy(bus, 'b', ['a']);
    a.pause();

    const asked = outcomeOf(bus.request('b', 1));
    await settle();
    const before = asked.now();
    a.resume();
    await settle();

    expect([before, asked.now()]).toEqual(['pending', { value: 'b is done' }]);
  });

  it('is one, too, when an agent is paused that could not go on anyway', async () => {
    const { bus, settle } = makeBus(env);
    const open = gate();
    const a = bus.register('a');
    a.serve('of.a', () => 'a');
    a.serve('go.a', (_request, context) => context.request('b', 1));
    bus.register('b').serve('b', async (_request, context) => {
      await open.opened;
      return context.request('of.a', 1);
    });

    const asked = outcomeOf(bus.request('go.a', 1));
    await settle();
    a.pause();
    open.open();
    await settle();

    expect(asked.now()).toMatchObject(deadlock(['a', 'b', 'a']));
  });

  it('asks another of several who serve, if with him it can go on', async () => {
    const { bus, settle } = makeBus(env);
    const busy = gate();
    const log: string[] = [];
    const a = bus.register('a');
    a.serve('of', () => void log.push('a'));
    a.serve('go', (_request, context) => context.request('of', 1));
    const b = bus.register('b');
    b.serve('of', () => void log.push('b'));
    b.subscribe('work', () => busy.opened);
    for (let n = 0; n < 5; n++) bus.send('b', 'work', n);
    await settle();

    // b has far more to do, and is asked nevertheless: a would wait for itself.
    const asked = outcomeOf(bus.request('go', 1));
    await settle();
    busy.open();
    await settle();

    expect(asked.now()).toEqual({ value: undefined });
    expect(log).toEqual(['b']);
  });

  it('refuses when none of several who serve could ever answer', async () => {
    const { bus, settle } = makeBus(env);
    for (const name of ['a', 'b']) {
      const agent = bus.register(name);
      agent.serve('of', () => name);
      agent.serve(`go.${name}`, (_request, context) =>
        context.request(name === 'a' ? 'go.b' : 'of', 1),
      );
    }

    const asked = outcomeOf(bus.request('go.a', 1));
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_DEADLOCK' } });
  });

  // R:B6: for what nobody waits for
  it('lets a detached request wait in line, which outlives its asker', async () => {
    const { bus, settle } = makeBus(env);
    const a = bus.register('a');
    let asked: Promise<unknown> | undefined;
    a.serve('of.a', () => 'later');
    a.serve('go', (_request, context) => {
      asked = context.request('of.a', 1, { detached: true });
      return 'now';
    });

    const went = outcomeOf(bus.request('go', 1));
    await settle();

    expect(went.now()).toEqual({ value: 'now' });
    await expect(asked).resolves.toBe('later');
    expect(bus.inspect()).toMatchObject({ handled: 2, refused: 0 });
  });

  it('is none for who passes a request on: he does not wait for the answer', async () => {
    const { bus, settle } = makeBus(env);
    const open = gate();
    const b = bus.register('b');
    b.serve('q', () => 'b');
    b.serve('busy', async (_request, context) => {
      await open.opened;
      return context.request('of.a', 1);
    });
    const a = bus.register('a');
    a.serve('of.a', () => 'a');
    a.serve('q', (_request, context) => context.forward('b'));

    const busy = outcomeOf(bus.request('busy', 1));
    const passed = outcomeOf(bus.request('q', 1, { to: 'a' }));
    await settle();
    open.open();
    await settle();

    expect([busy.now(), passed.now()]).toEqual([{ value: 'a' }, { value: 'b' }]);
  });

  it('makes no unhandled rejection of a detached request that fails', async () => {
    const { bus, settle } = makeBus(env);
    bus.register('a').serve('go', (_request, context) => {
      void context.request('nobody.serves', 1, { detached: true });
      return 'now';
    });

    const went = outcomeOf(bus.request('go', 1));
    await settle();

    expect(went.now()).toEqual({ value: 'now' });
  });

  it('is over when the handler is: what it did not wait for holds nobody up', async () => {
    const { bus, settle } = makeBus(env);
    const open = gate();
    const asked: Promise<unknown>[] = [];
    const a = bus.register('a');
    a.serve('of.a', () => 'a');
    a.serve('go', (_request, context) => {
      asked.push(context.request('b', 1));
      return 'gone';
    });
    bus.register('b').serve('b', async (_request, context) => {
      await open.opened;
      return context.request('of.a', 1);
    });

    const went = outcomeOf(bus.request('go', 1));
    await settle();
    open.open();
    await settle();

    expect(went.now()).toEqual({ value: 'gone' });
    await expect(asked[0]).resolves.toBe('a');
  });

  it.each(['yes', 1, null])('refuses detached: %j', async (detached) => {
    const { bus } = makeBus(env);
    await expect(bus.request('q', 1, { detached: detached as never })).rejects.toThrow(TypeError);
  });

  // R:B7
  it('does not wait for its own delivery when a handler closes', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.register('a').subscribe('bye', async (_message, context) => {
      await context.close();
      log.push('left');
    });
    bus.subscribe('end', async (_message, context) => {
      await context.close();
      log.push('closed');
    });

    bus.publish('bye', 1);
    await settle();
    bus.publish('end', 1);
    await settle();

    expect(log).toEqual(['left', 'closed']);
    expect(bus.inspect()).toMatchObject({ status: 'closed', agents: 0 });
  });

  // R:B7
  it('refuses calls from outside while it drains, and admits those on a context', async () => {
    const { bus, settle } = makeBus(env);
    const open = gate();
    const log: string[] = [];
    const a = bus.register('a');
    a.subscribe('work', async (_message, context) => {
      await open.opened;
      log.push(`asked ${await context.request('b', 1)}`);
      context.publish('more', 1);
    });
    serveBy(bus, 'b', []).subscribe('more', () => void log.push('more'));
    bus.publish('work', 1);
    await settle();

    const drained = outcomeOf(bus.drain());
    const outside = outcomeOf(a.request('b', 1));
    open.open();
    await settle();

    expect(outside.now()).toMatchObject({ error: { code: 'TELLASK_CLOSED' } });
    expect([drained.now(), log]).toEqual([{ value: true }, ['asked b is done', 'more']]);
  });
});

describe('deadlock and time', () => {
  it('is none while a retry waits, for time alone decides', async () => {
    const t = createTestBus();
    let calls = 0;
    const b = t.bus.register('b');
    b.serve(
      'b',
      (_request, context) => {
        if (++calls === 1) throw new Error('not yet');
        return context.request('of.c', 1);
      },
      { retry: { maxAttempts: 2, baseMs: 100, jitter: 'none' } },
    );
    const a = serveBy(t.bus, 'a', ['b']);
    a.serve('of.a', () => 'a');
    t.bus.register('c').serve('of.c', () => 'c');

    const asked = outcomeOf(t.bus.request('a', 1));
    await t.settle();
    await t.clock.advance(100);

    expect(asked.now()).toEqual({ value: 'a is done' });
  });

  it('ends with the asker: a handler that timed out holds nobody up', async () => {
    const t = createTestBus({ graceMs: 0 });
    const a = t.bus.register('a', { onHang: 'release' });
    a.serve('of.a', () => 'a');
    a.serve('go', (_request, context) => context.request('b', 1).catch(hang), { timeoutMs: 10 });
    const open = gate();
    t.bus.register('b').serve('b', async (_request, context) => {
      await open.opened;
      return context.request('of.a', 1);
    });

    t.bus.request('go', 1, { timeoutMs: 1_000 }).catch(() => {});
    await t.settle();
    await t.clock.advance(20);
    const asked = outcomeOf(t.bus.request('of.a', 1));
    await t.settle();

    expect(asked.now()).toEqual({ value: 'a' });
  });
});
