import type { Contender, Handler } from '../contender.ts';

/** No library: what remains when the functions of a topic are called in a loop. */
export const contender: Contender = {
  name: 'direct call',
  abilities: {
    pubSub: () => {
      const topics = new Map<string, Handler[]>();
      return {
        handler: { parameters: 'payload', payload: 'payload' },
        subscribe: (topic, handler) => topics.set(topic, [...(topics.get(topic) ?? []), handler]),
        unsubscribe: (topic) => topics.delete(topic),
        publish: (topic, payload) => {
          for (const handler of topics.get(topic) ?? []) handler(payload);
        },
      };
    },
    asker: () => ({ ask: async (value) => value + 1 }),
    streamer: () => ({ stream: countTo }),
  },
};

/** The generator that is asked, without a library between it and its reader. */
async function* countTo(chunks: number): AsyncGenerator<number> {
  for (let chunk = 1; chunk <= chunks; chunk += 1) yield chunk;
}
