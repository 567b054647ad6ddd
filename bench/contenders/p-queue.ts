import { AT_A_TIME, type Contender, type Handler } from '../contender.ts';

export const contender: Contender = {
  name: 'p-queue',
  package: 'p-queue',
  abilities: {
    entry: () => 'p-queue',
    bulkhead: async () => {
      const { default: PQueue } = await import('p-queue');
      const queue = new PQueue({ concurrency: AT_A_TIME });
      return (work) => queue.add(work);
    },
    taskQueue: async () => {
      const { default: PQueue } = await import('p-queue');
      const queue = new PQueue({ concurrency: 1 });
      let worker: Handler = () => {};
      return {
        handler: { parameters: 'payload', payload: 'payload' },
        work: (handler) => {
          worker = handler;
        },
        push: (payload) => void queue.add(() => worker(payload)),
      };
    },
  },
};
