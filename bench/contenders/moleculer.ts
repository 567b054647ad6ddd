import { type Contender, RESPONDERS } from '../contender.ts';

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
    guardedAsker: async () => {
      const { ServiceBroker } = await import('moleculer');
      const broker = new ServiceBroker({
        logger: false,
        requestTimeout: 30_000,
        retryPolicy: { enabled: true, retries: 2 },
        circuitBreaker: { enabled: true },
      });
      broker.createService({
        name: 'math',
        actions: { next: (context: { params: number }) => context.params + 1 },
      });
      await broker.start();
      return { ask: (value) => broker.call('math.next', value as never) };
    },
    gatherer: async () => {
      const { ServiceBroker } = await import('moleculer');
      const broker = new ServiceBroker({ logger: false });
      const names = Array.from({ length: RESPONDERS }, (_, index) => `math-${index}`);
      for (const name of names) {
        broker.createService({
          name,
          actions: { next: (context: { params: number }) => context.params + 1 },
        });
      }
      await broker.start();
      // It has no call to all: ten calls at once are what a user of it writes.
      const call = (name: string, value: number) => broker.call(`${name}.next`, value as never);
      return { gather: (value) => Promise.all(names.map((name) => call(name, value))) };
    },
  },
};
