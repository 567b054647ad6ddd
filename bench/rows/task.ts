import { ability } from '../contender.ts';
import { Counter } from '../counter.ts';
import { makeHandlers } from '../handlers.ts';
import type { Row } from '../row.ts';
import { timed, type Work } from '../timed.ts';

const batchSize = 100;

export const rows: readonly Row[] = [
  {
    name: 'task',
    title: 'push to handled, one worker that does one thing at a time, 100 queued',
    unit: 'ns',
    needs: 'taskQueue',
    goals: [],
    prepare: async (contender) => {
      const queue = await ability(contender, 'taskQueue');
      const counter = new Counter();
      for (const handler of makeHandlers(queue.handler, counter, 1)) queue.work(handler);
      const work: Work = async (operations) => {
        for (let left = operations; left > 0; left -= batchSize) {
          const size = Math.min(left, batchSize);
          const handled = counter.expect(size);
          for (let index = 0; index < size; index += 1) queue.push(1);
          await handled;
        }
        await counter.verify();
      };
      return timed(work);
    },
  },
];
