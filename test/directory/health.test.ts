import { describe, expect, it } from 'vitest';
import { AgentRegistry, leastBusy } from '../../src/agents.ts';
import { envOf } from '../../src/kernel/env-of.ts';
import type { SimEnv } from '../../src/testing/sim-env.ts';
import { createTestBus, type TestBus } from '../../src/testing.ts';
import { codeOf, hang } from '../flow/books.ts';

function open() {
  const t = createTestBus({ leaks: 'allow', unheard: 'count' });
  const registry = new AgentRegistry(t.bus);
  return { t, registry, heard: listen(t), env: envOf(t.bus) as SimEnv };
}

function listen(t: TestBus): string[] {
  const heard: string[] = [];
  t.bus.subscribe('$bus.agent.{unhealthy,recovered,left,status}', ({ topic, payload }) => {
    const { agent, because, status } = payload as Record<string, string>;
    heard.push([topic.slice('$bus.agent.'.length), agent, because ?? status].join(' ').trim());
  });
  return heard;
}

describe('a probe', () => {
  // F:G6 R:L1
  it('makes unhealthy after so many failures in a row, and well after so many successes', async () => {
    const { t, registry, heard } = open();
    registry.register({ name: 'ann' });
    const answers = [true, false, false, true, false, false, false, true, true];
    const at: number[] = [];
    registry.probe(
      'ann',
      () => {
        at.push(t.clock.nowMs);
        return answers[at.length - 1];
      },
      { everyMs: 100, failures: 3, successes: 2 },
    );
    const seen: string[] = [];

    for (let i = 0; i < answers.length; i++) {
      await t.clock.advance(i === 0 ? 50 : 100);
      seen.push(registry.presence('ann').status);
    }

    expect(at.map((now) => now - (at[0] ?? 0)).slice(0, 3)).toEqual([0, 100, 200]);
    expect(seen).toEqual([...Array(6).fill('idle'), 'unhealthy', 'unhealthy', 'idle']);
    expect(heard).toEqual(['unhealthy ann 3 probes failed: it said no', 'recovered ann']);
  });

  it.each([
    ['false', () => false, 'it said no'],
    [
      'a throw',
      () => {
        throw new Error('no disk');
      },
      'no disk',
    ],
    ['a rejection', () => Promise.reject(new Error('no net')), 'no net'],
    ['a rejection with nothing', () => Promise.reject(), 'it rejected'],
    [
      'a throw of what is no error',
      () => {
        throw { a: 1 };
      },
      'it threw',
    ],
    ['silence', () => new Promise(() => {}), 'no answer within 20 ms'],
  ])('fails by %s', async (_, check, words) => {
    const { t, registry } = open();
    registry.register({ name: 'ann' });

    registry.probe('ann', check as () => unknown, { everyMs: 100, timeoutMs: 20, failures: 1 });
    await t.clock.advance(50);

    expect(registry.presence('ann')).toMatchObject({
      status: 'unhealthy',
      because: `a probe failed: ${words}`,
    });
    expect(registry.find({ healthy: false }).map(({ name }) => name)).toEqual(['ann']);
    expect(registry.find({ healthy: true })).toEqual([]);
  });

  it('asks the agent itself on a topic, and tells its signal when nobody waits any more', async () => {
    const { t, registry } = open();
    const ann = registry.register({ name: 'ann' });
    const seen: unknown[] = [];
    let well = true;
    ann.serve(
      'health',
      ({ payload, priority }, context) => {
        seen.push([payload, priority]);
        if (well) return 'well';
        context.signal.addEventListener('abort', () => seen.push('aborted'));
        return hang();
      },
      { lane: 'own' },
    );
    registry.probe('ann', 'health', {
      everyMs: 1_000,
      timeoutMs: 10,
      failures: 1,
      payload: 'how?',
    });

    await t.clock.advance(5);
    expect([registry.isHealthy('ann'), seen]).toEqual([true, [['how?', 10]]]);
    well = false;
    await t.clock.advance(1_020);

    expect(registry.isHealthy('ann')).toBe(false);
    expect(seen.at(-1)).toBe('aborted');
  });

  it('never runs twice at a time, and is not fooled by an answer that comes too late', async () => {
    const { t, registry } = open();
    registry.register({ name: 'ann' });
    let answer: (value: unknown) => void = () => {};
    let calls = 0;
    registry.probe(
      'ann',
      () => {
        calls++;
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
      { everyMs: 10, timeoutMs: 50, failures: 1 },
    );

    await t.clock.advance(45);
    expect(calls).toBe(1);
    await t.clock.advance(10);
    answer(true);
    await t.settle();
    expect(registry.isHealthy('ann')).toBe(false);
  });

  // F:G4
  it('keeps a strategy from asking who is unhealthy', async () => {
    const { t, registry } = open();
    let well = false;
    for (const name of ['ann', 'ben']) registry.register({ name }).serve('who', () => name);
    registry.probe('ann', () => well, { everyMs: 100, failures: 1 });
    await t.clock.advance(10);
    const select = leastBusy({ healthy: (agent) => registry.isHealthy(agent) });
    const ask = async (): Promise<unknown> => {
      const asked = t.bus.request('who', {}, { select });
      await t.settle();
      return asked;
    };

    expect([await ask(), await ask()]).toEqual(['ben', 'ben']);
    well = true;
    await t.clock.advance(100);
    expect([await ask(), await ask()].toSorted()).toEqual(['ann', 'ben']);
  });

  it('ends with its agent, with the registry, with the bus and when it is stopped', async () => {
    for (const end of ['leave', 'stop', 'dispose', 'close', 'successor'] as const) {
      const { t, registry } = open();
      const ann = registry.register({ name: 'ann' });
      let calls = 0;
      let aborted = 0;
      const probe = registry.probe(
        'ann',
        (signal) => {
          calls++;
          signal.addEventListener('abort', () => aborted++);
          return hang();
        },
        { everyMs: 10, timeoutMs: 1_000 },
      );
      await t.clock.advance(1);

      if (end === 'leave') await ann.leave();
      if (end === 'stop') probe.stop();
      if (end === 'dispose') registry[Symbol.dispose]();
      if (end === 'close') await t.bus.close();
      if (end === 'successor') {
        await ann.leave();
        registry.register({ name: 'ann' });
      }
      await t.clock.advance(5_000);

      expect([end, calls, aborted, registry.inspect().probes]).toEqual([end, 1, 1, 0]);
    }
  });

  it('that is stopped takes back what it said', async () => {
    const { t, registry, heard } = open();
    registry.register({ name: 'ann' });
    const first = registry.probe('ann', () => false, { failures: 1 });
    const second = registry.probe('ann', () => Promise.reject(new Error('x')), { failures: 1 });
    await t.clock.advance(1);

    first.stop();
    await t.settle();
    expect(registry.presence('ann').because).toBe('a probe failed: x');
    second[Symbol.dispose]();
    await t.settle();

    expect(registry.isHealthy('ann')).toBe(true);
    expect(heard).toEqual(['unhealthy ann a probe failed: it said no', 'recovered ann']);
  });

  it('of who has left while unhealthy is no recovery', async () => {
    const { t, registry, heard } = open();
    const ann = registry.register({ name: 'ann' });
    registry.probe('ann', () => false, { failures: 1 });
    await t.clock.advance(1);

    await ann.leave();
    await t.settle();

    expect(heard).toEqual(['unhealthy ann a probe failed: it said no', 'left ann']);
    expect(registry.inspect().unhealthy).toEqual([]);
  });

  // R:L1
  it('is the only reason for a timer', () => {
    const { registry, env } = open();
    registry.register({ name: 'ann' });
    expect(env.pendingTimers()).toEqual([]);

    const probe = registry.probe('ann', () => true);
    expect(env.pendingTimers()).toHaveLength(1);
    probe.stop();

    expect(env.pendingTimers()).toEqual([]);
  });

  it.each([
    [{ everyMs: 0 }, RangeError],
    [{ timeoutMs: -1 }, RangeError],
    [{ failures: 0 }, RangeError],
    [{ successes: 1.5 }, RangeError],
    [{ everyMs: '1' }, TypeError],
    [{ intervalMs: 1 }, TypeError],
  ])('refuses %o', (options, kind) => {
    const { registry } = open();
    registry.register({ name: 'ann' });

    expect(() => registry.probe('ann', () => true, options as never)).toThrow(kind);
    expect(() => registry.probe('ann', 7 as never)).toThrow(TypeError);
    expect(codeOf(() => registry.probe('an', () => true))).toBe('TELLASK_UNKNOWN_RECIPIENT');
  });
});

describe('an agent behind a bridge', () => {
  const bridged = { heartbeatMs: 1_000, missed: 3 };

  // F:G5 R:L1
  it('is unhealthy when a beat is missing, and well with the next', async () => {
    const { t, registry, heard } = open();
    registry.register({ name: 'phone' }, { bridged });
    await t.clock.advance(900);
    registry.beat('phone');
    const seenAt = registry.presence('phone').lastSeenAt;

    await t.clock.advance(999);
    expect(registry.isHealthy('phone')).toBe(true);
    await t.clock.advance(1);
    expect(registry.presence('phone')).toMatchObject({ status: 'unhealthy', lastSeenAt: seenAt });
    registry.beat('phone');

    expect(registry.presence('phone').status).toBe('idle');
    await t.settle();
    expect(heard).toEqual(['unhealthy phone no heartbeat within 1000 ms', 'recovered phone']);
  });

  it('leaves when too many are missing: its mail is dead-lettered and its askers fail', async () => {
    const { t, registry, heard, env } = open();
    const phone = registry.register({ name: 'phone' }, { bridged });
    phone.serve('ring', () => hang());
    phone.subscribe('note', () => {});
    const asked = t.bus.request('ring', 1, { timeoutMs: 60_000 }).catch((error) => error.code);
    t.bus.send('phone', 'note', 1);

    await t.clock.advance(2_999);
    expect(registry.presence('phone').status).toBe('unhealthy');
    await t.clock.advance(1);

    expect(registry.presence('phone').status).toBe('gone');
    expect(registry.list()).toEqual([]);
    await t.clock.advance(2_000);
    expect(await asked).toBe('TELLASK_RESPONDER_LEFT');
    expect(t.bus.deadLetters.list().map(({ reason }) => reason)).toContain('recipient-stopped');
    expect(heard.at(-1)).toBe('left phone');
    expect(env.pendingTimers()).toEqual([]);
  });

  it('is held to its beats with one timer, whatever their number, and none once it has left', async () => {
    const { t, registry, env } = open();
    const phone = registry.register({ name: 'phone' }, { bridged });

    for (let i = 0; i < 50; i++) {
      await t.clock.advance(200);
      registry.beat('phone');
      expect(env.pendingTimers()).toHaveLength(1);
    }
    await phone.leave();

    expect(env.pendingTimers()).toEqual([]);
  });

  it('alone can beat', () => {
    const { registry } = open();
    registry.register({ name: 'ann' });

    expect(() => registry.beat('ann')).toThrow(TypeError);
    expect(codeOf(() => registry.beat('nobody'))).toBe('TELLASK_UNKNOWN_RECIPIENT');
  });

  it.each([
    [{}],
    [{ heartbeatMs: 0 }],
    [{ heartbeatMs: 1, missed: 0 }],
    [{ heartbeatMs: 1, x: 1 }],
    [true],
  ])('refuses %o, and nobody is registered', (options) => {
    const { t, registry } = open();

    expect(() => registry.register({ name: 'a' }, { bridged: options as never })).toThrow(
      /bridged/,
    );
    expect(t.bus.agents()).toEqual([]);
  });
});

describe('sessions', () => {
  // Doc0
  it('hold what is known of each connection, and when it was last used', async () => {
    const { t, registry } = open();
    registry.register({ name: 'phone' }, { bridged: { heartbeatMs: 1_000 } });
    const metadata = { transport: 'websocket', user: { id: 7 } };

    const first = registry.openSession('phone', { id: 's1', metadata });
    const second = registry.openSession('phone');
    metadata.user.id = 8;
    await t.clock.advance(700);
    first.touch();

    const [one, two] = registry.sessions('phone');
    expect(one).toMatchObject({ id: 's1', agent: 'phone', metadata: { user: { id: 7 } } });
    expect((one?.lastActivityAt ?? 0) - (one?.openedAt ?? 0)).toBe(700);
    expect(two).toMatchObject({ id: second.id, metadata: {}, lastActivityAt: two?.openedAt });
    expect(registry.presence('phone').lastSeenAt).toBe(one?.lastActivityAt);
    await t.clock.advance(999);
    expect(registry.isHealthy('phone')).toBe(true);
  });

  it('end when they are closed, and with their agent', async () => {
    const { registry } = open();
    const phone = registry.register({ name: 'phone' });
    const [first, second] = [registry.openSession('phone'), registry.openSession('phone')];

    first.close();
    first.close();
    first.touch();
    expect(registry.sessions('phone').map(({ id }) => id)).toEqual([second.id]);
    await phone.leave();

    expect([second.open, registry.sessions('phone'), registry.inspect().sessions]).toEqual([
      false,
      [],
      0,
    ]);
  });

  it('are bounded, and have ids of their own', () => {
    const t = createTestBus({ leaks: 'allow' });
    const registry = new AgentRegistry(t.bus, { maxSessions: 2 });
    registry.register({ name: 'phone' });
    registry.openSession('phone', { id: 'a' });

    expect(() => registry.openSession('phone', { id: 'a' })).toThrow('has a session a already');
    registry.openSession('phone');
    expect(() => registry.openSession('phone')).toThrow(RangeError);
    expect(() => registry.openSession('phone', { id: '' })).toThrow(TypeError);
    expect(() => registry.openSession('phone', { metadata: [] as never })).toThrow(TypeError);
    expect(codeOf(() => registry.openSession('fone'))).toBe('TELLASK_UNKNOWN_RECIPIENT');
  });
});

describe('a handler that is given up', () => {
  it('is told as status hung when it keeps its place', async () => {
    const { t, registry, heard } = open();
    for (const onHang of ['hold', 'release'] as const) {
      registry
        .register({ name: onHang }, { onHang })
        .subscribe('job', () => hang(), { timeoutMs: 10 });
    }
    t.bus.publish('job', 1);

    await t.clock.advance(5_000);

    expect(heard).toEqual(['status hold hung']);
  });
});
