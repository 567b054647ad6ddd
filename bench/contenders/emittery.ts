import type { Contender } from '../contender.ts';

export const contender: Contender = {
  name: 'emittery',
  package: 'emittery',
  abilities: {
    entry: () => 'emittery',
    pubSub: async () => {
      const { default: Emittery } = await import('emittery');
      const emitter = new Emittery();
      return {
        handler: { parameters: 'payload', payload: 'payload' },
        subscribe: (topic, handler) => emitter.on(topic, handler),
        unsubscribe: (topic, handler) => emitter.off(topic, handler),
        publish: (topic, payload) => void emitter.emit(topic, payload),
      };
    },
  },
};
