import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Budget,
  type BudgetLimits,
  checkSpending,
  readBudget,
  type Spending,
} from '../../src/message/budget.ts';

const limits = fc.record(
  { messages: fc.nat(8), tokens: fc.nat(100), cost: fc.nat(10), ms: fc.nat(50) },
  { requiredKeys: [] },
);

/** Budgets inside each other, the outermost first. */
function chainOf(all: readonly BudgetLimits[]): Budget[] {
  const chain: Budget[] = [];
  for (const own of all) chain.push(new Budget(own, chain.at(-1), 0));
  return chain;
}

// R:G2
describe('a budget', () => {
  it.each([
    ['no limit', {}, 100, undefined],
    ['zero', { messages: 0 }, 1, { resource: 'messages', limit: 0, spent: 0 }],
    ['the last one', { messages: 3 }, 3, undefined],
    ['one too many', { messages: 3 }, 4, { resource: 'messages', limit: 3, spent: 3 }],
    ['a fraction', { messages: 1.5 }, 2, { resource: 'messages', limit: 1.5, spent: 1 }],
    ['unlimited', { messages: Infinity }, 100, undefined],
  ] as const)('draws messages: %s', (_case, own, draws, last) => {
    const budget = new Budget(own, undefined, 0);
    let short: unknown;

    for (let n = 0; n < draws; n++) short = budget.draw(0);

    expect(short).toEqual(last);
  });

  it.each([
    ['within', { tokens: 100 }, { tokens: 100 }, undefined],
    ['over', { tokens: 100 }, { tokens: 101 }, { resource: 'tokens', limit: 100, spent: 101 }],
    ['zero', { cost: 0 }, { cost: 0.01 }, { resource: 'cost', limit: 0, spent: 0.01 }],
    ['nothing of zero', { cost: 0, tokens: 0 }, { cost: 0 }, undefined],
    ['what has no limit', { tokens: 1 }, { cost: 9 }, undefined],
  ] as const)('is spent: %s', (_case, own, spending, short) => {
    expect(new Budget(own, undefined, 0).spend(spending)).toEqual(short);
  });

  it('does not trip over sums of fractions', () => {
    const budget = new Budget({ cost: 0.3 }, undefined, 0);

    expect([budget.spend({ cost: 0.1 }), budget.spend({ cost: 0.2 })]).toEqual([
      undefined,
      undefined,
    ]);
    expect(budget.spend({ cost: 0.000_1 })).toMatchObject({ resource: 'cost' });
  });

  it('ends at its time, and refuses messages from then on', () => {
    const budget = new Budget({ ms: 20 }, undefined, 100);

    expect([budget.overrun(119), budget.draw(119)]).toEqual([undefined, undefined]);
    const late = { resource: 'ms', limit: 20, spent: 20 };
    expect([budget.overrun(120), budget.draw(120)]).toEqual([late, late]);
  });

  it('begins nothing once it is overdrawn', () => {
    const budget = new Budget({ tokens: 10 }, undefined, 0);
    budget.spend({ tokens: 11 });

    expect(budget.draw(0)).toEqual({ resource: 'tokens', limit: 10, spent: 11 });
  });

  it('shows the least that is left above, and what was spent of the nearest', () => {
    const outer = new Budget({ tokens: 100, ms: 50 }, undefined, 0);
    outer.spend({ tokens: 30 });
    const inner = new Budget({ tokens: 90, messages: 2 }, outer, 10);
    inner.draw(10);
    inner.spend({ tokens: 5, cost: 0.5 });

    expect(inner.view(20)).toEqual({
      remaining: { messages: 1, tokens: 65, cost: Infinity, ms: 30 },
      spent: { messages: 1, tokens: 5, cost: 0.5, ms: 10 },
    });
  });

  it('draws from all of its chain or from none, and never over any limit', () => {
    const steps = fc.array(fc.tuple(fc.nat(3), fc.constantFrom('draw', 'back', 'spend')), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(fc.array(limits, { minLength: 1, maxLength: 4 }), steps, (all, program) => {
        const chain = chainOf(all);
        const drawn = chain.map(() => 0);
        const calls = chain.map(() => 0);
        for (const [at, what] of program) {
          const level = at % chain.length;
          const budget = chain[level] as Budget;
          const above = drawn.slice(0, level + 1);
          if (what === 'spend') budget.spend({ tokens: 7 });
          else if (what === 'back' && (calls[level] as number) > 0) {
            budget.giveBack();
            calls[level] = (calls[level] as number) - 1;
            for (let n = 0; n <= level; n++) drawn[n] = (drawn[n] as number) - 1;
          } else if (what === 'draw' && budget.draw(0) === undefined) {
            calls[level] = (calls[level] as number) + 1;
            for (let n = 0; n <= level; n++) drawn[n] = (above[n] as number) + 1;
          }
          for (const [n, { messages = Infinity }] of all.entries()) {
            expect(drawn[n]).toBeLessThanOrEqual(messages);
            expect(chain[n]?.view(0).spent.messages).toBe(drawn[n]);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is never wider than the one above', () => {
    fc.assert(
      fc.property(fc.array(limits, { minLength: 2, maxLength: 4 }), fc.nat(60), (all, now) => {
        const views = chainOf(all).map((budget) => budget.view(now).remaining);
        for (let n = 1; n < views.length; n++) {
          for (const resource of ['messages', 'tokens', 'cost', 'ms'] as const) {
            expect(views[n]?.[resource]).toBeLessThanOrEqual(views[n - 1]?.[resource] as number);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('the options of a budget', () => {
  it.each([
    [{ messages: -1 }, RangeError, 'budget.messages must be 0 or more, but it is -1'],
    [{ ms: Number.NaN }, RangeError, 'budget.ms must be 0 or more, but it is NaN'],
    [{ cost: '1' }, TypeError, 'budget.cost must be a number, but it is "1"'],
    [{ token: 1 }, TypeError, 'budget has no token; it has messages, tokens, cost, ms'],
    [7, TypeError, 'budget must be an object with messages, tokens, cost, ms, but it is 7'],
    [null, TypeError, 'budget must be an object with messages, tokens, cost, ms, but it is null'],
  ])('refuse %j', (wrong, kind, text) => {
    const read = (): unknown => readBudget(wrong as BudgetLimits);

    expect(read).toThrow(kind);
    expect(read).toThrow(text);
  });

  it('are taken as they are: nothing, zero, fractions, Infinity', () => {
    const right = { messages: 0, tokens: 0.5, cost: Infinity };

    expect([readBudget(undefined), readBudget({}), readBudget(right)]).toEqual([
      undefined,
      {},
      right,
    ]);
  });

  it.each([
    [{ tokens: -1 }, RangeError],
    [{ cost: Number.NaN }, RangeError],
    [{ cost: Infinity }, RangeError],
    [{ messages: 1 }, TypeError],
    [undefined, TypeError],
  ])('of spend refuse %j', (wrong, kind) => {
    expect(() => checkSpending(wrong as Spending)).toThrow(kind);
  });
});
