import type { Contender, Queued } from '../contender.ts';
import { byPriorityAndAge } from '../queued-order.ts';

export const contender: Contender = {
  name: 'tinyqueue',
  package: 'tinyqueue',
  abilities: {
    priorityQueue: async () => {
      const { default: TinyQueue } = await import('tinyqueue');
      const queue = new TinyQueue<Queued>([], byPriorityAndAge);
      return { push: (item) => queue.push(item), take: () => queue.pop() };
    },
  },
};
