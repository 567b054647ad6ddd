import type { Contender, Queued } from '../contender.ts';
import { byPriorityAndAge } from '../queued-order.ts';

export const contender: Contender = {
  name: 'fastpriorityqueue',
  package: 'fastpriorityqueue',
  abilities: {
    priorityQueue: async () => {
      const { default: FastPriorityQueue } = await import('fastpriorityqueue');
      const queue = new FastPriorityQueue<Queued>((a, b) => byPriorityAndAge(a, b) < 0);
      return { push: (item) => queue.add(item), take: () => queue.poll() };
    },
  },
};
