import type { Contender, Handler } from '../contender.ts';

export const contender: Contender = {
  name: 'p-queue',
  package: 'p-queue',
  abilities: {
    entry: () => 'p-queue',
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
