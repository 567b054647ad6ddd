import { type Abilities, ability } from '../contender.ts';
import { Counter } from '../counter.ts';
import { makeHandlers } from '../handlers.ts';
import type { Row } from '../row.ts';
import { timed, type Work } from '../timed.ts';

const batchSize = 100;

function row(
  name: string,
  title: string,
  needs: keyof Abilities & ('taskQueue' | 'taskBoard'),
): Row {
  return {
    name,
    title,
    unit: 'ns',
    needs,
    goals: [],
    prepare: async (contender) => {
      const queue = await ability(contender, needs);
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
  };
}

export const rows: readonly Row[] = [
  row('task', 'push to handled, one worker that does one thing at a time, 100 queued', 'taskQueue'),
  row('task-board', 'the same, each a task of a board: in the state, under a lease', 'taskBoard'),
];
