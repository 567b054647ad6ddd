import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/observe/metrics.ts';

const labels = (series: readonly { readonly label: string }[]) => series.map(({ label }) => label);

describe('Metrics', () => {
  it('hands out one series for each family and each pair', () => {
    const metrics = new Metrics();

    expect(metrics.family('a')).toBe(metrics.family('a'));
    expect(metrics.pair('a', 'b')).toBe(metrics.pair('a', 'b'));
    expect(metrics.pair('a', 'b')).not.toBe(metrics.pair('b', 'a'));
    expect(metrics.pair('a → b', 'c')).not.toBe(metrics.pair('a', 'b → c'));
  });

  it('shows as plain data what was counted', () => {
    const metrics = new Metrics();
    const family = metrics.family('report.{id}');
    family.handled++;
    family.latency.record(4);
    metrics.pair('ann', 'bob').deadLettered += 2;

    const snapshot = metrics.snapshot();

    expect(structuredClone(snapshot)).toEqual(snapshot);
    expect(snapshot.families[0]).toMatchObject({
      label: 'report.{id}',
      handled: 1,
      latency: { count: 1, maxMs: 4 },
    });
    expect(snapshot.pairs[0]).toMatchObject({ label: 'ann → bob', deadLettered: 2, expired: 0 });
  });

  it('puts everything after the last free label under (other)', () => {
    const metrics = new Metrics({ maxLabels: 2 });

    for (let i = 0; i < 1_000; i++) {
      metrics.family(`f${i}`).handled++;
      metrics.pair(`a${i}`, 'b').cancelled++;
    }

    const { families, pairs } = metrics.snapshot();
    expect(labels(families)).toEqual(['f0', 'f1', '(other)']);
    expect(labels(pairs)).toEqual(['a0 → b', 'a1 → b', '(other)']);
    expect([families[2]?.handled, pairs[2]?.cancelled]).toEqual([998, 998]);
  });

  it('takes hostile labels for labels', () => {
    const metrics = new Metrics();

    metrics.family('__proto__').handled++;
    metrics.pair('__proto__', 'constructor').handled++;

    expect(labels(metrics.snapshot().pairs)).toEqual(['__proto__ → constructor']);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
