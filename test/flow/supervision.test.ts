import { describe, expect, it } from 'vitest';
import { type Agent, isTellaskError, RestartError } from '../../src/index.ts';
import { createTestBus } from '../../src/testing.ts';
import { makeBus } from '../make-bus.ts';
import { expectBalanced, gate, hang, outcomeOf } from './books.ts';

/** Restarts when it hears `salt`, and says which life heard what. */
function makeCounter(log: string[]): (agent: Agent) => () => void {
  let lives = 0;
  return (agent) => {
    const life = ++lives;
    let count = 0;
    agent.subscribe('add', ({ payload }) => {
      if (payload === 'salt') throw new RestartError('salt');
      log.push(`${life}: ${payload} (${++count})`);
    });
    return () => log.push(`${life} stops`);
  };
}

describe.each(['real', 'simulated'] as const)('a supervised agent, on the %s Env', (env) => {
  // R:L1
  it('begins anew with fresh state, and its inbox survives in its order', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    bus.register('counter', { start: makeCounter(log) });

    const receipts = [1, 'salt', 2, 3].map((n) => bus.publish('add', n));
    receipts.push(bus.send('counter', 'add', 4));
    await settle();

    expect(log).toEqual(['1: 1 (1)', '1 stops', '2: 2 (1)', '2: 3 (2)', '2: 4 (3)']);
    expect(await receipts[1]?.settled).toMatchObject({ deadLettered: [expect.any(String)] });
    expect(bus.inspect()).toMatchObject({ agents: 1, subscriptions: 1, handled: 4, queued: 0 });
    expectBalanced(bus);
  });

  // R:L1
  it('hears in its next life what was said while there was none', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const opened = gate();
    let lives = 0;
    const agent = bus.register('slow', {
      start: async (self) => {
        const life = ++lives;
        if (life > 1) await opened.opened;
        self.subscribe('add', ({ payload }) => log.push(`${life}: ${payload}`));
        self.serve('ask', () => `life ${life}`);
      },
    });
    await settle();

    const restarted = outcomeOf(agent.restart('for a change'));
    await settle();
    bus.publish('add', 1);
    bus.send('slow', 'add', 2);
    const asked = bus.request('ask', {});
    await settle();
    expect(agent.inspect().status).toBe('restarting');
    expect(log).toEqual([]);
    opened.open();
    await settle();

    expect(log).toEqual(['2: 1', '2: 2']);
    expect(await asked).toBe('life 2');
    expect(restarted.now()).toEqual({ value: undefined });
    expect(bus.inspect()).toMatchObject({ subscriptions: 2, queued: 0, inFlight: 0 });
    expectBalanced(bus);
  });

  // R:L1
  it('is left by its askers with their answer or with an error, and never without', async () => {
    const { bus, settle } = makeBus(env, { graceMs: 0 });
    const agent = bus.register('a', {
      concurrency: 4,
      start: (self) => {
        self.serve('obeys', (_request, { signal }) => {
          return new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
          });
        });
        self.serve('finishes', (_request, { signal }) => {
          return new Promise((resolve) => signal.addEventListener('abort', () => resolve('just')));
        });
        self.serve('hangs', hang);
        self.serve('later', (_request, context) => context.defer());
        self.serve('fatal', () => {
          throw new RestartError('broken');
        });
      },
    });
    const asked = ['later', 'obeys', 'finishes', 'hangs', 'fatal'].map((topic) => {
      return bus.request(topic, {}).catch((error: unknown) => error);
    });
    await settle();
    const answers = await Promise.all(asked);
    await settle();

    const codes = answers.map((one) => (isTellaskError(one) ? one.code : one));
    expect(codes).toEqual([
      'TELLASK_RESPONDER_LEFT',
      'TELLASK_RESTARTED',
      'just',
      'TELLASK_RESTARTED',
      'TELLASK_RESTARTED',
    ]);
    expect(bus.inspect()).toMatchObject({ inFlight: 0, deferred: 0, abandoned: 1 });
    expect(agent.inspect()).toMatchObject({ status: 'idle', running: 0 });
    expectBalanced(bus);
  });

  // R:L1
  it('escalates when its restarts are used up: it leaves, and its mail is dead-lettered', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const told: unknown[] = [];
    bus.events.on('escalated', (agent) => log.push(`${agent} escalates`));
    bus.events.on('left', (agent) => log.push(`${agent} leaves`));
    bus.events.on('restarted', (agent, _error, restarts) => log.push(`${agent} ${restarts}`));
    bus.register('counter', {
      start: makeCounter([]),
      restart: { maxRestarts: 2 },
      onEscalate: ({ agent, restarts, error }) =>
        told.push(agent, restarts, (error as Error).message),
    });

    for (const payload of ['salt', 'salt', 'salt', 'tea']) bus.publish('add', payload);
    await settle();

    expect(log).toEqual(['counter 1', 'counter 2', 'counter escalates', 'counter leaves']);
    expect(told).toEqual(['counter', 2, 'salt']);
    expect(bus.deadLetters.list({ reason: 'recipient-stopped' })).toHaveLength(1);
    expect(bus.inspect()).toMatchObject({ agents: 0, subscriptions: 0, queued: 0, faults: 0 });
    expectBalanced(bus);
  });

  // R:L1
  it('counts a start that throws as a failure, wherever it throws', async () => {
    const faults: string[] = [];
    const { bus, settle } = makeBus(env, { onFault: (_error, where) => faults.push(where) });
    let lives = 0;
    bus.register('shaky', {
      start: (agent) => {
        agent.subscribe('a', () => {});
        if (++lives < 3) throw new Error('not yet');
        agent.subscribe('b', () => {});
      },
    });
    bus.register('never', {
      start: async (agent) => {
        agent.subscribe('a', () => {});
        throw new Error('never');
      },
    });
    await settle();

    expect(lives).toBe(3);
    expect(bus.agents().map(({ name, status }) => `${name} ${status}`)).toEqual(['shaky idle']);
    expect(faults).toEqual(['never, which is not restarted any more']);
    expect(bus.inspect()).toMatchObject({ agents: 1, subscriptions: 2 });
  });

  // R:L1
  it('revokes the handle of a life that has ended, with what was done through it', async () => {
    const { bus, settle } = makeBus(env);
    const handles: Agent[] = [];
    const pulled: unknown[] = [];
    const root = bus.register('a', {
      start: (agent) => {
        handles.push(agent);
        agent.serve('q', () => handles.length);
        void agent.receive().then((message) => pulled.push(message));
      },
    });
    void root.restart();
    await settle();

    const refused = (call: () => unknown): unknown => {
      try {
        return call();
      } catch (error) {
        return (error as Error).message;
      }
    };
    const text = 'a was restarted, and this handle is of its earlier life';
    expect(refused(() => handles[0]?.publish('x', 1))).toBe(text);
    expect(refused(() => handles[0]?.subscribe('x', () => {}))).toBe(text);
    await expect(handles[0]?.leave()).rejects.toThrow(text);
    await expect(handles[0]?.restart()).rejects.toThrow(text);
    expect(pulled).toEqual([undefined]);
    const asked = bus.request('q', {});
    await settle();
    expect(await asked).toBe(2);
    handles[1]?.publish('x', 1);
    root.publish('x', 1);
    void root.leave();
    await settle();
    expect(bus.inspect()).toMatchObject({ agents: 0, subscriptions: 0 });
    expectBalanced(bus);
  });

  it('keeps what the host has wired on the handle that register gave', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const agent = bus.register('a', { start: (self) => void self.subscribe('x', () => {}) });
    agent.subscribe('x', () => log.push('host'));
    void agent.restart();
    await settle();
    bus.publish('x', 1);
    await settle();

    expect(log).toEqual(['host']);
    expect(bus.inspect()).toMatchObject({ subscriptions: 2, handled: 2 });
  });

  it('is not closed by whoever stops it with unsubscribe: the mail is for the next life', async () => {
    const { bus, settle } = makeBus(env);
    const log: unknown[] = [];
    const agent = bus.register('a', {
      start: (self) => {
        const heard = self.subscribe('x', ({ payload }) => log.push(payload));
        return () => heard.unsubscribe();
      },
    });
    agent.pause();
    bus.publish('x', 1);
    void agent.restart();
    await settle();
    expect(log).toEqual([]);
    agent.resume();
    await settle();

    expect(log).toEqual([1]);
    expectBalanced(bus);
  });

  // R:L1
  it('keeps mail in its place behind keys and batches, in lanes and in groups', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const agent = bus.register('a', {
      start: (self) => {
        const hear = ({ topic, payload }: { topic: string; payload: unknown }): void => {
          log.push(`${topic} ${payload}`);
        };
        self.subscribe('keyed', hear, { key: ({ payload }) => Number(payload) % 2 });
        self.subscribe('own', hear, { lane: 'own', capacity: 5 });
        self.subscribe('group', hear, { group: 'g' });
        self.subscribeBatch(
          'batch',
          (all) => {
            log.push(`batch ${all.map(({ payload }) => payload)}`);
          },
          { batch: { max: 3, waitMs: 0 } },
        );
      },
    });
    agent.pause();
    for (const n of [1, 2, 3, 4]) {
      for (const topic of ['keyed', 'own', 'group', 'batch']) bus.publish(topic, n);
    }
    void agent.restart();
    await settle();
    agent.resume();
    await settle();

    const of = (topic: string): string[] => log.filter((line) => line.startsWith(topic));
    expect(of('keyed')).toEqual(['keyed 1', 'keyed 2', 'keyed 3', 'keyed 4']);
    expect(of('own')).toEqual(['own 1', 'own 2', 'own 3', 'own 4']);
    expect(of('group')).toEqual(['group 1', 'group 2', 'group 3', 'group 4']);
    expect(of('batch').join()).toBe('batch 1,2,3,batch 4');
    expect(bus.inspect()).toMatchObject({ subscriptions: 4, queued: 0 });
    expectBalanced(bus);
  });

  it('ends with cancelled what its next life does not listen to', async () => {
    const { bus, settle } = makeBus(env);
    let life = 0;
    const agent = bus.register('a', {
      start: (self) => {
        if (++life === 1) self.subscribe('x', () => {});
        self.subscribe('y', () => {});
      },
    });
    agent.pause();
    const receipt = bus.publish('x', 1);
    void agent.restart();
    await settle();

    expect(await receipt.settled).toMatchObject({ cancelled: 1 });
    expect(bus.inspect()).toMatchObject({ subscriptions: 1 });
    expectBalanced(bus);
  });

  it('does not restart who only asked it', async () => {
    const { bus, settle } = makeBus(env);
    let lives = 0;
    bus.register('b', {
      start: (self) => {
        self.serve('b', () => {
          throw new RestartError('broken');
        });
      },
    });
    bus.register('a', {
      start: (self) => {
        lives++;
        self.serve('a', (_request, context) => context.request('b', {}));
      },
    });
    const asked = outcomeOf(bus.request('a', {}));
    await settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_RESTARTED' } });

    expect(lives).toBe(1);
  });

  // R:L1
  it('leaves nothing behind when the bus closes between two lives', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const agent = bus.register('a', {
      start: makeCounter(log),
      restart: { backoff: { baseMs: 60_000, maxMs: 60_000, jitter: 'none' } },
    });
    bus.publish('add', 'salt');
    await settle();
    bus.publish('add', 'tea');
    const restarted = outcomeOf(agent.restart());
    const closed = await bus.close({ mode: 'abort' });
    await settle();

    expect(closed).toMatchObject({ cancelled: 1, abandoned: [] });
    expect(restarted.now()).toMatchObject({ error: { code: 'TELLASK_CLOSED' } });
    expect(log).toEqual(['1 stops']);
    expectBalanced(bus);
  });

  it('is stopped when it leaves and when the bus closes, once each', async () => {
    const { bus, settle } = makeBus(env);
    const log: string[] = [];
    const first = bus.register('first', { start: () => () => log.push('first stops') });
    bus.register('second', {
      start: () => async () => {
        await undefined;
        log.push('second stops');
      },
    });
    const over = first.leave().then(() => bus.close());
    await settle();
    await over;

    expect(log).toEqual(['first stops', 'second stops']);
  });

  // R:F:D9
  it.each([
    ['restart without start', { restart: {} }],
    ['onEscalate without start', { onEscalate: () => {} }],
    ['a start that is no function', { start: 7 }],
    ["onHang: 'restart' without start", { onHang: 'restart' }],
    ['an unknown option of restart', { start: () => {}, restart: { times: 3 } }],
    ['a count below zero', { start: () => {}, restart: { maxRestarts: -1 } }],
    ['a window that is no number', { start: () => {}, restart: { withinMs: '1s' } }],
    ['a when that is no function', { start: () => {}, restart: { when: true } }],
    ['an unknown option of backoff', { start: () => {}, restart: { backoff: { ms: 1 } } }],
  ])('refuses %s, and registers nobody', (_what, options) => {
    const { bus } = makeBus(env);

    expect(() => bus.register('a', options as never)).toThrow(/^(?!.*TELLASK)/);
    expect(bus.agents()).toEqual([]);
  });

  it('cannot be restarted when it has no start', async () => {
    const { bus } = makeBus(env);

    await expect(bus.register('a').restart()).rejects.toThrow('register it with start');
  });
});

