import { describe, expect, it } from 'vitest';
import { StateManager } from '../../src/index.ts';
import { randomChoice } from '../../src/testing/random-choice.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';
import { tryLocks } from './lock-program.ts';
import { StateProgram } from './state-program.ts';
import { tryTransactions } from './transfers.ts';

const library = { StateManager, SimEnv };
const seedsOf = (count: number) => Array.from({ length: count }, (_, seed) => seed);

describe('the state, under clients on schedules of chance', () => {
  // R:K2 R:K5
  it('is linearizable for each key, and a watcher sees every version once', async () => {
    for (const seed of seedsOf(100)) {
      const wrong = await new StateProgram(library, seed).run(4, 12);
      expect(wrong, `seed ${seed}`).toBeUndefined();
    }
  });

  it('is tried with operations that overlap', async () => {
    let overlaps = 0;
    for (const seed of seedsOf(20)) {
      const program = new StateProgram(library, seed);
      await program.run(4, 12);
      for (const { calledAt, returnedAt } of program.history) {
        overlaps += Number(returnedAt - calledAt > 1);
      }
    }

    expect(overlaps).toBeGreaterThan(20);
  });

  // R:K2
  it('runs transactions as if one after the other, each seeing one instant', async () => {
    for (const seed of seedsOf(150)) {
      expect(await tryTransactions(library, seed), `seed ${seed}`).toBeUndefined();
    }
  });

  // R:K6
  it('gives a lock to one at a time, in the order of the requests', async () => {
    for (const seed of seedsOf(100)) {
      expect(await tryLocks(library, seed), `seed ${seed}`).toBeUndefined();
    }
  });

  // R:K2
  it('loses no update: 10 000 of them end at 10 000', async () => {
    const env = new SimEnv({ choose: randomChoice(1), maxSteps: 100_000 });
    const state = new StateManager({ env, history: { maxVersions: 10 } });
    let left = 10_000;
    for (let client = 0; client < 10; client++) {
      const lane = {
        kind: 'state' as const,
        label: `client ${client}`,
        order: 0,
        posted: false,
        run() {
          if (left-- <= 0) return;
          state.update('n', (n) => (n as number) + 1, { initial: 0 });
          env.post(lane);
        },
      };
      env.post(lane);
    }

    await env.settle();

    expect(state.get('n')).toMatchObject({ value: 10_000, version: 10_000, revision: 10_000 });
  });

  // R:K2
  it('loses no update on the real Env, by transactions and locks as well', async () => {
    const state = new StateManager();
    const plus = (n: unknown): number => (n as number) + 1;
    const later = () => new Promise<void>((resolve) => setImmediate(resolve));
    const work = Array.from({ length: 200 }, async (_, i) => {
      await later();
      if (i % 2 === 0) return state.update('n', plus, { initial: 0 });
      const add = (): Promise<unknown> =>
        state.transaction(
          async (tx) => {
            const n = (tx.get('n')?.value as number | undefined) ?? 0;
            await later();
            tx.set('n', n + 1);
          },
          { retries: Infinity },
        );
      return i % 4 === 1 ? add() : state.withLock('n', add);
    });

    await Promise.all(work);

    expect(state.get('n')?.value).toBe(200);
  });

  // R:K2
  it('keeps the sum when money is moved, also when movers fail', async () => {
    for (const seed of seedsOf(50)) {
      const random = seededRandom(seed);
      const env = new SimEnv({ choose: randomChoice(seed) });
      const state = new StateManager({ env });
      const purses = ['purse.a', 'purse.b', 'purse.c', 'purse.d'];
      for (const purse of purses) state.set(purse, 100);
      const any = (): string => purses[Math.floor(random() * purses.length)] as string;
      const move = (): Promise<void> =>
        state.transaction(async (tx) => {
          const euros = Math.floor(random() * 150);
          const from = any();
          const left = (tx.get(from)?.value as number) - euros;
          await state.withLock('pause', () => {});
          tx.set(from, left);
          tx.update(any(), (value) => (value as number) + euros);
          if (left < 0) throw new Error('not that much');
          const all = tx.list('purse.*').map(({ value }) => value as number);
          // One that moves to itself sees its own writes, too.
          if (all.reduce((one, other) => one + other) !== 400) throw new RangeError('lost');
        });

      const moves = Promise.allSettled(Array.from({ length: 12 }, move));
      await env.settle();

      const reasons = (await moves).map((one) => (one as { reason?: Error }).reason?.name);
      expect(reasons).not.toContain('RangeError');
      const values = state.list('purse.*').map(({ value }) => value as number);
      expect(values.reduce((one, other) => one + other)).toBe(400);
      expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    }
  });
});
