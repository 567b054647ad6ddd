import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RetryBudgetOptions, retryBudget } from '../../src/index.ts';
import { SimEnv } from '../../src/testing/sim-env.ts';

function make(options: RetryBudgetOptions = {}) {
  const env = new SimEnv();
  return { env, budget: retryBudget({ minPerSecond: 0, env, ...options }) };
}

function times(count: number, act: () => unknown): unknown[] {
  return Array.from({ length: count }, act);
}

describe('retryBudget', () => {
  // R:H2
  it.each([
    [0.1, 9, 0],
    [0.1, 10, 1],
    [0.1, 1_000, 100],
    [0.2, 10, 2],
    [0.3, 10, 3],
    [1, 3, 3],
    [2, 3, 6],
    [1_000, 1, 1_000],
    [0, 1_000, 0],
  ])('with a ratio of %d grants after %i calls %i retries', (ratio, deposits, granted) => {
    const { budget } = make({ ratio });
    times(deposits, () => budget.deposit());

    const answers = times(granted + 1, () => budget.withdraw());

    expect(answers).toEqual([...times(granted, () => true), false]);
    expect(budget.snapshot()).toEqual({ available: 0, deposits, granted, refused: 1 });
  });

  it.each([
    [{}, 100],
    [{ ttlMs: 2_000 }, 20],
    [{ minPerSecond: 0.5 }, 5],
    [{ minPerSecond: 0 }, 0],
    [{ minPerSecond: Infinity }, Infinity],
    [{ ratio: 0 }, 100],
  ])('has with %o a reserve of %d', (options, reserve) => {
    const env = new SimEnv();

    expect(retryBudget({ env, ...options }).available).toBe(reserve);
  });

  // R:H2
  it('forgets calls and retries after ttlMs, and a tenth more at the most', async () => {
    const { env, budget } = make({ ratio: 1, minPerSecond: 1, ttlMs: 1_000 });
    times(3, () => budget.deposit());
    const available = [budget.available];

    for (const ms of [1_000, 100]) {
      await env.advance(ms);
      available.push(budget.available);
    }
    budget.withdraw();
    available.push(budget.available);
    for (const ms of [1_000, 100, 1e9]) {
      await env.advance(ms);
      available.push(budget.available);
    }

    expect(available).toEqual([4, 4, 1, 0, 0, 1, 1]);
  });

  it('sets no timer', () => {
    const { env, budget } = make();
    times(100, () => budget.deposit());
    budget.withdraw();

    expect(env.pendingTimers()).toEqual([]);
  });

  it('runs on real time unless it is told otherwise', () => {
    expect(retryBudget().withdraw()).toBe(true);
  });

  // R:H2
  it('agrees with a list of all that happened, whatever the order and the pauses', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('deposit', 'withdraw') },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 700 }) },
    );
    const options = fc.record({
      ratio: fc.constantFrom(0, 0.25, 0.5, 1, 2),
      minPerSecond: fc.constantFrom(0, 1, 3),
      ttlMs: fc.constantFrom(500, 1_000),
    });
    const property = fc.asyncProperty(
      options,
      fc.array(step, { maxLength: 60 }),
      async (o, steps) => {
        const { env, budget } = make(o);
        const entries: { step: number; worth: number }[] = [];
        const now = (): number => Math.floor(env.now() / (o.ttlMs / 10));
        const left = (): number => {
          const recent = entries.filter((entry) => entry.step > now() - 11);
          const reserve = Math.floor((o.minPerSecond * o.ttlMs) / 1_000);
          return Math.max(0, Math.floor(recent.reduce((sum, { worth }) => sum + worth, reserve)));
        };
        for (const what of steps) {
          if (typeof what === 'number') await env.advance(what);
          else if (what === 'deposit') {
            budget.deposit();
            entries.push({ step: now(), worth: o.ratio });
          } else {
            const expected = left() >= 1;
            expect(budget.withdraw()).toBe(expected);
            if (expected) entries.push({ step: now(), worth: -1 });
          }
          expect(budget.available).toBe(left());
        }
      },
    );

    await fc.assert(property, { seed: 5, numRuns: 100 });
  });

  it.each([
    [null, TypeError, 'The options of retryBudget'],
    [{ ratio: -1 }, RangeError, 'retryBudget.ratio'],
    [{ ratio: Number.NaN }, RangeError, 'retryBudget.ratio'],
    [{ ratio: Infinity }, RangeError, 'retryBudget.ratio'],
    [{ ratio: '0.1' }, TypeError, 'retryBudget.ratio'],
    [{ minPerSecond: -1 }, RangeError, 'retryBudget.minPerSecond'],
    [{ ttlMs: 0 }, RangeError, 'retryBudget.ttlMs'],
    [{ ttlMs: Infinity }, RangeError, 'retryBudget.ttlMs'],
    [{ percent: 10 }, TypeError, 'retryBudget has no option percent'],
  ])('refuses %o at once', (options, kind, text) => {
    expect(() => retryBudget(options as RetryBudgetOptions)).toThrow(kind);
    expect(() => retryBudget(options as RetryBudgetOptions)).toThrow(text);
  });
});
