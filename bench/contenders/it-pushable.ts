import type { Contender } from '../contender.ts';

/** An unbounded queue that is iterated: no request, no mailbox, no back-pressure. */
export const contender: Contender = {
  name: 'it-pushable',
  package: 'it-pushable',
  abilities: {
    watched: async () => {
      const { pushable } = await import('it-pushable');
      const readers: { push(value: number): unknown }[] = [];
      return {
        watch: () => {
          const values = pushable<number>({ objectMode: true });
          readers.push(values);
          return values;
        },
        write: (value) => {
          for (const reader of readers) reader.push(value);
        },
      };
    },
    streamer: async () => {
      const { pushable } = await import('it-pushable');
      return {
        stream: (chunks) => {
          const values = pushable<number>({ objectMode: true });
          for (let chunk = 1; chunk <= chunks; chunk += 1) values.push(chunk);
          values.end();
          return values;
        },
      };
    },
  },
};
