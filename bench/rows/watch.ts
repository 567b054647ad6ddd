import { ability } from '../contender.ts';
import type { Row } from '../row.ts';
import { timed, type Work } from '../timed.ts';

const READERS = 100;
/** How many are written before the readers are waited for. */
const AT_ONCE = 100;

export const rows: readonly Row[] = [
  {
    name: 'state-watch',
    title: 'a write of the state, until 100 who watch have read it',
    unit: 'ns',
    needs: 'watched',
    goals: [],
    prepare: async (contender) => {
      const watched = await ability(contender, 'watched');
      let read = 0;
      for (let reader = 0; reader < READERS; reader += 1) {
        void (async () => {
          for await (const change of watched.watch()) if (change !== undefined) read += 1;
        })();
      }
      const work: Work = async (writes) => {
        const before = read;
        for (let write = 1; write <= writes; write += 1) {
          watched.write(write);
          if (write % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        while (read < before + writes * READERS) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        if (read !== before + writes * READERS) throw new Error(`${read - before} were read`);
      };
      return timed(work);
    },
  },
];
