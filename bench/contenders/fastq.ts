import type { Contender } from '../contender.ts';

export const contender: Contender = {
  name: 'fastq',
  package: 'fastq',
  abilities: {
    entry: () => 'fastq',
    taskQueue: async () => {
      const { default: fastq } = await import('fastq');
      let push: (payload: number) => void = () => {};
      return {
        handler: { parameters: 'payload, done', payload: 'payload', last: 'done();' },
        work: (handler) => {
          const queue = fastq<unknown, number>(handler, 1);
          push = (payload) => queue.push(payload);
        },
        push: (payload) => push(payload),
      };
    },
  },
};
