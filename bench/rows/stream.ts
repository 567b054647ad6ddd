import { ability } from '../contender.ts';
import type { Row } from '../row.ts';
import { timed, type Work } from '../timed.ts';

const CHUNKS = 1_000;

export const rows: readonly Row[] = [
  {
    name: 'stream',
    title: 'stream of 1 000 chunks, produced to read',
    unit: 'ns',
    needs: 'streamer',
    goals: [{ kind: 'ratio', to: ['it-pushable'], atMost: 1 }],
    prepare: async (contender) => {
      const streamer = await ability(contender, 'streamer');
      const work: Work = async (streams) => {
        for (let left = streams; left > 0; left -= 1) {
          let sum = 0;
          for await (const chunk of streamer.stream(CHUNKS)) sum += chunk as number;
          if (sum !== (CHUNKS * (CHUNKS + 1)) / 2) throw new Error(`read a sum of ${sum}`);
        }
      };
      return timed(work);
    },
  },
];
