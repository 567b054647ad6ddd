import type { Contender } from '../contender.ts';

export const contender: Contender = {
  name: 'moleculer',
  package: 'moleculer',
  abilities: {
    entry: () => 'moleculer',
    asker: async () => {
      const { ServiceBroker } = await import('moleculer');
      const broker = new ServiceBroker({ logger: false });
      broker.createService({
        name: 'math',
        actions: { next: (context: { params: number }) => context.params + 1 },
      });
      await broker.start();
      return { ask: (value) => broker.call('math.next', value as never) };
    },
  },
};
