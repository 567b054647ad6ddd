import type { Contender, Queued } from '../contender.ts';
import { byPriorityAndAge } from '../queued-order.ts';

export const contender: Contender = {
  name: 'heap-js',
  package: 'heap-js',
  abilities: {
    priorityQueue: async () => {
      const { Heap } = await import('heap-js');
      const heap = new Heap<Queued>(byPriorityAndAge);
      return { push: (item) => void heap.push(item), take: () => heap.pop() };
    },
  },
};
