import { describe, expect, it } from 'vitest';
import { type Agent, isTellaskError, RestartError } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { createTestBus, explore, type TestBus } from '../../src/testing.ts';
import { expectBalanced } from '../flow/books.ts';

type Dice = (below: number) => number;

const TOPICS = ['plain', 'keyed', 'own', 'group', 'batch', 'again', 'slow'] as const;
const OVERFLOWS = ['reject', 'drop-oldest', 'drop-newest', 'wait'] as const;

/** Wires one life: one handler of every kind, each of which fails now and then. */
function wire(agent: Agent, dice: Dice, heard: string[], capacity: number): () => void {
  const hear = ({ topic, payload }: { topic: string; payload: unknown }): void => {
    const fate = dice(10);
    if (fate === 0) throw new RestartError('broken');
    if (fate === 1) throw new Error('failed');
    heard.push(`${topic} ${payload}`);
  };
  agent.subscribe('plain', hear);
  agent.subscribe('keyed', hear, { key: ({ payload }) => Number(payload) % 2 });
  agent.subscribe('own', hear, { lane: 'own', capacity, overflow: 'drop-oldest' });
  agent.subscribe('group', hear, { group: 'g' });
  agent.subscribe('again', hear, {
    retry: { baseMs: 5, order: dice(2) === 0 ? 'in-place' : 'requeue' },
  });
  agent.subscribe(
    'slow',
    async (message, { signal }) => {
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve());
        if (dice(2) === 0) resolve();
      });
      hear(message);
    },
    { timeoutMs: 20 },
  );
  agent.subscribeBatch('batch', (all) => void all.forEach(hear), {
    batch: { max: 2, waitMs: 3 },
  });
  agent.serve('ask', (request, context) => {
    if (dice(4) === 0) return context.defer(undefined, { timeoutMs: 30 });
    hear(request);
    return request.payload;
  });
  return () => heard.push('stop');
}

async function run(t: TestBus, dice: Dice): Promise<{ heard: string[]; open: number }> {
  const heard: string[] = [];
  const capacity = 1 + dice(3);
  const agent = t.bus.register('a', {
    capacity,
    concurrency: 1 + dice(2),
    overflow: OVERFLOWS[dice(4)] as (typeof OVERFLOWS)[number],
    start: (self) => {
      if (dice(8) === 0) throw new Error('no start');
      const stop = wire(self, dice, heard, capacity);
      return dice(3) === 0 ? Promise.resolve(stop) : stop;
    },
    restart: { maxRestarts: 2 + dice(12), backoff: { baseMs: dice(10), maxMs: 10 } },
    onEscalate: () => {},
  });
  let open = 0;
  const settle = (error: unknown): void => {
    open--;
    if (error !== undefined && !isTellaskError(error)) expect(error).toBeInstanceOf(Error);
  };
  for (let i = 0; i < 40; i++) {
    const act = dice(12);
    if (act === 0) void agent.restart('for a change').catch(() => {});
    else if (act === 1) await t.clock.advance(dice(20));
    else if (act === 2) await t.settle();
    else if (act === 3) {
      open++;
      t.bus.request('ask', i, { timeoutMs: 50 }).then(() => settle(undefined), settle);
    } else if (agent.inspect().status !== 'left') {
      t.bus.publish(TOPICS[dice(TOPICS.length)] as string, i, { priority: dice(3) });
    }
    expectBalanced(t.bus);
  }
  await t.clock.advance(100_000);
  expectBalanced(t.bus);
  return { heard, open };
}

describe('random restarts', () => {
  // R:L1
  it('keep the books, settle every asker and leave nothing, at capacities of 1 to 3', async () => {
    let restarts = 0;
    let escalations = 0;
    for (let seed = 1; seed <= 80; seed++) {
      const t = createTestBus({ seed, leaks: 'allow', unexpectedLetters: 'allow' });
      t.bus.events.on('restarted', () => restarts++);
      t.bus.events.on('escalated', () => escalations++);
      const random = seededRandom(seed);
      const { open } = await run(t, (below) => Math.floor(random() * below));

      expect([seed, open]).toEqual([seed, 0]);
      const { queued, waiting, inFlight, deferred, retryWait } = t.bus.inspect();
      expect([seed, queued, waiting, inFlight, deferred, retryWait]).toEqual([seed, 0, 0, 0, 0, 0]);
      t.invariants.check();
      const closed = t.bus.close();
      await t.run();
      expect(await closed).toMatchObject({ cancelled: 0, abandoned: [] });
    }
    expect(restarts).toBeGreaterThan(200);
    expect(escalations).toBeGreaterThan(0);
  });

  // R:L1
  it('lose nothing and keep the order of a key, whichever order things come in', async () => {
    const { schedules } = await explore(
      async (t) => {
        const heard: unknown[] = [];
        let lives = 0;
        const agent = t.bus.register('a', {
          start: (self) => {
            const life = ++lives;
            self.subscribe(
              'x',
              async ({ payload }) => {
                await undefined;
                if (life === 1 && payload === 2) throw new RestartError('two');
                heard.push(payload);
              },
              { key: () => 'k', retry: { baseMs: 0, order: 'in-place' } },
            );
            self.serve('ask', () => life);
          },
        });
        for (const n of [1, 2, 3]) t.bus.publish('x', n);
        const asked = t.bus.request('ask', {});
        void agent.restart('for a change');
        await t.run();
        t.sometimes('a second restart', lives === 3);
        expect(heard).toEqual([1, 2, 3]);
        expect(await asked).toBeGreaterThan(1);
      },
      { seeds: 60 },
    );
    expect(schedules).toBeGreaterThan(0);
  });

  // R:L1
  it('end every message once and every asker, with handlers that crash, hang and hear twice', async () => {
    let injected = 0;
    const { schedules } = await explore(
      async (t) => {
        const agent = t.bus.register('a', {
          onHang: 'restart',
          start: (self) => {
            self.subscribe('x', async () => {}, { retry: { baseMs: 1, maxAttempts: 2 } });
            self.serve('ask', async () => 1, { timeoutMs: 20 });
          },
          restart: { when: () => true, backoff: { baseMs: 1 } },
          onEscalate: () => {},
        });
        const asked = [1, 2, 3].map((n) =>
          t.bus.request('ask', n, { timeoutMs: 100 }).catch((error: Error) => error),
        );
        const receipts = [1, 2, 3].map((n) => t.bus.publish('x', n));
        void agent.restart('for a change');
        await t.run();
        injected += t.faults.injected.length;
        t.sometimes('it is given up', t.bus.agents().length === 0);
        for (const { settled } of receipts) await settled;
        expect(await Promise.all(asked)).toHaveLength(3);
        expectBalanced(t.bus);
        expect(t.bus.inspect()).toMatchObject({ queued: 0, inFlight: 0, retryWait: 0 });
      },
      {
        seeds: 40,
        leaks: 'allow',
        unexpectedLetters: 'allow',
        faults: [
          { fault: 'crash', probability: 0.3 },
          { fault: 'hang', topic: 'ask', probability: 0.3 },
          { fault: 'duplicate', probability: 0.2 },
        ],
      },
    );
    expect(schedules).toBe(40);
    expect(injected).toBeGreaterThan(40);
  });

  it('cost nothing while nothing fails: a thousand agents hold no timer', async () => {
    const t = createTestBus();
    for (let i = 0; i < 1_000; i++) {
      t.bus.register(`a${i}`, { start: (self) => void self.serve(`ask.${i}`, () => i) });
    }
    await t.settle();

    expect(t.pendingWork()).toEqual([]);
  });
});
