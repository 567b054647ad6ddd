import { describe, expect, it, vi } from 'vitest';
import type { Scenario } from '../../../src/testing/explore/scenario.ts';
import { type ExplorationError, explore, type FaultRule } from '../../../src/testing.ts';

/** A till that a crash after its work lets charge twice; the gossip around it changes nothing. */
const charges: Scenario = async ({ bus }) => {
  let charged = 0;
  bus.register('till').subscribe('charge', () => void charged++, {
    retry: { maxAttempts: 3, baseMs: 10, jitter: 'none' },
  });
  bus.register('ann').subscribe('gossip', () => {});
  bus.register('bob').subscribe('gossip', () => {});
  for (const news of [1, 2, 3]) bus.publish('gossip', news);
  await bus.publish('charge', 100).settled;
  if (charged > 1) throw new Error('charged twice');
};

const RULES: readonly FaultRule[] = [
  { fault: 'delay', topic: 'gossip', probability: 0.5, maxMs: 20 },
  { fault: 'drop', topic: 'gossip', probability: 0.2 },
  { fault: 'crash', agent: 'till', when: 'after', probability: 0.3 },
];

async function failureOf(options: object = {}): Promise<ExplorationError> {
  return explore(charges, { faults: RULES, ...options }).then(
    () => {
      throw new Error('no schedule failed');
    },
    (error: ExplorationError) => error,
  );
}

describe('explore with faults', () => {
  it('names the one fault that matters, and leaves the others out', async () => {
    const failure = await failureOf();

    const [fault, ...others] = failure.faults;
    expect(others).toEqual([]);
    expect(fault?.text).toBe('crash m4 charge $host -> till, after its work');
    expect(failure.choices).toBe('');
    expect(failure.replay).toBe(`TELLASK_SEED=${failure.seed}//${fault?.id}`);
    expect(failure.message).toContain(
      'the faults that matter\n  at 0 ms: crash m4 charge $host -> till, after its work\n',
    );
    expect(failure.transcript).toContain('crash m4 charge');
  });

  it('fails again with that fault alone, and not without it', async () => {
    const { replay, transcript, seed } = await failureOf();

    vi.stubEnv('TELLASK_SEED', replay.replace('TELLASK_SEED=', ''));
    const again = await failureOf();
    vi.stubEnv('TELLASK_SEED', `${seed}//`);
    const without = await explore(charges, { faults: RULES });
    vi.unstubAllEnvs();

    expect(again.transcript).toBe(transcript);
    expect(without.schedules).toBe(1);
  });

  it('explores the orders in which a store answers', async () => {
    const orders = new Set<string>();

    const { finished } = await explore(
      async (t) => {
        const store = t.store();
        const log: string[] = [];
        const write = async (value: string): Promise<void> => {
          await store.commit([{ key: 'a', value }]);
          log.push(value);
        };
        await Promise.all([write('1'), write('2')]);
        const { value } = (await store.get('a')) ?? {};
        orders.add(`answered ${log}, holds ${value}`);
      },
      { strategy: 'exhaustive' },
    );

    expect(finished).toBe(true);
    expect([...orders].toSorted()).toEqual([
      'answered 1,2, holds 1',
      'answered 1,2, holds 2',
      'answered 2,1, holds 1',
      'answered 2,1, holds 2',
    ]);
  });
});