describe('the restarts of a supervised agent, on virtual time', () => {
  // R:L1
  it('wait as backoff says, longer each time, and count in a window that slides', async () => {
    const t = createTestBus();
    const starts: number[] = [];
    t.bus.register('a', {
      start: (self) => {
        starts.push(t.clock.nowMs);
        self.subscribe('salt', () => {
          throw new RestartError('salt');
        });
      },
      restart: {
        maxRestarts: 3,
        withinMs: 10_000,
        backoff: { baseMs: 100, factor: 2, jitter: 'none' },
      },
    });
    for (let i = 0; i < 3; i++) t.bus.publish('salt', i);
    await t.clock.advance(9_000);
    const [first = 0] = starts;
    expect(starts.map((at) => at - first)).toEqual([0, 100, 300, 700]);

    await t.clock.advance(1_050);
    t.bus.publish('salt', 3);
    await t.clock.advance(1_000);
    expect(starts).toHaveLength(5);
    expect(t.bus.agents()).toHaveLength(1);
    t.bus.publish('salt', 4);
    t.bus.publish('salt', 5);
    t.bus.publish('salt', 6);
    await t.clock.advance(5_000);
    expect(t.bus.agents()).toHaveLength(0);
  });

  // R:L1
  it("come with onHang: 'restart' when a handler outlives its time and its grace", async () => {
    const t = createTestBus({ leaks: 'allow' });
    let lives = 0;
    t.bus.register('a', {
      onHang: 'restart',
      start: (self) => {
        lives++;
        self.serve('q', () => (lives === 1 ? hang() : lives), { timeoutMs: 1_000 });
      },
    });
    const asked = outcomeOf(t.bus.request('q', {}));
    const next = outcomeOf(t.bus.request('q', {}));
    await t.clock.advance(2_000);
    await t.settle();

    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_HANDLER_TIMEOUT' } });
    expect(next.now()).toEqual({ value: 2 });
    expectBalanced(t.bus);
  });

  it('free a slot that a hung handler held', async () => {
    const t = createTestBus({ leaks: 'allow' });
    let lives = 0;
    const agent = t.bus.register('a', {
      onHang: 'hold',
      start: (self) => {
        lives++;
        self.serve('q', () => (lives === 1 ? hang() : lives), { timeoutMs: 1_000 });
      },
    });
    const asked = outcomeOf(t.bus.request('q', {}));
    await t.clock.advance(2_000);
    expect(asked.now()).toMatchObject({ error: { code: 'TELLASK_HANDLER_TIMEOUT' } });
    expect(agent.inspect().running).toBe(1);

    void agent.restart();
    await t.settle();
    expect(agent.inspect().running).toBe(0);
    const next = outcomeOf(t.bus.request('q', {}));
    await t.settle();
    expect(next.now()).toEqual({ value: 2 });
  });

  it('follow a retry that waited in its slot: the message goes first, in the new life', async () => {
    const t = createTestBus();
    const log: string[] = [];
    let life = 0;
    const agent = t.bus.register('a', {
      start: (self) => {
        life++;
        self.subscribe(
          'x',
          ({ payload }, { attempt }) => {
            if (life === 1) throw new Error('not in this life');
            log.push(`${payload} at ${attempt}`);
          },
          { retry: { baseMs: 60_000, jitter: 'none', order: 'in-place' } },
        );
      },
    });
    t.bus.publish('x', 1);
    t.bus.publish('x', 2);
    await t.settle();
    void agent.restart();
    await t.settle();

    expect(log).toEqual(['1 at 2', '2 at 1']);
    expect(agent.inspect()).toMatchObject({ running: 0, queued: 0 });
    expectBalanced(t.bus);
  });

  it('give up a start that takes too long', async () => {
    const t = createTestBus({ leaks: 'allow' });
    const log: string[] = [];
    const opened = gate();
    let lives = 0;
    t.bus.register('a', {
      restart: { startTimeoutMs: 500 },
      start: async (self) => {
        const life = ++lives;
        if (life === 1) await opened.opened;
        else self.serve('q', () => life);
        return () => log.push(`${life} stops`);
      },
    });
    await t.clock.advance(500);
    await t.settle();
    const asked = outcomeOf(t.bus.request('q', {}));
    await t.settle();
    expect(asked.now()).toEqual({ value: 2 });

    opened.open();
    await t.settle();
    expect(log).toEqual(['1 stops']);
  });

  it('wait for a stop no longer than the grace', async () => {
    const t = createTestBus({ leaks: 'allow' });
    let lives = 0;
    const agent = t.bus.register('a', {
      start: () => {
        lives++;
        return hang;
      },
    });
    const restarted = outcomeOf(agent.restart());
    await t.clock.advance(999);
    expect(lives).toBe(1);
    await t.clock.advance(1);
    await t.settle();

    expect(lives).toBe(2);
    expect(restarted.now()).toEqual({ value: undefined });
  });

  it('are chosen by when, which sees the error and the message', async () => {
    const t = createTestBus();
    const log: string[] = [];
    t.bus.register('a', {
      start: (self) => {
        log.push('start');
        self.subscribe('x.*', ({ topic }) => {
          throw new Error(topic);
        });
      },
      restart: { when: (error, { topic }) => topic === 'x.bad' && error instanceof Error },
    });
    for (const topic of ['x.good', 'x.bad', 'x.good']) t.bus.publish(topic, {});
    await t.settle();

    expect(log).toEqual(['start', 'start']);
    expect(t.bus.inspect().deadLettered).toBe(3);
  });
});
