import { describe, expect, it } from 'vitest';
import { createTestBus, explore, type FaultRule } from '../../src/testing.ts';
import { CLASSIC_BUGS } from './bugs/all.ts';
import { leaseLost } from './bugs/lease-lost.ts';
import { retriedSideEffect } from './bugs/retried-side-effect.ts';

const REPLAYS = 1_000;
const AT_A_TIME = 20;

// DESIGN "determinism"
describe('one seed', () => {
  it('gives one transcript in 1 000 replays, also when many run at a time', async () => {
    const transcripts = new Set<string>();
    const replay = () =>
      explore(
        async (t) => {
          await retriedSideEffect.mended(t);
          transcripts.add(t.transcript());
        },
        { strategy: 'replay', replay: '7/1:1,4:1' },
      );

    for (let done = 0; done < REPLAYS; done += AT_A_TIME) {
      await Promise.all(Array.from({ length: AT_A_TIME }, replay));
    }

    expect([...transcripts]).toHaveLength(1);
  });

  it.each(CLASSIC_BUGS.map((bug) => [bug.name, bug] as const))(
    'gives the same transcript of each program again: %s',
    async (_name, bug) => {
      const transcripts = async (seed: number): Promise<string> => {
        await using t = createTestBus({ ...bug.setup?.(), seed, shuffle: true });
        await bug.mended(t);
        return t.transcript();
      };
      const seeds = Array.from({ length: 10 }, (_, seed) => seed);

      const first = await Promise.all(seeds.map(transcripts));
      const second = await Promise.all(seeds.map(transcripts));

      expect(second).toEqual(first);
    },
  );

  // Written by another process and, in `scripts/matrix.sh`, by another version of Node.
  it('gives the transcript that is kept here', async () => {
    const faults: readonly FaultRule[] = [
      { fault: 'delay', topic: 'mood', minMs: 1, maxMs: 9 },
      { fault: 'duplicate', topic: 'annotate' },
    ];
    await using t = createTestBus({ ...leaseLost.setup?.(), seed: 42, shuffle: true, faults });

    await leaseLost.mended(t);

    await expect(t.transcript()).toMatchFileSnapshot('expected/lease-lost.txt');
  });
});
