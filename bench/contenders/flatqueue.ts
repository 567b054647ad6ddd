import type { Contender, Queued } from '../contender.ts';

/** More tickets than a run gives out, so that one number orders by priority and then by age. */
const ticketsPerPriority = 2 ** 40;

export const contender: Contender = {
  name: 'flatqueue',
  package: 'flatqueue',
  abilities: {
    priorityQueue: async () => {
      const { default: FlatQueue } = await import('flatqueue');
      const queue = new FlatQueue<Queued>();
      return {
        push: (item) => queue.push(item, (10 - item.priority) * ticketsPerPriority + item.ticket),
        take: () => queue.pop(),
      };
    },
  },
};
