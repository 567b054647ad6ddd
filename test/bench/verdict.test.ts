import { describe, expect, it } from 'vitest';
import type { Goal, Row } from '../../bench/row.ts';
import { summarize } from '../../bench/statistics.ts';
import { tableOf, verdictLine } from '../../bench/table.ts';
import { judge } from '../../bench/verdict.ts';

function rowWith(...goals: Goal[]): Row {
  const prepare = () => ({ sample: () => 1 });
  return { name: 'publish-1', title: 'publish', unit: 'ns', needs: 'pubSub', goals, prepare };
}

describe('the benchmark', () => {
  it('takes the median and the quartiles, which one slow sample does not move', () => {
    const summary = summarize([5, 1, 4, 2, 1_000]);

    expect(summary).toEqual({ median: 4, low: 2, high: 5, samples: 5 });
  });

  it('compares tellask with the best of the peers that were measured', () => {
    const row = rowWith({ kind: 'ratio', to: ['slow', 'fast', 'broken'], atMost: 2 });
    const results = new Map([
      [
        'publish-1',
        {
          tellask: summarize([30]),
          slow: summarize([60]),
          fast: summarize([10]),
          broken: { error: 'expected 100 handled, got 99' },
        },
      ],
    ]);

    const [verdict] = judge(row, results);

    expect(verdict).toMatchObject({ value: 3, atMost: 2, reached: false });
    expect(verdict && verdictLine(row, verdict)).toMatch(/MISSED.*3\.00 \(reach 2\)/);
  });

  it('leaves a goal open when a side of it was not measured', () => {
    const row = rowWith(
      { kind: 'ratio', to: ['peer'], atMost: 2 },
      { kind: 'growth', since: 'publish-0', atMost: 1.5 },
      { kind: 'limit', atMost: 40 },
    );
    const results = new Map([['publish-1', { tellask: summarize([30]) }]]);

    const marks = judge(row, results).map(({ reached }) => reached);

    expect(marks).toEqual([undefined, undefined, true]);
  });

  it('shows what every contender took and why one has no number', () => {
    const results = {
      tellask: summarize([30]),
      peer: summarize([10]),
      broken: { error: 'lost 1' },
    };

    const table = tableOf(rowWith(), results).split('\n');

    expect(table[1]).toMatch(/tellask +30\.0 ns .* 1\.00 x/);
    expect(table[2]).toMatch(/peer +10\.0 ns .* 3\.00 x/);
    expect(table[3]).toMatch(/broken +- +lost 1/);
  });
});
