import { type Ability, ability } from '../contender.ts';
import { Counter } from '../counter.ts';
import { makeHandlers } from '../handlers.ts';
import type { Row } from '../row.ts';
import { timed, type Work } from '../timed.ts';

const queued = 1_000;

/** The same tasks, one by one and in batches: what collecting them costs, or saves. */
function row(name: string, title: string, needs: Ability & ('taskQueue' | 'batchQueue')): Row {
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
        for (let left = operations; left > 0; left -= queued) {
          const size = Math.min(left, queued);
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
  row('batch', 'push to handled in batches of 100, 1 000 queued', 'batchQueue'),
  row('batch-singly', 'push to handled one by one, 1 000 queued', 'taskQueue'),
];
